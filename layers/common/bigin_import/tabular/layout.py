"""Where the table begins in the text of a drop, and what separates its cells."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bigin_import.errors import DropRejectedError
from bigin_import.models import Problem
from bigin_import.tabular.records import csv_rows

# In the order of preference when the rows below the header decide nothing.
DELIMITERS = (",", ";", "\t", "|", ":")

_FIRST_ROWS = 500
_SEP_LINE = re.compile(r'"?sep=([,;\t|:])"?\s*$', re.IGNORECASE)
_ROWS_LOOKED_AT = 20
_LONGEST_HEADER = 2_000


@dataclass(frozen=True, slots=True)
class Layout:
    """
    How the rows of a drop are to be read.

    Attributes:
        header_row: 1-based, blank lines and a `sep=` line counted.
        spaced_quotes: True if a space stands before opening quotes.
    """

    delimiter: str
    header: tuple[str, ...]
    header_row: int
    spaced_quotes: bool


def find_layout(text: str, name: str) -> Layout:
    """
    Read the layout from the first lines of a drop.

    Raises:
        DropRejectedError: There is no header, or other lines stand above it.
    """
    first_line = text.split("\n", 1)[0]
    if said := _SEP_LINE.match(first_line):
        return _read(text, said[1], name)
    return min(
        (_read(text, delimiter, name) for delimiter in DELIMITERS),
        key=lambda layout: _doubt(layout, text),
    )


def check_header(layout: Layout, text: str, name: str) -> None:
    """
    Refuse what is no header although it was read as one.

    Raises:
        DropRejectedError: With all that speaks against it.
    """
    where = f"{name}, row {layout.header_row}"
    problems = list(_flaws(layout, where))
    if row := None if problems else _header_further_down(layout, text):
        what = f"the first row is not the header: the table seems to begin in row {row}"
        problems.append(Problem(where, what, f"Delete the lines above row {row}"))
    if problems:
        raise DropRejectedError(tuple(problems))


def _flaws(layout: Layout, where: str) -> Iterator[Problem]:
    if max(map(len, layout.header)) > _LONGEST_HEADER:
        yield Problem(
            where,
            f"a header is longer than {_LONGEST_HEADER:,} characters; a quote in this row is "
            "probably never closed",
            "Close the quote or remove it",
        )
    if any("\ud800" <= character <= "\udfff" for cell in layout.header for character in cell):
        yield Problem(
            where,
            "the header row holds bytes that the file's encoding does not have",
            'Save the file as "CSV UTF-8", or correct "character_encoding" in the mapping',
        )


def first_rows(layout: Layout, text: str, *, is_whole: bool) -> list[list[str]]:
    """Return rows below the header; unless *text* is the whole drop, its last may be cut off."""
    rows = _rows(text, layout.delimiter, layout.spaced_quotes)
    below = list(islice(rows, layout.header_row, layout.header_row + _FIRST_ROWS))
    if not is_whole and len(below) < _FIRST_ROWS:
        del below[-1:]
    return [row for row in below if any(map(str.strip, row))]


def _read(text: str, delimiter: str, name: str) -> Layout:
    spaced = _has_spaced_quotes(text, delimiter)
    for row, cells in enumerate(_rows(text, delimiter, spaced), 1):
        if any(map(str.strip, cells)) and not _SEP_LINE.match(delimiter.join(cells)):
            return Layout(delimiter, tuple(cells), row, spaced)
    problem = Problem(name, "the file is empty", "Export the data again, with its header row")
    raise DropRejectedError((problem,))


def _has_spaced_quotes(text: str, delimiter: str) -> bool:
    """Return whether a space stands before the opening quote of a cell, as in `a, "b, c"`."""
    mark = re.escape(delimiter)
    if not re.search(rf'(?:^|{mark}) +"', text, re.MULTILINE):
        return False
    # The same characters may stand inside of a quoted cell, so look cell by cell.
    cell = rf'(?:^|[{mark}\r\n])(?:"(?:[^"]|"")*(?:"|$)|( +")|[^{mark}\r\n]*)'
    return any(found[1] for found in re.finditer(cell, text))


def _rows(text: str, delimiter: str, spaced_quotes: bool) -> Iterator[list[str]]:
    return csv_rows(io.StringIO(text, newline=""), delimiter, spaced_quotes=spaced_quotes)


def _widths_below(layout: Layout, text: str) -> list[int]:
    """Return the number of cells of the first rows below the header; blank rows left out."""
    rows = islice(
        _rows(text, layout.delimiter, layout.spaced_quotes),
        layout.header_row,
        layout.header_row + _ROWS_LOOKED_AT,
    )
    return [len(cells) for cells in rows if any(map(str.strip, cells))]


def _doubt(layout: Layout, text: str) -> tuple[bool, bool, int]:
    """Order delimiters: one that splits; whose rows are as wide as the header; the widest."""
    width = len(layout.header)
    below = Counter(_widths_below(layout, text))
    agrees = not below or below.most_common(1)[0][0] == width
    return (width == 1, not agrees, -width)


def _header_further_down(layout: Layout, text: str) -> int | None:
    """Return the row where the table begins, if the header read is a title above it."""
    if len(_filled(layout.header)) > 1 and not _doubt(layout, text)[1]:
        return None
    for delimiter in DELIMITERS:
        rows = islice(_rows(text, delimiter, layout.spaced_quotes), _ROWS_LOOKED_AT)
        filled = [len(_filled(cells)) for cells in rows]
        below = filled[layout.header_row :]
        is_table = sum(count > 1 for count in below) > 1
        if filled[layout.header_row - 1] == 1 and is_table:
            return next(row for row, count in enumerate(filled, 1) if count > 1)
    return None


def _filled(cells: Sequence[str]) -> list[str]:
    return [cell for cell in cells if cell.strip()]
