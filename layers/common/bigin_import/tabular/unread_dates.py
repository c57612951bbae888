"""Date columns of which no value is written as the mapping says, and how they are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bigin_import.models import PlannedColumn, Problem
from bigin_import.tabular.dates import DatePattern, fitting_formats
from bigin_import.tabular.sent_csv import SentRecord

# Enough to tell formats apart, whatever the length of the drop.
_VALUES_KEPT = 1_000
_LONGEST_DATE = 60


class UnreadDates:
    """What could not be read in date columns, as long as nothing could be."""

    def __init__(self, columns: Sequence[PlannedColumn]) -> None:
        self._columns = columns
        self._unread: dict[int, list[str]] = {}
        self._patterns: dict[int, DatePattern] = {}
        self._replaced: dict[int, frozenset[str]] = {}
        for at, column in enumerate(columns):
            if column.rule and column.rule.date_format:
                self._patterns[at] = DatePattern(column.rule.date_format)
                self._replaced[at] = frozenset(cell for cell, _ in column.rule.values)

    def note_sent(self, records: Sequence[SentRecord]) -> None:
        """Take it from *records*, as they are sent, that a column can be read."""
        for at in [*self._patterns]:
            if any(record[at] for record in records):
                self._forget(at)

    def note_refused(self, record: SentRecord) -> None:
        """Look at a record as it stands in the drop."""
        for at, pattern in [*self._patterns.items()]:
            value = record[at].strip()
            if not value or record[at] in self._replaced[at]:
                continue
            if pattern.fits(value):
                self._forget(at)
            else:
                unread = self._unread.setdefault(at, [])
                unread += [value[:_LONGEST_DATE]] if len(unread) < _VALUES_KEPT else []

    def problems(self, name: str) -> Iterator[Problem]:
        """Yield for each column that had values, none of them readable, what could read them."""
        for at, values in self._unread.items():
            column, stated = self._columns[at], self._patterns[at].pattern
            formats = " or ".join(f'"{each}"' for each in fitting_formats(values))
            yield Problem(
                f'{name}, column "{column.header}"',
                f"no value is a date of the form {stated}",
                f'Write "format": {formats} in the mapping'
                if formats
                else 'Write the "format" of the file in the mapping',
            )

    def _forget(self, at: int) -> None:
        del self._patterns[at]
        self._unread.pop(at, None)
