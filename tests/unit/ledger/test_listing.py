"""Under which heading an import is listed, and what the tick measures by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.listing import CREDITS, HELD, OTHER, listing_of
from bigin_import.domain.states import ImportState
from bigin_import.importing.pauses import Pause
from bigin_import.settling.tick import report_open_work
from bigin_import.settling.write_overview import find_open
from tests.fakes.manual_clock import ManualClock
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.seen_events import SeenEvents

NOVEMBER = 1_793_491_200  # 2026-11-01T00:00:00Z
RECORD = Import(
    import_id="i1",
    source=ObjectVersion("bucket", "incoming/contacts.csv", "v1"),
    state=ImportState.SENDING,
    received_at=1_000,
)


@pytest.mark.parametrize(
    ("changes", "heading"),
    [
        ({"state": ImportState.WAITING_FOR_MAPPING}, OTHER),
        ({}, OTHER),
        ({"pause": Pause.UNREACHABLE.name}, OTHER),
        ({"pause": Pause.BUSY.name}, CREDITS),
        ({"pause": Pause.HELD.name}, HELD),
        ({"state": ImportState.ON_HOLD}, HELD),
        ({"state": ImportState.SENT}, OTHER),
        ({"state": ImportState.SENT, "reminded_at": 2_000}, HELD),
    ],
)
def test_the_heading_of_an_open_import_says_what_it_waits_for(
    changes: dict[str, object], heading: str
) -> None:
    record = replace(RECORD, **changes)  # type: ignore[arg-type]  # each of its field's type

    assert listing_of(record) == (heading, 1_000)


@pytest.mark.parametrize(
    ("closed_at", "heading"),
    [(NOVEMBER - 1, "CLOSED#2026-10"), (NOVEMBER, "CLOSED#2026-11")],
)
def test_a_closed_import_is_listed_under_its_month_whatever_it_waited_for(
    closed_at: int, heading: str
) -> None:
    closed = replace(
        RECORD, state=ImportState.COMPLETED, pause=Pause.BUSY.name, closed_at=closed_at
    )

    assert listing_of(closed) == (heading, closed_at)


def test_the_gauges_count_what_is_open_and_how_old_the_oldest_is() -> None:
    ledger, events = MemoryLedger(), SeenEvents()
    ledger.restore(RECORD)
    ledger.restore(replace(RECORD, import_id="i2", received_at=400, pause=Pause.BUSY.name))
    ledger.restore(replace(RECORD, import_id="i3", state=ImportState.ON_HOLD))
    ledger.restore(replace(RECORD, import_id="i4", state=ImportState.COMPLETED, closed_at=1_100))

    report_open_work(find_open(ledger), ManualClock(1_200), events)

    expected = {"open": 3, "held": 1, "waiting_for_credits": 1, "oldest_seconds": 800}
    assert events.facts("open_work") == [expected]


def test_nothing_open_is_measured_too() -> None:
    """Else an alarm would keep the last value that it was given."""
    events = SeenEvents()

    report_open_work(find_open(MemoryLedger()), ManualClock(1_200), events)

    expected = {"open": 0, "held": 0, "waiting_for_credits": 0, "oldest_seconds": 0}
    assert events.facts("open_work") == [expected]
