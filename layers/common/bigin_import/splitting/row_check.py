"""
What of a drop is sent, and why the rest is not. `split` and `source_rows` walk by it alike.

A batch is read column by column; one whose cells are plain costs comparisons in C only. Where a
batch cannot be written it is halved, again and again, until the rows to blame stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from operator import is_, itemgetter, ne
from typing import overload

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import FIRST_READING, ColumnPlan
from bigin_import.reading.blocks import Block
from bigin_import.reading.table import Rows, Table
from bigin_import.splitting.archive import ColumnRecords, SentRecord, csv_text
from bigin_import.splitting.cells import (
    BEGINS_AS_UTF8,
    DECODED_TWICE,
    ESCAPED,
    FORMULA_ITSELF,
    FORMULA_LIKE,
    INVISIBLE,
    KEPT_INVISIBLE,
    NO_BREAK,
    POWER_OF_TEN,
    REPLACEMENT_CHARACTER,
    Cell,
    Remark,
    RowNames,
    begins_as_formula,
    has_escaped,
    has_invisible,
    has_long_dash,
    has_unseen,
    is_decoded_twice,
    is_formula,
    is_power_of_ten,
    odd_cell,
    without_invisible,
)
from bigin_import.splitting.column_reader import (
    ColumnReader,
    RowPattern,
    converter,
    has_apostrophes,
    without_formulas,
)
from bigin_import.splitting.dates import DatePattern, fitting_formats
from bigin_import.splitting.kinds import TextKind

# 1927 to 2119, as a spreadsheet counts days from 1900.
_DAY_NUMBER = re.compile(r"[1-7]\d{4}(?:[.,]\d+)?", re.ASCII)

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
        remedy = 'Write the "format" of the file in the mapping'
        if formats:
            remedy = f'Write "format": {formats} in the mapping'
        elif all(map(_DAY_NUMBER.fullmatch, self._unread)):
            remedy = (
                "They are the day numbers of a spreadsheet: format the column as dates there and "
                "export it again"
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

    batch: Rows
    reasons: dict[int, str]
    records: Sequence[SentRecord]
    numbers: Sequence[int]
    content: bytes


def _has_odd_letters(text: str) -> bool:
    """Return whether some letter may be of a wrong encoding, of a power of ten, or unseen."""
    if "E+" in text or has_escaped(text):
        return True
    if text.isascii():
        return False
    is_odd = "\ufffd" in text or BEGINS_AS_UTF8.search(text) is not None
    return is_odd or has_unseen(text) or has_long_dash(text)


_NBSP = "\u00a0"
_REMARKS: Mapping[Remark, Callable[[str], object]] = {
    REPLACEMENT_CHARACTER: lambda cell: "\ufffd" in cell,
    DECODED_TWICE: is_decoded_twice,
    ESCAPED: has_escaped,
    FORMULA_LIKE: begins_as_formula,
    FORMULA_ITSELF: is_formula,
    POWER_OF_TEN: is_power_of_ten,
    KEPT_INVISIBLE: has_invisible,
    NO_BREAK: lambda cell: _NBSP in cell.strip(),
}


def _unless_empty(cell: str, cleaned: str) -> str:
    return cell if cleaned.strip() else ""


class BlockColumns(Sequence[Sequence[str]]):
    """
    The columns of a block that are sent, in that order; one is made when it is asked for.

    Attributes:
        are_all: Whether these are all columns of the block, as they stand there.
    """

    def __init__(self, block: Block, sources: list[int]) -> None:
        self._block = block
        self._sources = sources
        self.are_all = sources == list(range(block.width))

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, at: int) -> Sequence[str]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Sequence[str]]: ...
    def __getitem__(self, at: int | slice) -> Sequence[str] | Sequence[Sequence[str]]:
        if isinstance(at, slice):
            return [self._block.column(source) for source in self._sources[at]]
        return self._block.column(self._sources[at])


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
        self._pattern = RowPattern(plan, self.readers)
        self.apostrophes: set[int] = set()
        self.formulas: dict[int, RowNames] = {}
        self._max_record_bytes = max_record_bytes
        self._sources = [column.source for column in plan.columns]
        self._pick = picker(self._sources)
        self._first = FirstReading(plan) if plan.reading == FIRST_READING else None
        self._keys = [at for at, reader in enumerate(self.readers) if reader.finds_records]
        self._required_key = plan.key if plan.empty_key == "invalid" else None
        self._key_header = "" if plan.key is None else plan.columns[plan.key].header

    def batches(self, table: Table) -> Iterator[CheckedBatch]:
        """Yield every batch of *table*, checked."""
        for batch in table.batches():
            yield self.check(batch)

    def check(self, batch: Rows) -> CheckedBatch:
        """Return *batch* with what is sent of it."""
        reasons = dict(batch.faults)
        if isinstance(batch, Block) and self._first is None:
            records, content = self._checked_block(batch, reasons)
        else:
            records, content = self._checked_rows(batch, reasons)
        sent = batch.numbers
        if reasons:
            is_sent = (at not in reasons for at in range(len(sent)))
            sent = list(compress(sent, is_sent))
        return CheckedBatch(batch, reasons, records, sent, content)

    def _checked_block(
        self, block: Block, reasons: dict[int, str]
    ) -> tuple[Sequence[SentRecord], bytes]:
        """Return what is sent of *block*, whose rows are not made where nothing asks for them."""
        columns: Sequence[Sequence[str]] = BlockColumns(block, self._sources)
        positions: Sequence[int] = range(len(block.numbers))
        is_odd = odd_cell(block.delimiter).search(block.line) is not None
        is_odd = is_odd or _has_odd_letters(block.text) or self._has_odd_keys(block.text, columns)
        if is_odd or not self._pattern.matches(block):
            dropped = list(columns)
            read, positions = self._read(dropped, positions, block.numbers, reasons, is_odd=is_odd)
            columns = columns if read is dropped else read
        is_as_dropped = isinstance(columns, BlockColumns) and columns.are_all
        text = block.content if is_as_dropped else None
        return self._encoded(ColumnRecords(columns, len(positions)), positions, reasons, text)

    def _checked_rows(
        self, batch: Rows, reasons: dict[int, str]
    ) -> tuple[Sequence[SentRecord], bytes]:
        rows, numbers = batch.rows, batch.numbers
        positions: Sequence[int] = range(len(rows))
        if batch.faults:
            positions = [at for at in positions if at not in batch.faults]
            rows = [rows[at] for at in positions]
            numbers = [numbers[at] for at in positions]
        as_dropped = records = list(map(self._pick, rows))
        text = csv_text(records)
        if self._first is not None:
            records, positions = self._first.read(records, positions, reasons)
        elif records:
            columns: list[Sequence[str]] = list(zip(*records, strict=True))
            line = "," + text.replace("\n", ",").replace('"', ",")
            # Whether something may be to restore or to tell.
            is_odd = odd_cell(",").search(line) is not None or _has_odd_letters(text)
            is_odd = is_odd or self._has_odd_keys(text, columns)
            read, positions = self._read(columns, positions, numbers, reasons, is_odd=is_odd)
            records = records if read is columns else list(zip(*read, strict=True))
        is_as_dropped = records is as_dropped
        return self._encoded(records, positions, reasons, text if is_as_dropped else None)

    def _has_odd_keys(self, text: str, columns: Sequence[Sequence[str]]) -> bool:
        """Return whether a no-break space stands in a cell that finds records."""
        return _NBSP in text and any(_NBSP in "\n".join(columns[at]) for at in self._keys)

    def _read(
        self,
        dropped: list[Sequence[str]],
        positions: Sequence[int],
        numbers: Sequence[int],
        reasons: dict[int, str],
        *,
        is_odd: bool,
    ) -> tuple[list[Sequence[str]], Sequence[int]]:
        """
        Read the cells column by column; name the rows that are not sent because of one.

        Returns:
            The columns of what is sent, *dropped* itself if that is the same; and the positions.
        """
        columns = list(dropped)
        if is_odd:
            self._restore(columns, numbers)
        raw = list(columns)
        refused: dict[int, Cell] = {}
        for at, reader in enumerate(self.readers):
            read = reader.read(columns[at], numbers, may_lack=is_odd)
            reader.commit(read, numbers)
            columns[at] = read.values
            if read.refused:
                refused = read.refused | refused
            if at in self.unread_dates:
                self._note_dates(at, raw[at], read.refused)
        self._require_keys(columns, refused)
        if is_odd:
            self._remark(raw, numbers, refused)
        if not refused:
            return dropped if all(map(is_, columns, dropped)) else columns, positions
        for at, cell in refused.items():
            reasons[positions[at]] = cell.refusal
            self.excused += cell.is_certain
        is_sent = [at not in refused for at in range(len(positions))]
        columns = [list(compress(column, is_sent)) for column in columns]
        return columns, list(compress(positions, is_sent))

    def _restore(self, columns: list[Sequence[str]], numbers: Sequence[int]) -> None:
        """Take formulas for texts off, and what nobody sees; look for apostrophes."""
        for at, values in enumerate(columns):
            texts, which = without_formulas(values)
            if any(which):
                columns[at] = texts
                self.formulas.setdefault(at, RowNames()).add(list(compress(numbers, which)))
        for at, values in enumerate(columns):
            columns[at] = self._seen(self.readers[at], values, numbers)
        self.apostrophes |= {
            at
            for at, values in enumerate(columns)
            if self.readers[at].planned.strips_apostrophes is None and has_apostrophes(values)
        }

    def _seen(
        self, reader: ColumnReader, values: Sequence[str], numbers: Sequence[int]
    ) -> Sequence[str]:
        """Return the cells of a column without what nobody sees, where that can mean nothing."""
        if not has_unseen("\n".join(values)):
            return values
        cleaned = list(map(without_invisible, values))
        if not reader.is_compared:
            cleaned = list(map(_unless_empty, values, cleaned))
        which = list(map(ne, values, cleaned))
        if any(which):
            reader.tally.setdefault(INVISIBLE, RowNames()).add(list(compress(numbers, which)))
        return cleaned

    def _remark(
        self, columns: list[Sequence[str]], numbers: Sequence[int], refused: Container[int]
    ) -> None:
        """Remark what is odd in cells as they are sent."""
        sent = [at not in refused for at in range(len(numbers))]
        for at, (reader, values) in enumerate(zip(self.readers, columns, strict=True)):
            for remark, is_so in _REMARKS.items():
                if remark is POWER_OF_TEN and (
                    reader.damage or not isinstance(reader.kind, TextKind)
                ):
                    continue  # it is refused there, or rejects the drop
                if remark is KEPT_INVISIBLE and (reader.is_compared or not reader.is_line):
                    continue
                if remark is NO_BREAK and at not in self._keys:
                    continue
                rows = [
                    number
                    for number, value, is_sent in zip(numbers, values, sent, strict=True)
                    if is_sent and is_so(value)
                ]
                if rows:
                    reader.tally.setdefault(remark, RowNames()).add(rows)

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
        records: Sequence[SentRecord],
        positions: Sequence[int],
        reasons: dict[int, str],
        text: str | None = None,
    ) -> tuple[Sequence[SentRecord], bytes]:
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
        return [*first, *second], first_content + second_content

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
