"""
Things go wrong at the worst moment; afterwards every row is in Bigin once, and paid for once.

Few and real; `tests/simulation` tries them all. Where people would wait for minutes or for a day,
the tests move the due times in the ledger (`Desk.make_due`).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from bigin_import import identity, object_keys
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import HoldCause, ImportState, PartState
from bigin_import.ledger import update
from tests.e2e.desk import CONTACTS, Desk, Message
from tests.e2e.seen_bigin import CREATE_PATH, UPLOAD_PATH, SeenBigin
from tests.e2e.waiting import until
from tests.local_stack import LocalStack
from tests.local_stack.workers import PROC, kill_workers

ROWS = 3
TWO_PARTS_ROWS = 25_001
CREDITS_OF_A_JOB = 500
QUARTER_OF_AN_HOUR = 900
WITH_JOB = [PartState.CREATED, PartState.SETTLED, PartState.COLLECTED]
SLOW_SECONDS = 6  # long enough that a call under way is still under way once that was seen


def assert_once(
    desk: Desk, bigin: SeenBigin, source: ObjectVersion, *, rows: int = ROWS, jobs: int = 1
) -> None:
    """Check what must hold whatever went wrong."""
    record = desk.closed(source)
    facts = desk.facts(record)
    made = [job["id"] for job in bigin.jobs_of(record.import_id)]
    assert record.state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(rows), 1)
    assert len(made) == jobs
    assert [job_id for part in facts["parts"] for job_id in part["job_ids"]] == made
    assert facts["credits"] == CREDITS_OF_A_JOB * jobs


def have_ended(bigin: SeenBigin, record: Import) -> bool:
    return all(job["status"] == "COMPLETED" for job in bigin.jobs_of(record.import_id))


def test_a_create_whose_answer_is_lost_is_adopted_by_its_callback(
    desk: Desk, bigin: SeenBigin, stack: LocalStack
) -> None:
    bigin.break_once("create_timeout_after_effect")

    source = desk.drop("people.csv", desk.contacts(ROWS), CONTACTS)

    desk.part_reached(source, PartState.COLLECTED)
    desk.reached(source, lambda seen: seen.lease_until == 0, what="has given its lease back")
    desk.make_due(source)
    stack.invoke_tick()
    assert_once(desk, bigin, source)


@pytest.mark.parametrize("fault", ["callback_lost", "callback_early"])
def test_without_a_timely_callback_the_tick_settles(
    desk: Desk, bigin: SeenBigin, stack: LocalStack, fault: str
) -> None:
    bigin.break_once(fault)
    source = desk.drop("people.csv", desk.contacts(ROWS), CONTACTS)
    record = desk.reached(source, lambda seen: seen.state is ImportState.SENT, what="is sent")
    until(partial(have_ended, bigin, record), what="the job has ended")

    desk.make_due(source)
    stack.invoke_tick()

    assert_once(desk, bigin, source)
    assert desk.facts(desk.closed(source))["parts"][0]["closed_by"] == "tick"


def test_a_callback_before_the_create_is_answered_does_no_harm(
    desk: Desk, bigin: SeenBigin, stack: LocalStack
) -> None:
    bigin.change(callback_when="before_answer")
    source = desk.drop("people.csv", desk.contacts(ROWS), CONTACTS)
    record = desk.reached(source, lambda seen: seen.state is ImportState.SENT, what="is sent")
    until(partial(have_ended, bigin, record), what="the job has ended")

    desk.make_due(source)
    stack.invoke_tick()

    assert_once(desk, bigin, source)


def test_a_day_without_credits_is_waited_for(
    desk: Desk, bigin: SeenBigin, stack: LocalStack
) -> None:
    bigin.break_once("busy", path=CREATE_PATH, times=None, retry_after=3600)
    source = desk.drop("people.csv", desk.contacts(ROWS), CONTACTS)
    waiting = desk.reached(source, lambda seen: seen.busy_waits == 1, what="waits")
    assert waiting.state is ImportState.SENDING
    assert waiting.due_at is not None
    assert QUARTER_OF_AN_HOUR - 60 < waiting.due_at - desk.now() <= QUARTER_OF_AN_HOUR
    desk.make_due(source)
    stack.invoke_tick()
    desk.reached(source, lambda seen: seen.busy_waits == 2, what="waits on")

    bigin.mend()
    desk.make_due(source)
    stack.invoke_tick()

    assert_once(desk, bigin, source)


@pytest.mark.skipif(not PROC.exists(), reason="finds the processes of the functions in /proc")
@pytest.mark.parametrize(
    ("slow", "states"),
    [
        pytest.param("create_seconds", [PartState.CREATING], id="while a create is under way"),
        pytest.param("upload_seconds", WITH_JOB, id="between two parts"),
    ],
)
def test_an_importer_that_is_killed_is_taken_over(
    desk: Desk, bigin: SeenBigin, stack: LocalStack, slow: str, states: list[PartState]
) -> None:
    bigin.change(**{slow: SLOW_SECONDS})
    source = desk.drop("people.csv", desk.contacts(TWO_PARTS_ROWS), CONTACTS)
    desk.part_reached(source, *states)
    until(bigin.is_answering, what="the slow call has reached Bigin")

    assert kill_workers(stack, "import-csv") > 0
    bigin.change(**{slow: 0})

    desk.part_reached(source, PartState.COLLECTED)
    (_, second) = desk.parts_of(source)
    assert second.state is PartState.STORED
    desk.make_due(source)
    stack.invoke_tick()
    assert_once(desk, bigin, source, rows=TWO_PARTS_ROWS, jobs=2)


def test_what_nobody_can_know_is_held_until_a_person_decides(
    desk: Desk, bigin: SeenBigin, stack: LocalStack
) -> None:
    bigin.break_once("create_timeout_before_effect")
    source = desk.drop("people.csv", desk.contacts(ROWS), CONTACTS)
    desk.part_reached(source, PartState.UNKNOWN)
    desk.reached(source, lambda seen: seen.lease_until == 0, what="has given its lease back")
    let_the_effect_be_decided(desk, source)
    stack.invoke_tick()
    held = desk.held(source)
    assert bigin.jobs_of(held.import_id) == []

    notice = desk.notice(held)
    stack.client("lambda").invoke(
        FunctionName="bigin-drop-import-csv",
        InvocationType="Event",
        Payload=json.dumps(command_of(notice, "create")),
    )

    assert notice.subject == f"Needs a decision: {source.key.removeprefix('incoming/')}"
    desk.closed(source)
    made = bigin.jobs_of(held.import_id)
    assert len(made) == 1
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(ROWS), 1)


def test_to_continue_is_said_about_the_hold_that_its_notice_tells_of(
    desk: Desk, bigin: SeenBigin, stack: LocalStack
) -> None:
    bigin.break_once("busy", path=UPLOAD_PATH, times=None, retry_after=3600)
    source = desk.drop("people.csv", desk.contacts(ROWS), CONTACTS)
    paused = desk.reached(source, lambda seen: seen.busy_waits == 1, what="waits")
    desk.reached(source, lambda seen: seen.lease_until == 0, what="has given its lease back")
    (part,) = desk.parts_of(source)
    archive, *_ = object_keys.archive(paused.import_id, 1, part.sha256)
    planned = desk.stored(archive)
    desk.put_at(archive, b"something else")
    bigin.mend()
    desk.make_due(source)
    stack.invoke_tick()
    held = desk.held(source)
    command = command_of(desk.notice(held), "continue")
    desk.put_at(archive, planned)

    stack.invoke("import-csv", command | {"held_at": command["held_at"] - 1})

    still = desk.import_of(source)  # two ticks at once may both have reminded people of it
    assert still is not None
    assert (still.state, still.epoch, still.held_at) == (held.state, held.epoch, held.held_at)
    assert held.hold_cause is HoldCause.CONTRADICTION
    assert bigin.sent_for(held.import_id) == []
    stack.invoke("import-csv", command)
    assert_once(desk, bigin, source)


def let_the_effect_be_decided(desk: Desk, source: ObjectVersion) -> None:
    """Let the minutes be over in which the lost create might still have made a job."""

    def decided(seen: Part) -> Part | None:
        assert seen.attempt is not None
        return replace(seen, attempts=(replace(seen.attempt, decide_after=desk.now()),))

    update(desk.ledger, Part.at(identity.import_id_of(source), 1), decided)
    desk.make_due(source)


def command_of(notice: Message, decision: str) -> dict[str, Any]:
    """Return the payload of the command that a notice gives for a decision."""
    payloads = [json.loads(found) for found in re.findall(r"echo '(\{.*?\})' \|", notice.body)]
    (wanted,) = [payload for payload in payloads if payload["decision"] == decision]
    chosen: dict[str, Any] = wanted
    return chosen
