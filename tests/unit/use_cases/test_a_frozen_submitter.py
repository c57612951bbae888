"""A submitter stands still until its lease has ended, and writes where nothing forbids it."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace
from hashlib import sha256

import pytest

from bigin_import import object_keys
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import BiginUnreachableError, ChangedObjectError, LeaseLostError
from bigin_import.importing.lease import (
    EFFECTS_SECONDS,
    OUTLIVES_SECONDS,
    Lease,
    take_lease,
)
from bigin_import.ledger import update
from bigin_import.stored_plan import (
    read_archive,
    read_plan,
    write_archive,
    write_mapping,
    write_plan,
)
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.manual_clock import FrozenClock

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


def change(harness: Harness, key: str) -> None:
    """Let something else lie under *key* from now on."""
    harness.files.write(key, harness.files.read(key) + b" ", content_type="x")


def sent(harness: Harness) -> Import:
    harness.drop(SIDECAR, MAPPING)
    return harness.import_of(harness.drop(CSV, ROWS))


def test_what_it_writes_of_another_content_lies_under_another_key() -> None:
    harness = Harness()
    record = sent(harness)
    right = read_plan(harness.files, record)
    other = replace(right, header=("another", "header"))

    write_plan(harness.files, record.import_id, other)
    write_mapping(harness.files, record.import_id, b"{}")
    write_archive(harness.files, record.import_id, 1, b"another archive")

    assert read_plan(harness.files, record) == right
    assert harness.importer.mappings.read_pinned(record).module == "Contacts"
    (part,) = harness.ledger.load_parts(record.import_id)
    assert sha256(read_archive(harness.files, part)).hexdigest() == part.sha256


def test_a_plan_is_not_read_that_is_not_the_one_of_the_ledger() -> None:
    harness = Harness()
    record = sent(harness)
    key, *_ = object_keys.plan_file(record.import_id, record.plan_sha256 or "")
    change(harness, key)

    with pytest.raises(ChangedObjectError, match=re.escape(key)):
        read_plan(harness.files, record)


def test_a_mapping_is_not_read_that_is_not_the_one_of_the_ledger() -> None:
    harness = Harness()
    record = sent(harness)
    key, *_ = object_keys.pinned_mapping(record.import_id, record.mapping_sha256 or "")
    change(harness, key)

    with pytest.raises(ChangedObjectError, match=re.escape(key)):
        harness.importer.mappings.read_pinned(record)


def test_results_are_not_matched_with_an_archive_that_was_not_sent() -> None:
    harness = Harness()
    record = sent(harness)
    (part,) = harness.ledger.load_parts(record.import_id)
    key, *_ = object_keys.archive(record.import_id, 1, part.sha256)
    change(harness, key)
    harness.call_back(part)

    with pytest.raises(ChangedObjectError, match=re.escape(key)):
        harness.collector.collect(record.import_id, 1)


def test_it_knows_by_its_clock_that_it_may_not_write_any_more() -> None:
    harness = Harness()
    record = harness.registrar.register(harness.files.put(CSV, ROWS))
    harness.clock.begin()
    lease = take_lease(harness.ledger, harness.clock, record.import_id)
    assert lease is not None

    lease.check()
    harness.clock.advance(600)

    assert lease.record.state is ImportState.WAITING_FOR_MAPPING
    with pytest.raises(LeaseLostError):
        lease.check()


def test_what_others_made_of_an_import_after_its_last_write_is_not_undone() -> None:
    harness = Harness()
    record = harness.registrar.register(harness.files.put(CSV, ROWS))
    harness.clock.begin()
    lease = take_lease(harness.ledger, harness.clock, record.import_id)
    assert lease is not None
    update(harness.ledger, record.address, lambda seen: replace(seen, state=ImportState.FINISHING))

    with pytest.raises(LeaseLostError):
        lease.change(lambda seen: replace(seen, state=ImportState.SENDING))


@pytest.mark.parametrize("stands_still", [0, 400], ids=["goes on", "stands still"])
def test_a_submitter_that_stood_still_right_before_its_create_does_not_send_it(
    stands_still: int,
) -> None:
    """It has written the attempt down; its lease ends before the one call that cannot be undone."""
    harness = Harness()
    harness.clock = FrozenClock()

    def stand_still(moment: str, call: str, subject: object) -> None:
        if (moment, call) == ("after", "save") and isinstance(subject, Part):
            harness.clock.advance(stands_still if subject.state is PartState.CREATING else 0)

    harness.ledger._hook = stand_still
    record = sent(harness)

    assert len(harness.bigin.made) == (0 if stands_still else 1)
    harness.ledger._hook = lambda *_: None
    harness.tick(minutes=20)
    assert harness.import_of(record.source).state is ImportState.COMPLETED
    assert len(harness.bigin.made) == 1


@pytest.mark.parametrize(("seconds", "fits"), [(99, True), (100, False), (101, False)])
def test_a_call_that_may_outlast_the_lease_does_not_fit_though_the_platform_has_time(
    seconds: int, fits: bool
) -> None:
    harness = Harness()
    harness.bigin.fail("upload", BiginUnreachableError("no route"))
    record = sent(harness)
    lease = take_lease(harness.ledger, harness.clock, record.import_id)
    assert lease is not None

    ending = replace(lease, until=harness.clock.now() + 100)

    assert ending.has_time_for(seconds) is fits
    assert lease.has_time_for(seconds)


def leased(harness: Harness) -> Lease:
    """Return the lease on an import of which nothing could be sent yet."""
    harness.bigin.fail("upload", BiginUnreachableError("no route"))
    record = sent(harness)
    harness.clock.begin(remaining_seconds=300)
    lease = take_lease(harness.ledger, harness.clock, record.import_id)
    assert lease is not None
    return lease


def test_an_attempt_is_decided_about_once_its_holder_has_ended_and_all_took_effect() -> None:
    harness = Harness()

    lease = leased(harness)

    assert lease.decide_after == harness.clock.now() + 300 + EFFECTS_SECONDS
    assert lease.until == harness.clock.now() + 300 + OUTLIVES_SECONDS


@pytest.mark.parametrize(("before_its_end", "is_over"), [(1, False), (0, True), (-1, True)])
def test_a_lease_is_over_at_its_end(before_its_end: int, is_over: bool) -> None:
    harness = Harness()
    lease = leased(harness)
    harness.clock.advance(lease.until - harness.clock.now() - before_its_end)
    writes = [lambda: lease.change(lambda seen: seen), lease.check]

    for write in writes:
        with pytest.raises(LeaseLostError) if is_over else nullcontext():
            write()


def test_a_lease_that_was_given_back_with_the_last_change_is_not_written_again() -> None:
    harness = Harness()
    lease = leased(harness)
    lease.leave(lambda seen: replace(seen, due_at=harness.clock.now()))
    saved: list[object] = []
    harness.ledger._hook = lambda moment, call, subject: saved.append(subject)

    lease.give_back(moved=True)

    assert saved == []
    assert harness.import_of(lease.record.source).lease_until == 0


def test_each_holder_of_a_lease_has_an_epoch_above_all_before_it() -> None:
    harness = Harness()
    lease = leased(harness)
    epochs = [lease.epoch]
    for _ in range(2):
        lease.give_back(moved=True)
        following = take_lease(harness.ledger, harness.clock, lease.import_id)
        assert following is not None
        lease = following
        epochs.append(lease.epoch)

    assert epochs == [epochs[0], epochs[0] + 1, epochs[0] + 2]
    assert epochs[0] > 1  # whoever prepared it was the first
