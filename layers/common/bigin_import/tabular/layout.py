"""Where the table begins in the text of a drop, and what separates its cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bigin_import.errors import DropRejectedError
from bigin_import.models import Problem
from bigin_import.tabular.delimiters import DELIMITERS, Reading, doubt
from bigin_import.tabular.opening import Opening
from bigin_import.tabular.quoting import csv_rows
from bigin_import.tabular.row_shapes import is_blank, width
from bigin_import.tabular.titles import row_of_table

_FIRST_ROWS = 500
_ROWS_LOOKED_AT = 20
_LONGEST_HEADER = 2_000


@dataclass(frozen=True, slots=True)
class Layout:
    """
    How the rows of a drop are to be read.

    Attributes:
        header_row: 1-based, blank lines counted.
        rows_above: How many of them are not in the text that is read.
    """

    delimiter: str
    header: tuple[str, ...]
    header_row: int
    rows_above: int


def find_layout(opening: Opening, name: str) -> Layout:
    """
    Read the layout from the first lines of a drop.

    Raises:
        DropRejectedError: There is no header, or other lines stand above it.
    """
    delimiters = (opening.delimiter,) if opening.delimiter else DELIMITERS
    readings = [_read(opening, delimiter, name) for delimiter in delimiters]
    best = min(readings, key=doubt)
    layout = Layout(
        delimiter=best.delimiter,
        header=tuple(best.header),
        header_row=opening.rows_above + best.row,
        rows_above=opening.rows_above,
    )
    _check_header(layout, name)
    if not opening.delimiter:  # who states it knows where the table begins
        candidates = [best] if width(best.header) > 1 else readings
        _check_for_title(layout, candidates, name)
    return layout


def first_rows(layout: Layout, opening: Opening) -> list[list[str]]:
    """Return rows below the header, blank ones left out."""
    rows = csv_rows(opening.sample, layout.delimiter)
    next(islice(rows, layout.header_row - layout.rows_above - 1, None))
    return [row for row in _next_rows(rows, _FIRST_ROWS, opening) if not is_blank(row)]


def _next_rows(rows: Iterator[list[str]], most: int, opening: Opening) -> list[list[str]]:
    """Return the next of a sample's rows, without the one where it may be cut off."""
    taken = list(islice(rows, most))
    is_end = len(taken) < most and not opening.is_sample_whole
    return taken[:-1] if is_end else taken


def _read(opening: Opening, delimiter: str, name: str) -> Reading:
    rows = csv_rows(opening.sample, delimiter)
    for number, header in enumerate(rows, 1):
        if not is_blank(header):
            below = _next_rows(rows, _ROWS_LOOKED_AT, opening)
            return Reading(delimiter, number, header, below)
    if opening.is_sample_whole:
        problem = Problem(name, "the file is empty", "Export the data again, with its header row")
    else:
        what = f"its first {len(opening.sample):,} characters are nothing but empty cells"
        problem = Problem(name, what, "Delete the empty rows above the header")
    raise DropRejectedError((problem,))


def _check_header(layout: Layout, name: str) -> None:
    """
    Refuse what is no header although it was read as one.

    Raises:
        DropRejectedError: With all that speaks against it.
    """
    is_damaged = any("\ud800" <= letter <= "\udfff" for cell in layout.header for letter in cell)
    problems = tuple(_flaws(layout, f"{name}, row {layout.header_row}", is_damaged=is_damaged))
    if problems:
        raise DropRejectedError(problems, concerns_mapping=is_damaged)


def _flaws(layout: Layout, where: str, *, is_damaged: bool) -> Iterator[Problem]:
    if max(map(len, layout.header)) > _LONGEST_HEADER:
        yield Problem(
            where,
            f"a header is longer than {_LONGEST_HEADER:,} characters; a quote in this row is "
            "probably never closed",
            "Close the quote or remove it",
        )
    if is_damaged:
        yield Problem(
            where,
            "the header row holds bytes that the file's encoding does not have",
            'Save the file as "CSV UTF-8", or correct "character_encoding" in the mapping',
        )


def _check_for_title(layout: Layout, readings: list[Reading], name: str) -> None:
    """
    Refuse lines above the table that would be taken for its header.

    Raises:
        DropRejectedError: There are such lines.
    """
    for reading in readings:
        if at := row_of_table([reading.header, *reading.below]):
            row = layout.rows_above + reading.row + at
            problem = Problem(
                f"{name}, row {layout.header_row}",
                f"the first row is not the header: the table seems to begin in row {row}",
                f"Delete the lines above row {row}; if they belong to the table, write above them "
                "what separates the cells, in a line such as sep=;",
            )
            raise DropRejectedError((problem,))
