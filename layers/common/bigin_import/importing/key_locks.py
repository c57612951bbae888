"""
The versions of one key go one after another, the oldest first, whatever the order of their events.

Nobody gives a key lock back: it is free as soon as its import is closed or on hold. An import that
has begun goes on before those that have not, for it may have other locks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from bigin_import import identity
from bigin_import.domain.drop import is_older
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import KeyLock, KeyVersion
from bigin_import.domain.states import ImportState
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Ledger

MOST_WAITING = 200  # kept in the order; who is not kept asks again, and then may be


class Acquired(NamedTuple):
    """
    What came of asking for the lock of a key.

    Attributes:
        later: The import of a later version, because of which nothing of this one is to be sent.
        was_unmapped: That one came while the key still waited for a mapping.
    """

    is_ours: bool
    later: str | None = None
    was_unmapped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLocks:
    """The locks of all keys, under the ledger's optimistic lock."""

    ledger: Ledger

    def acquire(self, record: Import, *, writes_over: bool) -> Acquired:
        """
        Take the lock of an import's key, if it is the next; else it waits in its place. Idempotent.

        Args:
            writes_over: It changes what is there, so it must not come after a later version.
        """

        later: KeyVersion | None = None

        def acquired(seen: KeyLock) -> KeyLock | None:
            nonlocal later
            later = _later_than(record, seen, writes_over=writes_over)
            if later is not None:
                return None
            others = tuple(self._load_waiting(seen, record))
            if self._check_free(seen, record) and not _is_behind(record, others):
                # Written also if it is ours: whoever finds us on hold a moment too late then
                # looks again.
                return replace(seen, open_import=record.import_id, waiting=others)
            queued = replace(seen, waiting=_in_order((*others, _version(record))))
            return None if queued == seen else queued

        lock = self._update(record, acquired)
        if later is None:
            return Acquired(lock.open_import == record.import_id)
        return Acquired(False, later.import_id, later == lock.unmapped)

    def release(self, record: Import, *, keeps_place: bool) -> None:
        """
        Give the lock back, if it is *record*'s: it waits for another import of its rows.

        Args:
            keeps_place: Later versions go on waiting for it.
        """

        def released(seen: KeyLock) -> KeyLock | None:
            others = _without(record, seen)
            waiting = _in_order((*others, _version(record))) if keeps_place else others
            is_ours = seen.open_import == record.import_id
            given = replace(seen, open_import=None if is_ours else seen.open_import)
            given = replace(given, waiting=waiting)
            return None if given == seen else given

        update(self.ledger, KeyLock.at(identity.place_of(record.source)), released)

    def record_unmapped(self, record: Import) -> None:
        """Remember that the key has this version and no mapping: it replaces those before it."""

        def unmapped(seen: KeyLock) -> KeyLock | None:
            latest, ours = seen.unmapped, _version(record)
            if latest is None or is_older(latest.sequencer, ours.sequencer):
                latest = ours
            changed = replace(seen, unmapped=latest, waiting=_without(record, seen))
            return None if changed == seen else changed

        if record.source.sequencer:
            self._update(record, unmapped)

    def record_sending(self, record: Import) -> None:
        """Remember that Bigin has this version, or will have, if none has been later."""

        def sent(seen: KeyLock) -> KeyLock | None:
            ours = record.source.sequencer
            if seen.last_sequencer and not is_older(seen.last_sequencer, ours):
                return None
            return replace(seen, last_sequencer=ours, last_import=record.import_id)

        if record.source.sequencer:
            update(self.ledger, KeyLock.at(identity.place_of(record.source)), sent)

    def find_next(self, record: Import) -> str | None:
        """Return the import that the end, or the hold, of *record* lets go on; None if none is."""
        lock = self.ledger.load(KeyLock.at(identity.place_of(record.source)))
        if lock is None or lock.open_import not in (None, record.import_id):
            return None
        return next((each.import_id for each in self._load_waiting(lock, record)), None)

    def find_waiting(self, record: Import) -> tuple[KeyVersion, ...]:
        """Return the other versions of a key that wait for an import, the oldest first."""
        lock = self.ledger.load(KeyLock.at(identity.place_of(record.source)))
        return _without(record, lock) if lock else ()

    def _update(self, record: Import, step: Callable[[KeyLock], KeyLock | None]) -> KeyLock:
        """Change the lock of a key, which is made if there is none; return it as it stands."""
        place = identity.place_of(record.source)
        lock, _ = update(self.ledger, KeyLock.at(place), step)
        if lock is not None:
            return lock
        empty = KeyLock(place=place)
        lock, ours = create_if_absent(self.ledger, step(empty) or empty)
        return lock if ours else self._update(record, step)

    def _check_free(self, lock: KeyLock, record: Import) -> bool:
        if lock.open_import in (None, record.import_id):
            return True
        holder = self.ledger.load(Import.at(lock.open_import))
        return holder is None or holder.state.is_closed or holder.state is ImportState.ON_HOLD

    def _load_waiting(self, lock: KeyLock, record: Import) -> Iterator[KeyVersion]:
        """Yield the others that wait, but for those before the first that do so no more."""
        others = iter(_without(record, lock))
        for each in others:
            found = self.ledger.load(Import.at(each.import_id))
            is_over = found is None or found.state.is_closed or found.state is ImportState.ON_HOLD
            if not is_over:
                yield each
                break
        yield from others


def _version(record: Import) -> KeyVersion:
    return KeyVersion(import_id=record.import_id, sequencer=record.source.sequencer)


def _without(record: Import, lock: KeyLock) -> tuple[KeyVersion, ...]:
    return tuple(each for each in lock.waiting if each.import_id != record.import_id)


def _in_order(waiting: tuple[KeyVersion, ...]) -> tuple[KeyVersion, ...]:
    width = max(len(each.sequencer) for each in waiting)
    ordered = sorted(waiting, key=lambda each: each.sequencer.ljust(width, "0"))
    return tuple(ordered[:MOST_WAITING])


def _is_behind(record: Import, others: tuple[KeyVersion, ...]) -> bool:
    """Return whether an older version waits; whoever has begun goes before those that have not."""
    has_begun = record.state is not ImportState.WAITING_FOR_MAPPING
    first = others[0].sequencer if others else ""
    return not has_begun and is_older(first, record.source.sequencer)


def _later_than(record: Import, lock: KeyLock, *, writes_over: bool) -> KeyVersion | None:
    """Return a later version because of which nothing of *record* is to be sent."""
    ours, unmapped = record.source.sequencer, lock.unmapped
    had_mapping = _version(record) in lock.waiting or lock.open_import == record.import_id
    is_new = record.state is ImportState.WAITING_FOR_MAPPING and not had_mapping
    if unmapped is not None and is_new and is_older(ours, unmapped.sequencer):
        return unmapped
    if writes_over and is_older(ours, lock.last_sequencer):
        return KeyVersion(import_id=lock.last_import or "", sequencer=lock.last_sequencer)
    return None
