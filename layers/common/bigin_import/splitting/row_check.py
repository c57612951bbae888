"""
What of a drop is sent, and why the rest is not. `split` and `source_rows` walk by it alike.

A batch is read column by column; one whose cells are plain costs comparisons in C only. Where a
batch cannot be written it is halved, again and again, until the rows to blame stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import is_, itemgetter

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import FIRST_READING, ColumnPlan
from bigin_import.reading.table import Batch, Table
from bigin_import.splitting.cells import (
    DECODED_TWICE,
    FORMULA_LIKE,
    REPLACEMENT_CHARACTER,
    Cell,
    RowNames,
    Tell,
    begins_as_formula,
    is_decoded_twice,
    may_begin_as_formula,
    may_hold_placeholders,
)
from bigin_import.splitting.column_reader import ColumnReader, has_apostrophes, without_formulas
from bigin_import.splitting.dates import DatePattern, fitting_formats
from bigin_import.splitting.value_rules import SentRecord, converter, csv_text

# What becomes of ="00123" in CSV.
_QUOTED_FORMULA = '"=""'
_APOSTROPHE_HINT = re.compile(r"'[\d +\-(.]")

# Enough to tell formats apart, whatever the length of the drop.
_VALUES_KEPT = 1_000
_LONGEST_DATE = 60


class UnreadDates:
    """
    The dates of one column that its format does not read, and some that it does.

    Its format is wrong if another reads more of the column, however many of its rows are sent.
    """

    def __init__(self, pattern: str) -> None:
        self._stated = DatePattern(pattern)
        self._read: list[str] = []
        self._unread: list[str] = []
        self._counts = {True: 0, False: 0}

    def note(self, cells: Sequence[str], unread: Sequence[str]) -> None:
        """Take the filled cells of a batch, and those of them because of which rows stay here."""
        unread = [cell for cell in unread if not self._stated.fits(cell)]
        self._counts[False] += len(unread)
        self._counts[True] += len(cells) - len(unread)
        room = _VALUES_KEPT - len(self._unread)
        self._unread += [cell[:_LONGEST_DATE] for cell in unread[:room]]
        if len(self._read) < _VALUES_KEPT:
            lost = set(unread)
            fine = [cell for cell in cells if cell not in lost]
            self._read += fine[: _VALUES_KEPT - len(self._read)]

    def problem(self, where: str) -> Problem | None:
        """Return that another format reads the column better, or that none of it can be read."""
        if not self._unread:
            return None
        better = [name for name in fitting_formats(self._unread) if self._reads_more(name)]
        if self._counts[True] and not better:
            return None
        formats = " or ".join(f'"{each}"' for each in better)
        what = f"no value is a date of the form {self._stated.pattern}"
        if self._counts[True]:
            what = (
                f"{self._counts[False]:,} values are no dates of the form {self._stated.pattern}, "
                "and another form reads more of the column"
            )
        remedy = (
            f'Write "format": {formats} in the mapping'
            if formats
            else 'Write the "format" of the file in the mapping'
        )
        return Problem(where, what, remedy)

    def _reads_more(self, name: str) -> bool:
        """Return whether a format reads more than the stated one, by what was kept of both."""
        other = DatePattern(name)
        share = sum(map(other.fits, self._read)) / max(len(self._read), 1)
        lost = sum(map(other.fits, self._unread)) / len(self._unread)
        return share * self._counts[True] + lost * self._counts[False] > self._counts[True]


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
        readers: Of every column, in the order we send them.
        unread_dates: By position of the column.
        excused: Rows that Bigin would certainly refuse; they say nothing against the file.
        apostrophes: Columns in which the first apostrophes before numbers were seen.
    """

    def __init__(self, plan: ColumnPlan, *, max_record_bytes: int) -> None:
        self.empty_keys = self.excused = 0
        self.readers = [ColumnReader(plan, at) for at in range(len(plan.columns))]
        self.unread_dates = {
            at: UnreadDates(column.rule.date_format)
            for at, column in enumerate(plan.columns)
            if column.rule and column.rule.date_format
        }
        self.apostrophes: set[int] = set()
        self.formulas: dict[int, RowNames] = {}
        self._max_record_bytes = max_record_bytes
        self._pick = picker([column.source for column in plan.columns])
        self._first = FirstReading(plan) if plan.reading == FIRST_READING else None
        self._required_key = plan.key if plan.empty_key == "invalid" else None
        self._key_header = "" if plan.key is None else plan.columns[plan.key].header

    def batches(self, table: Table) -> Iterator[CheckedBatch]:
        """Yield every batch of *table*, checked."""
        for batch in table.batches():
            yield self.check(batch)

    def check(self, batch: Batch) -> CheckedBatch:
        """Return *batch* with what is sent of it."""
        rows: list[list[str]] = batch.rows
        positions: Sequence[int] = range(len(rows))
        if batch.faults:
            positions = [at for at in positions if at not in batch.faults]
            rows = [rows[at] for at in positions]
        reasons = dict(batch.faults)
        as_dropped = records = list(map(self._pick, rows))
        text: str | None = csv_text(records)
        if self._first is not None:
            records, positions = self._first.read(records, positions, reasons)
        elif records:
            numbers = [batch.numbers[at] for at in positions] if batch.faults else batch.numbers
            records, positions = self._read(records, positions, numbers, reasons, text or "")
        text = text if records is as_dropped else None
        records, content = self._encoded(records, positions, reasons, text)
        sent = batch.numbers
        if reasons:
            is_sent = (at not in reasons for at in range(len(batch.rows)))
            sent = list(compress(batch.numbers, is_sent))
        return CheckedBatch(batch, reasons, records, sent, content)

    def _read(
        self,
        records: list[SentRecord],
        positions: Sequence[int],
        numbers: Sequence[int],
        reasons: dict[int, str],
        text: str,
    ) -> tuple[list[SentRecord], Sequence[int]]:
        """Read the cells column by column; name the rows that are not sent because of one."""
        columns: list[Sequence[str]] = list(zip(*records, strict=True))
        dropped = list(columns)
        self._restore(columns, numbers, text)
        raw = list(columns)
        refused: dict[int, Cell] = {}
        may_lack = may_hold_placeholders(text)
        for at, reader in enumerate(self.readers):
            read = reader.read(columns[at], numbers, may_lack=may_lack)
            reader.commit(read, numbers)
            columns[at] = read.values
            if read.refused:
                refused = read.refused | refused
            if at in self.unread_dates:
                self._note_dates(at, raw[at], read.refused)
        self._require_keys(columns, refused)
        if not refused and all(map(is_, columns, dropped)):
            return records, positions
        for at, cell in refused.items():
            reasons[positions[at]] = cell.refusal
            self.excused += cell.is_certain
        kept = list(zip(*columns, strict=True))
        if refused:
            kept = [record for at, record in enumerate(kept) if at not in refused]
            positions = [each for at, each in enumerate(positions) if at not in refused]
        return kept, positions

    def _restore(self, columns: list[Sequence[str]], numbers: Sequence[int], text: str) -> None:
        """Take formulas for texts off, and look for apostrophes before numbers."""
        # The search for one character takes a twentieth of that for more, and mostly settles it.
        if "=" in text and _QUOTED_FORMULA in text:
            for at, values in enumerate(columns):
                texts, which = without_formulas(values)
                if any(which):
                    columns[at] = texts
                    self.formulas.setdefault(at, RowNames()).add(list(compress(numbers, which)))
        if "'" in text and _APOSTROPHE_HINT.search(text):
            self.apostrophes |= {
                at
                for at, values in enumerate(columns)
                if self.readers[at].planned.strips_apostrophes is None and has_apostrophes(values)
            }
        if not text.isascii():
            if "\ufffd" in text:
                self._tally(REPLACEMENT_CHARACTER, lambda cell: "\ufffd" in cell, columns, numbers)
            if "\u00c3" in text or "\u00c2" in text or "\u00e2\u20ac" in text:
                self._tally(DECODED_TWICE, is_decoded_twice, columns, numbers)
        if may_begin_as_formula(text):
            self._tally(FORMULA_LIKE, begins_as_formula, columns, numbers)

    def _tally(
        self,
        tell: Tell,
        is_so: Callable[[str], bool],
        columns: list[Sequence[str]],
        numbers: Sequence[int],
    ) -> None:
        for reader, values in zip(self.readers, columns, strict=True):
            if rows := list(compress(numbers, map(is_so, values))):
                reader.tally.setdefault(tell, RowNames()).add(rows)

    def _note_dates(self, at: int, values: Sequence[str], refused: dict[int, Cell]) -> None:
        replaced = {cell for cell, _ in self.readers[at].rule.values}
        filled = [value for value in values if value.strip() and value not in replaced]
        unread = [values[row].strip() for row in sorted(refused)]
        self.unread_dates[at].note(filled, unread)

    def _require_keys(self, columns: list[Sequence[str]], refused: dict[int, Cell]) -> None:
        if self._required_key is None or all(columns[self._required_key]):  # they are trimmed
            return
        reason = f'its key, column "{self._key_header}", is empty'
        for at, value in enumerate(columns[self._required_key]):
            if not value.strip() and at not in refused:
                self.empty_keys += 1
                refused[at] = Cell(value, refusal=reason)

    def _encoded(
        self,
        records: list[SentRecord],
        positions: Sequence[int],
        reasons: dict[int, str],
        text: str | None = None,
    ) -> tuple[list[SentRecord], bytes]:
        """Return the records that can be written, and their CSV: *text* if that is known."""
        try:
            return records, self._content(csv_text(records) if text is None else text)
        except _UnfitError as reason:
            if len(records) == 1:
                reasons[positions[0]] = str(reason)
                return [], b""
        half = len(records) // 2
        first, first_content = self._encoded(records[:half], positions[:half], reasons)
        second, second_content = self._encoded(records[half:], positions[half:], reasons)
        return first + second, first_content + second_content

    def _content(self, text: str) -> bytes:
        if "\0" in text:
            raise _UnfitError("it holds a NUL byte")
        try:
            content = text.encode()
        except UnicodeEncodeError as exc:  # a lone surrogate stands for an undecodable byte
            raise _UnfitError("it holds bytes that the file's encoding does not have") from exc
        if len(content) > self._max_record_bytes:
            raise _UnfitError(f"it is longer than {self._max_record_bytes:,} bytes")
        return content


