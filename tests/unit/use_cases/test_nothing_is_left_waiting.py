"""What may never come to an end by itself comes to an end, or somebody is told of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

import pytest

from bigin_import.callback_url import verify
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import JobRequest
from bigin_import.domain.states import ImportState, PartState
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
from tests.fakes.harness import KEYS, MAPPING, ROWS, Harness

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
HOUR, DAY = 60, 24 * 60  # minutes
LOST = BiginOutcomeUnknownError("no answer")
BUSY = BiginBusyError("429", retry_after_seconds=3600)
REFUSED = BiginRefusedError(
    code="MANDATORY_FIELDS_NOT_MAPPED", message="no", resolution="map", concerns_mapping=True
)
NO_ACCESS = BiginAccessError("no", code="invalid_code", resolution="a new token")


def dropped(harness: Harness, body: bytes = ROWS) -> ObjectVersion:
    harness.drop(SIDECAR, MAPPING)
    source = harness.drop(CSV, body)
    harness.settle()
    return source


def rows(count: int) -> bytes:
    lines = (f"p{n}@example.com,N\n" for n in range(count))
    return b"E-mail,Surname\n" + "".join(lines).encode()


def later(harness: Harness, minutes: int, *, every: int = 30) -> None:
    """Let time pass with a tick every so many minutes; ours is the patience of a test."""
    for _ in range(minutes // every):
        harness.clock.advance((every - 1) * 60)
        harness.tick()


def seen(harness: Harness, event: str) -> int:
    return sum(name == event for name, _ in harness.telemetry.events)


def killing_once(call: str, kind: str) -> Callable[..., None]:
    """Return a hook that kills the process before its first *call* with a record of *kind*."""
    left = [RuntimeError(f"killed before its {call}")]

    def hook(moment: str, name: str, subject: object) -> None:
        if left and (moment, name, type(subject).__name__) == ("before", call, kind):
            raise left.pop()

    return hook


def probed_before(harness: Harness, answer: Exception) -> None:
    """Let Bigin try the callback's address at each create, and answer the first with *answer*."""
    create, answers = harness.bigin.create_job, [answer]

    def create_job(request: JobRequest, *, file_id: str, callback_url: str, zgid: str) -> str:
        import_id, number, attempt, signature = callback_url.split("/")[-4:]
        target = verify(import_id, number, attempt, signature, KEYS)
        assert target is not None
        harness.callback_recorder.receive(target, None)
        if answers:
            raise answers.pop()
        return create(request, file_id=file_id, callback_url=callback_url, zgid=zgid)

    harness.bigin.create_job = create_job  # type: ignore[method-assign]


def test_a_refusal_counts_although_the_address_was_tried_before_it() -> None:
    harness = Harness()
    probed_before(harness, REFUSED)

    source = dropped(harness)

    assert harness.import_of(source).state is ImportState.FAILED
    assert harness.parts_of(source)[0].refusal is not None


def test_a_lack_of_credits_is_waited_for_although_the_address_was_tried_before_it() -> None:
    harness = Harness()
    probed_before(harness, BUSY)
    source = dropped(harness)

    later(harness, 2 * HOUR)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.made) == 1


def test_a_job_that_bigin_does_not_tell_of_is_put_before_a_person() -> None:
    harness = Harness()
    harness.bigin.fail("job", *[REFUSED] * 500)
    source = dropped(harness, rows(25_001))

    later(harness, 2 * HOUR)

    assert harness.import_of(source).state is ImportState.ON_HOLD
    assert "does not tell of the job" in harness.notices.published[0].body


def test_row_results_that_cannot_be_read_for_days_are_not_waited_for() -> None:
    harness = Harness()
    harness.bigin.fail("download_result", *[BiginOutcomeUnknownError("no zip")] * 5000)
    source = dropped(harness)

    later(harness, 2 * DAY)
    waiting, stalled = harness.import_of(source).state, seen(harness, "stalled")
    later(harness, 2 * DAY)

    assert waiting is ImportState.SENT
    assert stalled > 0
    assert harness.import_of(source).state is ImportState.COMPLETED
    assert "could not be had" in harness.parts_of(source)[0].warnings[0]


def zipped(text: str, name: str = "Contacts.csv") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return packed.getvalue()


NAMED_WRONGLY = zipped("", "\u00e9.csv").replace("\u00e9".encode(), b"\xff\xfe")
NEVER_CLOSED = zipped('Email,STATUS,RECORD_ID,ERRORS\n"' + "x" * 24_100_000)


@pytest.mark.parametrize("results", [NAMED_WRONGLY, NEVER_CLOSED], ids=["zip", "CSV"])
def test_nor_are_such_as_are_no_zip_or_no_csv_whatever_the_library_calls_it(
    results: bytes,
) -> None:
    harness = Harness()

    @contextmanager
    def download(url: str) -> Iterator[BinaryIO]:
        yield io.BytesIO(results)

    harness.bigin.download_result = download  # type: ignore[method-assign]
    source = dropped(harness)

    harness.tick()
    waiting = harness.import_of(source).state
    harness.clock.advance(3 * DAY * 60)
    harness.tick(minutes=2)

    assert waiting is ImportState.SENT
    assert harness.import_of(source).state is ImportState.COMPLETED
    assert "could not be had" in harness.parts_of(source)[0].warnings[0]


def test_a_job_is_not_given_up_before_bigin_was_asked() -> None:
    harness = Harness()
    source = dropped(harness)

    harness.clock.advance(30 * 3600)
    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.COMPLETED


