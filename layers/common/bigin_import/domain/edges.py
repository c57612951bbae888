"""
The ways that imports and parts may go, as one table each.

The use cases do not ask this module: they know what they do. The fake ledger does, so that in
every test and in the simulation a write that takes a wrong way is an error where it happens.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, PartState

_CLOSED = frozenset(state for state in ImportState if state.is_closed)

IMPORT_EDGES: Mapping[ImportState, frozenset[ImportState]] = {
    ImportState.WAITING_FOR_MAPPING: frozenset(
        {ImportState.PREPARING, ImportState.FINISHING, ImportState.ON_HOLD}
    ),
    ImportState.PREPARING: frozenset(
        {ImportState.SENDING, ImportState.FINISHING, ImportState.ON_HOLD}
    ),
    # To FINISHING after a hold in which a later version was sent, if nothing of this one was.
    ImportState.SENDING: frozenset({ImportState.SENT, ImportState.FINISHING, ImportState.ON_HOLD}),
    # Back to SENDING when a held part is to be created after all.
    ImportState.SENT: frozenset({ImportState.FINISHING, ImportState.SENDING, ImportState.ON_HOLD}),
    ImportState.ON_HOLD: frozenset(
        {
            ImportState.WAITING_FOR_MAPPING,
            ImportState.PREPARING,
            ImportState.SENDING,
            ImportState.FINISHING,
        }
    ),
    ImportState.FINISHING: _CLOSED,
    **dict.fromkeys(_CLOSED, frozenset[ImportState]()),
}

FIRST_IMPORT_STATES = frozenset({ImportState.WAITING_FOR_MAPPING})

_BEFORE_CREATE = frozenset({PartState.STORED, PartState.UPLOADED})
_AFTER_AN_ATTEMPT = frozenset({PartState.CREATED, PartState.UNKNOWN, PartState.GIVEN_UP})

PART_EDGES: Mapping[PartState, frozenset[PartState]] = {
    # After an unanswered attempt also to CREATED: its job calls back. To UNKNOWN: it calls back
    # and does not say which. To GIVEN_UP: a hold of the whole import is given up.
    PartState.STORED: frozenset({PartState.UPLOADED, PartState.REFUSED, *_AFTER_AN_ATTEMPT}),
    # Back to STORED if the upload is so old that Bigin may have thrown it away.
    PartState.UPLOADED: frozenset(
        {PartState.STORED, PartState.CREATING, PartState.REFUSED, *_AFTER_AN_ATTEMPT}
    ),
    # Back to UPLOADED only if the create certainly did not leave.
    PartState.CREATING: frozenset(
        {
            PartState.UPLOADED,
            PartState.CREATED,
            PartState.REFUSED,
            PartState.UNKNOWN,
            PartState.GIVEN_UP,
        }
    ),
    PartState.CREATED: frozenset({PartState.SETTLED, PartState.GIVEN_UP}),
    PartState.SETTLED: frozenset({PartState.COLLECTED}),
    # Re-creation goes back to STORED: the next attempt is an upload and a create like the first.
    PartState.UNKNOWN: frozenset(
        {PartState.STORED, PartState.CREATED, PartState.HELD, PartState.GIVEN_UP}
    ),
    PartState.HELD: frozenset({PartState.STORED, PartState.CREATED, PartState.GIVEN_UP}),
    PartState.COLLECTED: frozenset(),
    PartState.REFUSED: frozenset(),
    PartState.GIVEN_UP: frozenset(),
}

FIRST_PART_STATES = frozenset({PartState.STORED})


class ForbiddenEdgeError(AssertionError):
    """A record was to be written that cannot follow the stored one: a bug in a use case."""


def check_edge(old: Record | None, new: Record) -> None:
    """
    Make sure that *new* may follow *old* (None: nothing is stored).

    Raises:
        ForbiddenEdgeError: It may not.
    """
    match old, new:
        case None, Import():
            _demand(new.state in FIRST_IMPORT_STATES, f"an import begins as {new.state}")
        case None, Part():
            _demand(new.state in FIRST_PART_STATES, f"a part begins as {new.state}")
        case Import(), Import():
            _check_way(old, new, ended=old.state.is_closed, ways=IMPORT_EDGES[old.state])
        case Part(), Part():
            _check_way(old, new, ended=old.state.is_final, ways=_ways_of(old))
        case _:
            pass  # turns, claims, tokens and remembered answers have no states


def _ways_of(part: Part) -> frozenset[PartState]:
    """Without an attempt there is nothing that could have made a job."""
    ways = PART_EDGES[part.state]
    is_untried = part.state in _BEFORE_CREATE and not part.attempts
    return ways - _AFTER_AN_ATTEMPT if is_untried else ways


def _check_way(
    old: Import | Part, new: Import | Part, *, ended: bool, ways: Container[ImportState | PartState]
) -> None:
    if ended:
        _demand(_final_facts(old) == _final_facts(new), f"{_name(old)} changes after its end")
    else:
        allowed = new.state == old.state or new.state in ways
        _demand(allowed, f"{_name(old)} goes to {new.state}")


def _final_facts(record: Import | Part) -> Import | Part:
    """
    Leave out what may still change after the end: the notice, the index's bookkeeping, and jobs
    that turn up too late.
    """
    record = replace(record, version=0, open=None, due_at=None, expires_at=None)
    if isinstance(record, Import):
        return replace(record, noticed_at=None)
    attempts = tuple(
        replace(each, job_id=None, other_job_ids=(), hint=None) for each in record.attempts
    )
    return replace(record, attempts=attempts, asked_at=0)


def _name(record: Import | Part) -> str:
    return f"{record.address.sk} of {record.import_id} in {record.state}"


def _demand(allowed: bool, otherwise: str) -> None:
    if not allowed:
        raise ForbiddenEdgeError(otherwise)
