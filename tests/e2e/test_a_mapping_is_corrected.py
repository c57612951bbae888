"""A drop that was rejected for its mapping: correcting the mapping is enough."""

from __future__ import annotations

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from tests.e2e.desk import CONTACTS, Desk, as_json
from tests.e2e.seen_bigin import SeenBigin

MISSPELT = as_json(CONTACTS | {"columns": {"E-mial": "Email", "Surname": "Last_Name"}})
WRONG = {
    "a wrong column": MISSPELT,
    "a wrong field": as_json(CONTACTS | {"columns": {"E-mail": "Email", "Surname": "Surname"}}),
    "a syntax slip": as_json(CONTACTS).replace(b"}", b",}"),
    "half of it": as_json(CONTACTS)[:40],
}


def rejected(desk: Desk, source: ObjectVersion) -> Import:
    record = desk.closed(source)
    assert record.state is ImportState.REJECTED
    return record


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_corrected_mapping_takes_its_drop_up_again(
    desk: Desk, bigin: SeenBigin, wrong: bytes
) -> None:
    source = desk.drop("people.csv", desk.contacts(), wrong)
    first = rejected(desk, source)

    desk.put("people.mapping.json", as_json(CONTACTS))

    second = desk.closed(source, take=2)
    assert second.state is ImportState.COMPLETED
    assert desk.notice(second).body.startswith("All 3 rows of people.csv are in Bigin: 3 added.\n")
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)
    assert bigin.sent_for(first.import_id) == []
    assert desk.import_of(source) == first


def test_the_suggested_mapping_can_be_dropped_as_it_is(desk: Desk, bigin: SeenBigin) -> None:
    source = desk.drop("people.csv", desk.contacts(), MISSPELT)
    first = rejected(desk, source)

    desk.put("people.mapping.json", desk.result(first, "mapping.suggested.json"))

    assert desk.closed(source, take=2).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def test_a_mapping_may_be_wrong_twice(desk: Desk, bigin: SeenBigin) -> None:
    source = desk.drop("people.csv", desk.contacts(), WRONG["half of it"])
    rejected(desk, source)
    desk.put("people.mapping.json", MISSPELT)
    assert desk.closed(source, take=2).state is ImportState.REJECTED

    desk.put("people.mapping.json", as_json(CONTACTS))

    assert desk.closed(source, take=3).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def test_a_corrected_folder_mapping_takes_up_every_drop_below_it(
    desk: Desk, bigin: SeenBigin
) -> None:
    desk.put("mapping.json", MISSPELT)
    sources = [
        desk.put("monday.csv", desk.contacts(first=1)),
        desk.put("shop/tuesday.csv", desk.contacts(first=4)),
    ]
    for source in sources:
        rejected(desk, source)

    desk.put("mapping.json", as_json(CONTACTS))

    states = [desk.closed(source, take=2).state for source in sources]
    assert states == [ImportState.COMPLETED] * 2
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(6), 1)
