"""The few rules by which cells are rewritten before they are sent: dates, numbers, replacements."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from bigin_import.models import PlannedColumn, ValueRule
from bigin_import.tabular.dates import DatePattern

type Converter = Callable[[str], str]

# Dates and amounts repeat; a remembered cell costs a twentieth of a converted one.
_REMEMBERED_CELLS = 4_096

_SPACES = str.maketrans("\u00a0\u202f\u2009", "   ")


def converter(column: PlannedColumn) -> Converter | None:
    """
    Return what rewrites the cells of *column*; None if they are sent as they are.

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
