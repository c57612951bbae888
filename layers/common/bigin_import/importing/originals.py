"""The rows of a corrected result file, and what they were in the drop that it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from bigin_import.importing.drops import Drop
from bigin_import.mapping.headers import Headers
from bigin_import.mapping.model import Mapping
from bigin_import.tabular.dates import DatePattern
from bigin_import.tabular.table import Table

MOST_ROWS = 10_000  # compared with the parent's; damage shows in every row of its kind
_TELLING_COLUMNS = 3  # by which a row is found again if it does not say its number
type Row = tuple[int, Sequence[str], Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Dropped:
    """
    The first rows of a result file that came back, without our columns.

    Attributes:
        numbers: Of each row, in this file.
        parents: Number of a row here -> the number that it had in its parent, as far as known.
    """

    header: tuple[str, ...]
    numbers: tuple[int, ...]
    rows: tuple[Sequence[str], ...]
    parents: dict[int, int]
    imports: tuple[str, ...]


def dropped_rows(drop: Drop) -> Dropped:
    """
    Read the first rows of *drop*.

    Raises:
        DropRejectedError: It is no table that can be read.
    """
    numbers: list[int] = []
    rows: list[Sequence[str]] = []
    parents: dict[int, int] = {}
    with drop.opened() as table:
        for batch in table.batches():
            numbers += batch.numbers
            rows += batch.rows
            parents |= batch.parents
            if len(rows) >= MOST_ROWS:
                break
        return Dropped(table.header, tuple(numbers), tuple(rows), parents, table.parent_imports)


def find_originals(dropped: Dropped, table: Table) -> list[Row]:
    """
    Read the parent's drop, and return each row with its cells as they were there.

    Columns are compared by name, for a person may have added, removed or moved some. A row that
    does not say its number any more is found by a value that no other row has.
    """
    places = _places(dropped.header, table.header)
    search = _Search(dropped, places)
    wanted = set(dropped.parents.values())
    found: dict[int, Sequence[str | None]] = {}
    for batch in table.batches():
        for number, row in zip(batch.numbers, batch.rows, strict=True):
            if number in wanted:
                found[number] = _picked(row, places)
            search.look_at(row)
    unknown = (None,) * len(places)

    def original(number: int, row: Sequence[str]) -> Sequence[str | None]:
        parent = dropped.parents.get(number)
        return (search.original(row) if parent is None else found.get(parent)) or unknown

    return [
        (number, row, original(number, row))
        for number, row in zip(dropped.numbers, dropped.rows, strict=True)
    ]


def _places(header: Sequence[str], parents: Sequence[str]) -> tuple[int | None, ...]:
    """Return for each column its place in the parent's drop, None if none bears its name alone."""
    if header == parents:
        return tuple(range(len(header)))
    ours, theirs = Headers.of(tuple(header)), Headers.of(tuple(parents))
    found = (
        theirs.matches(name) if ours.matches(name) == (at,) else ()
        for at, name in enumerate(header)
    )
    return tuple(columns[0] if len(columns) == 1 else None for columns in found)


def _picked(row: Sequence[str], places: Sequence[int | None]) -> Sequence[str | None]:
    return [row[at] if at is not None and at < len(row) else None for at in places]


class _Search:
    """Finds the originals of rows without a number by the cells that tell them apart best."""

    def __init__(self, dropped: Dropped, places: Sequence[int | None]) -> None:
        self._places = places
        lost = [
            row
            for number, row in zip(dropped.numbers, dropped.rows, strict=True)
            if number not in dropped.parents
        ]
        telling = [
            (at, place, _lone_cells(lost, at))
            for at, place in enumerate(places)
            if place is not None
        ]
        telling.sort(key=lambda each: -len(each[2]))
        self._telling = [each for each in telling[:_TELLING_COLUMNS] if each[2]]
        self._found: list[dict[str, Sequence[str | None] | None]] = [{} for _ in self._telling]

    def look_at(self, row: Sequence[str]) -> None:
        """Keep a row of the parent's drop if it is looked for; None if it is not the only one."""
        for (_, place, cells), found in zip(self._telling, self._found, strict=True):
            cell = row[place].strip() if place < len(row) else ""
            if cell in cells:
                found[cell] = None if cell in found else _picked(row, self._places)

    def original(self, row: Sequence[str]) -> Sequence[str | None] | None:
        for (at, _, _), found in zip(self._telling, self._found, strict=True):
            if at < len(row) and (original := found.get(row[at].strip())):
                return original
        return None


def _lone_cells(rows: Sequence[Sequence[str]], at: int) -> frozenset[str]:
    """Return what only one of *rows* has in a column."""
    seen = Counter(row[at].strip() for row in rows if at < len(row))
    return frozenset(cell for cell, count in seen.items() if cell and count == 1)


def readable_dates(rows: Iterable[Row], header: Sequence[str], mapping: Mapping) -> Iterator[Row]:
    """
    Take dates that the mapping can read for what they were: however they were written before,
    that is no damage, and often the correction.
    """
    patterns = list(_patterns(header, mapping))
    for number, cells, originals in rows:
        known = list(originals)
        for at, pattern in patterns:
            if at < len(cells) and _reads(pattern, cells[at]):
                known[at] = cells[at]
        yield number, cells, known


def _patterns(header: Sequence[str], mapping: Mapping) -> Iterator[tuple[int, DatePattern]]:
    headers = Headers.of(tuple(header))
    for mapped in mapping.fields:
        columns = (mapped.index,) if mapped.column is None else headers.matches(mapped.column)
        for at in columns:
            if mapped.format is not None and at is not None and at < len(header):
                with suppress(ValueError):  # it is said to be wrong once columns are planned
                    yield at, DatePattern(mapped.format)


def _reads(pattern: DatePattern, cell: str) -> bool:
    try:
        pattern.read(cell)
    except ValueError:
        return False
    return True
