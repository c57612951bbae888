"""
The rows that earlier imports of a file got into Bigin, for whoever drops it again.

Kept rows are the source: through the import itself, or through any correction of it.

An insert adds whatever it is sent. So a drop that holds at least nine tenths of the rows that an
earlier import of its name got in is that file, mended or grown: its equal rows are not sent again,
each as often as it is in. Fewer equal rows are new rows, for a nightly file may repeat a line.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from struct import Struct
from typing import NamedTuple

from bigin_import import identity
from bigin_import.domain.import_record import Import, is_same_organisation
from bigin_import.domain.locks import FileHistory, NamedImport
from bigin_import.domain.plan import ColumnPlan, ValueRule
from bigin_import.domain.row_result import RowStatus
from bigin_import.ledger import create_if_absent, update
from bigin_import.mapping.keys import RULE_KEYS
from bigin_import.ports import Ledger
from bigin_import.splitting.content_log import (
    FINGERPRINT_BYTES,
    RANGES,
    SAMPLE_BYTES,
    ContentLog,
    HashRanges,
)

MENDED_SHARE = 0.9
_ENTRY = Struct(f"={FINGERPRINT_BYTES}sIQHBHI")
_OURS = Struct(f"={FINGERPRINT_BYTES}sI")
_STATUSES = (RowStatus.EXISTING, RowStatus.UNCLEAR, None)
_IN, _NOT_IN = _STATUSES.index(RowStatus.EXISTING), _STATUSES.index(None)
_IS_THERE, _MAY_BE_IN, _IS_IN = 1, 2, 3
_RANKS = {RowStatus.EXISTING: _IS_IN, RowStatus.UNCLEAR: _MAY_BE_IN, None: _IS_THERE}


class RowIn(NamedTuple):
    """
    A row of an earlier import that is in Bigin, or may be.

    Attributes:
        cells: Its fingerprint.
        row: Its number there; a corrected row has it twice, with its old and its new cells.
        through: The import that got it in.
        status: EXISTING if it is in; UNCLEAR if nobody knows; None if it is not.
        root, root_row: Who it is in its family; "" and 0 if that is not known.
    """

    cells: bytes
    row: int
    record_id: str
    through: str
    status: RowStatus | None = RowStatus.EXISTING
    root: str = ""
    root_row: int = 0


class KnownRow(NamedTuple):
    """A row of a drop that an earlier import has; *row* is its number in the drop."""

    row: int
    status: RowStatus | None
    record_id: str
    through: str
    root: str = ""
    root_row: int = 0


class _Total(NamedTuple):
    """How many rows of an earlier import are in, how many may be, and how many it has."""

    are_in: int
    may_be_in: int
    rows: int


@dataclass(slots=True)
class _Rows:
    """For every row of a drop, in its order, what is known of it; 17 bytes each."""

    through: array[int]
    record_ids: array[int]
    statuses: bytearray
    roots: array[int]
    root_rows: array[int]

    @classmethod
    def of(cls, count: int) -> _Rows:
        return cls(
            array("H", bytes(2 * count)),
            array("Q", bytes(8 * count)),
            bytearray(count),
            array("H", bytes(2 * count)),
            array("I", bytes(4 * count)),
        )

    def count(self, status: int) -> int:
        """Return how many are known with *status*, a position in `_STATUSES`."""
        pairs = zip(self.through, self.statuses, strict=True)
        return sum(bool(through) and each == status for through, each in pairs)


class RowMemory:
    """
    Compares the rows of a drop with those of earlier imports, range by range of their hashes.

    Memory grows by 43 bytes with each row of the drop; the rows of an earlier import lie in
    temporary files.

    Attributes:
        count: How many rows the drop has.
        are_in, may_be_in: How many rows of the import that was compared last.
    """

    def __init__(self, log: ContentLog) -> None:
        self.are_in = self.may_be_in = 0
        self._log = log
        self.count = sum(1 for _ in log.rows())
        self._known = _Rows.of(self.count)
        self._imports: list[str] = []

    def match(
        self,
        earlier: Iterable[RowIn],
        *,
        share: float,
        grew_from_this: bool = False,
        got_none_in: bool = False,
    ) -> int:
        """
        Find equal rows, and know them if there are as many as *share* of those that are in.

        Or of those that are in or may be; if an import has none of either, of all that it has.

        Args:
            grew_from_this: The earlier import had a later version, so what counts is how many
                rows of the drop are rows of that one.
            got_none_in: The earlier import got no row in for certain. What is equal to a row that
                may be in is known then, however few those are; and so is what is not in.

        Returns:
            How many rows of the drop are equal and stay unknown, for there are fewer.
        """
        total, found, same = self._find_equal(earlier)
        self.are_in, self.may_be_in = total.are_in, total.may_be_in
        equal = sum(map(bool, found.through))
        if grew_from_this:
            is_same = equal + same.total() >= share * self.count
        elif sent := total.are_in + total.may_be_in:
            equal -= found.count(_NOT_IN)
            holds_what_is_in = found.count(_IN) + same[_IN] >= share * total.are_in > 0
            is_same = holds_what_is_in or equal + same.total() >= share * sent
        else:
            is_same = equal >= share * total.rows
        if is_same:
            self._keep(found)
        elif got_none_in:
            self._keep(found, but=_IN)
            equal = found.count(_IN)
        return 0 if is_same else equal

    def _find_equal(self, earlier: Iterable[RowIn]) -> tuple[_Total, _Rows, Counter[int]]:
        """
        Find rows of an earlier import that are equal to unknown ones of the drop.

        Returns:
            How many rows it has; what it says of unknown rows; and how many of its rows are known
            already, for they are the same records, by their status.
        """
        found, taken, same = _Rows.of(self.count), bytearray(), Counter[int]()
        with HashRanges(_ENTRY) as theirs, HashRanges(_OURS) as ours:
            total = self._spread(earlier, theirs)
            for at, (cells, _) in enumerate(self._log.rows()):
                ours.add(cells, at)
            for at in range(RANGES):
                unknown, known = self._apart(ours.entries(at))
                others = _without_known(theirs.entries(at), known, same, taken)
                _match_range(others, unknown, found, taken)
        return total, found, same

    def _apart(
        self, ours: Iterator[tuple[bytes, int]]
    ) -> tuple[list[tuple[bytes, int]], Counter[_Record]]:
        """Return rows of the drop that are unknown, and which records the others are."""
        known, unknown, records = self._known, [], Counter[_Record]()
        for cells, at in ours:
            if known.through[at]:
                records[cells, known.through[at], known.record_ids[at]] += 1
            else:
                unknown.append((cells, at))
        return unknown, records

    def known_rows(self) -> Iterator[KnownRow]:
        """Yield what is known of rows of the drop, in their order."""
        known = self._known
        for at, (_, number) in enumerate(self._log.rows()):
            if through := known.through[at]:
                record_id = known.record_ids[at]
                yield KnownRow(
                    number,
                    _STATUSES[known.statuses[at]],
                    str(record_id) if record_id else "",
                    self._imports[through - 1],
                    self._imports[known.roots[at] - 1] if known.roots[at] else "",
                    known.root_rows[at],
                )

    def find_sampled(self, samples: Iterable[str]) -> frozenset[str]:
        """Return those *samples* of imports of which a row is one of the drop, still unknown."""
        wanted: dict[bytes, set[str]] = {}
        for sample in samples:
            whole = bytes.fromhex(sample)
            for at in range(0, len(whole), SAMPLE_BYTES):
                wanted.setdefault(whole[at : at + SAMPLE_BYTES], set()).add(sample)
        found: set[str] = set()
        for at, (cells, _) in enumerate(self._log.rows() if wanted else ()):
            if cells[:SAMPLE_BYTES] in wanted and not self._known.through[at]:
                found |= wanted[cells[:SAMPLE_BYTES]]
        return frozenset(found)

    def unknown_cells(self) -> frozenset[str]:
        """Return the fingerprints of rows of which nothing is known, in hexadecimal."""
        rows = zip(self._log.rows(), self._known.through, strict=True)
        return frozenset(cells.hex() for (cells, _), through in rows if not through)

    @property
    def known_count(self) -> int:
        """How many rows of the drop an earlier import has."""
        return sum(map(bool, self._known.through))

    def _spread(self, earlier: Iterable[RowIn], theirs: HashRanges) -> _Total:
        """Spread the rows of an earlier import; return how many different ones it has."""
        seen = bytearray()
        for row in earlier:
            seen.extend(bytes(max(0, row.row + 1 - len(seen))))
            seen[row.row] = max(seen[row.row], _RANKS[row.status])
            record_id = int(row.record_id) if _fits(row.record_id) else 0
            root = self._number(row.root) if row.root else 0
            place = (row.row, record_id, self._number(row.through))
            theirs.add(row.cells, *place, _STATUSES.index(row.status), root, row.root_row)
        return _Total(seen.count(_IS_IN), seen.count(_MAY_BE_IN), len(seen) - seen.count(0))

    def _number(self, import_id: str) -> int:
        if import_id not in self._imports:
            self._imports.append(import_id)
        return self._imports.index(import_id) + 1

    def _keep(self, found: _Rows, *, but: int | None = None) -> None:
        known = self._known
        for at, through in enumerate(found.through):
            if through and found.statuses[at] != but:
                known.through[at] = through
                known.record_ids[at] = found.record_ids[at]
                known.statuses[at] = found.statuses[at]
                known.roots[at], known.root_rows[at] = found.roots[at], found.root_rows[at]


type _Entry = tuple[int, int, int, int, int, int]
type _CellsAndEntry = tuple[bytes, int, int, int, int, int, int]
type _Record = tuple[bytes, int, int]
"""Cells, the import that got them in, and the id of the record."""


def _without_known(
    theirs: Iterator[_CellsAndEntry],
    known: Counter[_Record],
    same: Counter[int],
    taken: bytearray,
) -> Iterator[_CellsAndEntry]:
    """Leave out rows that a row of the drop is known to be, and count them by their status."""
    for each in theirs:
        cells, row, record_id, through, status, *_ = each
        taken.extend(bytes(max(0, row + 1 - len(taken))))
        if not taken[row] and known[cells, through, record_id]:
            taken[row] = 1  # it may stand here twice, see `RowIn`
            known[cells, through, record_id] -= 1
            same[status] += 1
        else:
            yield each


def _match_range(
    theirs: Iterator[_CellsAndEntry],
    ours: Iterable[tuple[bytes, int]],
    found: _Rows,
    taken: bytearray,
) -> None:
    """
    Give each row of ours a row of theirs with the same cells, each of those to one only.

    Those that are in, or may be, are given first.
    """
    waiting: dict[bytes, list[_Entry]] = {}
    for cells, *entry in theirs:
        row, record_id, through, status, root, root_row = entry
        waiting.setdefault(cells, []).append((row, record_id, through, status, root, root_row))
    for entries in waiting.values():
        entries.sort(key=_by_status)
        entries.reverse()
    for cells, at in ours:
        free = _next_free(waiting.get(cells, []), taken)
        if free is not None:
            _, found.record_ids[at], found.through[at] = free[:3]
            found.statuses[at], found.roots[at], found.root_rows[at] = free[3:]


def _next_free(entries: list[_Entry], taken: bytearray) -> _Entry | None:
    """Take the last entry off whose row is not taken under its other cells."""
    while entries:
        entry = entries.pop()
        taken.extend(bytes(max(0, entry[0] + 1 - len(taken))))
        if not taken[entry[0]]:
            taken[entry[0]] = 1
            return entry
    return None


def _by_status(entry: _Entry) -> int:
    return entry[3]


def _fits(record_id: str) -> bool:
    return record_id.isdecimal() and int(record_id) < 2**64


MOST_REMEMBERED = 200  # some 60 kB of the ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class NameHistory:
    """Remembers the imports of files that are called alike, in whichever folder."""

    ledger: Ledger

    def register(
        self, record: Import, columns: ColumnPlan, log: ContentLog, *, is_forced: bool = False
    ) -> tuple[tuple[NamedImport, ...], tuple[NamedImport, ...]]:
        """
        Remember an import of a file. Idempotent.

        Returns:
            The others into its module, and its organisation as far as that is known: those that
            were planned before it, and those after it.
        """
        name = identity.file_name_of(record.source)
        own = _named(record, columns, log, is_forced=is_forced)

        def step(seen: FileHistory) -> FileHistory | None:
            if _position(own, seen.imports) is not None:
                return None
            return replace(seen, imports=(*seen.imports, own)[-MOST_REMEMBERED:])

        history, _ = update(self.ledger, FileHistory.at(name), step)
        if history is None:
            history, ours = create_if_absent(self.ledger, FileHistory(name=name, imports=(own,)))
            history = history if ours else update(self.ledger, history.address, step)[0]
        known = history.imports if history else (own,)
        at = _position(own, known)
        before, after = known[:at], () if at is None else known[at + 1 :]
        return _of_same_place(own, before), _of_same_place(own, after)


def _named(record: Import, columns: ColumnPlan, log: ContentLog, *, is_forced: bool) -> NamedImport:
    return NamedImport(
        import_id=record.import_id,
        module=columns.request.module,
        results=record.results or "",
        zgid=record.zgid,
        columns=columns_of(columns),
        values=values_of(columns),
        sample=b"".join(log.sample()).hex(),
        is_forced=is_forced,
    )


def columns_of(plan: ColumnPlan) -> str:
    """Name which columns fill which fields."""
    pairs = sorted((each.api_name.casefold(), each.header) for each in plan.columns)
    return identity.digest_of(json.dumps(pairs))


def values_of(plan: ColumnPlan) -> str:
    """Name what is added to cells or made of them: constants and value rules."""
    constants = sorted(
        (field.api_name.casefold(), field.default_value)
        for field in plan.request.field_mappings
        if field.default_value is not None
    )
    rules = sorted(
        (each.api_name.casefold(), rule)
        for each in plan.columns
        if each.rule is not None and (rule := stated(each.rule))
    )
    return identity.digest_of(json.dumps([constants, rules]))


def stated(rule: ValueRule) -> list[tuple[str, object]]:
    """Return what a rule is asked to make of cells, but for what stands at its default."""
    values = ((key, getattr(rule, key.place)) for key in RULE_KEYS if key.is_claimed)
    return [
        (key.place, sorted(value) if key.is_dict else value)
        for key, value in values
        if value != key.default
    ]


def _position(own: NamedImport, imports: tuple[NamedImport, ...]) -> int | None:
    ids = [each.import_id for each in imports]
    return ids.index(own.import_id) if own.import_id in ids else None


def _of_same_place(own: NamedImport, imports: tuple[NamedImport, ...]) -> tuple[NamedImport, ...]:
    """Return those into the module of *own* that are not known to be of another organisation."""
    alike = (each for each in imports if each.module == own.module)
    return tuple(each for each in alike if is_same_organisation(each.zgid, own.zgid))
