"""
Cells that are sent as they are and may mean something else: worth a warning, never a change.

A German 1.234 is a thousand and more; Bigin reads it as one and a bit. ="00123" is how some
programs keep a spreadsheet from taking a text for a number; Bigin stores all of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import compress

from bigin_import.models import PlannedColumn
from bigin_import.tabular.row_names import RowNames
from bigin_import.tabular.sent_csv import SentRecord

_WITH_POINTS = frozenset({"double", "decimal", "currency", "percent"})
_THOUSANDS = re.compile(r"\s*[+-]?[1-9]\d{0,2}(?:\.\d{3})+\s*", re.ASCII)

# What becomes of ="00123" in the CSV that we send.
_QUOTED_FORMULA = b'"=""'


class PointsForThousands:
    """The numbers of one column, as long as every point in them could be a thousands mark."""

    def __init__(self, column: PlannedColumn) -> None:
        rule = column.rule
        is_stated = rule is not None and (rule.decimal is not None or rule.thousands is not None)
        self._header = column.header
        self._rows = RowNames()
        self.is_open = column.data_type in _WITH_POINTS and not is_stated

    def look(self, values: Sequence[str], numbers: Sequence[int]) -> None:
        """Look at some values, which stand in the rows *numbers*."""
        if "." not in "\n".join(values):
            return
        has_point = ["." in value for value in values]
        self.is_open = all(map(_THOUSANDS.fullmatch, compress(values, has_point)))
        self._rows.add(list(compress(numbers, has_point)))

    def warning(self) -> str | None:
        """Name the rows; the values are never named."""
        if not (self.is_open and self._rows.count):
            return None
        return (
            f'Column "{self._header}": {self._rows.count:,} numbers have a point, always with '
            f"three digits behind it, first in row {self._rows}. They are sent as decimals; if "
            'the point is a thousands mark, write "decimal": "," and "thousands": "." in the '
            "mapping."
        )


class TextFormulas:
    """The cells of all columns that are a formula for a text, such as ="00123"."""

    def __init__(self, columns: Sequence[PlannedColumn]) -> None:
        self._columns = [(column.header, RowNames()) for column in columns]

    def look(self, records: Sequence[SentRecord], numbers: Sequence[int], content: bytes) -> None:
        """Look at some records, which stand in the rows *numbers*; *content*: their CSV."""
        # The search for one byte takes a twentieth of the one for four, and mostly settles it.
        if b"=" not in content or _QUOTED_FORMULA not in content:
            return
        for values, (_, rows) in zip(zip(*records, strict=True), self._columns, strict=True):
            rows.add(list(compress(numbers, map(_is_formula, values))))

    def warnings(self) -> tuple[str, ...]:
        """Return a sentence for each column that has such cells."""
        return tuple(
            f'Column "{header}": {rows.count:,} cells are formulas for a text (="..."), first in '
            f"row {rows}. They are sent as they are written; export the text without its formula."
            for header, rows in self._columns
            if rows.count
        )


def _is_formula(value: str) -> bool:
    return value.startswith('="') and value.endswith('"')
