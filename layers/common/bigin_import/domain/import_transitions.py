"""
What a hold is: an import, or one of its parts, waits for a person.

An import is ON_HOLD when nothing of it can go on without one. A part may be HELD while others go
on; people are told of it all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import HoldCause, ImportState, OpenKind, PartState

_WITHOUT_JOB = (PartState.STORED, PartState.UPLOADED, PartState.CREATING, PartState.UNKNOWN)


def put_on_hold(seen: Import, cause: HoldCause, reason: str, now: int) -> Import:
    """Put an import on hold; it is due at once, so that people are told."""
    return replace(
        seen,
        state=ImportState.ON_HOLD,
        open=OpenKind.WORK,
        pause=None,
        hold_cause=cause,
        hold_reason=reason,
        held_from=seen.state,
        held_at=now,
        contradiction=reason if cause is HoldCause.CONTRADICTION else seen.contradiction,
        due_at=now,
    )


def state_before(seen: Import) -> ImportState:
    """Return the state in which an import on hold goes on if nothing else is decided."""
    begun = (ImportState.WAITING_FOR_MAPPING, ImportState.PREPARING)
    return seen.held_from if seen.held_from in begun else ImportState.SENDING


def release_hold(seen: Import, state: ImportState, now: int) -> Import:
    """Let an import go on in *state*, at once, as if it had not been held."""
    return replace(
        seen,
        state=state,
        hold_cause=None,
        hold_reason=None,
        held_from=None,
        held_at=None,
        refused_decision=None,
        reminded_at=None,
        idle_resumes=0,
        open=OpenKind.WORK,
        due_at=now,
    )


def told_as_held(seen: Import, parts: Iterable[Part]) -> Import:
    """Return *seen* as it is told to people: on hold because of its held parts."""
    numbers = ", ".join(str(part.number) for part in held_parts(parts))
    reason = f"Bigin never said whether it made the job of part {numbers}; look there first"
    if seen.refused_decision:
        reason += f". The last decision was not carried out: {seen.refused_decision}"
    state = ImportState.ON_HOLD
    return replace(seen, state=state, hold_cause=HoldCause.PART, hold_reason=reason)


def held_parts(parts: Iterable[Part]) -> list[Part]:
    """Return the parts that wait for a person."""
    return [part for part in parts if part.state is PartState.HELD]


def held_since(record: Import, parts: Iterable[Part]) -> int | None:
    """Return when the latest thing was held that people are to be told of; None without any."""
    moments = [part.held_at or 0 for part in held_parts(parts)]
    if record.state is ImportState.ON_HOLD and record.hold_cause is not HoldCause.PART:
        moments.append(record.held_at or 0)
    return max(moments, default=None)


def may_go_on(seen: Import, parts: Iterable[Part]) -> bool:
    """
    Return whether an import that is not being sent waits for nobody and has parts to send.

    A person, a late callback or a deadline has then ended what a part was held for, and whoever
    wrote that down died, or knew nothing of the import.
    """
    parts = tuple(parts)
    if seen.state is ImportState.ON_HOLD:
        return seen.hold_cause is HoldCause.PART and not held_parts(parts)
    return seen.state is ImportState.SENT and any(part.state in _WITHOUT_JOB for part in parts)
