"""Bigin's credits are used up: imports wait, nothing fails, and one notice a day tells of all."""

from __future__ import annotations

from bigin_import.domain.drop import Notice, ObjectVersion
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginBusyError, BiginUnreachableError, NoticeFailedError
from tests.fakes.harness import MAPPING, ROWS, Harness

NO_CREDITS = BiginBusyError("no credits", retry_after_seconds=300)


def short_of_credits(harness: Harness, calls: int) -> None:
    """Let the next creates find no credits."""
    harness.bigin.fail("create_job", *[NO_CREDITS] * calls)


def dropped(harness: Harness, name: str) -> ObjectVersion:
    harness.drop(f"incoming/{name}.mapping.json", MAPPING)
    return harness.drop(f"incoming/{name}.csv", ROWS + name.encode() + b"@example.com,More\n")


def waiting_notices(harness: Harness) -> list[Notice]:
    state = ("state", "WAITING_FOR_CREDITS")
    return [notice for notice in harness.notices.published if state in notice.attributes]


def test_all_imports_that_wait_are_told_of_in_one_notice() -> None:
    harness = Harness()
    short_of_credits(harness, 6)
    dropped(harness, "one")
    dropped(harness, "two")

    harness.tick(minutes=20)

    (notice,) = waiting_notices(harness)
    result, action, *_ = notice.body.splitlines()
    assert notice.subject == "Waiting for credits: 2 files"
    assert result == "2 files wait for credits: Bigin takes no more jobs for now."
    assert action.startswith("Nothing to do: nothing is lost")
    assert "incoming/one.csv" in notice.body
    assert "incoming/two.csv" in notice.body
    assert "  bigin-drop status --region eu-central-1 --stack " in notice.body
    assert "  aws s3 cp s3://bucket/results/index.html . --region eu-central-1\n" in notice.body


def test_whoever_waits_for_days_is_told_once_a_day() -> None:
    harness = Harness()
    short_of_credits(harness, 200)
    source = dropped(harness, "one")

    harness.tick(minutes=3 * 24 * 60)

    assert len(waiting_notices(harness)) == 3
    assert harness.import_of(source).state is ImportState.SENDING


def test_whoever_was_not_told_the_fields_for_want_of_credits_is_told_of_too() -> None:
    harness = Harness()
    harness.bigin.fail("fields", *[NO_CREDITS] * 200)
    source = dropped(harness, "one")

    harness.tick(minutes=24 * 60)

    assert harness.import_of(source).state is ImportState.PREPARING
    assert len(waiting_notices(harness)) == 1


def test_when_there_are_credits_again_the_import_ends_and_nobody_is_told_of_waiting() -> None:
    harness = Harness()
    short_of_credits(harness, 2)
    source = dropped(harness, "one")
    harness.tick(minutes=24 * 60)
    told = len(waiting_notices(harness))

    harness.tick(minutes=2 * 24 * 60)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.import_of(source).pause is None
    assert told == len(waiting_notices(harness)) == 1


def test_waiting_for_something_else_is_not_told_as_missing_credits() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", *[BiginUnreachableError("no route")] * 5)
    dropped(harness, "one")

    harness.tick(minutes=60)

    assert waiting_notices(harness) == []


def test_an_import_that_waits_for_something_else_is_not_counted() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", NO_CREDITS, BiginUnreachableError("no route"))
    dropped(harness, "one")
    harness.clock.advance(14 * 60)
    dropped(harness, "two")

    harness.tick()

    (notice,) = waiting_notices(harness)
    assert notice.subject == "Waiting for credits: 1 file"


def test_a_notice_that_the_topic_refused_is_published_when_the_next_import_is_due() -> None:
    harness = Harness()
    short_of_credits(harness, 6)
    source = dropped(harness, "one")
    publish = harness.notices.publish
    harness.notices.publish = _refuse  # type: ignore[method-assign]  # the topic is down
    harness.tick(minutes=16)
    harness.notices.publish = publish  # type: ignore[method-assign]

    harness.tick(minutes=60)

    assert len(waiting_notices(harness)) == 1
    assert harness.import_of(source).state is ImportState.SENDING


def _refuse(notice: Notice) -> None:
    raise NoticeFailedError(notice.subject)


def test_only_waits_for_the_same_thing_make_the_next_one_longer() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", BiginUnreachableError("no route"), NO_CREDITS, NO_CREDITS)
    source = dropped(harness, "one")

    harness.tick(minutes=2)
    first = (harness.import_of(source).pause, harness.import_of(source).busy_waits)
    harness.tick(minutes=16)
    second = (harness.import_of(source).pause, harness.import_of(source).busy_waits)

    assert (first, second) == (("BUSY", 1), ("BUSY", 2))
