"""
Every event about an object under `incoming/` becomes an import in the ledger, once.

S3 delivers at least once and in any order, and a person may drop the CSV before its mapping
or after it. Everything here is idempotent.

The versions of one key go one after another, the oldest first, whatever the order of their events.
Nobody gives a key lock back: it is free as soon as its import is closed or on hold. An import that
has begun goes on before those that have not, for it may have other locks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from posixpath import dirname
from typing import NamedTuple, Protocol

from bigin_import import identity, object_keys
from bigin_import.domain.drop import NO_VERSION, ObjectVersion, is_older
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.locks import KeyLock, KeyVersion
from bigin_import.domain.states import ImportState, OpenKind
from bigin_import.importing.pauses import LONGEST_LOOK_SECONDS, LOOK_AGAIN_SECONDS
from bigin_import.ledger import create_if_absent, load_undoing, update
from bigin_import.object_keys import KeyKind
from bigin_import.ports import Clock, Files, Ledger, Telemetry

TAKE_UP_SECONDS = 7 * 24 * 3600
LONGEST_WAIT_SECONDS = 7 * 24 * 3600  # for a mapping, by template.yaml; then a drop is rejected
MOST_IN_FOLDER = 2_000  # keys looked at for a mapping whose name is spelled otherwise
MOST_WAITING = 200  # looked at when a mapping arrives; the tick looks at the rest


class Keys(Protocol):
    """What is needed of the port Files to look for a mapping."""

    def list_keys(self, prefix: str) -> Iterator[str]: ...
    def find_newest(self, key: str) -> ObjectVersion | None: ...


@dataclass(frozen=True, slots=True)
class MappingPlaces:
    """Finds the mapping that a CSV has by its place and name."""

    files: Keys

    def find(self, key: str) -> MappingPin | None:
        """Return the mapping that counts for the CSV *key* now: the nearest one."""
        return self.find_own(key) or self.find_in_folders(key)

    def find_own(self, key: str) -> MappingPin | None:
        """Return the mapping that bears the name of the CSV *key*."""
        exact = self._find_first(object_keys.own_mapping_names(key))
        return exact or self._find_own_alike(key)

    def _find_own_alike(self, key: str) -> MappingPin | None:
        """Return the mapping whose name differs in spelling alone, if there is only one."""
        alike = self.find_alike(key)
        version = self.files.find_newest(alike[0]) if len(alike) == 1 else None
        return _pin_of(version) if version else None

    def find_alike(self, key: str) -> tuple[str, ...]:
        """Return the mappings beside *key* that differ from its name in Unicode form or case."""
        keys = islice(self.files.list_keys(folder_of(key)), MOST_IN_FOLDER)
        return tuple(each for each in keys if object_keys.is_named_alike(each, key))

    def find_in_folders(self, key: str) -> MappingPin | None:
        """Return the mapping of the folder of the CSV *key*, or of the nearest one above."""
        return self._find_first(object_keys.folder_mapping_names(key))

    def _find_first(self, candidates: Iterable[object_keys.Names]) -> MappingPin | None:
        for prefix, names in candidates:
            for key in self.files.list_keys(prefix):
                version = self.files.find_newest(key) if key.casefold() in names else None
                if version is not None:
                    return _pin_of(version)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """Registers drops and finds their mappings."""

    ledger: Ledger
    files: Files
    clock: Clock
    telemetry: Telemetry

    def register(self, source: ObjectVersion, *, take: int = 1) -> Import:
        """Remember a drop; return its import, also if an earlier event has made it."""
        now = self.clock.now()
        import_id = identity.import_id_of(source, take)
        record, is_new = create_if_absent(
            self.ledger,
            Import(
                import_id=import_id,
                source=source,
                state=ImportState.WAITING_FOR_MAPPING,
                received_at=now,
                take=take,
                dry_run=object_keys.is_check(source.key),
                results=object_keys.results_prefix(source, import_id, now),
                open=OpenKind.WAITING,
                due_at=now + LOOK_AGAIN_SECONDS,
            ),
        )
        if is_new:
            self.telemetry.emit(
                "drop_received", import_id=import_id, key=source.key, size=source.size
            )
        if source.version_id == NO_VERSION:
            self._key_locks.record_unversioned(record)
        return record

    def find_version(self, source: ObjectVersion) -> ObjectVersion:
        """Find the version that an event left out, as those of some tools do."""
        newest = self.files.find_newest(source.key) if source.version_id == NO_VERSION else None
        if newest is None or newest.version_id == NO_VERSION:
            return source
        return replace(source, version_id=newest.version_id, size=newest.size, etag="")

    @property
    def _key_locks(self) -> KeyLocks:
        return KeyLocks(ledger=self.ledger)

    @property
    def mappings(self) -> MappingPlaces:
        return MappingPlaces(self.files)

    def wake_imports(self, mapping: ObjectVersion) -> Iterator[str]:
        """
        Yield the imports that a new version of a mapping lets go on, one by one.

        Waiting ones first; then the drops in its reach that were rejected for their mapping,
        each as a new import.
        """
        horizon = self.clock.now() + 2 * LONGEST_LOOK_SECONDS
        due = self.ledger.find_due(OpenKind.WAITING, before=horizon, limit=MOST_WAITING)
        for address in due:
            record = self.ledger.load(address)
            if isinstance(record, Import) and object_keys.reaches(mapping.key, record.source.key):
                yield record.import_id
        yield from self._take_up_rejected(mapping)

    def _take_up_rejected(self, mapping: ObjectVersion) -> Iterator[str]:
        since = self.clock.now() - TAKE_UP_SECONDS - LONGEST_WAIT_SECONDS
        for key in self.files.list_keys(object_keys.reach_of(mapping.key), since=since):
            if object_keys.kind_of(key) is not KeyKind.DROP or not object_keys.reaches(
                mapping.key, key
            ):
                continue
            newest = self.files.find_newest(key)
            earlier = self._find_last_take(newest) if newest else None
            again = self.take_up(earlier) if earlier else None
            if again is not None:
                yield again.import_id

    def take_up(self, earlier: Import) -> Import | None:
        """
        Register a drop again that was rejected for its mapping, if there is another one now.

        Called when a mapping arrives, and once more when a rejection was closed: the mapping may
        have arrived while the old one was read.
        """
        newest = self.files.find_newest(earlier.source.key)
        is_newest = newest is not None and self._check_same(newest, earlier.source)
        if not is_newest or not self._check_for_another_mapping(earlier):
            return None
        return self.register(earlier.source, take=earlier.take + 1)

    def _check_same(self, newest: ObjectVersion, source: ObjectVersion) -> bool:
        """Return whether *source* is the *newest* version of its key, and no other."""
        if newest.version_id != source.version_id or newest.version_id != NO_VERSION:
            return newest.version_id == source.version_id
        latest = self._key_locks.find_unversioned(source)
        return latest is not None and latest.sequencer == source.sequencer

    def _find_last_take(self, source: ObjectVersion) -> Import | None:
        """Return the import of *source* that was begun last; ids follow from version and take."""
        last = None
        if source.version_id == NO_VERSION:  # then only the lock of its key knows its id
            latest = self._key_locks.find_unversioned(source)
            first = self.ledger.load(Import.at(latest.import_id)) if latest else None
            if first is None:
                return None
            source = first.source
        for take in count(1):
            record = self.ledger.load(Import.at(identity.import_id_of(source, take)))
            if record is None:
                return last
            last = record
        return last

    def _check_for_another_mapping(self, earlier: Import) -> bool:
        if (
            earlier.state is not ImportState.REJECTED
            or not earlier.concerns_mapping
            or (earlier.closed_at or 0) <= self.clock.now() - TAKE_UP_SECONDS
        ):
            return False
        mapping = self._find_mapping_now(earlier)
        return mapping is not None and mapping != earlier.mapping

    def _find_mapping_now(self, earlier: Import) -> MappingPin | None:
        """Return the mapping that would count for a drop now: of a result file, its parent's."""
        key = earlier.source.key
        is_inherited = earlier.mapping is not None and object_keys.is_ours(earlier.mapping.key)
        return self.mappings.find_own(key) or (
            earlier.mapping if is_inherited else self.mappings.find_in_folders(key)
        )


