"""
Records as lines of CSV; and the value rules of the first releases.

How cells are read today is in `kinds`. `converter` is only for plans with FIRST_READING, which
were stored before there was `kinds` and whose imports finish with the rules that they began with.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import cast, overload

from bigin_import.domain.plan import PlannedColumn, ValueRule
from bigin_import.splitting.dates import DatePattern

type SentRecord = tuple[str, ...]


class ColumnRecords(Sequence[SentRecord]):
    """Records that lie in columns, all equally long; a record is made when it is asked for."""

    def __init__(self, columns: Sequence[Sequence[str]], count: int) -> None:
        self._columns = columns
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[SentRecord]:
        return zip(*self._columns, strict=True)

    @overload
    def __getitem__(self, at: int) -> SentRecord: ...
    @overload
    def __getitem__(self, at: slice) -> ColumnRecords: ...
    def __getitem__(self, at: int | slice) -> SentRecord | ColumnRecords:
        if isinstance(at, slice):
            count = len(range(self._count)[at])
            return ColumnRecords([column[at] for column in self._columns], count)
        return tuple(column[at] for column in self._columns)

    def column(self, at: int) -> Sequence[str]:
        return self._columns[at]


def column_of(records: Sequence[SentRecord], at: int) -> Iterable[str]:
    """Return one cell of each record."""
    return (
        records.column(at) if isinstance(records, ColumnRecords) else map(itemgetter(at), records)
    )


class _Echo:
    """A file for csv.writer that hands every line back instead of storing it."""

    def write(self, line: str) -> str:
        return line


def csv_text(records: Sequence[SentRecord]) -> str:
    """Return *records*, all equally long, as lines of CSV, each with its LF."""
    if not records:
        return ""
    commas = len(records[0]) - 1
    if not commas:  # an empty cell alone must be quoted, or its line would be blank
        return "".join(map(_quoting(), records))
    lines = list(map(",".join, records))
    text = "\n".join(lines) + "\n"
    if (
        text.count(",") == commas * len(lines)
        and text.count("\n") == len(lines)
        and '"' not in text
        and "\r" not in text
    ):
        return text
    quoted = _quoting()
    # The same four questions for each line, spelled out: a call for each costs a tenth of it all.
    return "".join(
        quoted(record)
        if '"' in line or "\n" in line or "\r" in line or line.count(",") != commas
        else line + "\n"
        for line, record in zip(lines, records, strict=True)
    )


def _quoting() -> Callable[[SentRecord], str]:
    writerow = csv.writer(_Echo(), lineterminator="\n").writerow
    return cast("Callable[[SentRecord], str]", writerow)  # it returns what write() returned


type Converter = Callable[[str], str]

# Dates and amounts repeat; a remembered cell costs a twentieth of a converted one.
_REMEMBERED_CELLS = 4_096

_SPACES = str.maketrans("\u00a0\u202f\u2009", "   ")


def converter(column: PlannedColumn) -> Converter | None:
    """
    Return what rewrites the cells of *column* by the rules of the first releases; None if they are
    sent as they are. Closing needs it for plans with FIRST_READING, until one release later.

    The converter raises ValueError, with a reason that names the column and not the cell, for
    what its rule cannot read. Dates become yyyy-MM-dd, datetimes yyyy-MM-dd HH:mm:ss, which the
    create call states as their `format`. Dates and numbers of nothing but spaces become empty.
    """
    if column.rule is None or column.rule == ValueRule():
        return None
    return lru_cache(_REMEMBERED_CELLS)(_with_replacements(column, _reader(column)))


def _with_replacements(column: PlannedColumn, read: Converter | None) -> Converter:
    replacements = dict(column.rule.values) if column.rule else {}

    def convert(cell: str) -> str:
        if cell in replacements:
            return replacements[cell]
        return read(cell) if read else cell

    return convert


def _reader(column: PlannedColumn) -> Converter | None:
    rule = column.rule
    if rule is None:
        return None
    if rule.date_format is not None:
        return _date_reader(column.header, rule.date_format, with_time=rule.with_time)
    if rule.decimal is not None or rule.thousands is not None:
        return _number_reader(column.header, rule.decimal or ".", rule.thousands)
    return None


def _date_reader(header: str, pattern: str, *, with_time: bool) -> Converter:
    dates = DatePattern(pattern)

    def read(cell: str) -> str:
        if not cell.strip():
            return ""
        try:
            moment = dates.read(cell)
        except ValueError:
            raise ValueError(f'column "{header}" is not a date of the form {pattern}') from None
        return moment.isoformat(" ", "seconds") if with_time else moment.date().isoformat()

    return read


def _number_reader(header: str, decimal: str, thousands: str | None) -> Converter:
    number = _number_pattern(decimal, thousands)
    marks = f'decimal "{decimal}"' + (f' and thousands "{thousands}"' if thousands else "")

    def read(cell: str) -> str:
        text = cell.translate(_SPACES).strip()
        if not text:
            return ""
        if not number.fullmatch(text):
            raise ValueError(f'column "{header}" is not a number with {marks}')
        if thousands:
            text = text.replace(thousands, "")
        return text.replace(decimal, ".")

    return read


def _number_pattern(decimal: str, thousands: str | None) -> re.Pattern[str]:
    """Match numbers whose groups are whole: 1.234 and 12.34.567, but not 1.5 by a stray mark."""
    whole = r"\d+"
    if thousands:
        mark = re.escape(thousands.translate(_SPACES))
        whole = rf"(?:\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}|\d+)"
    point = re.escape(decimal)
    return re.compile(rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)", re.ASCII)
