"""Where the table begins in the text of a drop, and what separates its cells."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from bigin_import.domain.drop import Problem
from bigin_import.errors import DropRejectedError
from bigin_import.reading.records import csv_rows, record_batches

PREFIX = "bigin__"

type Row = Sequence[str]


def is_own_column(header: str) -> bool:
    """Return whether *header* is of a column that only our result files have."""
    return header.strip().casefold().startswith(PREFIX)


# Spreadsheets and web pages leave these in headers and cells; nobody sees them.
INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))


def matching_form(name: str) -> str:
    """
    Return *name* as headers are compared: NFC, case folded, each run of spaces one space.

    `str.split` knows the no-break space, so it needs no step of its own.
    """
    visible = name.translate(INVISIBLE)
    return unicodedata.normalize("NFC", " ".join(visible.split()).casefold())


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


# Enough for the header of most drops and the twenty rows below it. Exports of surveys have their
# questions as headers: then more is read, up to what 1,000 columns of 2,000 characters take.
_LEAST_CHARACTERS = 64 * 1024
_SAMPLE_CHARACTERS = 100_000
_MOST_CHARACTERS = 2_000_000
_LEAST_RECORDS = 22
_LINE_END = re.compile(r"\r\n|\r|\n")
_SEP_LINE = re.compile(r'"?sep=([,;\t|:])"?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Opening:
    """
    The first lines, from the first that is not blank.

    Attributes:
        text: They may be more than a sample.
        is_whole: They are all that the drop has.
        rows_above: Blank lines that stood above.
        delimiter: What a line such as `sep=;` states. Spreadsheets obey and hide it, so it is
            no row.
        sample: What of them is looked at; its last record may be cut off unless it is whole.
    """

    text: str
    is_whole: bool
    rows_above: int
    delimiter: str | None
    sample: str

    @property
    def is_sample_whole(self) -> bool:
        return self.is_whole and len(self.text) == len(self.sample)


def read_opening(chunks: Iterator[str]) -> Opening:
    """Take as many *chunks*, text of whole lines, as are needed to see enough."""
    text, delimiter = _without_sep_line(next(chunks, ""))
    text, rows_above = _without_blank_lines(text)
    is_whole = False
    while not (is_whole or _is_enough(text)):
        chunk = next(chunks, None)
        if chunk is None:
            is_whole = True
        elif not text:
            text, blank = _without_blank_lines(chunk)
            rows_above += blank
        else:
            text += chunk
    return Opening(text, is_whole, rows_above, delimiter, text[: _sample_characters(text)])


def _is_enough(text: str) -> bool:
    if len(text) < _LEAST_CHARACTERS:
        return False
    return (
        len(text) >= _MOST_CHARACTERS
        or _sample_characters(text) < len(text)
        or (_end_of_records(text, len(text)) is not None)
    )


def _sample_characters(text: str) -> int:
    """Return how much of *text* is looked at: the usual, or more where some rows need more."""
    if _end_of_records(text, _SAMPLE_CHARACTERS) is not None:
        return _SAMPLE_CHARACTERS
    return _end_of_records(text, _MOST_CHARACTERS) or _MOST_CHARACTERS


def _end_of_records(text: str, limit: int) -> int | None:
    """Return where some records end, line ends in quotes aside; None if it is behind *limit*."""
    quotes = records = begin = 0
    for end in _LINE_END.finditer(text, 0, limit):
        quotes += text.count('"', begin, end.end())
        begin = end.end()
        records += quotes % 2 == 0
        if records == _LEAST_RECORDS:
            return begin
    return None


def _without_sep_line(text: str) -> tuple[str, str | None]:
    line = io.StringIO(text, newline="").readline()
    said = _SEP_LINE.fullmatch(line)
    return (text[len(line) :], said[1]) if said else (text, None)


def _without_blank_lines(text: str) -> tuple[str, int]:
    """Return *text* from its first line with a character on it, and how many lines were above."""
    first = len(text) - len(text.lstrip())
    end = max(text.rfind("\n", 0, first), text.rfind("\r", 0, first)) + 1
    lines = text.count("\n", 0, end) + text.count("\r", 0, end) - text.count("\r\n", 0, end)
    return text[end:], lines


# In the order of preference when the rows decide nothing.
DELIMITERS = (",", ";", "\t", "|", ":")

# Times and notes are full of colons.
_SELDOM = ":"


class Reading(NamedTuple):
    """
    The first rows of a drop as one delimiter separates them.

    Attributes:
        row: 1-based, of the header in the text.
        below: Rows below the header, blank ones too.
    """

    delimiter: str
    row: int
    header: list[str]
    below: list[list[str]]


def preference(reading: Reading) -> tuple[int, bool, bool, bool, int]:
    """
    Order readings, the most likely first.

    One that splits the header and the rows goes before one that splits nothing; what stands in
    the header alone separates no cells. Then rows as wide as the header count; then that no
    space follows the delimiter in the header, as in "Price, net"; then the most columns.
    """
    agrees = are_mostly_as_wide(reading.below, reading.header)
    return (
        _rank(reading, agrees=agrees),
        not agrees,
        reading.delimiter == _SELDOM,
        _is_prose(reading.header),
        -len(reading.header),
    )


def _rank(reading: Reading, *, agrees: bool) -> int:
    if width(reading.header) <= 1:
        return 1
    is_in_rows = not any(reading.below) or any(len(row) > 1 for row in reading.below)
    return 0 if is_in_rows and (agrees or reading.delimiter != _SELDOM) else 2


def _is_prose(header: list[str]) -> bool:
    others = [cell for cell in header[1:] if cell.strip()]
    return bool(others) and all(cell.startswith(" ") for cell in others)


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
        return _header_below_title(rows) or _below_title_of_one_column(rows)
    return _header_below_title(rows) if _is_labelled_value(top) else None


def _header_below_title(rows: Sequence[Row]) -> int | None:
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
        has_header: False if the header is made up, and its row is the one above the records.
        notes: Sentences on what was restored of the header.
    """

    delimiter: str
    header: tuple[str, ...]
    header_row: int
    rows_above: int
    has_header: bool = True
    notes: tuple[str, ...] = ()

    @property
    def rows_skipped(self) -> int:
        """How many rows of the text stand above the records, the header among them."""
        return self.header_row - self.rows_above


