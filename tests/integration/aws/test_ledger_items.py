"""How records lie in the table: what a person sees in the console, and what the index needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.aws.ledger import address_of, key_of, to_item, to_record, unknown_values
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import SharedToken
from bigin_import.domain.part_record import Attempt, Part
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import Address, ImportState, OpenKind, PartState

PART = Part(
    import_id="i1",
    number=3,
    state=PartState.CREATED,
    rows=10,
    csv_bytes=100,
    sha256="00",
    first_row=2,
    last_row=11,
    repeatable=True,
    attempts=(Attempt(number=1, started_at=5, decide_after=9, job_id="111"),),
    counts=Counts(added=10),
)
IMPORT = Import(
    import_id="i1",
    source=ObjectVersion("bucket", "incoming/contacts.csv", "v1", size=10),
    state=ImportState.SENT,
    received_at=50,
    open=OpenKind.WORK,
    due_at=100,
)


def test_an_item_holds_plain_values_under_the_fields_own_names() -> None:
    item = to_item(PART, write_id="w1")

    assert item["pk"] == {"S": "IMPORT#i1"}
    assert item["sk"] == {"S": "PART#0003"}
    assert item["write_id"] == {"S": "w1"}
    assert item["state"] == {"S": "CREATED"}
    assert item["repeatable"] == {"BOOL": True}
    assert item["attempts"]["L"][0]["M"]["job_id"] == {"S": "111"}
    assert item["counts"]["M"]["added"] == {"N": "10"}


def test_none_is_left_out_at_every_depth() -> None:
    item = to_item(PART, write_id="w1")

    assert "NULL" not in str(item)
    assert "file_id" not in item
    assert "callback_at" not in item["attempts"]["L"][0]["M"]


def test_an_item_is_in_the_index_only_while_it_is_open() -> None:
    opened, closed = to_item(IMPORT, write_id="w1"), to_item(PART, write_id="w1")

    assert (opened["open"], opened["due_at"]) == ({"S": "WORK"}, {"N": "100"})
    assert "open" not in closed
    assert "due_at" not in closed


def test_an_item_that_cannot_be_read_is_named_by_its_fields_and_shows_no_value() -> None:
    item = to_item(SharedToken(access_token="1000.PLANTED"), write_id="w")
    item["access_token"] = {"L": [{"S": "1000.PLANTED"}]}

    with pytest.raises(ValueError, match="access_token") as caught:
        to_record(SharedToken, item)

    assert "PLANTED" not in str(caught.value)


def test_attributes_of_another_release_are_ignored() -> None:
    item = to_item(PART, write_id="w1") | {"colour": {"S": "green"}}

    assert to_record(Part, item) == PART


@pytest.mark.parametrize("record", [PART, replace(IMPORT, counts=Counts(added=10, refused=2))])
def test_counts_of_the_release_before_are_read(record: Part | Import) -> None:
    """It counted refused rows as `skipped`; an import that it began is finished by this one."""
    counted = replace(record, counts=Counts(added=10, refused=2))
    item = to_item(counted, write_id="w1")
    counts = item["counts"]["M"]
    item["counts"] = {"M": {"skipped" if k == "refused" else k: counts[k] for k in counts}}

    assert to_record(type(record), item) == counted


@pytest.mark.parametrize("address", [Import.at("i1"), Part.at("i1", 12), Part.at("i1", 9999)])
def test_an_index_entry_names_the_record(address: Address[Import] | Address[Part]) -> None:
    assert address_of(key_of(address)) == address


def test_what_a_newer_release_wrote_is_written_back_by_this_one() -> None:
    """During a deploy both write the same items; the older must not make them poorer."""
    item = to_item(PART, write_id="w1") | {"colour": {"S": "blue"}}
    item["attempts"]["L"][0]["M"] |= {"weight": {"N": "7"}}
    record = to_record(Part, item)

    unknown = unknown_values(record, item)
    written = to_item(replace(record, state=PartState.HELD), write_id="w2", unknown=unknown)

    assert written["state"] == {"S": "HELD"}
    assert written["colour"] == {"S": "blue"}
    assert written["attempts"]["L"][0]["M"]["weight"] == {"N": "7"}


def test_of_an_item_of_this_release_nothing_is_unknown() -> None:
    for record in (PART, IMPORT):
        assert unknown_values(record, to_item(record, write_id="w1")) == {}


def test_only_imports_are_listed() -> None:
    assert to_item(IMPORT, write_id="w1")["listed"] == {"S": "OPEN#OTHER"}
    assert to_item(IMPORT, write_id="w1")["listed_at"] == {"N": "50"}
    assert "listed" not in to_item(PART, write_id="w1")
