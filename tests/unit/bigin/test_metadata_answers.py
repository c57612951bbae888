"""Fields and organisation, as Bigin describes them."""

from __future__ import annotations

from typing import Any

import pytest

from bigin_import.bigin import wire
from bigin_import.domain.job_request import Field

LAST_NAME = {
    "api_name": "Last_Name",
    "field_label": "Last Name",
    "data_type": "text",
    "length": 80,
    "decimal_place": None,
    "system_mandatory": True,
    "read_only": False,
    "field_read_only": False,
    "unique": {},
    "lookup": {},
    "pick_list_values": [],
}


def entry(**changes: object) -> dict[str, object]:
    return {**LAST_NAME, **changes}


def read(answer: dict[str, Any]) -> Field:
    fields = wire.fields({"fields": [answer]})
    assert fields is not None
    return fields[0]


def test_a_plain_field_is_read() -> None:
    assert read(entry()) == Field("Last_Name", "Last Name", "text", length=80, mandatory=True)


def test_a_lookup_names_its_parent_module() -> None:
    parent = {"api_name": "Contacts", "module": {"api_name": "Accounts", "id": "1"}}

    assert read(entry(data_type="lookup", lookup=parent)).lookup_module == "Accounts"


def test_a_picklist_lists_its_stored_values() -> None:
    values = [
        {"display_value": "Messe", "actual_value": "Trade Show"},
        {"display_value": "Web", "actual_value": "Web"},
    ]

    assert read(entry(pick_list_values=values)).pick_list == ("Trade Show", "Web")


@pytest.mark.parametrize(
    ("changes", "writable"),
    [
        ({}, True),
        ({"read_only": True}, False),
        ({"field_read_only": True}, False),
        ({"data_type": "formula"}, False),
        ({"data_type": "autonumber"}, False),
        ({"data_type": "fileupload"}, False),
        ({"data_type": "imageupload"}, False),
        ({"data_type": "profileimage"}, False),
        ({"data_type": "lookup"}, True),
    ],
)
def test_a_field_is_writable_if_nothing_speaks_against_it(
    changes: dict[str, object], writable: bool
) -> None:
    assert read(entry(**changes)).writable is writable


@pytest.mark.parametrize(
    ("unique", "expected"), [({}, False), (None, False), ({"case_sensitive": False}, True)]
)
def test_a_field_is_unique_if_it_says_how(unique: object, expected: bool) -> None:
    assert read(entry(unique=unique)).unique is expected


def test_a_field_without_a_label_goes_by_its_api_name() -> None:
    assert read({"api_name": "X"}) == Field("X", "X", "text")


@pytest.mark.parametrize("answer", [{}, {"fields": {}}, {"fields": None}])
def test_an_answer_without_a_list_has_no_fields(answer: dict[str, Any]) -> None:
    assert wire.fields(answer) is None


@pytest.mark.parametrize(
    ("answer", "zgid"),
    [
        ({"org": [{"zgid": "10358250", "id": "1"}]}, "10358250"),
        ({"org": [{"zgid": 10358250}]}, "10358250"),
        ({"org": [{}]}, None),
        ({"org": []}, None),
        ({}, None),
    ],
)
def test_the_organisation_is_known_by_its_zgid(answer: dict[str, Any], zgid: str | None) -> None:
    assert wire.zgid(answer) == zgid
