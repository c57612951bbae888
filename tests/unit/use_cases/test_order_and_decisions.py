"""In which order things are sent, what is never sent a second time, and what a person decides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from bigin_import import places
from bigin_import.callback import verify
from bigin_import.changes import change
from bigin_import.errors import (
    BiginBusyError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
)
from bigin_import.models import Job, ObjectVersion
from bigin_import.records import HoldCause, Import, ImportState, PartState, Turn, holds, steps
from tests.fakes.house import KEYS, MAPPING, ROWS, House

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
UPSERT = {**MAPPING, "operation": "upsert", "find_by": "Email"}
WRONG = {**MAPPING, "columns": {"Nope": "Email", "Surname": "Last_Name"}}
REFUSED = BiginRefusedError(code="NO_PERMISSION", message="no", resolution="ask")
LOST = BiginOutcomeUnknownError("no answer")
BUSY = BiginBusyError("429", retry_after_seconds=3600)


def dropped(
    house: House, body: bytes = ROWS, mapping: Mapping[str, object] = MAPPING
) -> ObjectVersion:
    house.drop(SIDECAR, mapping)
    source = house.drop(CSV, body)
    house.settle()
    return source


def numbered(count: int, *, keys: int | None = None) -> bytes:
    """Return *count* rows; from *keys* on their keys come again."""
    lines = (f"p{n % (keys or count)}@example.com,N{n}\n" for n in range(count))
    return b"E-mail,Surname\n" + "".join(lines).encode()


def parts_of_jobs(house: House) -> list[str]:
    """Return the part of each job in the order in which they were made."""
    return [made.callback_url.split("/")[-3] for made in house.bigin.made.values()]


def contradict(house: House) -> list[bool]:
    """Let Bigin's answers contradict what was sent, as long as the list is not empty."""
    ask, lies = house.bigin.job, [True]

    def job(job_id: str) -> Job:
        return replace(ask(job_id), ignore_empty=False) if lies else ask(job_id)

    house.bigin.job = job  # type: ignore[method-assign]
    return lies


def go_on(house: House, source: ObjectVersion) -> bool:
    record = house.import_of(source)
    house.clock.begin()
    taken = house.decisions.go_on(record.import_id, record.held_at or 0)
    house.importer.resume(record.import_id)
    house.settle()
    return taken


def without_id(house: House, source: ObjectVersion) -> None:
    """Let the first attempt call back without naming a job."""
    url = house.urls.url(house.import_of(source).import_id, 1, 1)
    import_id, number, attempt, signature = url.split("/")[-4:]
    target = verify(import_id, number, attempt, signature, KEYS)
    assert target is not None
    house.receiver.receive(target, None)


def test_parts_with_equal_keys_keep_their_order_behind_one_that_is_held() -> None:
    house = House()
    house.bigin.fail("create_job", LOST)
    source = dropped(house, numbered(50_001, keys=24_999), UPSERT)
    house.tick(minutes=30)
    unsent = parts_of_jobs(house)

    house.clock.begin()
    house.decisions.create(house.import_of(source).import_id, 1, 1)
    house.tick(minutes=90)

    assert unsent == []
    assert parts_of_jobs(house) == ["0001", "0002", "0003"]
    assert house.import_of(source).state is ImportState.COMPLETED


def test_no_create_starts_after_one_without_an_answer() -> None:
    house = House()
    source = dropped(house, b"E-mail,Surname\na@example.com,A\n")
    house.tick(minutes=2)
    calls_before = house.bigin.calls.count("create_job")
    house.bigin.fail("create_job", LOST)

    house.drop("incoming/mapping.json", MAPPING)
    many = house.drop("incoming/many.csv", numbered(75_001))
    house.settle()

    states = [part.state for part in house.parts_of(many)]
    assert house.import_of(source).state is ImportState.COMPLETED
    assert house.bigin.calls.count("create_job") == calls_before + 1
    assert states[0] is PartState.UNKNOWN
    assert PartState.CREATED not in states


