"""In which order things are sent, what is never sent a second time, and what a person decides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bigin_import import identity
from bigin_import.callback_url import verify
from bigin_import.domain import import_transitions, part_transitions
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Job
from bigin_import.domain.locks import KeyLock
from bigin_import.domain.states import HoldCause, ImportState, PartState
from bigin_import.errors import (
    BiginBusyError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
)
from bigin_import.ledger import update
from tests.fakes.harness import KEYS, MAPPING, ROWS, Harness

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
UPSERT = {**MAPPING, "operation": "upsert", "find_by": "Email"}
WRONG = {**MAPPING, "columns": {"Nope": "Email", "Surname": "Last_Name"}}
REFUSED = BiginRefusedError(code="NO_PERMISSION", message="no", resolution="ask")
LOST = BiginOutcomeUnknownError("no answer")
BUSY = BiginBusyError("429", retry_after_seconds=3600)


def dropped(
    harness: Harness, body: bytes = ROWS, mapping: Mapping[str, object] = MAPPING
) -> ObjectVersion:
    harness.drop(SIDECAR, mapping)
    source = harness.drop(CSV, body)
    harness.settle()
    return source


def numbered(count: int, *, keys: int | None = None) -> bytes:
    """Return *count* rows; from *keys* on their keys come again."""
    lines = (f"p{n % (keys or count)}@example.com,N{n}\n" for n in range(count))
    return b"E-mail,Surname\n" + "".join(lines).encode()


def parts_of_jobs(harness: Harness) -> list[str]:
    """Return the part of each job in the order in which they were made."""
    return [made.callback_url.split("/")[-3] for made in harness.bigin.made.values()]


def contradict(harness: Harness) -> list[bool]:
    """Let Bigin's answers contradict what was sent, as long as the list is not empty."""
    ask, lies = harness.bigin.get_job, [True]

    def job(job_id: str) -> Job:
        return replace(ask(job_id), ignore_empty=False) if lies else ask(job_id)

    harness.bigin.get_job = job  # type: ignore[method-assign]
    return lies


def go_on(harness: Harness, source: ObjectVersion) -> bool:
    record = harness.import_of(source)
    harness.clock.begin()
    taken = harness.decisions.go_on(record.import_id, record.held_at or 0)
    harness.importer.resume(record.import_id)
    harness.settle()
    return taken


def without_id(harness: Harness, source: ObjectVersion) -> None:
    """Let the first attempt call back without naming a job."""
    url = harness.urls.url(harness.import_of(source).import_id, 1, 1)
    import_id, number, attempt, signature = url.split("/")[-4:]
    target = verify(import_id, number, attempt, signature, KEYS)
    assert target is not None
    harness.callback_recorder.receive(target, None)


def test_parts_with_equal_keys_keep_their_order_behind_one_that_is_held() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", LOST)
    source = dropped(harness, numbered(50_001, keys=24_999), UPSERT)
    harness.tick(minutes=30)
    unsent = parts_of_jobs(harness)

    harness.clock.begin()
    harness.decisions.create(harness.import_of(source).import_id, 1, 1)
    harness.tick(minutes=90)

    assert unsent == []
    assert parts_of_jobs(harness) == ["0001", "0002", "0003"]
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_no_create_starts_after_one_without_an_answer() -> None:
    harness = Harness()
    source = dropped(harness, b"E-mail,Surname\na@example.com,A\n")
    harness.tick(minutes=2)
    calls_before = harness.bigin.calls.count("create_job")
    harness.bigin.fail("create_job", LOST)

    harness.drop("incoming/mapping.json", MAPPING)
    many = harness.drop("incoming/many.csv", numbered(75_001))
    harness.settle()

    states = [part.state for part in harness.parts_of(many)]
    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.bigin.calls.count("create_job") == calls_before + 1
    assert states[0] is PartState.UNKNOWN
    assert PartState.CREATED not in states


