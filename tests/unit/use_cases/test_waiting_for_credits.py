"""Bigin's credits are used up: imports wait, nothing fails, and one notice a day tells of all."""

from __future__ import annotations

from bigin_import.errors import BiginBusyError, BiginUnreachableError, NoticeFailedError
from bigin_import.models import Notice, ObjectVersion
from bigin_import.records import ImportState
from tests.fakes.house import MAPPING, ROWS, House

NO_CREDITS = BiginBusyError("no credits", retry_after_seconds=300)


def short_of_credits(house: House, calls: int) -> None:
    """Let the next creates find no credits."""
    house.bigin.fail("create_job", *[NO_CREDITS] * calls)


def dropped(house: House, name: str) -> ObjectVersion:
    house.drop(f"incoming/{name}.mapping.json", MAPPING)
    return house.drop(f"incoming/{name}.csv", ROWS + name.encode() + b"@example.com,More\n")


def waiting_notices(house: House) -> list[Notice]:
    state = ("state", "WAITING_FOR_CREDITS")
    return [notice for notice in house.notices.published if state in notice.attributes]


def test_all_imports_that_wait_are_told_of_in_one_notice() -> None:
    house = House()
    short_of_credits(house, 6)
    dropped(house, "one")
    dropped(house, "two")

    house.tick(minutes=20)

    (notice,) = waiting_notices(house)
    result, action, *_ = notice.body.splitlines()
    assert notice.subject == "Waiting for credits: 2 files"
    assert result == "2 files wait for credits: Bigin takes no more jobs for now."
    assert action.startswith("Nothing to do: nothing is lost")
    assert "incoming/one.csv" in notice.body
    assert "incoming/two.csv" in notice.body


def test_whoever_waits_for_days_is_told_once_a_day() -> None:
    house = House()
    short_of_credits(house, 200)
    source = dropped(house, "one")

    house.tick(minutes=3 * 24 * 60)

    assert len(waiting_notices(house)) == 3
    assert house.import_of(source).state is ImportState.SENDING


def test_when_there_are_credits_again_the_import_ends_and_nobody_is_told_of_waiting() -> None:
    house = House()
    short_of_credits(house, 2)
    source = dropped(house, "one")
    house.tick(minutes=24 * 60)
    told = len(waiting_notices(house))

    house.tick(minutes=2 * 24 * 60)

    assert house.import_of(source).state is ImportState.COMPLETED
    assert house.import_of(source).pause is None
    assert told == len(waiting_notices(house)) == 1


def test_waiting_for_something_else_is_not_told_as_a_shortage() -> None:
    house = House()
    house.bigin.fail("create_job", *[BiginUnreachableError("no route")] * 5)
    dropped(house, "one")

    house.tick(minutes=60)

    assert waiting_notices(house) == []


def test_an_import_that_waits_for_something_else_is_not_counted() -> None:
    house = House()
    house.bigin.fail("create_job", NO_CREDITS, BiginUnreachableError("no route"))
    dropped(house, "one")
    house.clock.advance(14 * 60)
    dropped(house, "two")

    house.tick()

    (notice,) = waiting_notices(house)
    assert notice.subject == "Waiting for credits: 1 file"


def test_a_notice_that_the_topic_refused_is_published_when_the_next_import_is_due() -> None:
    house = House()
    short_of_credits(house, 6)
    source = dropped(house, "one")
    publish = house.notices.publish
    house.notices.publish = _refuse  # type: ignore[method-assign]  # the topic is down
    house.tick(minutes=16)
    house.notices.publish = publish  # type: ignore[method-assign]

    house.tick(minutes=60)

    assert len(waiting_notices(house)) == 1
    assert house.import_of(source).state is ImportState.SENDING


def _refuse(notice: Notice) -> None:
    raise NoticeFailedError(notice.subject)


def test_only_waits_for_the_same_thing_make_the_next_one_longer() -> None:
    house = House()
    house.bigin.fail("create_job", BiginUnreachableError("no route"), NO_CREDITS, NO_CREDITS)
    source = dropped(house, "one")

    house.tick(minutes=2)
    first = (house.import_of(source).pause, house.import_of(source).busy_waits)
    house.tick(minutes=16)
    second = (house.import_of(source).pause, house.import_of(source).busy_waits)

    assert (first, second) == (("BUSY", 1), ("BUSY", 2))
