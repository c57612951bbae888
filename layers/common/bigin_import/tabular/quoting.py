"""
Quotes that the csv module reads in its own way: with spaces before them, or with text behind.

It can skip the spaces before a quote, but then it takes them from all other cells too. So those
are marked before and restored after. Text behind a closing quote it glues to the cell, without
the quotes, which nobody would see.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import NamedTuple

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
