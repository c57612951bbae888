"""Outages of AWS are waited out: nothing is on hold for them, and all goes on by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from bigin_import.domain.locks import Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import (
    AwsError,
    AwsRefusedError,
    AwsUnavailableError,
    BiginBusyError,
    BiginRefusedError,
    BiginUnreachableError,
    UnreadableObjectError,
)
from tests.fakes.harness import MAPPING, ROWS, Harness

CSV = "incoming/contacts.csv"
OUTAGE_MINUTES = 10
GOES_ON_WITHIN_MINUTES = 5
AWAY = AwsUnavailableError("s3", "GetObject", "ServiceUnavailable")
CANNOT_TAKE = BiginRefusedError(
    code="FILE_NOT_SUPPORTED", message="no", resolution="", concerns_mapping=False
)
REFUSED = AwsRefusedError("s3", "GetObject", "AccessDenied")


class Outage:
    """Makes methods of a fake fail until it is over."""

    def __init__(self, fake: object, *methods: str, error: AwsError = AWAY) -> None:
        self.error: AwsError | None = error
        for name in methods:
            setattr(fake, name, self._failing(getattr(fake, name)))

    def _failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: object, **named: object) -> object:
            if self.error is not None:
                raise self.error
            return call(*args, **named)

        return called


def files_away(harness: Harness, error: AwsError = AWAY) -> Outage:
    return Outage(harness.files, "read", "write", "open_stream", "open_writer", error=error)


def test_ten_minutes_without_s3_while_preparing_delay_an_import_and_nothing_else() -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    outage = files_away(harness)
    source = harness.drop(CSV, ROWS)

    harness.tick(OUTAGE_MINUTES)
    assert harness.import_of(source).pause == "AWS"
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert "on_hold" not in harness.telemetry.names


def test_ten_minutes_without_s3_while_collecting_delay_an_import_and_nothing_else() -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    outage = files_away(harness)

    harness.tick(OUTAGE_MINUTES)
    assert harness.parts_of(source)[0].state is PartState.SETTLED
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED


def test_an_outage_of_a_day_is_no_lack_of_progress_and_rings_after_an_hour() -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    outage = files_away(harness)
    source = harness.drop(CSV, ROWS)

    harness.tick(55)
    assert "stalled" not in harness.telemetry.names
    harness.tick(15)
    assert "stalled" in harness.telemetry.names
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED


@pytest.mark.parametrize(("error", "rings"), [(AWAY, False), (REFUSED, True)])
def test_what_aws_refuses_rings_at_once_and_an_outage_does_not(
    error: AwsError, rings: bool
) -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    outage = files_away(harness, error)
    source = harness.drop(CSV, ROWS)

    assert ("aws_refused" in harness.telemetry.names) is rings
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED


@pytest.mark.parametrize("minutes", [3, 50])
@pytest.mark.parametrize("key", [CSV, "incoming/mapping.json"])
def test_a_drop_that_a_broken_role_cannot_read_goes_on_once_that_is_mended(
    key: str, minutes: int
) -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    outage = files_away(harness, UnreadableObjectError(key))
    source = harness.drop(CSV, ROWS)

    harness.tick(minutes)
    assert harness.import_of(source).pause == "AWS"
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert "aws_refused" in harness.telemetry.names


def test_what_is_kept_beside_the_parts_is_waited_for_however_long_it_may_not_be_read() -> None:
    harness = Harness()
    harness.bigin.fail("upload", BiginUnreachableError("no route"))
    harness.drop("incoming/mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    outage = files_away(
        harness, UnreadableObjectError("parts/archive.zip", "KMS.DisabledException")
    )

    harness.tick(24 * 60)
    assert "on_hold" not in harness.telemetry.names
    refused = {"service": "s3", "operation": "GetObject", "code": "KMS.DisabledException"}
    assert any(
        name == "aws_refused" and refused.items() <= facts.items()
        for name, facts in harness.telemetry.events
    )
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED


def test_row_results_whose_archive_may_not_be_read_ring_and_are_collected_afterwards() -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    source = harness.drop(CSV, ROWS)
    outage = Outage(harness.files, "read", error=UnreadableObjectError("parts/archive.zip"))

    for _ in range(OUTAGE_MINUTES):
        with suppress(AwsRefusedError):  # of the message, which comes back
            harness.tick()
    assert "aws_refused" in harness.telemetry.names
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED


@pytest.mark.parametrize("error", [AWAY, UnreadableObjectError(CSV)])
def test_an_outage_does_not_keep_people_from_hearing_that_a_mapping_is_missing(
    error: AwsError,
) -> None:
    harness = Harness()
    outage = files_away(harness, error)
    source = harness.drop(CSV, ROWS)

    harness.tick(OUTAGE_MINUTES)
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).pause is None
    assert [each.subject for each in harness.notices.published] == [
        "Waiting for a mapping: contacts.csv"
    ]


def ledger_away_at(harness: Harness, call: str, *, after: bool) -> Outage:
    """Take the table away when Bigin is called, before or *after* it has done what was asked."""
    outage = Outage(harness.ledger, "load", "save", "load_parts", "find_due", "find_listed")
    outage.error = None
    usual = getattr(harness.bigin, call)

    def called(*args: object, **named: object) -> object:
        setattr(harness.bigin, call, usual)
        if not after:
            outage.error = AWAY
        try:
            return usual(*args, **named)
        finally:
            outage.error = AWAY

    setattr(harness.bigin, call, called)
    return outage


def minutes_pass(harness: Harness, minutes: int) -> None:
    for _ in range(minutes):
        with suppress(AwsUnavailableError):
            harness.tick()


@pytest.mark.parametrize(
    "error", [None, BiginBusyError("no credits"), BiginUnreachableError("no route")]
)
def test_ten_minutes_without_the_table_during_a_create_hold_nothing(
    error: Exception | None,
) -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    if error is not None:
        harness.bigin.fail("create_job", error)
    outage = ledger_away_at(harness, "create_job", after=True)
    with suppress(AwsUnavailableError):
        harness.drop(CSV, ROWS)
    (source,) = (each for each in [harness.files.find_newest(CSV)] if each)

    minutes_pass(harness, OUTAGE_MINUTES)
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.made) == 1
    assert "on_hold" not in harness.telemetry.names


def test_a_create_that_was_refused_while_the_table_was_away_is_made_after_the_outage() -> None:
    """Nobody could write the refusal down; its mark says that it made no job."""
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    harness.bigin.fail("create_job", CANNOT_TAKE)
    outage = ledger_away_at(harness, "create_job", after=True)
    with suppress(AwsUnavailableError):
        harness.drop(CSV, ROWS)
    (source,) = (each for each in [harness.files.find_newest(CSV)] if each)

    minutes_pass(harness, OUTAGE_MINUTES)
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.made) == 1
    assert "on_hold" not in harness.telemetry.names


def test_a_create_that_was_written_down_and_never_left_is_simply_made_after_the_outage() -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    outage = Outage(harness.ledger, "load", "save", "load_parts", "find_due", "find_listed")
    outage.error = None
    save = harness.ledger.save

    def stored_but_unanswered[R: Record](record: R, *, over: R | None = None) -> R:
        saved = save(record, over=over)
        if isinstance(record, Part) and record.state is PartState.CREATING:
            harness.ledger.save = save  # type: ignore[method-assign]
            outage.error = AWAY
            raise AWAY
        return saved

    harness.ledger.save = stored_but_unanswered  # type: ignore[method-assign]
    with suppress(AwsUnavailableError):
        harness.drop(CSV, ROWS)
    (source,) = (each for each in [harness.files.find_newest(CSV)] if each)

    minutes_pass(harness, OUTAGE_MINUTES)
    outage.error = None
    harness.tick(GOES_ON_WITHIN_MINUTES)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.made) == 1