def test_without_access_jobs_are_waited_for_and_an_alarm_rings() -> None:
    harness = Harness()
    source = dropped(harness)
    harness.bigin.fail("job", *[NO_ACCESS] * 5000)

    later(harness, 2 * DAY)
    part, rung = harness.parts_of(source)[0], seen(harness, "token_refused")
    harness.bigin.failures.clear()
    later(harness, HOUR)

    assert part.state is PartState.CREATED
    assert rung > DAY // HOUR
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_a_job_that_has_not_ended_by_the_deadline_is_given_up() -> None:
    harness = Harness()
    harness.bigin.runs = False
    source = dropped(harness)

    later(harness, 25 * HOUR)

    assert harness.parts_of(source)[0].state is PartState.GIVEN_UP


def test_an_upload_that_never_gets_through_rings_an_alarm_after_a_day() -> None:
    harness = Harness()
    harness.bigin.fail("upload", *[BiginUnreachableError("no connection")] * 5000)
    source = dropped(harness)

    later(harness, DAY - HOUR)
    before = seen(harness, "stalled")
    later(harness, 3 * HOUR)

    assert before == 0
    assert seen(harness, "stalled") > 0
    assert harness.import_of(source).state is ImportState.SENDING


def test_people_hear_of_a_held_part_while_the_others_wait_for_credits() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness, rows(50_001))
    harness.bigin.fail("create_job", *[BUSY] * 5000)

    later(harness, 2 * DAY)

    subjects = [notice.subject for notice in harness.notices.published]
    assert harness.parts_of(source)[0].state is PartState.HELD
    assert subjects.count("Needs a decision: contacts.csv") >= 2


def test_a_part_is_held_for_two_weeks_from_when_people_heard_of_it() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness)
    harness.clock.advance(13 * 24 * 3600)  # the ticks were out

    later(harness, DAY)
    held = harness.parts_of(source)[0].state
    later(harness, 14 * DAY)

    assert held is PartState.HELD
    assert harness.import_of(source).state.is_closed


def test_the_limit_of_access_tokens_is_not_taken_for_missing_credits() -> None:
    harness = Harness()
    harness.bigin.fail("upload", *[TokenBusyError("10 tokens", retry_after_seconds=600)] * 3)
    source = dropped(harness)

    later(harness, HOUR, every=1)

    assert [notice.subject for notice in harness.notices.published] == ["Imported: contacts.csv"]
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_one_message_that_nobody_can_read_does_not_keep_the_tick_from_its_work() -> None:
    harness = Harness()
    source = dropped(harness)

    def drain() -> Iterator[tuple[ObjectVersion, ...]]:
        raise KeyError("versionId")

    harness.failures.drain = drain  # type: ignore[method-assign]
    harness.clock.advance(120)
    harness.clock.begin()
    with pytest.raises(ExceptionGroup):
        harness.sweeper.tick()
    harness.settle()

    assert harness.import_of(source).state is ImportState.COMPLETED


@pytest.mark.parametrize("sidecar", [MAPPING, None])
def test_a_drop_that_may_not_be_read_for_an_hour_is_rejected_with_words(
    sidecar: dict[str, object] | None,
) -> None:
    harness = Harness()
    stream = harness.files.open_stream

    def refuse(source: ObjectVersion) -> BinaryIO:
        if source.key == CSV:
            raise UnreadableObjectError(CSV)
        return stream(source)

    harness.files.open_stream = refuse  # type: ignore[method-assign]
    if sidecar:
        harness.drop(SIDECAR, sidecar)
    source = harness.drop(CSV, ROWS)

    harness.tick(55)
    before = list(harness.notices.published)
    harness.tick(15)

    assert before == []
    assert seen(harness, "aws_refused") > 0  # operators hear of it at once
    assert harness.import_of(source).state is ImportState.REJECTED
    assert "KMS" in harness.notices.published[0].body


def test_only_the_absence_of_the_drop_itself_is_a_withdrawal() -> None:
    harness = Harness()
    read = harness.files.read

    def lose(key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:
        if key.startswith("parts/"):
            raise MissingObjectError(key)
        return read(key, version_id=version_id, at_most=at_most)

    harness.files.read = lose  # type: ignore[method-assign]
    harness.drop(SIDECAR, MAPPING)
    source = harness.files.put(CSV, ROWS)
    harness.clock.begin()

    harness.importer.receive(source)
    assert harness.import_of(source).state is ImportState.PREPARING
    for _ in range(20):
        with suppress(MissingObjectError):
            harness.tick(minutes=10)

    assert harness.import_of(source).state is ImportState.ON_HOLD


def test_a_withdrawn_drop_does_not_keep_its_content_from_being_dropped_again() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    source = harness.files.put(CSV, ROWS)
    harness.ledger._hook = killing_once("save", "Part")  # after the claim
    harness.clock.begin()
    with pytest.raises(RuntimeError):
        harness.importer.receive(source)
    del harness.files.versions[CSV]
    later(harness, HOUR, every=1)

    again = harness.drop(CSV, ROWS)
    harness.settle()

    assert harness.import_of(source).state is ImportState.WITHDRAWN
    assert harness.import_of(again).state is ImportState.SENT


def test_nor_does_a_failed_one_wherever_it_died() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", REFUSED)
    harness.ledger._hook = killing_once("delete", "ContentClaim")
    harness.drop(SIDECAR, MAPPING)
    harness.drop(CSV, ROWS)
    with pytest.raises(RuntimeError):
        harness.settle()

    again = harness.drop(CSV, ROWS)
    later(harness, HOUR, every=1)

    assert harness.import_of(again).state is ImportState.COMPLETED