_FORMULAS = 'The headers are formulas for texts (="Name"); they are taken as these texts.'
_FORMULA = re.compile(r'\s*="([^"]*)"\s*')


def bare_header(cell: str) -> str:
    """Return *cell*, or the text that it is a formula for, such as ="Name"."""
    found = _FORMULA.fullmatch(cell)
    return found[1] if found else cell


def find_layout(opening: Opening, name: str, *, has_header: bool = True) -> Layout:
    """
    Read the layout from the first lines of a drop.

    Args:
        has_header: False if the first row is a record, unless it has our own columns.

    Raises:
        DropRejectedError: There is no header, or other lines stand above it.
    """
    delimiters = (opening.delimiter,) if opening.delimiter else DELIMITERS
    readings = [_read(opening, delimiter, name) for delimiter in delimiters]
    best = min(readings, key=preference)
    if not has_header and not any(map(is_own_column, best.header)):
        return Layout(
            delimiter=best.delimiter,
            header=tuple(f"column {at}" for at in range(1, len(best.header) + 1)),
            header_row=opening.rows_above + best.row - 1,
            rows_above=opening.rows_above,
            has_header=False,
        )
    layout = Layout(
        delimiter=best.delimiter,
        header=tuple(map(bare_header, best.header)),
        header_row=opening.rows_above + best.row,
        rows_above=opening.rows_above,
        notes=(_FORMULAS,) if any(map(_FORMULA.fullmatch, best.header)) else (),
    )
    _check_header(layout, opening, name)
    _check_first_records(layout, best, name)
    if not opening.delimiter:  # who states it knows where the table begins
        candidates = [best] if width(best.header) > 1 else readings
        _check_header_row(layout, candidates, name)
    return layout


def first_rows(layout: Layout, opening: Opening) -> list[list[str]]:
    """Return rows below the header, blank ones left out."""
    rows = csv_rows(opening.sample, layout.delimiter)
    list(islice(rows, layout.rows_skipped))
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


def _check_header(layout: Layout, opening: Opening, name: str) -> None:
    """
    Refuse what is no header although it was read as one.

    Raises:
        DropRejectedError: With all that speaks against it.
    """
    is_damaged = any("\ud800" <= letter <= "\udfff" for cell in layout.header for letter in cell)
    where = f"{name}, row {layout.header_row}"
    problems = tuple(_flaws(layout, where, is_damaged=is_damaged))
    if not problems and (fault := _fault_of_header(layout, opening, name)):
        problems = (Problem(where, f"the header row cannot be used: {fault}", _CLOSE_IT),)
    if problems:
        raise DropRejectedError(problems, concerns_mapping=is_damaged)


_CLOSE_IT = "Close the quote where the name of its column ends"


def _fault_of_header(layout: Layout, opening: Opening, name: str) -> str | None:
    """Return why the header row cannot be used, read as strictly as the rows below are."""
    records = record_batches(
        iter([opening.sample]), delimiter=layout.delimiter, name=name, most=layout.rows_skipped
    )
    batch = next(records, None)
    return batch.faults.get(layout.rows_skipped - 1) if batch else None


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
    if all(map(is_own_column, layout.header)):
        yield Problem(
            where,
            f"all its columns begin with {PREFIX}, and yours are not there",
            f"Put your own columns back, with their headers: {PREFIX}Row says which row of the "
            "file each one was",
        )


_ROWS_OF_A_SURVEY = 2


def _check_first_records(layout: Layout, reading: Reading, name: str) -> None:
    """
    Refuse the questions and the ids that a survey has below its header.

    Raises:
        DropRejectedError: There are such rows.
    """
    for at, row in enumerate(reading.below[:_ROWS_OF_A_SURVEY], 1):
        if not is_blank(row) and all(cell.startswith('{"ImportId":') for cell in filter(None, row)):
            last, first = layout.header_row + at, layout.header_row + 1
            problem = Problem(
                f"{name}, row {last}",
                "it holds ids of columns (ImportId), as surveys have them below their questions, "
                "and no record",
                f"Delete rows {first} to {last}" if last > first else f"Delete row {last}",
            )
            raise DropRejectedError((problem,))


def _check_header_row(layout: Layout, readings: list[Reading], name: str) -> None:
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
