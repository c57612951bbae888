"""
Lines above a table, such as its title, that would be taken for the header.

To reject a good file is worse than to miss a title, which no mapping fits either. So a row of
its own shape is not enough: something must prove that the table begins below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bigin_import.tabular.row_shapes import Row, are_mostly_as_wide, filled, is_blank, width

_LEAST_WIDTH_OF_PADDED = 3
_VALUE = re.compile(
    r"[-+(]?[€$£]?\s?\d[\d\s.,:/()'%TZ+-]*[€$£]?|\S+@\S+\.\S+"  # a number, a date, an address
)


def row_of_table(rows: Sequence[Row]) -> int | None:
    """
    Return the position of the header of a table that begins further down; None if *rows* do.

    Args:
        rows: The first rows of a drop, blank ones too; the first of them is not blank.
    """
    top = rows[0]
    if filled(top) == 1 and width(top) == 1:
        return _below_title(rows) or _below_title_of_one_column(rows)
    return _below_title(rows) if _is_labelled_value(top) else None


def _below_title(rows: Sequence[Row]) -> int | None:
    top = rows[0]
    for at, row in enumerate(rows[1:], 1):
        below = [each for each in rows[at + 1 :] if not is_blank(each)]
        cells = row[: width(row)]
        if len(cells) > filled(top) and below and are_mostly_as_wide(below, cells):
            is_header = _is_header(cells) and _is_proven(rows[:at], cells, below)
            return at if is_header else None
    return None


def _below_title_of_one_column(rows: Sequence[Row]) -> int | None:
    """Find a table of one column below a blank line: a word, and nothing but values below."""
    at = next((at for at, row in enumerate(rows) if at and not is_blank(row)), None)
    if at in (None, 1) or max(map(width, rows)) > 1:
        return None
    below = [row[0] for row in rows[at + 1 :] if not is_blank(row)]
    is_header = not _is_value(rows[at][0]) and len(below) > 1 and all(map(_is_value, below))
    return at if is_header else None


def _is_labelled_value(row: Row) -> bool:
    """Return whether *row* is like "Generated on,2024-01-05"."""
    return filled(row) == width(row) == 2 and not _is_value(row[0]) and _is_value(row[1])  # noqa: PLR2004


def _is_header(cells: Row) -> bool:
    """Return whether *cells* may be names of columns; prose has spaces behind its commas."""
    is_prose = all(cell.startswith(" ") for cell in cells[1:])
    return all(map(str.strip, cells)) and not any(map(_is_value, cells)) and not is_prose


def _is_proven(above: Sequence[Row], header: Row, below: Sequence[Row]) -> bool:
    top = above[0]
    is_padded = len(top) >= len(header) >= _LEAST_WIDTH_OF_PADDED
    has_values = any(
        all(map(_is_value, column)) for at in range(len(header)) if (column := _column(below, at))
    )
    return filled(top) > 1 or is_padded or any(map(is_blank, above)) or has_values


def _column(rows: Sequence[Row], at: int) -> list[str]:
    """Return the cells of one column that are not empty."""
    return [row[at] for row in rows if at < len(row) and row[at].strip()]


def _is_value(cell: str) -> bool:
    return _VALUE.fullmatch(cell.strip()) is not None
