"""
The door: every event about an object under `incoming/` becomes an import in the ledger, once.

S3 delivers at least once and in any order, and a person may drop the CSV before its mapping
or after it. Everything here may be repeated at will.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count

from bigin_import import places
from bigin_import.changes import added, change
from bigin_import.models import ObjectVersion
from bigin_import.places import KeyKind
from bigin_import.ports import Clock, Files, Ledger, Observer
from bigin_import.records import Import, ImportState, MappingPin, OpenKind, Turn

LOOK_AGAIN_SECONDS = 60
TAKE_UP_SECONDS = 7 * 24 * 3600
MOST_WAITING = 200  # looked at when a mapping arrives; the tick looks at the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Registers drops, finds their mappings, and keeps the versions of one key in order."""

    ledger: Ledger
    files: Files
    clock: Clock
    observer: Observer

    def register(self, source: ObjectVersion, *, take: int = 1) -> Import:
        """Remember a drop; return its import, also if an earlier event has made it."""
        now = self.clock.now()
        import_id = places.import_id_of(source, take)
        record, is_new = added(
            self.ledger,
            Import(
                import_id=import_id,
                source=source,
                state=ImportState.WAITING_FOR_MAPPING,
                received_at=now,
                take=take,
                dry_run=places.is_check(source.key),
                results=places.results_prefix(source, import_id, now),
                open=OpenKind.WAITING,
                due_at=now + LOOK_AGAIN_SECONDS,
            ),
        )
        if is_new:
            self.observer.saw(
                "drop_received", import_id=import_id, key=source.key, size=source.size
            )
        return record

    def find_mapping(self, key: str) -> MappingPin | None:
        """Return the mapping that counts for the CSV *key* now: the nearest one."""
        return self.own_mapping(key) or self.folder_mapping(key)

    def own_mapping(self, key: str) -> MappingPin | None:
        """Return the mapping that bears the name of the CSV *key*."""
        return self._first(places.own_mapping_names(key))

    def folder_mapping(self, key: str) -> MappingPin | None:
        """Return the mapping of the folder of the CSV *key*, or of the nearest one above."""
        return self._first(places.folder_mapping_names(key))

    def _first(self, candidates: Iterable[places.Names]) -> MappingPin | None:
        for prefix, names in candidates:
            for key in self.files.keys(prefix):
                version = self.files.newest(key) if key.casefold() in names else None
                if version is not None:
                    return MappingPin(key=key, version_id=version.version_id)
        return None

    def woken_by(self, mapping: ObjectVersion) -> Iterator[str]:
        """Yield the imports that a new version of a mapping lets go on, one by one."""
        horizon = self.clock.now() + LOOK_AGAIN_SECONDS * 60
        due = self.ledger.due(OpenKind.WAITING, before=horizon, limit=MOST_WAITING)
        for address in due:
            record = self.ledger.load(address)
            if isinstance(record, Import) and places.reaches(mapping.key, record.source.key):
                yield record.import_id
        yield from self._taken_up(mapping)

    def _taken_up(self, mapping: ObjectVersion) -> Iterator[str]:
        """Register again the drops in reach that were rejected for their mapping."""
        for key in self.files.keys(places.reach_of(mapping.key)):
            if places.kind_of(key) is not KeyKind.CSV or not places.reaches(mapping.key, key):
                continue
            newest = self.files.newest(key)
            earlier = self._last_take(newest) if newest else None
            if earlier and self._may_be_taken_up(earlier, mapping):
                yield self.register(earlier.source, take=earlier.take + 1).import_id

    def _last_take(self, source: ObjectVersion) -> Import | None:
        """Return the import of *source* that was begun last; ids follow from version and take."""
        last = None
        for take in count(1):
            record = self.ledger.load(Import.at(places.import_id_of(source, take)))
            if record is None:
                return last
            last = record
        return last

    def _may_be_taken_up(self, earlier: Import, mapping: ObjectVersion) -> bool:
        same_mapping = earlier.mapping == MappingPin(key=mapping.key, version_id=mapping.version_id)
        return (
            earlier.state is ImportState.REJECTED
            and earlier.concerns_mapping
            and not same_mapping
            and (earlier.closed_at or 0) > self.clock.now() - TAKE_UP_SECONDS
        )

    def take_turn(self, record: Import) -> ImportState | None:
        """
        Ask for this import's turn among the versions of its key.

        Returns:
            PREPARING if it may go on, SUPERSEDED if a later version was sent already, or
            None if an earlier version is still under way.
        """
        place = places.place_of(record.source)
        added(self.ledger, Turn(place=place))

        def taken(seen: Turn) -> Turn | None:
            if seen.open_import not in (None, record.import_id) or _is_late(record, seen):
                return None
            return replace(seen, open_import=record.import_id)

        turn, _ = change(self.ledger, Turn.at(place), taken)
        if turn is None or turn.open_import == record.import_id:
            return ImportState.PREPARING
        return ImportState.SUPERSEDED if _is_late(record, turn) else None

    def record_sending(self, record: Import) -> None:
        """Remember that this version of its key is the latest that was sent."""
        change(
            self.ledger,
            Turn.at(places.place_of(record.source)),
            lambda seen: replace(seen, last_sequencer=record.source.sequencer),
        )


def give_turn_back(ledger: Ledger, record: Import) -> None:
    """Let the next version of the key go on."""

    def given(seen: Turn) -> Turn | None:
        return replace(seen, open_import=None) if seen.open_import == record.import_id else None

    change(ledger, Turn.at(places.place_of(record.source)), given)


def _is_late(record: Import, turn: Turn) -> bool:
    """Tell whether a later version was sent; sequencers compare padded with zeros on the right."""
    ours, theirs = record.source.sequencer, turn.last_sequencer
    width = max(len(ours), len(theirs))
    return bool(ours) and ours.ljust(width, "0") < theirs.ljust(width, "0")