@pytest.mark.parametrize("at_the_last_moment", [False, True])
def test_a_create_is_not_repeated_once_a_callback_told_of_it(at_the_last_moment: bool) -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness, mapping=UPSERT)
    harness.clock.advance(3700)
    if at_the_last_moment:
        told: list[bool] = []

        def hook(moment: str, call: str, _: object) -> None:
            if (moment, call) == ("after", "parts") and not told:
                told.append(True)
                without_id(harness, source)

        harness.ledger._hook = hook
    else:
        harness.bigin.fail("create_job", BUSY)
        harness.tick()
        without_id(harness, source)

    harness.tick(minutes=90)

    assert len(harness.bigin.made) == 1
    assert harness.parts_of(source)[0].state is PartState.HELD


def test_a_job_that_a_callback_named_while_bigin_was_away_is_asked_for_later() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness)
    harness.bigin.fail("job", BiginUnreachableError("no connection"))

    harness.call_back(harness.parts_of(source)[0], "7000")
    harness.tick(minutes=10)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.parts_of(source)[0].job_ids == ("7000",)


def test_a_held_part_that_a_late_callback_ends_lets_the_rest_go_on() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness, numbered(50_001, keys=24_999), UPSERT)
    harness.tick(minutes=30)
    held = harness.import_of(source)

    harness.call_back(harness.parts_of(source)[0], "7000")
    harness.settle()
    harness.tick(minutes=60)

    assert held.hold_cause is HoldCause.PART
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_a_decision_is_carried_out_by_its_second_delivery_if_the_first_one_died() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness, numbered(50_001, keys=24_999), UPSERT)
    harness.tick(minutes=30)
    part = harness.parts_of(source)[0]
    update(
        harness.ledger, part.address, part_transitions.record_job(1, "7000", harness.clock.now())
    )

    taken = harness.decisions.adopt(part.import_id, 1, 1, "7000")
    harness.settle()
    harness.tick(minutes=60)

    assert not taken
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_the_job_of_another_import_is_not_adopted_and_people_hear_why() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness)
    harness.tick(minutes=30)
    harness.drop("incoming/other.mapping.json", MAPPING)
    other = harness.drop("incoming/other.csv", numbered(3))
    (job_id,) = harness.parts_of(other)[0].job_ids

    taken = harness.decisions.adopt(harness.import_of(source).import_id, 1, 1, job_id)
    harness.settle()

    assert not taken
    assert harness.parts_of(source)[0].state is PartState.HELD
    about = [n for n in harness.notices.published if "contacts.csv" in n.subject]
    assert f"the job {job_id} was not made for this part" in about[-1].body


def test_a_contradiction_that_nobody_has_seen_is_not_waived_by_an_earlier_continue() -> None:
    harness = Harness()
    contradict(harness)
    source = dropped(harness, numbered(50_001), UPSERT)
    record = harness.import_of(source)

    taken = harness.decisions.go_on(record.import_id, (record.held_at or 0) - 600)

    assert not taken
    assert harness.import_of(source).hold_cause is HoldCause.CONTRADICTION
    assert len(harness.bigin.made) == 1


def test_a_contradiction_that_nobody_has_waived_is_told_when_the_import_closes() -> None:
    harness = Harness()
    contradict(harness)
    source = dropped(harness, mapping=UPSERT)

    harness.tick(minutes=3)

    held, closed = harness.notices.published
    assert harness.import_of(source).state is ImportState.COMPLETED_WITH_ERRORS
    assert (held.subject[:10], closed.subject[:10]) == ("CRITICAL: ", "CRITICAL: ")
    assert "ignore_empty is False, we asked for True" in closed.body.splitlines()[0]


def test_a_contradiction_that_a_person_has_seen_is_waived() -> None:
    harness = Harness()
    contradict(harness)
    source = dropped(harness, numbered(50_001), UPSERT)

    taken = go_on(harness, source)

    assert taken
    assert harness.import_of(source).contradiction is None
    assert len(harness.bigin.made) == 3


