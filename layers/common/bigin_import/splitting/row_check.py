"""
What of a drop is sent, and why the rest is not. `split` and `source_rows` walk by it alike.

Whole batches go through the csv module's and itertools' C code. Only where a batch raises is it
halved, again and again, until the rows to blame stand alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import itemgetter

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import ColumnPlan, PlannedColumn
from bigin_import.reading.table import Batch, Table
from bigin_import.splitting.dates import DatePattern, fitting_formats
from bigin_import.splitting.value_rules import Converter, SentRecord, converter, csv_text

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


ROWS_NAMED = 10


class RowNames:
    """
    Counts rows and keeps the numbers of the first.

    Attributes:
        first: At most ROWS_NAMED.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: list[int] = []

    def add(self, numbers: Sequence[int]) -> None:
        """Count some rows, in order."""
        self.count += len(numbers)
        self.first += numbers[: ROWS_NAMED - len(self.first)]

    def __str__(self) -> str:
        return ", ".join(map(str, self.first))


@dataclass(frozen=True, slots=True)
class CheckedBatch:
    """
    A batch and what came of it.

    Attributes:
        reasons: Position in the batch -> why the row is never sent.
        records: The other rows in the order and form we send them.
        numbers: Their row numbers.
        content: Their CSV.
    """

    batch: Batch
    reasons: dict[int, str]
    records: list[SentRecord]
    numbers: Sequence[int]
    content: bytes


class _UnfitError(ValueError):
    """Among some rows is one that cannot be sent; the message is the reason if they are one."""


class RowCheck:
    """
    The checks and rules of one plan.

    Attributes:
        empty_keys: Rows without their key that were refused for it.
        unread_dates: What was refused in date columns.
    """

    def __init__(self, plan: ColumnPlan, *, max_record_bytes: int) -> None:
        self.empty_keys = 0
        self.unread_dates = UnreadDates(plan.columns)
        self._max_record_bytes = max_record_bytes
        sources = [column.source for column in plan.columns]
        self._pick = picker(sources)
        self._converters = [
            (at, convert)
            for at, column in enumerate(plan.columns)
            if (convert := converter(column))
        ]
        self._required_key = plan.key if plan.empty_key == "invalid" else None
        self._key_header = "" if plan.key is None else plan.columns[plan.key].header

    def batches(self, table: Table) -> Iterator[CheckedBatch]:
        """Yield every batch of *table*, checked."""
        for batch in table.batches():
            yield self.check(batch)

    def check(self, batch: Batch) -> CheckedBatch:
        """Return *batch* with what is sent of it."""
        rows, numbers = batch.rows, batch.numbers
        positions: Sequence[int] = range(len(rows))
        if batch.faults:
            positions = [at for at in positions if at not in batch.faults]
            rows = [rows[at] for at in positions]
        reasons = dict(batch.faults)
        records, content = self._settled(rows, positions, reasons)
        if reasons:
            numbers = list(compress(numbers, (at not in reasons for at in range(len(batch.rows)))))
        return CheckedBatch(batch, reasons, records, numbers, content)

    def _settled(
        self, rows: list[list[str]], positions: Sequence[int], reasons: dict[int, str]
    ) -> tuple[list[SentRecord], bytes]:
        try:
            return self._form_sent(rows)
        except _UnfitError as reason:
            if len(rows) == 1:
                reasons[positions[0]] = str(reason)
                self.unread_dates.note_refused(self._pick(rows[0]))
                return [], b""
        half = len(rows) // 2
        first, first_content = self._settled(rows[:half], positions[:half], reasons)
        second, second_content = self._settled(rows[half:], positions[half:], reasons)
        return first + second, first_content + second_content

    def _form_sent(self, rows: list[list[str]]) -> tuple[list[SentRecord], bytes]:
        records = list(map(self._pick, rows))
        if self._converters and records:
            records = _converted(records, self._converters)
        self._require_keys(records)
        text = csv_text(records)
        if "\0" in text:
            raise _UnfitError("it holds a NUL byte")
        try:
            content = text.encode()
        except UnicodeEncodeError as exc:  # a lone surrogate stands for an undecodable byte
            raise _UnfitError("it holds bytes that the file's encoding does not have") from exc
        if len(content) > self._max_record_bytes:
            raise _UnfitError(f"it is longer than {self._max_record_bytes:,} bytes")
        self.unread_dates.note_sent(records)
        return records, content

    def _require_keys(self, records: list[SentRecord]) -> None:
        if self._required_key is None:
            return
        if not all(map(str.strip, map(itemgetter(self._required_key), records))):
            self.empty_keys += len(records) == 1
            raise _UnfitError(f'its key, column "{self._key_header}", is empty')


def picker(sources: list[int]) -> Callable[[list[str]], SentRecord]:
    """Return what picks the mapped cells of a row; itemgetter makes no tuple of one cell."""
    if len(sources) > 1:
        return itemgetter(*sources)
    (only,) = sources
    return lambda row: (row[only],)


def _converted(
    records: list[SentRecord], converters: list[tuple[int, Converter]]
) -> list[SentRecord]:
    columns: list[Sequence[str]] = list(zip(*records, strict=True))
    for at, convert in converters:
        try:
            columns[at] = list(map(convert, columns[at]))
        except ValueError as exc:
            raise _UnfitError(str(exc)) from exc
    return list(zip(*columns, strict=True))
