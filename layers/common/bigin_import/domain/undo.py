"""
Taking an import back: the records that it added are deleted from Bigin again.

First it is shown what would be deleted; then a person names what was shown, and no more than that
is deleted. All changes of the record are pure functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from bigin_import.domain.states import Address, OpenKind

IDS_PER_CALL: Final = 100  # Bigin deletes no more of them in one call
WAIT_SECONDS: Final = 60  # a runner that was asked for and has not begun is asked for again


class UndoState(StrEnum):
    """
    How far an import is taken back.

    SHOWN: it was said what would be deleted; nothing was.
    RUNNING: a person has confirmed it; records are being deleted.
    DONE: final.
    FORGOTTEN: what is kept of the import is removed, and with it the list; final.
    """

    SHOWN = "SHOWN"
    RUNNING = "RUNNING"
    DONE = "DONE"
    FORGOTTEN = "FORGOTTEN"


UNDO_EDGES: Final = {
    UndoState.SHOWN: frozenset({UndoState.RUNNING, UndoState.FORGOTTEN}),
    UndoState.RUNNING: frozenset({UndoState.DONE}),
    UndoState.DONE: frozenset[UndoState](),
    UndoState.FORGOTTEN: frozenset[UndoState](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """
    The taking back of one import.

    Attributes:
        sha256: Of the stored list of the records that are deleted.
        rows: How many it has.
        added: Records that the import added, of which the ids are certain.
        changed: How many of these were changed since; None if Bigin does not tell.
        updated: Records that the import updated; they stay as they are.
        changed_too: Those that were changed are in the list, too.
        changed_since: When the first job ended: what was changed then or later is asked for.
        asks_each: What was changed is asked of each record, for that costs less than the list.
        credits: What it takes from confirming it on, if nothing has to be repeated.
        families: The imports that the families of its rows go back to.
        shown_by, confirmed_by: Who asked, by their own word.
        gone_through: Rows of the list that are behind it.
        deleted: How many of them are deleted.
        lease_until: Nobody deletes if this is past.
        waits: How often in a row it has waited for Bigin, or for another import.
        open, due_at: Present while it is RUNNING.
    """

    import_id: str
    state: UndoState
    sha256: str
    rows: int
    added: int
    updated: int
    changed_too: bool
    changed_since: int
    credits: int
    families: tuple[str, ...]
    shown_at: int
    changed: int | None = None
    shown_by: str = ""
    confirmed_at: int | None = None
    confirmed_by: str = ""
    done_at: int | None = None
    gone_through: int = 0
    deleted: int = 0
    lease_until: int = 0
    waits: int = 0
    version: int = 0
    open: OpenKind | None = None
    due_at: int | None = None
    expires_at: int | None = None
    asks_each: bool = False

    @classmethod
    def at(cls, import_id: str) -> Address[Undo]:
        return Address(cls, f"IMPORT#{import_id}", "UNDO")

    @property
    def address(self) -> Address[Undo]:
        return Undo.at(self.import_id)

    @property
    def token(self) -> str:
        """What a person types to confirm exactly what was shown."""
        return self.sha256[:12]

    @property
    def kept(self) -> int:
        """Records of the list that were not deleted, so far."""
        return self.gone_through - self.deleted


class UndoRow(NamedTuple):
    """
    A row of an import whose record is deleted.

    Attributes:
        row: Its number in the drop.
        ended_at: When the job ended that added it: what was changed later is no more ours.
        modified: Bigin's time of a change that was shown with it, in ISO 8601; "" without one.
    """

    row: int
    record_id: str
    ended_at: int
    modified: str = ""


type UndoStep = Callable[[Undo], Undo | None]


def show_again(fresh: Undo) -> UndoStep:
    """Something else is shown than before; what was confirmed stays."""

    def step(seen: Undo) -> Undo | None:
        return replace(fresh, version=seen.version) if seen.state is UndoState.SHOWN else None

    return step


def confirm(token: str, by: str, now: int) -> UndoStep:
    """A person wants what was shown; from now on it is due until it is done."""

    def step(seen: Undo) -> Undo | None:
        if seen.state is not UndoState.SHOWN or seen.token != token:
            return None
        return replace(
            seen,
            state=UndoState.RUNNING,
            confirmed_at=now,
            confirmed_by=by,
            open=OpenKind.WORK,
            due_at=now + WAIT_SECONDS,
        )

    return step


def forgotten(import_id: str, now: int, expires_at: int | None) -> Undo:
    """Return the record of an import of which nothing was shown, and nothing will be."""
    return Undo(
        import_id=import_id,
        state=UndoState.FORGOTTEN,
        sha256="",
        rows=0,
        added=0,
        updated=0,
        changed_too=False,
        changed_since=now,
        credits=0,
        families=(),
        shown_at=now,
        expires_at=expires_at,
    )


def forget(seen: Undo) -> Undo | None:
    """What was shown, and not confirmed, names a list that is removed."""
    if seen.state is not UndoState.SHOWN:
        return None
    return replace(seen, state=UndoState.FORGOTTEN, sha256="")


def take_lease(now: int, until: int) -> UndoStep:
    """A runner begins, unless another one's lease still runs."""

    def step(seen: Undo) -> Undo | None:
        if seen.state is not UndoState.RUNNING or seen.lease_until > now:
            return None
        return replace(seen, lease_until=until, due_at=until)

    return step


def record_deleted(until: int, begin: int, *, gone_through: int, deleted: int) -> UndoStep:
    """
    One more call was made: so many further rows, of which so many are deleted.

    Args:
        until: Of the runner's lease; a record under another one is another runner's.
        begin: How many rows of the list were behind it before.
    """

    def step(seen: Undo) -> Undo | None:
        if (seen.lease_until, seen.gone_through) != (until, begin):
            return None
        return replace(
            seen,
            gone_through=begin + gone_through,
            deleted=seen.deleted + deleted,
            waits=0,
        )

    return step


def pause(now: int, seconds: int, *, waits: bool) -> UndoStep:
    """The runner ends; *waits*: for somebody else, and not only for lack of time."""

    def step(seen: Undo) -> Undo | None:
        if seen.state is not UndoState.RUNNING:
            return None
        more = seen.waits + 1 if waits else 0
        return replace(seen, lease_until=0, due_at=now + seconds, waits=more)

    return step


def postpone(now: int) -> UndoStep:
    """A runner was asked for; it is asked for again if it does not begin."""

    def step(seen: Undo) -> Undo | None:
        if seen.state is not UndoState.RUNNING or seen.lease_until > now:
            return None
        return replace(seen, due_at=now + WAIT_SECONDS)

    return step


def look_by(moment: int) -> UndoStep:
    """It is looked at again at *moment* at the latest, where AWS was away."""

    def step(seen: Undo) -> Undo | None:
        if seen.due_at is None or seen.due_at <= moment:
            return None
        return replace(seen, due_at=moment)

    return step


def finish(deleted: int, now: int) -> UndoStep:
    """Everything is said and done: out of the index of open work."""

    def step(seen: Undo) -> Undo | None:
        if seen.state is not UndoState.RUNNING or seen.gone_through != seen.rows:
            return None
        return replace(
            seen,
            state=UndoState.DONE,
            deleted=deleted,
            done_at=now,
            lease_until=0,
            open=None,
            due_at=None,
        )

    return step
