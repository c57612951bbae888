"""
Text -> records: what stands between line ends outside of quotes.

The csv module's C code reads them. Until the first quote of a drop there is nothing to it but
line ends and delimiters, and splitting there takes half of its time. It reads strictly: a quote
that closes in the middle of text is a fault of the row, or of the drop if nobody can tell where
the row ends.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice
from operator import methodcaller
from typing import NamedTuple

from bigin_import.domain.drop import Problem
from bigin_import.errors import DropRejectedError

TEXT_BEHIND_A_QUOTE = 'it has text behind a closing quote; quotes in a text are written twice ("")'


def open_quote(name: str, row: int) -> DropRejectedError:
    return _rejected(
        f"{name}, row {row}",
        "a quote in this row is never closed, so the rest of the file is one cell",
        "Close the quote, double it if it belongs to the text, or check whether the file is cut "
        "off",
    )


def uncertain_end(name: str, row: int, lines: int) -> DropRejectedError:
    """Return that *row*, which seems to have some lines, may as well end before or after them."""
    where = "in the middle of a text" if lines == 1 else f"in the text {lines - 1} lines below"
    return _rejected(
        f"{name}, row {row}",
        f"a quote that opens in this row closes {where}, so nobody can tell where the row ends",
        'Close the quote where its cell ends, and write quotes that belong to a text twice ("")',
    )


def refuse_escaped_quotes(chunk: str, delimiter: str, name: str) -> None:
    r"""
    Look for a quoted cell that has \" inside of it; a cell may end in a backslash.

    Raises:
        DropRejectedError: There is one.
    """
    mark = re.escape(delimiter)
    escaped = rf'(?:^|{mark})"(?:[^"\\]|\\.)*?\\"[^{mark}\r\n"]'
    if re.search(escaped, chunk, re.MULTILINE):
        raise _rejected(
            name,
            "quotes inside cells are escaped with a backslash, which is not CSV",
            'Export it again with doubled quotes ("")',
        )


def _rejected(where: str, what: str, remedy: str) -> DropRejectedError:
    return DropRejectedError((Problem(where, what, remedy),))


# For a space that is part of its cell. Decoding never makes this half of a surrogate pair.
_KEPT_SPACE = "\ud800"


class LooseRow(NamedTuple):
    """
    The cells of a record in which something stands behind a closing quote.

    Attributes:
        cells: Quotes that do not enclose a whole cell are part of it.
        is_sound: Nothing but spaces stood behind the quotes.
        is_certain: The record ends where it seems to.
    """

    cells: list[str]
    is_sound: bool
    is_certain: bool


def csv_rows(text: str, delimiter: str) -> Iterator[list[str]]:
    """Yield the records at the beginning of a drop, whatever their quotes."""
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    is_spaced = has_spaced_quotes(text, delimiter)
    lines = io.StringIO(with_kept_spaces(text, delimiter) if is_spaced else text, newline="")
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=is_spaced)
    return map(restored, rows) if is_spaced else rows


def has_spaced_quotes(text: str, delimiter: str) -> bool:
    """Return whether a cell begins with spaces and a quote, or text in quotes looks like it."""
    at = text.find(' "')
    while at >= 0:
        while at and text[at - 1] == " ":
            at -= 1
        if _spaced_quote(delimiter).match(text, at):
            return True
        at = text.find(' "', text.find('"', at))
    return False


def with_kept_spaces(text: str, delimiter: str) -> str:
    """Mark the spaces before all cells but those in quotes; in quoted text too, at random."""
    return _spaces_to_keep(delimiter).sub(_KEPT_SPACE, text)


def restored(row: list[str]) -> list[str]:
    """Return *row* with the marked spaces as they were."""
    return [cell.replace(_KEPT_SPACE, " ") if _KEPT_SPACE in cell else cell for cell in row]


def loose_row(record: str, delimiter: str) -> LooseRow:
    """Read one record, with or without the end of its last line, as the csv module would not."""
    text = record.rstrip("\r\n")
    cells: list[str] = []
    is_sound = True
    at, mark = 0, delimiter
    while mark and (found := _cell(delimiter).match(text, at)):
        quoted, bare, mark = found.groups()
        is_sound = is_sound and not (bare or "").lstrip(" ").startswith('"')
        cells.append(bare if quoted is None else quoted.replace('""', '"'))
        at = found.end()
    is_certain = is_sound or not (text.count('"') % 2 or _is_open(text, delimiter))
    return LooseRow(restored(cells), is_sound, is_certain)


def _is_open(text: str, delimiter: str) -> bool:
    """Return whether the csv module, which reads on behind a closing quote, ends in a quote."""
    lines = chain(io.StringIO(text, newline=""), [""])
    return len(list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))) == 1


@cache
def _spaced_quote(delimiter: str) -> re.Pattern[str]:
    """Match the beginning of a cell; a doubled quote with text behind it is in the midst of one."""
    mark = re.escape(delimiter)
    return re.compile(rf'(?<![^{mark}\r\n]) +"(?!"[^{mark}\r\n "])')


@cache
def _spaces_to_keep(delimiter: str) -> re.Pattern[str]:
    return re.compile(rf'(?<![^{re.escape(delimiter)}\r\n]) (?! *")')


@cache
def _cell(delimiter: str) -> re.Pattern[str]:
    """Match a cell, in quotes or without, and the delimiter behind it if there is one."""
    mark = re.escape(delimiter)
    return re.compile(rf'(?: *"((?:[^"]++|"")*+)" *(?={mark}|\Z)|([^{mark}]*))({mark}|\Z)')


# Small batches stay in the processor's cache.
BATCH_ROWS = 500

# The csv module doubles a buffer of four bytes a character: this is the last size below 268 MB.
# A longer cell is taken for a quote that nobody closed.
MAX_CELL_CHARACTERS = 33_000_000

_LINE_END = re.compile(r"\r\n|\r|\n")
_BEHIND_A_QUOTE = "expected after"  # in the csv module's message, and in no other of it


class RecordBatch(NamedTuple):
    """
    Some records.

    Attributes:
        first: The row number of the first.
        rows: Blank ones are empty.
        faults: Position in *rows* -> why the row cannot be used.
    """

    first: int
    rows: list[list[str]]
    faults: dict[int, str]


def record_batches(
    chunks: Iterator[str],
    *,
    delimiter: str,
    name: str,
    skip: int = 0,
    rows_above: int = 0,
    most: int = BATCH_ROWS,
) -> Iterator[RecordBatch]:
    """
    Yield the records of *chunks*.

    Args:
        chunks: Text of whole lines.
        skip: How many records stand above the data.
        rows_above: How many rows stand above the text.
        most: Records of a batch.

    Raises:
        DropRejectedError: A quote is never closed or in the middle of text, so that nobody can
            tell where rows end; or quotes are escaped in another way.
    """
    records = _Records(chunks, delimiter, name, rows_above)
    records.take(skip)
    batch = records.take(most)
    while batch.rows:
        yield batch
        batch = records.take(most)


class _Records:
    """
    The records of a drop, from front to back, in three runs: split, read, and read with spaces
    before quotes; the next begins with the chunk of text that needs it.
    """

    def __init__(self, chunks: Iterator[str], delimiter: str, name: str, rows_above: int) -> None:
        self._chunks = chunks
        self._delimiter = delimiter
        self._name = name
        self._number = rows_above + 1
        self._records = chain.from_iterable(self._runs())
        self._reader = csv.reader(())
        self._is_splitting = True
        self._is_spaced_ahead = False
        # Of lines, because the reader counts them; a record may have several.
        self._line = self._lines_above_reader = 0
        # Texts that the reader was given since the batch began, each with the line it begins at.
        self._given: list[tuple[int, str]] = []
        self._lines_of_last: list[str] = []

    def take(self, most: int) -> RecordBatch:
        """Return the next records; fewer than *most* are the last."""
        batch = RecordBatch(self._number, [], {})
        del self._given[:-1]
        counted, is_complete = 0, False
        while not is_complete:
            try:
                batch.rows.extend(islice(self._records, most - len(batch.rows)))
                is_complete = True
            except csv.Error as exc:
                self._line += sum(map(_line_count, batch.rows[counted:]))
                self._mend(exc, batch)
                counted = len(batch.rows)
        self._line = self._line + len(batch.rows) if self._is_splitting else self._lines_read
        self._number += len(batch.rows)
        return batch

    @property
    def _lines_read(self) -> int:
        return self._lines_above_reader + self._reader.line_num

    def _runs(self) -> Iterator[Iterable[list[str]]]:
        split = methodcaller("split", self._delimiter)
        for chunk in self._chunks:
            lines = chunk.splitlines()
            # str.splitlines breaks at more than LF and CRLF: the count proves that it did not.
            if '"' in chunk or len(lines) != chunk.count("\n"):
                self._put_back(chunk)
                break
            self._lines_above_reader += len(lines)
            yield map(split, lines)
        yield self._read(is_spaced=False)
        if self._is_spaced_ahead:
            self._is_spaced_ahead = False
            yield map(restored, self._read(is_spaced=True))

    def _read(self, *, is_spaced: bool) -> Iterator[list[str]]:
        csv.field_size_limit(MAX_CELL_CHARACTERS)
        self._lines_above_reader = self._lines_read
        self._given.clear()
        self._is_splitting = False
        self._reader = csv.reader(
            chain.from_iterable(self._lines(is_spaced=is_spaced)),
            delimiter=self._delimiter,
            skipinitialspace=is_spaced,
            strict=True,
        )
        return self._reader

    def _lines(self, *, is_spaced: bool) -> Iterator[list[str]]:
        for chunk in self._chunks:
            if not is_spaced and has_spaced_quotes(chunk, self._delimiter):
                self._is_spaced_ahead = True
                self._put_back(chunk)
                return
            if "\\" in chunk:
                refuse_escaped_quotes(chunk, self._delimiter, self._name)
            text = with_kept_spaces(chunk, self._delimiter) if is_spaced else chunk
            self._given.append((self._lines_read, text))
            self._lines_of_last = _with_ends(text)
            yield self._lines_of_last

    def _put_back(self, text: str) -> None:
        self._chunks = chain([text], self._chunks)

    def _mend(self, refusal: csv.Error, batch: RecordBatch) -> None:
        """Make the best of the record that the reader refused, which begins at `_line`."""
        row = batch.first + len(batch.rows)
        lines = self._lines_read - self._line
        if _BEHIND_A_QUOTE in str(refusal):
            loose = loose_row(self._text_read(), self._delimiter)
            if not loose.is_sound:
                if lines > 1 or not loose.is_certain:
                    raise uncertain_end(self._name, row, lines) from refusal
                batch.faults[len(batch.rows)] = TEXT_BEHIND_A_QUOTE
            batch.rows.append(loose.cells)
            self._line += lines
        elif self._is_spaced_ahead:  # it goes on in the chunk that needs the next run
            self._put_back(self._text_read())
            self._lines_above_reader -= lines
        else:
            raise open_quote(self._name, row) from refusal

    def _text_read(self) -> str:
        """Return the lines from `_line` to the last that was read."""
        first, _ = self._given[-1]
        if self._line >= first:
            return "".join(self._lines_of_last[self._line - first : self._lines_read - first])
        first, _ = self._given[0]
        lines = _with_ends("".join(text for _, text in self._given))
        return "".join(lines[self._line - first : self._lines_read - first])


def _with_ends(text: str) -> list[str]:
    lines = text.splitlines(keepends=True)
    # See above; StringIO knows LF, CRLF and CR, and nothing else, and is slower.
    return lines if len(lines) == text.count("\n") else list(io.StringIO(text, newline=""))


def _line_count(row: list[str]) -> int:
    return 1 + sum(len(_LINE_END.findall(cell)) for cell in row)
