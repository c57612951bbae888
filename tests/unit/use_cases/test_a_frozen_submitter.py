"""A submitter stands still until its lease has ended, and writes where nothing forbids it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import import places
from bigin_import.changes import change
from bigin_import.errors import LeaseLostError
from bigin_import.importing.lease import take_lease
from bigin_import.importing.plans import read_plan
from bigin_import.records import ImportState
from tests.fakes.house import MAPPING, ROWS, House

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


def written_over(house: House, key: str) -> bytes:
    """Let something else stand under *key*; return what stood there."""
    right = house.files.read(key)
    house.files.write(key, right.replace(b"Last_Name", b"First_Name"), content_type="x")
    return right


def test_a_plan_that_it_wrote_over_is_put_back_before_anything_is_sent_by_it() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)
    record = house.import_of(house.drop(CSV, ROWS))
    key = places.plan_file(record.import_id)
    right = written_over(house, key)

    plan = read_plan(house.files, record.import_id, sha256=record.plan_sha256)

    assert "Last_Name" in plan.columns.header
    assert house.files.read(key) == right


def test_a_mapping_that_it_wrote_over_is_read_anew() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)
    record = house.import_of(house.drop(CSV, ROWS))
    key = places.pinned_mapping(record.import_id)
    right = written_over(house, key)

    mapping = house.importer.mappings.pinned(record)

    assert {field.api_name for field in mapping.fields} == {"Email", "Last_Name"}
    assert house.files.read(key) == right


def test_it_knows_by_its_clock_that_it_may_not_write_any_more() -> None:
    house = House()
    record = house.intake.register(house.files.put(CSV, ROWS))
    house.clock.begin()
    held = take_lease(house.ledger, house.clock, record.import_id)
    assert held is not None
    lease, taken = held

    lease.check()
    house.clock.advance(600)

    assert taken.state is ImportState.WAITING_FOR_MAPPING
    with pytest.raises(LeaseLostError):
        lease.check()


def test_what_others_made_of_an_import_after_its_last_write_is_not_undone() -> None:
    house = House()
    record = house.intake.register(house.files.put(CSV, ROWS))
    house.clock.begin()
    held = take_lease(house.ledger, house.clock, record.import_id)
    assert held is not None
    change(house.ledger, record.address, lambda seen: replace(seen, state=ImportState.FINISHING))

    with pytest.raises(LeaseLostError):
        held[0].change(lambda seen: replace(seen, state=ImportState.SENDING))
