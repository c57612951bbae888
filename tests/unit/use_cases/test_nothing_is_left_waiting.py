"""What may never come to an end by itself comes to an end, or somebody is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import pytest

from bigin_import.callback import verify
from bigin_import.errors import (
    BiginAccessError,
    BiginBusyError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
    MissingObjectError,
    TokenBusyError,
    UnreadableObjectError,
)
from bigin_import.models import JobRequest, ObjectVersion
from bigin_import.records import ImportState, PartState
from tests.fakes.house import KEYS, MAPPING, ROWS, House

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
HOUR, DAY = 60, 24 * 60  # minutes
LOST = BiginOutcomeUnknownError("no answer")
BUSY = BiginBusyError("429", retry_after_seconds=3600)
REFUSED = BiginRefusedError(
    code="MANDATORY_FIELDS_NOT_MAPPED", message="no", resolution="map", concerns_mapping=True
)
NO_ACCESS = BiginAccessError("no", code="invalid_code", resolution="a new token")


def dropped(house: House, body: bytes = ROWS) -> ObjectVersion:
    house.drop(SIDECAR, MAPPING)
    source = house.drop(CSV, body)
    house.settle()
    return source


def rows(count: int) -> bytes:
    lines = (f"p{n}@example.com,N\n" for n in range(count))
    return b"E-mail,Surname\n" + "".join(lines).encode()


def later(house: House, minutes: int, *, every: int = 30) -> None:
    """Let time pass with a tick every so many minutes; ours is the patience of a test."""
    for _ in range(minutes // every):
        house.clock.advance((every - 1) * 60)
        house.tick()


def seen(house: House, event: str) -> int:
    return sum(name == event for name, _ in house.observer.events)


def killing_once(call: str, kind: str) -> Callable[..., None]:
    """Return a hook that kills the process before its first *call* with a record of *kind*."""
    left = [RuntimeError(f"killed before its {call}")]

    def hook(moment: str, name: str, subject: object) -> None:
        if left and (moment, name, type(subject).__name__) == ("before", call, kind):
            raise left.pop()

    return hook


def probed_before(house: House, answer: Exception) -> None:
    """Let Bigin try the callback's address at each create, and answer the first with *answer*."""
    create, answers = house.bigin.create_job, [answer]

    def create_job(request: JobRequest, *, file_id: str, callback_url: str) -> str:
        import_id, number, attempt, signature = callback_url.split("/")[-4:]
        target = verify(import_id, number, attempt, signature, KEYS)
        assert target is not None
        house.receiver.receive(target, None)
        if answers:
            raise answers.pop()
        return create(request, file_id=file_id, callback_url=callback_url)

    house.bigin.create_job = create_job  # type: ignore[method-assign]


def test_a_refusal_counts_although_the_address_was_tried_before_it() -> None:
    house = House()
    probed_before(house, REFUSED)

    source = dropped(house)

    assert house.import_of(source).state is ImportState.FAILED
    assert house.parts_of(source)[0].refusal is not None


def test_a_lack_of_credits_is_waited_for_although_the_address_was_tried_before_it() -> None:
    house = House()
    probed_before(house, BUSY)
    source = dropped(house)

    later(house, 2 * HOUR)

    assert house.import_of(source).state is ImportState.COMPLETED
    assert len(house.bigin.made) == 1


def test_a_job_that_bigin_does_not_tell_of_is_put_before_a_person() -> None:
    house = House()
    house.bigin.fail("job", *[REFUSED] * 500)
    source = dropped(house, rows(25_001))

    later(house, 2 * HOUR)

    assert house.import_of(source).state is ImportState.ON_HOLD
    assert "does not tell of the job" in house.notices.published[0].body


def test_row_results_that_cannot_be_read_for_days_are_not_waited_for() -> None:
    house = House()
    house.bigin.fail("download_result", *[BiginOutcomeUnknownError("no zip")] * 5000)
    source = dropped(house)

    later(house, 2 * DAY)
    waiting, stalled = house.import_of(source).state, seen(house, "stalled")
    later(house, 2 * DAY)

    assert waiting is ImportState.SENT
    assert stalled > 0
    assert house.import_of(source).state is ImportState.COMPLETED
    assert "could not be had" in house.parts_of(source)[0].warnings[0]


def test_a_job_is_not_given_up_before_bigin_was_asked() -> None:
    house = House()
    source = dropped(house)

    house.clock.advance(30 * 3600)
    house.tick(minutes=2)

    assert house.import_of(source).state is ImportState.COMPLETED


def test_without_access_jobs_are_waited_for_and_an_alarm_rings() -> None:
    house = House()
    source = dropped(house)
    house.bigin.fail("job", *[NO_ACCESS] * 5000)

    later(house, 2 * DAY)
    part, rung = house.parts_of(source)[0], seen(house, "token_refused")
    house.bigin.failures.clear()
    later(house, HOUR)

    assert part.state is PartState.CREATED
    assert rung > DAY // HOUR
    assert house.import_of(source).state is ImportState.COMPLETED


