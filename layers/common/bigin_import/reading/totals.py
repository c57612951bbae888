"""Is the last row of a drop the totals of its columns? Proven by adding them up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

_DECORATION = re.compile(r"[\s\u00a0\u202f\u2009'’]|[^\W\d_]{1,3}\b|[€$£¥₹%]")
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?|-?\.\d+", re.ASCII)
_COUNT = re.compile(r"\((\d+)")
_LEAST_SUMMANDS = 2  # of one number every copy is its sum

type Marks = tuple[str, str]  # decimal, thousands
_MARKS: tuple[Marks, ...] = ((".", ","), (",", "."))


def number_in(cell: str, marks: Marks) -> Decimal | None:
    """Return the number that *cell* is, whatever currency stands beside it; None if it is none."""
    decimal, thousands = marks
    text = _DECORATION.sub("", cell).replace("\u2212", "-").replace(thousands, "")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if text.endswith("-"):
        text = f"-{text[:-1]}"
    text = text.replace(decimal, ".")
    return Decimal(text) if _NUMBER.fullmatch(text) else None


class _Column:
    """Sum and count of one column, as its decimal and thousands marks may be meant."""

    def __init__(self) -> None:
        self.filled = 0
        self.summands = 0
        self.sums: dict[Marks, Decimal] = dict.fromkeys(_MARKS, Decimal(0))

    def add(self, cell: str) -> None:
        if not cell.strip():
            return
        self.filled += 1
        numbers = {marks: number_in(cell, marks) for marks in self.sums}
        self.sums = {
            marks: self.sums[marks] + number
            for marks, number in numbers.items()
            if number is not None
        }
        self.summands += any(number for number in numbers.values())

    def has_total(self, cell: str, rows: int) -> bool:
        """Return whether *cell* is the sum of the column, or the count of its cells or rows."""
        if any(number_in(cell, marks) in (self.filled, rows) for marks in _MARKS):
            return True
        if self.summands < _LEAST_SUMMANDS:
            return False
        return any(
            (number := number_in(cell, marks)) is not None and _is_rounded(total, number)
            for marks, total in self.sums.items()
        )


def _is_rounded(total: Decimal, shown: Decimal) -> bool:
    """Return whether *shown* is *total*, perhaps with fewer decimals."""
    exponent = shown.as_tuple().exponent
    unit = Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(0)
    return abs(total - shown) <= unit / 2 if total != shown else True


def are_totals(cells: Sequence[str], rows: Iterable[Sequence[str]]) -> bool:
    """
    Return whether all that *cells* holds behind its first cell are sums or counts of *rows*.

    Args:
        rows: All records above, which are read once.
    """
    columns = {at: _Column() for at, cell in enumerate(cells) if at and cell.strip()}
    if any(all(number_in(cells[at], marks) is None for marks in _MARKS) for at in columns):
        return False
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007  # how many there were
        for at, column in columns.items():
            column.add(row[at] if at < len(row) else "")
    stated = _COUNT.search(cells[0])
    if stated and int(stated[1]) != count:
        return False
    is_proven = bool(stated) or any(number_in(cells[at], _MARKS[0]) for at in columns)
    return (
        is_proven
        and count >= _LEAST_SUMMANDS
        and all(column.has_total(cells[at], count) for at, column in columns.items())
    )
