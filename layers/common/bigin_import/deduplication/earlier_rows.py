"""
The rows that earlier imports of a file got into Bigin, for whoever drops it again.

Kept rows are the source: through the import itself, or through any correction of it.

An insert adds whatever it is sent. So a drop that holds at least nine tenths of the rows that an
earlier import of its name got in is that file, mended or grown: its equal rows are not sent again,
each as often as it is in. Fewer equal rows are new rows, for a nightly file may repeat a line.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from struct import Struct
from typing import NamedTuple

from bigin_import import identity, object_keys
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family, FileHistory, NamedImport
from bigin_import.domain.row_result import RowStatus
from bigin_import.errors import MissingObjectError
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Files, Ledger
from bigin_import.reading.table import Drop
from bigin_import.row_results.result_files import KeptRow, read_kept_rows
from bigin_import.splitting.content_log import FINGERPRINT_BYTES, ContentLog, Fingerprints
from bigin_import.splitting.hash_ranges import RANGES, HashRanges
from bigin_import.stored_plan import read_plan

_ENTRY = Struct(f"={FINGERPRINT_BYTES}sIQHB")
_OURS = Struct(f"={FINGERPRINT_BYTES}sI")
_STATUSES = (RowStatus.EXISTING, RowStatus.UNCLEAR, None)


class RowIn(NamedTuple):
    """
    A row of an earlier import that is in Bigin, or may be.

    Attributes:
        cells: Its fingerprint.
        row: Its number there; a corrected row has it twice, with its old and its new cells.
        through: The import that got it in.
        status: EXISTING if it is in; UNCLEAR if nobody knows; None if it is not.
    """

    cells: bytes
    row: int
    record_id: str
    through: str
    status: RowStatus | None = RowStatus.EXISTING


class KnownRow(NamedTuple):
    """A row of a drop that an earlier import has; *row* is its number in the drop."""

    row: int
    status: RowStatus | None
    record_id: str
    through: str
    row_there: int


@dataclass(slots=True)
class _Rows:
    """For every row of a drop, in its order, what is known of it; 15 bytes each."""

    through: array[int]
    record_ids: array[int]
    rows_there: array[int]
    statuses: bytearray

    @classmethod
    def of(cls, count: int) -> _Rows:
        return cls(
            array("H", bytes(2 * count)),
            array("Q", bytes(8 * count)),
            array("I", bytes(4 * count)),
            bytearray(count),
        )


class RowMemory:
    """
    Compares the rows of a drop with those of earlier imports, range by range of their hashes.

    Memory grows by 31 bytes with each row of the drop; the rows of an earlier import lie in
    temporary files.
    """

    def __init__(self, log: ContentLog) -> None:
        self._log = log
        self._count = sum(1 for _ in log.rows())
        self._known = _Rows.of(self._count)
        self._imports: list[str] = []

    def match(self, earlier: Iterable[RowIn], *, share: float) -> int:
        """
        Find equal rows, and know them if there are as many as *share* of those that are in.

        Returns:
            How many rows of the drop are equal and stay unknown, for there are fewer.
        """
        found, taken = _Rows.of(self._count), bytearray()
        with HashRanges(_ENTRY) as theirs, HashRanges(_OURS) as ours:
            total = self._spread(earlier, theirs)
            for at, (cells, _) in enumerate(self._log.rows()):
                if not self._known.through[at]:
                    ours.add(cells, at)
            for at in range(RANGES):
                _match_range(theirs.entries(at), ours.entries(at), found, taken)
        matched = sum(map(bool, found.through))
        if matched < share * total:
            return matched
        self._keep(found)
        return 0

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
                    known.rows_there[at],
                )

    def _spread(self, earlier: Iterable[RowIn], theirs: HashRanges) -> int:
        """Spread the rows of an earlier import; return how many different ones of it are in."""
        seen = bytearray()
        for row in earlier:
            seen.extend(bytes(max(0, row.row + 1 - len(seen))))
            seen[row.row] = 1
            record_id = int(row.record_id) if _fits(row.record_id) else 0
            status = _STATUSES.index(row.status)
            theirs.add(row.cells, row.row, record_id, self._number(row.through), status)
        return sum(seen)

    def _number(self, import_id: str) -> int:
        if import_id not in self._imports:
            self._imports.append(import_id)
        return self._imports.index(import_id) + 1

    def _keep(self, found: _Rows) -> None:
        known = self._known
        for at, through in enumerate(found.through):
            if through:
                known.through[at] = through
                known.record_ids[at] = found.record_ids[at]
                known.rows_there[at] = found.rows_there[at]
                known.statuses[at] = found.statuses[at]


def _match_range(
    theirs: Iterator[tuple[bytes, int, int, int, int]],
    ours: Iterator[tuple[bytes, int]],
    found: _Rows,
    taken: bytearray,
) -> None:
    """Give each row of ours a row of theirs with the same cells, each of those to one only."""
    waiting: dict[bytes, list[tuple[int, int, int, int]]] = {}
    for cells, *entry in theirs:
        waiting.setdefault(cells, []).append((entry[0], entry[1], entry[2], entry[3]))
    for cells, at in ours:
        for row, record_id, through, status in waiting.get(cells, ()):
            taken.extend(bytes(max(0, row + 1 - len(taken))))
            if not taken[row]:
                taken[row] = 1
                found.rows_there[at], found.record_ids[at] = row, record_id
                found.through[at], found.statuses[at] = through, status
                break


def _fits(record_id: str) -> bool:
    return record_id.isdecimal() and int(record_id) < 2**64


MOST_REMEMBERED = 20
MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that
_IN = (RowStatus.ADDED, RowStatus.UPDATED, RowStatus.EXISTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRows:
    """Remembers which imports files had, and reads which of their rows are in."""

    ledger: Ledger
    files: Files

    def register(self, record: Import, module: str) -> tuple[NamedImport, ...]:
        """Remember an import of a file; return the earlier ones into its module. Idempotent."""
        name = identity.file_name_of(record.source)
        own = NamedImport(import_id=record.import_id, module=module, results=record.results or "")

        def step(seen: FileHistory) -> FileHistory | None:
            if own in seen.imports:
                return None
            return replace(seen, imports=(*seen.imports, own)[-MOST_REMEMBERED:])

        history, _ = update(self.ledger, FileHistory.at(name), step)
        if history is None:
            history, ours = create_if_absent(self.ledger, FileHistory(name=name, imports=(own,)))
            history = history if ours else update(self.ledger, history.address, step)[0]
        known = history.imports if history else (own,)
        before = known[: known.index(own)] if own in known else known
        return tuple(each for each in before if each.module == module)

    def read_rows_in(self, import_id: str, results: str) -> Iterator[RowIn]:
        """
        Yield the rows of an import that are in Bigin, and those of which that is not clear.

        Nothing if its kept rows are gone, or if the release before closed it.
        """
        return (row for row in self.read_rows(import_id, results) if row.status is not None)

    def read_rows(self, import_id: str, results: str) -> Iterator[RowIn]:
        """Yield every row of an import, and the rows of its corrections that are in."""
        corrected: dict[int, RowIn] = {}
        for member, row in self._read_corrected_rows(import_id):
            found = _row_in(row, row.root_row, row.through or member)
            corrected[found.row] = found
            if found.cells:
                yield found
        for row in self._read_kept_rows(results):
            own = _row_in(row, row.row, row.through or import_id)
            known = corrected.get(row.row) if own.status is not RowStatus.EXISTING else None
            if row.cells:
                yield known._replace(cells=own.cells) if known else own

    def read_dropped_rows(self, record: Import) -> Iterator[RowIn]:
        """Yield every row of an import that has not ended: nobody knows whether it is in."""
        if record.plan_sha256 is None:
            return
        plan = read_plan(self.files, record)
        fingerprints = Fingerprints(plan.columns)
        with Drop.of_plan(self.files, record.source, plan).open() as table:
            for batch in table.batches():
                for row, cells in zip(batch.numbers, fingerprints.of(batch.rows), strict=True):
                    yield RowIn(cells, row, "", record.import_id, RowStatus.UNCLEAR)

    def _read_kept_rows(self, results: str) -> Iterator[KeptRow]:
        with suppress(MissingObjectError):
            body = self.files.read(object_keys.kept_rows_file(results), at_most=MOST_BYTES)
            yield from read_kept_rows(BytesIO(body))

    def check_kept_rows(self, results: str) -> bool:
        """Return whether it is known what became of the rows of an import."""
        if not results:  # a person had it forgotten
            return False
        return self.files.find_newest(object_keys.kept_rows_file(results)) is not None

    def _read_corrected_rows(self, root: str) -> Iterator[tuple[str, KeptRow]]:
        """Yield rows of the import *root* that corrections of it got in, each with its import."""
        family = self.ledger.load(Family.at(root))
        for member in family.members if family else ():
            record = self.ledger.load(Import.at(member))
            if record is None or not record.state.is_closed or record.results is None:
                continue
            for row in self._read_kept_rows(record.results):
                if row.root_import == root and row.status in _IN:
                    yield member, row


def _row_in(row: KeptRow, number: int, through: str) -> RowIn:
    status = RowStatus.EXISTING if row.status in _IN else None
    if row.status is RowStatus.UNCLEAR:
        status = RowStatus.UNCLEAR
    return RowIn(bytes.fromhex(row.cells), number, row.record_id, through, status)