@pytest.mark.parametrize("at_the_last_moment", [False, True])
def test_a_create_is_not_repeated_once_a_callback_told_of_it(at_the_last_moment: bool) -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house, mapping=UPSERT)
    house.clock.advance(3700)
    if at_the_last_moment:
        told: list[bool] = []

        def hook(moment: str, call: str, _: object) -> None:
            if (moment, call) == ("after", "parts") and not told:
                told.append(True)
                without_id(house, source)

        house.ledger._hook = hook
    else:
        house.bigin.fail("create_job", BUSY)
        house.tick()
        without_id(house, source)

    house.tick(minutes=90)

    assert len(house.bigin.made) == 1
    assert house.parts_of(source)[0].state is PartState.HELD


def test_a_job_that_a_callback_named_while_bigin_was_away_is_asked_for_later() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house)
    house.bigin.fail("job", BiginUnreachableError("no connection"))

    house.call_back(house.parts_of(source)[0], "7000")
    house.tick(minutes=10)

    assert house.import_of(source).state is ImportState.COMPLETED
    assert house.parts_of(source)[0].job_ids == ("7000",)


def test_a_held_part_that_a_late_callback_ends_lets_the_rest_go_on() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house, numbered(50_001, keys=24_999), UPSERT)
    house.tick(minutes=30)
    held = house.import_of(source)

    house.call_back(house.parts_of(source)[0], "7000")
    house.settle()
    house.tick(minutes=60)

    assert held.hold_cause is HoldCause.PART
    assert house.import_of(source).state is ImportState.COMPLETED


def test_a_decision_is_carried_out_by_its_second_delivery_if_the_first_one_died() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house, numbered(50_001, keys=24_999), UPSERT)
    house.tick(minutes=30)
    part = house.parts_of(source)[0]
    change(house.ledger, part.address, steps.created(1, "7000", house.clock.now()))

    taken = house.decisions.adopt(part.import_id, 1, 1, "7000")
    house.settle()
    house.tick(minutes=60)

    assert not taken
    assert house.import_of(source).state is ImportState.COMPLETED


def test_the_job_of_another_import_is_not_adopted_and_people_hear_why() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house)
    house.tick(minutes=30)
    house.drop("incoming/other.mapping.json", MAPPING)
    other = house.drop("incoming/other.csv", numbered(3))
    (job_id,) = house.parts_of(other)[0].job_ids

    taken = house.decisions.adopt(house.import_of(source).import_id, 1, 1, job_id)
    house.settle()

    assert not taken
    assert house.parts_of(source)[0].state is PartState.HELD
    about = [n for n in house.notices.published if "contacts.csv" in n.subject]
    assert f"the job {job_id} was not made for this part" in about[-1].body


def test_a_contradiction_that_nobody_has_seen_is_not_waived_by_an_earlier_continue() -> None:
    house = House()
    contradict(house)
    source = dropped(house, numbered(50_001), UPSERT)
    record = house.import_of(source)

    taken = house.decisions.go_on(record.import_id, (record.held_at or 0) - 600)

    assert not taken
    assert house.import_of(source).hold_cause is HoldCause.CONTRADICTION
    assert len(house.bigin.made) == 1


def test_a_contradiction_that_nobody_has_waived_is_told_when_the_import_closes() -> None:
    house = House()
    contradict(house)
    source = dropped(house, mapping=UPSERT)

    house.tick(minutes=3)

    held, closed = house.notices.published
    assert house.import_of(source).state is ImportState.COMPLETED_WITH_ERRORS
    assert (held.subject[:10], closed.subject[:10]) == ("CRITICAL: ", "CRITICAL: ")
    assert "ignore_empty is False, we asked for True" in closed.body.splitlines()[0]


def test_a_contradiction_that_a_person_has_seen_is_waived() -> None:
    house = House()
    contradict(house)
    source = dropped(house, numbered(50_001), UPSERT)

    taken = go_on(house, source)

    assert taken
    assert house.import_of(source).contradiction is None
    assert len(house.bigin.made) == 3


