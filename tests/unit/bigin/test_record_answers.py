"""What Bigin says of records: which were deleted, which have changed, whether more follow."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bigin_import.bigin import wire
from bigin_import.bigin.answers import Json
from bigin_import.ports import ChangedRecord

DELETED: Json = {
    "code": "SUCCESS",
    "details": {"id": "1"},
    "message": "record deleted",
    "status": "success",
}


def test_each_record_has_its_own_code() -> None:
    missing = {**DELETED, "code": "INVALID_DATA", "details": {"id": 2}, "status": "error"}

    assert wire.codes_by_id({"data": [DELETED, missing]}) == {"1": "SUCCESS", "2": "INVALID_DATA"}


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": None},
        {"data": {"code": "SUCCESS", "details": {"id": "1"}}},
        {"data": [{**DELETED, "details": {}}]},
        {"data": [{**DELETED, "details": None}]},
        {"data": [{**DELETED, "code": None}]},
        {"data": ["SUCCESS"]},
    ],
)
def test_an_entry_without_id_or_code_says_nothing(answer: Json) -> None:
    assert wire.codes_by_id(answer) == {}


@pytest.mark.parametrize(
    ("page", "following"),
    [
        ({"more_records": False}, {}),
        ({"more_records": False, "next_page_token": "abc"}, {}),
        ({"more_records": True}, {"page": "4"}),
        ({"more_records": True, "next_page_token": None}, {"page": "4"}),
        ({"more_records": True, "next_page_token": "abc"}, {"page_token": "abc"}),
        ({"more_records": "yes"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_next_page_is_asked_for_by_token_where_there_is_one(
    page: object, following: dict[str, str] | None
) -> None:
    assert wire.next_page({"data": [], "info": page}, number=3) == following


def test_a_change_has_its_time_with_the_offset() -> None:
    entry: Json = {"id": "7", "Modified_Time": "2026-11-29T12:00:00+05:30"}

    changed = wire.changed_record(entry)

    assert changed == ChangedRecord("7", datetime(2026, 11, 29, 6, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "7"},
        {"id": "7", "Modified_Time": None},
        {"id": "7", "Modified_Time": "yesterday"},
        {"id": "7", "Modified_Time": "2026-11-29T12:00:00"},
        {"Modified_Time": "2026-11-29T12:00:00Z"},
    ],
)
def test_a_change_whose_time_or_record_nobody_knows_is_none(entry: Json) -> None:
    assert wire.changed_record(entry) is None
