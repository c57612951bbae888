"""
The door: every event about an object under `incoming/` becomes an import in the ledger, once.

S3 delivers at least once and in any order, and a person may drop the CSV before its mapping
or after it. Everything here may be repeated at will.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from posixpath import dirname
from typing import Protocol

from bigin_import import identity, object_keys
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.states import ImportState, OpenKind
from bigin_import.importing.pauses import LONGEST_LOOK_SECONDS, LOOK_AGAIN_SECONDS
from bigin_import.ledger import create_if_absent
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
        return MappingPin(key=version.key, version_id=version.version_id) if version else None

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
                    return MappingPin(key=key, version_id=version.version_id)
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
        return record

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
            if object_keys.kind_of(key) is not KeyKind.CSV or not object_keys.reaches(
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
        is_newest = newest is not None and newest.version_id == earlier.source.version_id
        if not is_newest or not self._check_for_another_mapping(earlier):
            return None
        return self.register(earlier.source, take=earlier.take + 1)

    def _find_last_take(self, source: ObjectVersion) -> Import | None:
        """Return the import of *source* that was begun last; ids follow from version and take."""
        last = None
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
