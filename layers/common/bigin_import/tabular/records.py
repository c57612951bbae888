"""
Text -> records: what stands between line ends outside of quotes.

The csv module's C code reads them. Until the first quote of a drop there is nothing to it but
line ends and delimiters, and splitting there takes half of its time.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import methodcaller

from bigin_import.errors import DropRejectedError
from bigin_import.models import Problem

# Small batches stay in the processor's cache.
BATCH_ROWS = 500

# The csv module doubles a buffer of four bytes a character: this is the last size below 268 MB.
# A longer cell is taken for a quote that nobody closed.
MAX_CELL_CHARACTERS = 33_000_000

_END_OF_DROP = "\0end of drop\0"


def csv_rows(lines: Iterable[str], delimiter: str, *, spaced_quotes: bool) -> Iterator[list[str]]:
    """
    Yield every record of *lines*; a blank line is an empty one.

    Args:
        spaced_quotes: True if a space stands before opening quotes.

    Raises:
        csv.Error: While iterating, where a cell is longer than MAX_CELL_CHARACTERS.
    """
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced_quotes)


def record_batches(
    chunks: Iterator[str], *, delimiter: str, spaced_quotes: bool, skip: int, name: str
) -> Iterator[tuple[int, list[list[str]]]]:
    """
    Yield the records of *chunks* in batches, each with the row number of its first.

    Args:
        chunks: Text of whole lines.
        skip: How many records stand above the data.

    Raises:
        DropRejectedError: A quote is never closed, or quotes are escaped in another way.
    """
    reader = chain.from_iterable(_runs(chunks, delimiter, name, spaced_quotes=spaced_quotes))
    first = 1 + len(list(islice(reader, skip)))
    is_complete = False
    while not is_complete:
        rows: list[list[str]] = []
        try:
            rows.extend(islice(reader, BATCH_ROWS))
        except csv.Error as exc:
            raise _open_quote(name, first + len(rows)) from exc
        is_complete = rows[-1:] == [[_END_OF_DROP]]
        if len(rows) < BATCH_ROWS and not is_complete:
            raise _open_quote(name, first + len(rows) - 1)
        yield first, rows[:-1] if is_complete else rows
        first += len(rows)


def _runs(
    chunks: Iterator[str], delimiter: str, name: str, *, spaced_quotes: bool
) -> Iterator[Iterator[list[str]]]:
    """Yield the records of each chunk until the first quote, then those of all others, marked."""
    split = methodcaller("split", delimiter)
    for chunk in chunks:
        lines = chunk.splitlines()
        # str.splitlines breaks at more than LF and CRLF: the count proves that it did not here.
        if '"' in chunk or len(lines) != chunk.count("\n"):
            chunks = chain([chunk], chunks)
            break
        yield map(split, lines)
    quoted = chain.from_iterable(_lines(chunk, delimiter, name) for chunk in chunks)
    # The end is marked by a line of our own: a quote that is still open swallows it.
    yield csv_rows(chain(quoted, [_END_OF_DROP]), delimiter, spaced_quotes=spaced_quotes)


def _lines(chunk: str, delimiter: str, name: str) -> Iterator[str]:
    if '\\"' in chunk and _has_escaped_quote(chunk, delimiter):
        problem = Problem(
            name,
            "quotes inside cells are escaped with a backslash, which is not CSV",
            'Export it again with doubled quotes ("")',
        )
        raise DropRejectedError((problem,))
    # StringIO knows LF, CRLF and CR, and nothing else: str.splitlines also breaks at U+2028.
    return io.StringIO(chunk, newline="")


def _has_escaped_quote(chunk: str, delimiter: str) -> bool:
    r"""Return whether a quoted cell has \" inside of it; a cell may end in a backslash."""
    mark = re.escape(delimiter)
    escaped = rf'(?:^|{mark})"(?:[^"\\]|\\.)*?\\"[^{mark}\r\n"]'
    return re.search(escaped, chunk, re.MULTILINE) is not None


def _open_quote(name: str, row: int) -> DropRejectedError:
    problem = Problem(
        f"{name}, row {row}",
        "a quote in this row is never closed, so the rest of the file is one cell",
        "Close the quote, double it if it belongs to the text, or check whether the file is cut "
        "off",
    )
    return DropRejectedError((problem,))
