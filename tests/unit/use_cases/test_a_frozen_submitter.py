"""A submitter stands still until its lease has ended, and writes where nothing forbids it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import import object_keys
from bigin_import.domain.states import ImportState
from bigin_import.errors import LeaseLostError
from bigin_import.importing.lease import take_lease
from bigin_import.ledger import update
from bigin_import.stored_plan import read_plan
from tests.fakes.harness import MAPPING, ROWS, Harness

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


def written_over(harness: Harness, key: str) -> bytes:
    """Let something else stand under *key*; return what stood there."""
    right = harness.files.read(key)
    harness.files.write(key, right.replace(b"Last_Name", b"First_Name"), content_type="x")
    return right


def test_a_plan_that_it_wrote_over_is_put_back_before_anything_is_sent_by_it() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    record = harness.import_of(harness.drop(CSV, ROWS))
    key = object_keys.plan_file(record.import_id)
    right = written_over(harness, key)

    plan = read_plan(harness.files, record.import_id, sha256=record.plan_sha256)

    assert "Last_Name" in plan.columns.header
    assert harness.files.read(key) == right


def test_a_mapping_that_it_wrote_over_is_read_anew() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    record = harness.import_of(harness.drop(CSV, ROWS))
    key = object_keys.pinned_mapping(record.import_id)
    right = written_over(harness, key)

    mapping = harness.importer.mappings.pinned(record)

    assert {field.api_name for field in mapping.fields} == {"Email", "Last_Name"}
    assert harness.files.read(key) == right


def test_it_knows_by_its_clock_that_it_may_not_write_any_more() -> None:
    harness = Harness()
    record = harness.intake.register(harness.files.put(CSV, ROWS))
    harness.clock.begin()
    held = take_lease(harness.ledger, harness.clock, record.import_id)
    assert held is not None
    lease, taken = held

    lease.check()
    harness.clock.advance(600)

    assert taken.state is ImportState.WAITING_FOR_MAPPING
    with pytest.raises(LeaseLostError):
        lease.check()


def test_what_others_made_of_an_import_after_its_last_write_is_not_undone() -> None:
    harness = Harness()
    record = harness.intake.register(harness.files.put(CSV, ROWS))
    harness.clock.begin()
    held = take_lease(harness.ledger, harness.clock, record.import_id)
    assert held is not None
    update(harness.ledger, record.address, lambda seen: replace(seen, state=ImportState.FINISHING))

    with pytest.raises(LeaseLostError):
        held[0].change(lambda seen: replace(seen, state=ImportState.SENDING))