class FirstReading:
    """What the first releases did with cells: one row at a time where a rule cannot read one."""

    def __init__(self, plan: ColumnPlan) -> None:
        self._converters = [
            (at, convert)
            for at, column in enumerate(plan.columns)
            if (convert := converter(column))
        ]
        self._key = plan.key if plan.empty_key == "invalid" else None
        self._header = "" if plan.key is None else plan.columns[plan.key].header

    def read(
        self, records: list[SentRecord], positions: Sequence[int], reasons: dict[int, str]
    ) -> tuple[list[SentRecord], Sequence[int]]:
        kept: list[SentRecord] = []
        sent: list[int] = []
        for record, at in zip(records, positions, strict=True):
            try:
                converted = self._converted(list(record))
            except ValueError as exc:
                reasons[at] = str(exc)
                continue
            if self._key is not None and not converted[self._key].strip():
                reasons[at] = f'its key, column "{self._header}", is empty'
                continue
            kept.append(tuple(converted))
            sent.append(at)
        return kept, sent

    def _converted(self, cells: list[str]) -> list[str]:
        for column, convert in self._converters:
            cells[column] = convert(cells[column])
        return cells


def picker(sources: list[int]) -> Callable[[Sequence[str]], SentRecord]:
    """Return what picks the mapped cells of a row; itemgetter makes no tuple of one cell."""
    if len(sources) > 1:
        return itemgetter(*sources)
    (only,) = sources
    return lambda row: (row[only],)
