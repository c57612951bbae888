"""
Whether a record may follow the stored one: asked wherever one is written, in production too.

A wrong way is a bug in a use case. Nothing is then written, an alarm rings, and the function
fails as for any bug: its caller repeats it, and after some tries a person is told.
"""

from __future__ import annotations

from dataclasses import replace

from bigin_import.domain import import_transitions, part_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.undo import UNDO_EDGES, Undo, UndoState


class ForbiddenEdgeError(Exception):
    """
    A record was to be written that cannot follow the stored one.

    A bug, so not one of the errors that the use cases deal with.

    Attributes:
        item: Which record: the import, or the part of it.
        old, new: Its states; *old* is "" where nothing is stored.
    """

    def __init__(self, item: str, old: str, new: str, what: str) -> None:
        self.item = item
        self.old = old
        self.new = new
        super().__init__(f"{item} {what}")


def check_edge(old: Record | None, new: Record) -> None:
    """
    Make sure that *new* may follow *old* (None: nothing is stored).

    Raises:
        ForbiddenEdgeError: It may not.
    """
    match old, new:
        case None, Import():
            if new.state not in import_transitions.FIRST_STATES:
                raise _forbidden(None, new, f"begins as {new.state}")
        case None, Part():
            if new.state not in part_transitions.FIRST_STATES:
                raise _forbidden(None, new, f"begins as {new.state}")
        case None | Undo(), Undo():
            _check_undo(old, new)
        case Import(), Import():
            _check_way(old, new, old.state.is_closed, import_transitions.EDGES[old.state])
        case Part(), Part():
            _check_way(
                old,
                new,
                old.state.is_final,
                part_transitions.edges_from(old, attempts=new.attempts),
            )
        case _:
            pass  # locks, claims, tokens and remembered answers have no states


def _check_way[R: (Import, Part)](old: R, new: R, is_ended: bool, edges: frozenset[str]) -> None:
    if is_ended:
        if _final_facts(new) not in _ways_after_the_end(old):
            raise _forbidden(old, new, f"in {old.state} changes after its end, to {new.state}")
    elif new.state != old.state and new.state not in edges:
        raise _forbidden(old, new, f"in {old.state} goes to {new.state}")


def _check_undo(old: Undo | None, new: Undo) -> None:
    """Once it was confirmed, what is undone is what was shown; what is done stays so."""
    if old is None:
        if new.state not in (UndoState.SHOWN, UndoState.FORGOTTEN):
            raise _forbidden(None, new, f"begins as {new.state}")
        return
    if new.state != old.state and new.state not in UNDO_EDGES[old.state]:
        raise _forbidden(old, new, f"in {old.state} goes to {new.state}")
    is_begun = UndoState.RUNNING in (old.state, new.state)
    is_other = new.sha256 != old.sha256 or new.gone_through < old.gone_through
    if (is_begun and is_other) or (old.state is UndoState.DONE and _result(old) != _result(new)):
        raise _forbidden(old, new, f"in {old.state} becomes another")


def _result(undo: Undo) -> Undo:
    return replace(undo, version=0, expires_at=None)


def _ways_after_the_end(old: Import | Part) -> list[Import | Part]:
    """What has ended stays as it is; of a closed import a person may have the names forgotten."""
    ways = [_final_facts(old)]
    if isinstance(old, Import) and (forgotten := import_transitions.forget_names(old)):
        ways.append(_final_facts(forgotten))
    return ways


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


def _forbidden(
    old: Import | Part | Undo | None, new: Import | Part | Undo, what: str
) -> ForbiddenEdgeError:
    item = f"{new.address.sk} of {new.import_id}"
    return ForbiddenEdgeError(item, old.state if old else "", new.state, what)
