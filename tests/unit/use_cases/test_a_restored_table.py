"""A table that was restored from a backup has forgotten creates; their marks have not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bigin_import.domain import import_transitions
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import HoldCause, ImportState, PartState
from bigin_import.errors import BiginBusyError, BiginRefusedError
from bigin_import.ledger import update
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.memory_ledger import Backup

CSV = "incoming/contacts.csv"
DAY = 24 * 60
CANNOT_TAKE = BiginRefusedError(
    code="FILE_NOT_SUPPORTED", message="no", resolution="", concerns_mapping=False
)
UPSERT = {**MAPPING, "operation": "upsert", "find_by": "Email"}


def before(harness: Harness, port: object, call: str) -> Callable[[], None]:
    """Back the table up at the first call of *call*; return what restores it."""
    backups: list[Backup] = []
    usual = getattr(port, call)

    def called(*args: object, **named: object) -> object:
        if not backups:
            backups.append(harness.ledger.back_up())
        return usual(*args, **named)

    setattr(port, call, called)
    return lambda: harness.ledger.restore_table(backups[0])


def closed_and_restored(harness: Harness, mapping: dict[str, object], call: str) -> Part:
    """Import a file, restore the table as it was before *call*, and let an hour pass."""
    restore = before(harness, harness.bigin, call)
    harness.drop("incoming/contacts.mapping.json", mapping)
    source = harness.drop(CSV, ROWS)
    harness.tick(minutes=3)
    assert harness.import_of(source).state is ImportState.COMPLETED

    restore()
    harness.tick(minutes=60)

    (part,) = harness.parts_of(source)
    return part


@pytest.mark.parametrize("call", ["get_fields", "upload", "create_job"])
def test_no_row_is_added_twice_wherever_the_backup_was_made(call: str) -> None:
    harness = Harness()

    part = closed_and_restored(harness, dict(MAPPING), call)

    assert len(harness.bigin.records()) == 2
    assert part.state is PartState.HELD
    assert "on_hold" in harness.telemetry.names


def test_an_upsert_is_repeated_when_time_has_decided_as_after_any_unknown_create() -> None:
    harness = Harness()

    part = closed_and_restored(harness, UPSERT, "upload")
    harness.tick(minutes=10)

    assert [attempt.number for attempt in part.attempts] == [1, 2]
    assert len(harness.bigin.made) == 2


@pytest.mark.parametrize("errors", [[BiginBusyError("no credits")] * 20, [CANNOT_TAKE]])
def test_a_create_that_certainly_made_no_job_holds_nothing_after_a_restore(
    errors: list[Exception],
) -> None:
    harness = Harness()
    restore = before(harness, harness.bigin, "upload")
    harness.bigin.fail("create_job", *errors)
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)

    restore()
    harness.tick(minutes=120)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.made) == 1


def test_every_create_has_its_mark_before_it_leaves() -> None:
    harness = Harness()
    marked: list[bool] = []
    create = harness.bigin.create_job

    def seen(*args: object, **named: object) -> str:
        marked.append(any(".create-0001" in key for key in harness.files.list_keys("parts/")))
        return create(*args, **named)  # type: ignore[arg-type]

    harness.bigin.create_job = seen  # type: ignore[method-assign]
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    harness.drop(CSV, ROWS)

    assert marked == [True]


def held_after_a_restore(harness: Harness, call: str) -> ObjectVersion:
    """Import a file, restore the table as it was before *call*, and put it on hold for good."""
    restore = before(harness, harness.bigin, call)
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    harness.tick(minutes=3)
    restore()
    hold = import_transitions.put_on_hold(HoldCause.NO_PROGRESS, "no one", harness.clock.now())
    update(harness.ledger, harness.import_of(source).address, hold)
    harness.tick(minutes=15 * DAY)
    return source


def test_rows_that_were_sent_before_a_restore_are_unclear_where_nobody_decides() -> None:
    harness = Harness()

    source = held_after_a_restore(harness, "upload")

    counts = harness.import_of(source).counts
    assert counts is not None
    assert (counts.unclear, counts.unprocessed) == (2, 0)


def test_where_nobody_knows_how_it_was_planned_it_is_told_that_some_of_it_was_sent() -> None:
    harness = Harness()

    source = held_after_a_restore(harness, "get_fields")

    assert harness.import_of(source).state is ImportState.FAILED
    body = harness.notices.published[-1].body
    assert "look in Bigin before you drop the file again" in body
    assert "nothing of it was sent" not in body
