"""How many cells rows have, when the empty ones at their end say nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

type Row = Sequence[str]


def is_blank(row: Row) -> bool:
    return not any(map(str.strip, row))


def filled(row: Row) -> int:
    """Return how many cells are not empty."""
    return sum(map(bool, map(str.strip, row)))


def width(row: Row) -> int:
    """Return how many cells *row* has without the empty ones at its end."""
    return max((at for at, cell in enumerate(row, 1) if cell.strip()), default=0)


def is_as_wide(row: Row, other: Row) -> bool:
    """Return whether both have one width if some empty cells at their ends count."""
    return width(row) <= len(other) and width(other) <= len(row)


def are_mostly_as_wide(rows: Iterable[Row], other: Row) -> bool:
    """Return whether at least half of the rows that are not blank are as wide as *other*."""
    agreed = [is_as_wide(row, other) for row in rows if not is_blank(row)]
    return 2 * sum(agreed) >= len(agreed)
