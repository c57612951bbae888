"""
The one loop in which records change: read, decide, write if it is still as it was read.

That is an optimistic lock: nobody waits for anybody, and whoever comes second decides anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family, KeyLock, Record
from bigin_import.domain.states import Address
from bigin_import.domain.undo import Undo
from bigin_import.errors import ConflictError
from bigin_import.ports import Ledger

TRIES = 8  # more processes than ever meet at one record; then somebody is looping


def update[R: Record](
    ledger: Ledger,
    address: Address[R],
    step: Callable[[R], R | None],
    *,
    known: R | None = None,
) -> tuple[R | None, bool]:
    """
    Apply *step* to the record at *address* as it stands.

    *step* returns the new record, or None to leave it as it is; it may be called again
    with what another process has written meanwhile, so it must decide only on what it is given.

    Args:
        known: The record as the caller last read it. It spares the first reading: written over
            another's change it is a conflict like any, and that there is nothing to do is
            believed only of what was read.

    Returns:
        The record as it stands afterwards (None if there is none), and whether we changed it.

    Raises:
        ConflictError: Others wrote first, every time.
        ForbiddenEdgeError: *step* wants what no record of its kind may do.
    """
    for _ in range(TRIES):
        seen = known or ledger.load(address)
        wanted = step(seen) if seen is not None else None
        if seen is not None and wanted is not None:
            try:
                return ledger.save(wanted, over=seen), True
            except ConflictError:
                known = None
        elif known is None:
            return seen, False
        known = None
    raise ConflictError(f"{address.pk} {address.sk} changed {TRIES} times while we looked at it")


def create_if_absent[R: Record](ledger: Ledger, record: R) -> tuple[R, bool]:
    """Store *record* unless one is there already; return the stored one, and if it is ours."""
    try:
        return ledger.save(record), True
    except ConflictError:
        stored = ledger.load(record.address)
        if stored is None:
            raise
        return stored, False  # type: ignore[return-value]  # the address names the kind


def load_roots(
    load: Callable[[str], Import | None], record: Import, origins: Iterable[str]
) -> tuple[str, ...]:
    """
    Return where the families of an import go back to, its own first.

    Args:
        load: Returns an import by its id.
        origins: The imports that its rows were first dropped with, itself among them.
    """
    own = record.root or record.import_id
    found = {own: None}
    for each in sorted(set(origins) - {own, record.import_id}):
        origin = load(each)
        found[(origin and origin.root) or each] = None
    return tuple(found)


def load_undoing(ledger: Ledger, lock: KeyLock | Family) -> str | None:
    """
    Return the import that is being undone under *lock*; None without one.

    A run that stood still for longer than its lease may take the lock once more when another has
    finished: an undo that has ended has no lock, whatever the lock says.
    """
    undo = ledger.load(Undo.at(lock.undoing)) if lock.undoing else None
    return undo.import_id if undo is not None and undo.open is not None else None
