"""What import_csv failed on is taken from its queue: drops as it takes them, decisions told of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.import_transitions import put_on_hold
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import HoldCause, ImportState, PartState
from bigin_import.errors import BiginOutcomeUnknownError, BiginUnreachableError
from bigin_import.identity import import_id_of
from bigin_import.ledger import update
from bigin_import.ports import FailedDecision
from tests.fakes.harness import MAPPING, ROWS, Harness

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


@pytest.mark.parametrize("was_taken", [False, True])
def test_an_event_without_a_version_is_about_the_newest_one(was_taken: bool) -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    source = harness.files.put(CSV, ROWS)
    unversioned = replace(source, version_id="null", etag="e1")
    if was_taken:
        harness.clock.begin()
        harness.importer.receive(unversioned)

    harness.failures.events.append((unversioned,))
    harness.tick(minutes=3)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.ledger.load(Import.at(import_id_of(unversioned))) is None
    assert len(harness.bigin.made) == 1


@pytest.mark.parametrize("key", ["incoming/other.csv", "incoming/mapping.json"])
def test_an_event_of_another_bucket_registers_and_wakes_nothing(key: str) -> None:
    harness = Harness()
    waiting = harness.drop(CSV, ROWS)
    harness.settle()
    foreign = ObjectVersion("somebody-elses", key, "v1")

    harness.failures.events.append((foreign,))
    harness.clock.advance(60)
    harness.clock.begin()
    harness.sweeper.tick()

    assert harness.ledger.load(Import.at(import_id_of(foreign))) is None
    assert harness.resumer.asked == []
    assert harness.import_of(waiting).state is ImportState.WAITING_FOR_MAPPING
    assert ("bucket_unknown", {"bucket": "somebody-elses"}) in harness.telemetry.events
    assert harness.failures.events == []


def held(harness: Harness) -> Part:
    """Drop a file whose create nobody answers, and let time pass until a person must decide."""
    harness.bigin.fail("create_job", BiginOutcomeUnknownError("no answer"))
    harness.drop(SIDECAR, MAPPING)
    source = harness.drop(CSV, ROWS)
    harness.tick(minutes=60)
    (part,) = harness.parts_of(source)
    assert part.state is PartState.HELD
    return part


def told_after(harness: Harness, failed: FailedDecision) -> list[str]:
    before = len(harness.notices.published)
    harness.failures.events.append((failed,))
    harness.tick(minutes=3)
    return [each.body for each in harness.notices.published[before:]]


@pytest.mark.parametrize("attempt", [1, 0])
def test_people_are_told_of_a_decision_that_failed_each_time_it_was_tried(attempt: int) -> None:
    harness = Harness()
    part = held(harness)

    (body,) = told_after(harness, FailedDecision(part.import_id, 1, attempt))

    assert "The last decision was not carried out: the function import_csv failed" in " ".join(
        body.split()
    )
    assert "decision_failed" in harness.telemetry.names
    harness.decisions.create(part.import_id, 1, 1)
    harness.tick(minutes=3)
    assert len(harness.bigin.made) == 1


def test_a_decision_that_failed_after_it_was_carried_out_is_told_of_to_nobody() -> None:
    harness = Harness()
    part = held(harness)
    harness.decisions.create(part.import_id, 1, 1)

    bodies = told_after(harness, FailedDecision(part.import_id, 1, 1))

    assert "not carried out" not in " ".join(bodies)


@pytest.mark.parametrize(("hold", "times"), [(0, 1), (1, 0)])
def test_a_decision_about_a_hold_that_failed_is_told_of_while_that_lasts(
    hold: int, times: int
) -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    harness.bigin.fail("upload", BiginUnreachableError("no route"))
    record = harness.import_of(harness.drop(CSV, ROWS))
    step = put_on_hold(HoldCause.NO_PROGRESS, "no one", harness.clock.now())
    seen, _ = update(harness.ledger, record.address, step)
    harness.tick(minutes=2)
    assert seen is not None

    failed = FailedDecision(record.import_id, held_at=(seen.held_at or 0) + hold)
    bodies = told_after(harness, failed)

    assert len(bodies) == times


def test_a_decision_about_an_import_that_nobody_knows_is_one_line_in_the_log() -> None:
    harness = Harness()

    assert told_after(harness, FailedDecision("", 1, 1)) == []
    assert "decision_failed" in harness.telemetry.names