def test_an_import_that_goes_on_after_a_hold_waits_for_its_turn_and_moves_no_order_back() -> None:
    house = House()
    lies = contradict(house)
    house.bigin.runs = False
    first = dropped(house, numbered(25_001), UPSERT)
    house.tick()
    lies.clear()
    second = house.drop(CSV, numbered(25_002))
    house.settle()

    go_on(house, first)
    while_the_second_runs = house.import_of(first).state
    house.bigin.runs = True
    house.tick(minutes=30)

    turn = house.ledger.load(Turn.at(places.place_of(first)))
    assert while_the_second_runs is ImportState.SENDING
    assert turn is not None
    assert turn.last_sequencer == second.sequencer
    assert house.import_of(first).state is ImportState.COMPLETED
    assert house.import_of(second).state is ImportState.COMPLETED


def test_of_a_held_drop_that_is_outdated_and_had_not_begun_nothing_is_sent() -> None:
    house = House()
    house.drop(SIDECAR, UPSERT)
    first = house.files.put(CSV, ROWS)
    record = house.intake.register(first)

    def held(seen: Import) -> Import:
        return holds.on_hold(seen, HoldCause.NO_PROGRESS, "5 tries got nowhere", house.clock.now())

    change(house.ledger, record.address, lambda seen: replace(seen, state=ImportState.PREPARING))
    change(house.ledger, record.address, held)
    second = house.drop(CSV, numbered(3))
    house.tick(minutes=3)

    go_on(house, first)
    house.tick(minutes=3)

    assert house.import_of(second).state is ImportState.COMPLETED
    assert house.import_of(first).state is ImportState.SUPERSEDED
    assert len(house.bigin.made) == 1


def test_a_mapping_that_is_corrected_while_the_wrong_one_is_read_counts() -> None:
    house = House()
    house.drop(SIDECAR, WRONG)
    source = house.files.put(CSV, ROWS)
    house.clock.begin()
    house.importer.receive(source)
    read_by_then = house.import_of(source).state

    house.drop(SIDECAR, MAPPING)
    house.tick(minutes=3)

    assert read_by_then is ImportState.FINISHING
    assert house.import_of(source).state is ImportState.REJECTED
    assert house.import_of(source, take=2).state is ImportState.COMPLETED


def test_another_mapping_that_does_not_count_for_a_drop_takes_it_up_no_more() -> None:
    house = House()
    source = dropped(house, mapping=WRONG)

    for _ in range(3):
        house.drop("incoming/mapping.json", MAPPING)
        house.settle()

    assert [notice.subject for notice in house.notices.published] == ["Rejected: contacts.csv"]
    assert house.import_of(source).state is ImportState.REJECTED


def test_a_mapping_is_found_among_any_number_of_files() -> None:
    house = House()
    for number in range(1500):
        house.files.put(f"incoming/contacts-{number:04d}.csv", b"x")

    source = dropped(house)

    assert house.import_of(source).state is ImportState.SENT


def test_a_part_is_uploaded_again_before_its_create_is_repeated() -> None:
    house = House()
    house.bigin.fail("create_job", LOST)
    source = dropped(house, mapping=UPSERT)
    first = house.parts_of(source)[0].file_id

    house.tick(minutes=90)

    assert house.import_of(source).state is ImportState.COMPLETED
    assert house.parts_of(source)[0].file_id != first
    assert len(house.bigin.uploads) == 2


@pytest.mark.parametrize("refused", ["upload", "create_job"])
def test_what_is_refused_of_a_repeated_create_says_nothing_of_the_first_one(refused: str) -> None:
    house = House()
    house.bigin.fail("create_job", LOST)
    source = dropped(house, mapping=UPSERT)
    house.bigin.fail(refused, REFUSED)

    house.tick(minutes=90)

    part, facts = house.parts_of(source)[0], json.loads(house.result(source, "import.json"))
    assert part.state is PartState.GIVEN_UP
    assert (facts["unclear"], facts["unprocessed"], facts["credits"]) == (2, 0, 500)
    assert house.import_of(source).state is ImportState.COMPLETED_WITH_ERRORS