def folder_of(key: str) -> str:
    return f"{dirname(key)}/"


def _pin_of(version: ObjectVersion) -> MappingPin:
    return MappingPin(key=version.key, version_id=version.version_id, etag=version.etag)


MOST_VERSIONS = 200  # kept in the order; who is not kept asks again, and then may be


class Acquired(NamedTuple):
    """
    What came of asking for the lock of a key.

    Attributes:
        later: The import of a later version, because of which nothing of this one is to be sent.
        was_unmapped: That one came while the key still waited for a mapping.
        lock: As it stands, if there is no later version.
    """

    is_ours: bool
    later: str | None = None
    was_unmapped: bool = False
    lock: KeyLock | None = None


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
            return Acquired(lock.open_import == record.import_id, lock=lock)
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

    def record_sending(self, record: Import, *, known: KeyLock | None) -> None:
        """
        Remember that Bigin has this version, or will have, if none has been later.

        Args:
            known: The lock as the caller last read it.
        """

        def sent(seen: KeyLock) -> KeyLock | None:
            ours = record.source.sequencer
            if seen.last_sequencer and not is_older(seen.last_sequencer, ours):
                return None
            return replace(seen, last_sequencer=ours, last_import=record.import_id)

        if record.source.sequencer:
            address = KeyLock.at(identity.place_of(record.source))
            update(self.ledger, address, sent, known=known)

    def record_unversioned(self, record: Import) -> None:
        """Remember which drop lies under its key in a bucket that keeps no versions."""

        def dropped(seen: KeyLock) -> KeyLock | None:
            latest, ours = seen.unversioned, _version(record)
            if latest is not None and not is_older(latest.sequencer, ours.sequencer):
                return None
            return replace(seen, unversioned=ours)

        self._update(record, dropped)

    def find_unversioned(self, source: ObjectVersion) -> KeyVersion | None:
        """Return the drop that was the latest under a key while its bucket kept no versions."""
        lock = self.ledger.load(KeyLock.at(identity.place_of(source)))
        return lock.unversioned if lock else None

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
        if load_undoing(self.ledger, lock) is not None:
            return False
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
    return tuple(ordered[:MOST_VERSIONS])


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
