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
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from struct import Struct
from typing import NamedTuple

from bigin_import import identity, object_keys
from bigin_import.domain.import_record import Import, is_same_organisation
from bigin_import.domain.locks import Family, FileHistory, NamedImport, members_of
from bigin_import.domain.plan import ColumnPlan, ValueRule
from bigin_import.domain.row_result import RowStatus
from bigin_import.errors import MissingObjectError, UnderWayError
from bigin_import.ledger import create_if_absent, load_roots, load_undoing, update
from bigin_import.mapping.keys import RULE_KEYS
from bigin_import.ports import Files, Ledger
from bigin_import.reading.table import Drop
from bigin_import.row_results.kept_rows import KeptRow, read_kept_rows, without_undone
from bigin_import.splitting.content_log import (
    FINGERPRINT_BYTES,
    RANGES,
    SAMPLE_BYTES,
    ContentLog,
    Fingerprints,
    HashRanges,
)
from bigin_import.stored_plan import read_plan, read_undone

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


MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRows:
    """Reads which rows of earlier imports are in."""

    ledger: Ledger
    files: Files

    def load_families(self, import_id: str) -> tuple[Family, ...]:
        """
        Return the families of an import as they stand; that of a drop that nobody corrected.

        Its own is the first; it has the rows of more if it has grown from several files.

        Raises:
            UnderWayError: One of them is being undone: its rows will not be in.
        """
        record = self.ledger.load(Import.at(import_id))
        roots = (import_id,) if record is None else self._load_roots(record)
        families = [self.ledger.load(Family.at(root)) or Family(root=root) for root in roots]
        for family in families:
            if (undone := load_undoing(self.ledger, family)) is not None:
                raise UnderWayError(f"import {undone} is being undone")
        return tuple(families)

    def _load_roots(self, record: Import) -> tuple[str, ...]:
        rows = self._read_kept_rows(record.results or "", ()) if record.root else ()
        return load_roots(self.ledger, record, {row.root_import for row in rows if row.root_import})

    def read_rows(
        self,
        import_id: str,
        results: str,
        families: Sequence[Family],
        *,
        zgid: str | None,
        writes_over: bool,
    ) -> Iterator[RowIn]:
        """
        Yield every row of an import, and the rows of its families that are in.

        Nothing if its kept rows are gone, or if the release before closed it.

        Args:
            zgid: The organisation that they are looked for in; one release let a correction go
                to another than its parent.
            writes_over: A row is not in any more if another member sent it with other values.
        """
        gone = (each for family in families for each in family.undone)
        undone = read_undone(self.files, map(self.ledger.load, map(Import.at, gone)))
        others = self._read_identities(import_id, families, zgid, undone)
        numbers = {}
        for row in self._read_kept_rows(results, undone) if others else ():
            if (identity := _identity(row, import_id)) in others:
                numbers[identity] = row.row
        for identity, number in numbers.items():
            yield _row_in(others[identity].row, number, identity, others[identity].through)
        for row in self._read_kept_rows(results, undone):
            if row.cells:
                identity = _identity(row, import_id)
                own = _row_in(row, row.row, identity, row.through or import_id)
                yield _with_other(own, row, others.get(identity), writes_over=writes_over)

    def read_dropped_rows(self, record: Import) -> Iterator[RowIn]:
        """Yield every row of an import that has not ended: nobody knows whether it is in."""
        if record.plan_sha256 is None:
            return
        plan = read_plan(self.files, record)
        fingerprints = Fingerprints(plan.columns)
        with Drop.of_plan(self.files, record.source, plan).open() as table:
            for batch in table.batches():
                for row, cells in zip(batch.numbers, fingerprints.of_batch(batch), strict=True):
                    yield RowIn(cells, row, "", record.import_id, RowStatus.UNCLEAR)

    def _read_kept_rows(self, results: str, undone: Container[str]) -> Iterator[KeptRow]:
        if not results:  # a person had it forgotten
            return
        with suppress(MissingObjectError):
            body = self.files.read(object_keys.kept_rows_file(results), at_most=MOST_BYTES)
            yield from without_undone(read_kept_rows(BytesIO(body)), undone)

    def check_kept_rows(self, results: str) -> bool:
        """Return whether it is known what became of the rows of an import."""
        if not results:  # a person had it forgotten
            return False
        return self.files.find_newest(object_keys.kept_rows_file(results)) is not None

    def _read_identities(
        self,
        import_id: str,
        families: Sequence[Family],
        zgid: str | None,
        undone: Container[str],
    ) -> dict[Identity, _Other]:
        """Return what other members sent of rows that got in, or may have, by who those are."""
        found: dict[Identity, _Other] = {}
        for member in members_of(families):
            record = None if member == import_id else self.ledger.load(Import.at(member))
            if record is None or not record.state.is_closed or record.results is None:
                continue
            if not record.is_for(zgid):
                continue
            for row in self._read_kept_rows(record.results, undone):
                identity = _identity(row, member)
                is_in = identity in found and found[identity].row.status.is_in_bigin
                is_unclear = row.status is RowStatus.UNCLEAR and not is_in
                if not row.through and (row.status.is_in_bigin or is_unclear):
                    found[identity] = _Other(row, member)
        return found


type Identity = tuple[str, int]


class _Other(NamedTuple):
    """A row as another member of the family, *through*, has sent it."""

    row: KeptRow
    through: str


def _identity(row: KeptRow, import_id: str) -> Identity:
    """Return who a row of an import is in its family."""
    return (row.root_import, row.root_row) if row.root_import else (import_id, row.row)


def _row_in(row: KeptRow, number: int, identity: Identity, through: str) -> RowIn:
    status = RowStatus.EXISTING if row.status.is_in_bigin else None
    if row.status is RowStatus.UNCLEAR:
        status = RowStatus.UNCLEAR
    cells = bytes.fromhex(row.cells or row.sent)
    return RowIn(cells, number, row.record_id, through, status, *identity)


def _with_other(own: RowIn, row: KeptRow, other: _Other | None, *, writes_over: bool) -> RowIn:
    """Return a row as it stands after another member of the family has sent it."""
    if other is None:
        return own
    if own.status is not RowStatus.EXISTING:
        status = RowStatus.EXISTING if other.row.status.is_in_bigin else RowStatus.UNCLEAR
        return own._replace(status=status, record_id=other.row.record_id, through=other.through)
    is_other = writes_over and other.row.sent != row.sent
    return own._replace(status=None) if is_other else own


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
