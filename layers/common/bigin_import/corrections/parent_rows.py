"""Finds the cells that rows of a result file had in the drop that they come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bigin_import.corrections.spreadsheet_damage import Row
from bigin_import.mapping.names import Headers
from bigin_import.reading.table import Table

_DISTINGUISHING_COLUMNS = 3  # by which a row is found again if it does not say its number


@dataclass(frozen=True, slots=True)
class Dropped:
    """
    Some rows of a result file that came back, without our columns.

    Attributes:
        numbers: Of each row, in this file.
        parents: Number of a row here -> the number that it had in its parent, as far as known.
    """

    header: tuple[str, ...]
    numbers: tuple[int, ...]
    rows: tuple[Sequence[str], ...]
    parents: dict[int, int]


def find_parent_rows(dropped: Dropped, table: Table) -> list[Row]:
    """
    Read the parent's drop, and return each row with its cells as they were there.

    Columns are compared by name, for a person may have added, removed or moved some. A row that
    does not say its number any more is found by a value that no other row has.
    """
    positions = columns_in(dropped.header, table.header)
    search = _Search(dropped, positions)
    wanted = set(dropped.parents.values())
    found: dict[int, Sequence[str | None]] = {}
    for batch in table.batches():
        for number, row in zip(batch.numbers, batch.rows, strict=True):
            if number in wanted:
                found[number] = _picked(row, positions)
            search.look_at(row)
    unknown = (None,) * len(positions)

    def original(number: int, row: Sequence[str]) -> Sequence[str | None]:
        parent = dropped.parents.get(number)
        return (search.original(row) if parent is None else found.get(parent)) or unknown

    return [
        (number, row, original(number, row))
        for number, row in zip(dropped.numbers, dropped.rows, strict=True)
    ]


def columns_in(header: Sequence[str], parents: Sequence[str]) -> tuple[int | None, ...]:
    """Return for each column its place in the parent's drop, None if none bears its name alone."""
    if header == parents:
        return tuple(range(len(header)))
    ours, theirs = Headers.of(tuple(header)), Headers.of(tuple(parents))
    found = (
        theirs.matches(name) if ours.matches(name) == (at,) else ()
        for at, name in enumerate(header)
    )
    return tuple(columns[0] if len(columns) == 1 else None for columns in found)


def _picked(row: Sequence[str], positions: Sequence[int | None]) -> Sequence[str | None]:
    return [row[at] if at is not None and at < len(row) else None for at in positions]


class _Search:
    """Finds the originals of rows without a number by the cells that tell them apart best."""

    def __init__(self, dropped: Dropped, positions: Sequence[int | None]) -> None:
        self._positions = positions
        lost = [
            row
            for number, row in zip(dropped.numbers, dropped.rows, strict=True)
            if number not in dropped.parents
        ]
        distinguishing = [
            (at, position, _lone_cells(lost, at))
            for at, position in enumerate(positions)
            if position is not None
        ]
        distinguishing.sort(key=lambda each: -len(each[2]))
        self._distinguishing = [
            each for each in distinguishing[:_DISTINGUISHING_COLUMNS] if each[2]
        ]
        self._found: list[dict[str, Sequence[str | None] | None]] = [
            {} for _ in self._distinguishing
        ]

    def look_at(self, row: Sequence[str]) -> None:
        """Keep a row of the parent's drop if it is looked for; None if it is not the only one."""
        for (_, position, cells), found in zip(self._distinguishing, self._found, strict=True):
            cell = row[position].strip() if position < len(row) else ""
            if cell in cells:
                found[cell] = None if cell in found else _picked(row, self._positions)

    def original(self, row: Sequence[str]) -> Sequence[str | None] | None:
        for (at, _, _), found in zip(self._distinguishing, self._found, strict=True):
            if at < len(row) and (original := found.get(row[at].strip())):
                return original
        return None


def _lone_cells(rows: Sequence[Sequence[str]], at: int) -> frozenset[str]:
    """Return what only one of *rows* has in a column."""
    seen = Counter(row[at].strip() for row in rows if at < len(row))
    return frozenset(cell for cell, count in seen.items() if cell and count == 1)
