"""
Rows that are in Bigin already: a file that was mended, or grew, is known again by its rows.

An insert adds whatever it is sent. So a drop that holds at least nine tenths of the rows that an
earlier import of its name got in is that file: its equal rows are not sent again, each as often
as it is in. Fewer equal rows are new rows, for a nightly file may repeat a line.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from bigin_import.domain.row_result import RowStatus
from bigin_import.splitting.content_log import FINGERPRINT_BYTES, ContentLog
from bigin_import.splitting.hash_ranges import RANGES, HashRanges

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