def test_a_job_that_has_not_ended_by_the_deadline_is_given_up() -> None:
    house = House()
    house.bigin.runs = False
    source = dropped(house)

    later(house, 25 * HOUR)

    assert house.parts_of(source)[0].state is PartState.GIVEN_UP


def test_an_upload_that_never_gets_through_rings_an_alarm_after_a_day() -> None:
    house = House()
    house.bigin.fail("upload", *[BiginUnreachableError("no connection")] * 5000)
    source = dropped(house)

    later(house, DAY - HOUR)
    before = seen(house, "stalled")
    later(house, 3 * HOUR)

    assert before == 0
    assert seen(house, "stalled") > 0
    assert house.import_of(source).state is ImportState.SENDING


def test_people_hear_of_a_held_part_while_the_others_wait_for_credits() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house, rows(50_001))
    house.bigin.fail("create_job", *[BUSY] * 5000)

    later(house, 2 * DAY)

    subjects = [notice.subject for notice in house.notices.published]
    assert house.parts_of(source)[0].state is PartState.HELD
    assert subjects.count("Needs a decision: contacts.csv") >= 2


def test_a_part_is_held_for_two_weeks_from_when_people_heard_of_it() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house)
    house.clock.advance(13 * 24 * 3600)  # the ticks were out

    later(house, DAY)
    held = house.parts_of(source)[0].state
    later(house, 14 * DAY)

    assert held is PartState.HELD
    assert house.import_of(source).state.is_closed


def test_the_limit_of_access_tokens_is_not_taken_for_missing_credits() -> None:
    house = House()
    house.bigin.fail("upload", *[TokenBusyError("10 tokens", retry_after_seconds=600)] * 3)
    source = dropped(house)

    later(house, HOUR, every=1)

    assert [notice.subject for notice in house.notices.published] == ["Imported: contacts.csv"]
    assert house.import_of(source).state is ImportState.COMPLETED


def test_one_message_that_nobody_can_read_does_not_keep_the_tick_from_its_work() -> None:
    house = House()
    source = dropped(house)

    def drain() -> Iterator[tuple[ObjectVersion, ...]]:
        raise KeyError("versionId")

    house.failures.drain = drain  # type: ignore[method-assign]
    house.clock.advance(120)
    house.clock.begin()
    with pytest.raises(ExceptionGroup):
        house.sweeper.tick()
    house.settle()

    assert house.import_of(source).state is ImportState.COMPLETED


def test_a_drop_that_may_not_be_read_is_rejected_with_words() -> None:
    house = House()
    stream = house.files.stream

    def refuse(source: ObjectVersion) -> BinaryIO:
        if source.key == CSV:
            raise UnreadableObjectError(CSV)
        return stream(source)

    house.files.stream = refuse  # type: ignore[method-assign]
    source = dropped(house)

    assert house.import_of(source).state is ImportState.REJECTED
    assert "KMS" in house.notices.published[0].body


def test_only_the_absence_of_the_drop_itself_is_a_withdrawal() -> None:
    house = House()
    read = house.files.read

    def lose(key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:
        if key.startswith("parts/"):
            raise MissingObjectError(key)
        return read(key, version_id=version_id, at_most=at_most)

    house.files.read = lose  # type: ignore[method-assign]
    house.drop(SIDECAR, MAPPING)
    source = house.files.put(CSV, ROWS)
    house.clock.begin()

    with pytest.raises(MissingObjectError):
        house.importer.receive(source)

    assert house.import_of(source).state is ImportState.PREPARING


def test_a_withdrawn_drop_does_not_keep_its_content_from_being_dropped_again() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)
    source = house.files.put(CSV, ROWS)
    house.ledger._hook = killing_once("save", "Part")  # after the claim
    house.clock.begin()
    with pytest.raises(RuntimeError):
        house.importer.receive(source)
    del house.files.versions[CSV]
    later(house, HOUR, every=1)

    again = house.drop(CSV, ROWS)
    house.settle()

    assert house.import_of(source).state is ImportState.WITHDRAWN
    assert house.import_of(again).state is ImportState.SENT


def test_nor_does_a_failed_one_wherever_it_died() -> None:
    house = House()
    house.bigin.fail("create_job", REFUSED)
    house.ledger._hook = killing_once("delete", "Claim")
    house.drop(SIDECAR, MAPPING)
    house.drop(CSV, ROWS)
    with pytest.raises(RuntimeError):
        house.settle()

    again = house.drop(CSV, ROWS)
    later(house, HOUR, every=1)

    assert house.import_of(again).state is ImportState.COMPLETED
