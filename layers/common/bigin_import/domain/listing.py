"""
Under which heading the index `listing` has an import, or an undo; nothing is decided by it.

The headings of open imports say what they wait for, those of closed ones name their month.
"""

from __future__ import annotations

import time
from typing import Final

from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from bigin_import.domain.undo import Undo

HELD: Final = "OPEN#HELD"
CREDITS: Final = "OPEN#CREDITS"
OTHER: Final = "OPEN#OTHER"
OPEN: Final = (HELD, CREDITS, OTHER)
UNDONE: Final = "UNDO"
"""The heading of what is, or is being, undone: an entry names an import, which has its own."""

# Names of `Pause`, as records have them.
_WAITS_FOR_A_PERSON = frozenset({"HELD", "CONTRADICTION", "ORGANISATION"})
_WAITS_FOR_CREDITS = "BUSY"

PROJECTED: Final = (
    *("import_id", "source", "state", "module", "operation", "dry_run", "root"),
    *("totals", "counts", "pause", "paused_at", "hold_cause", "held_at"),
    *("received_at", "closed_at", "results"),
)
"""What the index holds of an import beside its keys: what a line in a list needs."""


def month_of(at: int) -> str:
    """Return the month of *at* in UTC, such as "2026-11"; months compare as texts."""
    return time.strftime("%Y-%m", time.gmtime(at))


def month_before(month: str) -> str:
    """Return the month before *month*."""
    year, number = map(int, month.split("-"))
    return f"{year - (number == 1)}-{(number - 2) % 12 + 1:02}"


def closed_heading(month: str) -> str:
    """Return the heading of imports that were closed in *month*."""
    return f"CLOSED#{month}"


def closed_in(at: int) -> str:
    """Return the heading of imports that were closed in the month of *at*."""
    return closed_heading(month_of(at))


def listing_of(record: Import) -> tuple[str, int]:
    """Return `listed` and `listed_at`: the heading, and when it was received or closed."""
    if record.state.is_closed:
        at = record.closed_at or record.received_at
        return closed_in(at), at
    if _waits_for_a_person(record):
        return HELD, record.received_at
    waits_for_credits = record.pause == _WAITS_FOR_CREDITS
    return CREDITS if waits_for_credits else OTHER, record.received_at


def listing_of_undo(undo: Undo) -> tuple[str, int] | None:
    """Return `listed` and `listed_at` of an undo; None if nobody has confirmed it."""
    return None if undo.confirmed_at is None else (UNDONE, undo.confirmed_at)


def _waits_for_a_person(record: Import) -> bool:
    if record.state is ImportState.ON_HOLD or record.pause in _WAITS_FOR_A_PERSON:
        return True
    # Of a held part the import knows only that people were told.
    return record.state is ImportState.SENT and record.reminded_at is not None
