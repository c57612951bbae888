"""A ledger in memory: what DynamoDB promises, and a check of every write's way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Literal, cast

from bigin_import.domain.edges import check_edge
from bigin_import.domain.import_record import Import
from bigin_import.domain.listing import listing_of, listing_of_undo
from bigin_import.domain.locks import OpenAddress, Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address, OpenKind
from bigin_import.domain.undo import Undo
from bigin_import.errors import ConflictError, UnreadableItemError

type Moment = Literal["before", "after"]
type Call = Literal["load", "save", "delete", "parts", "due"]
type Hook = Callable[[Moment, Call, object], None]
type Place = tuple[str, str]
type Backup = Mapping[Place, Record]


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """What the index says of a place from *visible_at* on; no address: nothing."""

    visible_at: int
    kind: OpenKind | None = None
    due_at: int = 0
    address: OpenAddress | None = None


class MemoryLedger:
    """
    The Ledger port over a dictionary.

    Attributes:
        records: What is stored, by pk and sk.
        of_another_release: Places of records that this release cannot read.

    Args:
        check: Called with the stored and the new record before each write.
        hook: Called before and after each call; what it raises, the caller sees. Raising
            "after" a write is a process that dies before it hears of its write.
        answer_lost: Asked after each write; True: the client never hears the answer and
            repeats the write, as the AWS SDK does. Others may write before it returns.
        now: Time as the index sees it.
        lag: How many seconds the next index entry is late.
    """

    def __init__(
        self,
        *,
        check: Callable[[Record | None, Record], None] = check_edge,
        hook: Hook = lambda _moment, _call, _subject: None,
        answer_lost: Callable[[], bool] = lambda: False,
        now: Callable[[], int] = lambda: 0,
        lag: Callable[[], int] = lambda: 0,
    ) -> None:
        self.records: dict[Place, Record] = {}
        self.of_another_release: set[Place] = set()
        self._index: dict[Place, list[IndexEntry]] = {}
        self._listings: dict[Place, tuple[str, int]] = {}
        self._write_ids: dict[Place, int] = {}
        self._numbers = count(1)
        self._check = check
        self._hook = hook
        self._answer_lost = answer_lost
        self._now = now
        self._lag = lag

    def load[R: Record](self, address: Address[R]) -> R | None:
        self._hook("before", "load", address)
        self._read((address.pk, address.sk))
        found = self.records.get((address.pk, address.sk))
        self._hook("after", "load", address)
        return cast("R | None", found)

    def save[R: Record](self, record: R, *, over: R | None = None) -> R:
        self._hook("before", "save", record)
        if over is not None and over.version != record.version:
            raise AssertionError(f"{record} does not take the place of {over}")
        write_id = next(self._numbers)
        saved = replace(record, version=record.version + 1 if record.version else write_id * 1000)
        self._put(record, saved, write_id)
        if self._answer_lost():
            self._repeat_put(record, saved, write_id)
        self._hook("after", "save", saved)
        return saved

    def restore(self, record: Record) -> None:
        """Store *record* with the version that it has, as another release left it."""
        self.records[_place(record)] = record
        self._write_ids[_place(record)] = next(self._numbers)
        self._reindex(record, gone=False)

    def back_up(self) -> Backup:
        """Return everything that is stored, for `restore_table`."""
        return dict(self.records)

    def restore_table(self, backup: Backup) -> None:
        """Go back to *backup*, index and all, as a table restored from it does."""
        self.records = dict(backup)
        self._index.clear()
        self._listings.clear()
        self._write_ids = {place: next(self._numbers) for place in backup}
        for record in backup.values():
            self._reindex(record, gone=False)

    def delete[R: Record](self, record: R) -> None:
        self._hook("before", "delete", record)
        self._remove(record)
        if self._answer_lost():
            self._remove(record)
        self._hook("after", "delete", record)

    def load_parts(self, import_id: str) -> tuple[Part, ...]:
        self._hook("before", "parts", import_id)
        own = [
            record
            for record in self.records.values()
            if isinstance(record, Part) and record.import_id == import_id
        ]
        for part in own:
            self._read(_place(part))
        self._hook("after", "parts", import_id)
        return tuple(sorted(own, key=lambda part: part.number))

    def find_due(self, kind: OpenKind, *, before: int, limit: int) -> tuple[OpenAddress, ...]:
        self._hook("before", "due", kind)
        seen = [self._seen(entries) for entries in self._index.values()]
        late = sorted(
            (entry for entry in seen if entry.kind is kind and entry.due_at <= before),
            key=lambda entry: entry.due_at,
        )
        self._hook("after", "due", kind)
        return tuple(entry.address for entry in late[:limit] if entry.address is not None)

    def find_listed(self, heading: str, *, limit: int | None = None) -> tuple[Import, ...]:
        listed = [(at, place) for place, (own, at) in self._listings.items() if own == heading]
        readable = [each for each in listed if each[1] not in self.of_another_release]
        newest_first = sorted(readable, key=lambda each: each[0], reverse=True)
        return tuple(cast("Import", self.records[place]) for _, place in newest_first[:limit])

    def find_undone(self, *, limit: int) -> tuple[str, ...]:
        undos = [each for each in self.records.values() if isinstance(each, Undo)]
        listed = [(entry, each) for each in undos if (entry := listing_of_undo(each))]
        newest_first = sorted(listed, key=lambda each: each[0][1], reverse=True)
        return tuple(each.import_id for _, each in newest_first[:limit])

    def leave_unreadable(self, address: Address[Any], due_at: int) -> None:
        record = self.records[address.pk, address.sk]
        if isinstance(record, (Import, Part)) and record.due_at is not None:
            self.restore(replace(record, due_at=due_at, version=record.version + 1))

    def _read(self, place: Place) -> None:
        if place in self.of_another_release:
            raise UnreadableItemError(*place)

    def _put(self, record: Record, saved: Record, write_id: int) -> None:
        place = _place(record)
        stored = self.records.get(place)
        if record.version != (stored.version if stored else 0):
            raise _changed(record)
        self._check(stored, record)
        self.records[place] = saved
        self._write_ids[place] = write_id
        self._reindex(saved, gone=False)

    def _repeat_put(self, record: Record, saved: Record, write_id: int) -> None:
        try:
            self._put(record, saved, write_id)
        except ConflictError:
            if self._write_ids.get(_place(record)) != write_id:
                raise

    def _remove(self, record: Record) -> None:
        stored = self.records.get(_place(record))
        if stored is None:
            return
        if stored.version != record.version:
            raise _changed(record)
        del self.records[_place(record)]
        del self._write_ids[_place(record)]
        self._reindex(record, gone=True)

    def _reindex(self, record: Record, *, gone: bool) -> None:
        if not isinstance(record, (Import, Part, Undo)):
            return
        self._list(record, gone=gone)
        entries = self._index.setdefault(_place(record), [])
        earliest = entries[-1].visible_at if entries else 0
        visible_at = max(earliest, self._now() + self._lag())  # entries of one item keep order
        if gone or record.open is None or record.due_at is None:
            entries.append(IndexEntry(visible_at))
        else:
            entries.append(IndexEntry(visible_at, record.open, record.due_at, record.address))

    def _list(self, record: Import | Part | Undo, *, gone: bool) -> None:
        if gone:
            self._listings.pop(_place(record), None)
        elif isinstance(record, Import):
            self._listings[_place(record)] = listing_of(record)

    def _seen(self, entries: list[IndexEntry]) -> IndexEntry:
        """Return the newest visible entry and forget those that it replaced."""
        while len(entries) > 1 and entries[1].visible_at <= self._now():
            del entries[0]
        return entries[0] if entries[0].visible_at <= self._now() else IndexEntry(0)


def _place(record: Record) -> Place:
    return record.address.pk, record.address.sk


def _changed(record: Record) -> ConflictError:
    address = record.address
    return ConflictError(f"{address.pk} {address.sk} is no longer at version {record.version}")