def test_an_import_that_goes_on_after_a_hold_waits_for_its_turn_and_moves_no_order_back() -> None:
    harness = Harness()
    lies = contradict(harness)
    harness.bigin.runs = False
    first = dropped(harness, numbered(25_001), UPSERT)
    harness.tick()
    lies.clear()
    second = harness.drop(CSV, numbered(25_002))
    harness.settle()

    go_on(harness, first)
    while_the_second_runs = harness.import_of(first).state
    harness.bigin.runs = True
    harness.tick(minutes=30)

    lock = harness.ledger.load(KeyLock.at(identity.place_of(first)))
    assert while_the_second_runs is ImportState.SENDING
    assert lock is not None
    assert lock.last_sequencer == second.sequencer
    assert harness.import_of(first).state is ImportState.COMPLETED_WITH_ERRORS
    assert harness.import_of(second).state is ImportState.COMPLETED


def test_of_a_held_drop_that_is_outdated_and_had_not_begun_nothing_is_sent() -> None:
    harness = Harness()
    harness.drop(SIDECAR, UPSERT)
    first = harness.files.put(CSV, ROWS)
    record = harness.registrar.register(first)
    held = import_transitions.put_on_hold(
        HoldCause.NO_PROGRESS, "5 tries got nowhere", harness.clock.now()
    )
    update(harness.ledger, record.address, lambda seen: replace(seen, state=ImportState.PREPARING))
    update(harness.ledger, record.address, held)
    second = harness.drop(CSV, numbered(3))
    harness.tick(minutes=3)

    go_on(harness, first)
    harness.tick(minutes=3)

    assert harness.import_of(second).state is ImportState.COMPLETED
    assert harness.import_of(first).state is ImportState.SUPERSEDED
    assert len(harness.bigin.made) == 1


def test_a_mapping_that_is_corrected_while_the_wrong_one_is_read_counts() -> None:
    harness = Harness()
    harness.drop(SIDECAR, WRONG)
    source = harness.files.put(CSV, ROWS)
    harness.clock.begin()
    harness.importer.receive(source)
    read_by_then = harness.import_of(source).state

    harness.drop(SIDECAR, MAPPING)
    harness.tick(minutes=3)

    assert read_by_then is ImportState.FINISHING
    assert harness.import_of(source).state is ImportState.REJECTED
    assert harness.import_of(source, take=2).state is ImportState.COMPLETED


def test_another_mapping_that_does_not_count_for_a_drop_takes_it_up_no_more() -> None:
    harness = Harness()
    source = dropped(harness, mapping=WRONG)

    for _ in range(3):
        harness.drop("incoming/mapping.json", MAPPING)
        harness.settle()

    assert [notice.subject for notice in harness.notices.published] == ["Rejected: contacts.csv"]
    assert harness.import_of(source).state is ImportState.REJECTED


def test_a_mapping_is_found_among_any_number_of_files() -> None:
    harness = Harness()
    for number in range(1500):
        harness.files.put(f"incoming/contacts-{number:04d}.csv", b"x")

    source = dropped(harness)

    assert harness.import_of(source).state is ImportState.SENT


def test_a_part_is_uploaded_again_before_its_create_is_repeated() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", LOST)
    source = dropped(harness, mapping=UPSERT)
    first = harness.parts_of(source)[0].file_id

    harness.tick(minutes=90)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.parts_of(source)[0].file_id != first
    assert len(harness.bigin.uploads) == 2


@pytest.mark.parametrize("refused", ["upload", "create_job"])
def test_what_is_refused_of_a_repeated_create_says_nothing_of_the_first_one(refused: str) -> None:
    harness = Harness()
    harness.bigin.fail("create_job", LOST)
    source = dropped(harness, mapping=UPSERT)
    harness.bigin.fail(refused, REFUSED)

    harness.tick(minutes=90)

    part, facts = harness.parts_of(source)[0], json.loads(harness.result(source, "import.json"))
    assert part.state is PartState.GIVEN_UP
    assert (facts["unclear"], facts["unprocessed"], facts["credits"]) == (2, 0, 500)
    assert harness.import_of(source).state is ImportState.COMPLETED_WITH_ERRORS
