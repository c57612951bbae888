"""
One column of what is sent, read batch by batch; and one pattern for a whole row.

Where each row of a block matches the pattern, all cells are sent as they are, and nothing is to be
said of them. It is made of what each column reader takes for plain. It may miss a row of which a
reader says so, and then the columns of its block are read; never the other way round.

A batch whose cells are sent as they are costs a comparison in C; only others are read cell by
cell. What is said of the column is concluded by `value_checks` from what was tallied here.

How cells are read is in `kinds`. `converter` has the rules of the first releases, only for plans
with FIRST_READING, whose imports finish with the rules that they began with.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple

from bigin_import.domain.plan import ColumnPlan, PlannedColumn, ValueRule
from bigin_import.reading.blocks import Block
from bigin_import.splitting.cells import (
    DASHES,
    MISFIT,
    PLACEHOLDERS,
    Cell,
    IdDamage,
    Remark,
    RowNames,
    id_damage,
    placeholder,
)
from bigin_import.splitting.dates import DatePattern
from bigin_import.splitting.kinds import (
    NEW,
    BooleanKind,
    DateKind,
    EmailKind,
    IdKind,
    PhoneKind,
    PicklistKind,
    TextKind,
    TypedKind,
    checked_type,
    kind_of,
)
from bigin_import.splitting.numbers import NumberKind

# Dates and amounts repeat; a remembered cell costs a twentieth of one that is read anew.
_REMEMBERED_CELLS = 4_096
# Birthdays are some 30,000, and short; all columns share these, which is 22 MB at most.
_REMEMBERED_DATES = 60_000
_EXAMPLES = 3
_SAMPLES = 3
_LAST_ROW_SAMPLED = 10_000
_NEW_VALUES = 1_000
_SHOWN_CHARACTERS = 100

FORMULA = Remark(
    "formula",
    '{count:,} cells are formulas for a text (="..."), first in row {rows}; the text is sent.',
    is_note=True,
)
APOSTROPHE = Remark(
    "apostrophe",
    "{count:,} cells have an apostrophe before a number, first in row {rows}; sent without.",
    is_note=True,
)
KEPT_APOSTROPHE = Remark(
    "kept apostrophe",
    "{count:,} cells have an apostrophe before a number and others have none, first in row {rows}; "
    "sent as they are.",
)
BARE_NUMBER = Remark("bare number")
_FORMULA = re.compile(r'\s*="((?:[^"]|"")*)"\s*')
_APOSTROPHE = re.compile(r"'(?=.*\d)[\d \u00a0+\-().]+")
_BARE = re.compile(r"(?=.*\d)[\d \u00a0+\-().]+")


class ColumnRead(NamedTuple):
    """
    A batch of one column.

    Attributes:
        values: What is sent.
        refused: Position in the batch -> the cell because of which its row is not sent.
        remarks: What is true of which rows.
        raw: The cells as they stood.
    """

    values: Sequence[str]
    refused: dict[int, Cell]
    remarks: dict[Remark, list[int]]
    raw: Sequence[str]


class ColumnReader:
    """
    Reads one column and remembers what it was.

    Attributes:
        tally: Of which rows each thing was true.
        examples: The first cells of each.
        new_values: Of a picklist: what Bigin does not have yet, with its counts.
        refused: Rows that were not sent because of what stands in this column.
        has_fitting: Whether any cell was filled and fits the field.
        may_all_be_wrong: That no cell fits says nothing against the drop: any share of its rows
            may be invalid, as of a correction, in which one wrong row may be all that is left.
        has_empty: Whether any cell is sent empty.
        finds_records: Whether it is the key or a lookup.
        is_compared: Whether its cells are compared with others, or are of a certain form.
    """

    def __init__(self, plan: ColumnPlan, at: int) -> None:
        self.planned = planned = plan.columns[at]
        self.rule = planned.rule or ValueRule()
        self.is_key = at == plan.key
        self.may_all_be_wrong = plan.max_invalid_share == 1
        self.data_type = checked_type(planned, plan)
        self.kind = kind_of(planned, plan, is_key=self.is_key)
        self.finds_records = self.is_key or planned.data_type == "lookup"
        self.damage: IdDamage | None = id_damage(self.data_type, is_key=self.finds_records)
        self.tally: dict[Remark, RowNames] = {}
        self.examples: dict[Remark, list[str]] = {}
        self.new_values: Counter[str] = Counter()
        self.refused = RowNames()
        self.has_fitting = self.has_empty = False
        self.met: set[str] = set()
        self.samples: dict[str, None] = {}
        self._is_folding = isinstance(self.kind, BooleanKind | PicklistKind)
        self._replacements = {self._form(cell): value for cell, value in self.rule.values}
        dates = _REMEMBERED_DATES // len(plan.columns) if isinstance(self.kind, DateKind) else 0
        self._read = lru_cache(max(_REMEMBERED_CELLS, dates))(self._read_cell)
        self._is_text = isinstance(self.kind, TextKind | PhoneKind)
        self._words = PLACEHOLDERS | DASHES if self._is_text or self.is_key else PLACEHOLDERS
        # That names something, or is of a form: what nobody sees can mean nothing in it.
        self.is_compared = self.finds_records or not isinstance(self.kind, TextKind)
        self.is_line = self.data_type == "text"

    def read(
        self, values: Sequence[str], numbers: Sequence[int], *, may_lack: bool = True
    ) -> ColumnRead:
        """
        Read some cells, which stand in the rows *numbers*; nothing is remembered yet.

        Args:
            may_lack: False if no cell of the batch can be a word for no value.
        """
        raw = values
        if self.is_key:
            trimmed = list(map(str.strip, values))
            values = values if trimmed == list(values) else trimmed
        read = ColumnRead(values, {}, {}, raw)
        if self.planned.strips_apostrophes is not None:
            read = self._apostrophes(read, numbers)
        lacks = may_lack and self._is_text
        lacks = lacks and not self._words.isdisjoint(map(str.strip, read.values))
        if self._replacements or lacks or not self.kind.is_plain(read.values):
            read = self._one_by_one(read, numbers)
        if self.planned.is_mandatory and not all(map(str.strip, read.values)):
            self._refuse_empty(read)
        return read

    def commit(self, read: ColumnRead, numbers: Sequence[int]) -> None:
        """Remember what was true of a batch."""
        for remark, rows in read.remarks.items():
            self.tally.setdefault(remark, RowNames()).add(rows)
        lost = [at for at in sorted(read.refused) if read.raw[at].strip()]
        self.refused.add([numbers[at] for at in lost])
        misfits = len(read.remarks.get(MISFIT, ())) + len(lost)
        if not self.has_fitting:
            filled = filter(str.strip, read.raw)
            self.has_fitting = misfits < sum(1 for _ in filled) if misfits else any(read.values)
        self.has_empty = self.has_empty or not all(read.values)
        if self.damage:
            is_open = self._is_open if self._replacements else None
            self.damage.look(list(filter(is_open, read.raw)))
        if not self.is_sampled(numbers[0]):
            self._sample(read.values[: bisect_right(numbers, _LAST_ROW_SAMPLED)])

    def _is_open(self, cell: str) -> bool:
        """Return whether a cell is filled and the mapping does not say what it is."""
        return bool(cell) and self._form(cell) not in self._replacements

    def is_sampled(self, number: int) -> bool:
        """Return whether no samples are taken from row *number* on."""
        return len(self.samples) == _SAMPLES or number > _LAST_ROW_SAMPLED

    def _sample(self, values: Sequence[str]) -> None:
        if len(self.samples) < _SAMPLES:
            seen = dict.fromkeys([*self.samples, *map(shown, filter(str.strip, values))])
            self.samples = dict.fromkeys(list(seen)[:_SAMPLES])

    def _one_by_one(self, read: ColumnRead, numbers: Sequence[int]) -> ColumnRead:
        if isinstance(self.kind, NumberKind) and not self._replacements:
            converted = self.kind.converted(read.values)
            if converted is not None:
                return read._replace(values=converted)
        distinct = {cell: self._read(cell) for cell in dict.fromkeys(read.values)}
        cells = list(map(distinct.__getitem__, read.values))
        if not any(cell.refusal or cell.remarks for cell in distinct.values()):
            return read._replace(values=[cell.value for cell in cells])
        refused = dict(read.refused)
        remarks = dict(read.remarks)
        for at, cell in enumerate(cells):
            if cell.refusal:
                refused[at] = cell
            for remark in cell.remarks:
                remarks.setdefault(remark, []).append(numbers[at])
                if remark is NEW:
                    self._note_new(read.values[at])
                examples = self.examples.setdefault(remark, [])
                if len(examples) < _EXAMPLES and read.values[at] not in examples:
                    examples.append(shown(read.values[at]))
        return ColumnRead([cell.value for cell in cells], refused, remarks, read.raw)

    def _note_new(self, cell: str) -> None:
        if isinstance(self.kind, PicklistKind):
            for value in self.kind.new_in(cell):
                if value in self.new_values or len(self.new_values) < _NEW_VALUES:
                    self.new_values[value] += 1

    def _read_cell(self, cell: str) -> Cell:
        if self._replacements:
            form = self._form(cell)
            if form in self._replacements:
                self.met.add(form)
                return Cell(self._replacements[form])
        word = cell.strip()
        if word in self._words and self.is_key:
            return Cell("", (placeholder(word),))
        read = self.kind.read(cell)
        if word not in self._words or read.refusal:
            return read
        is_known = isinstance(self.kind, PicklistKind) and NEW not in read.remarks
        return read if is_known else read._replace(remarks=(*read.remarks, placeholder(word)))

    def has_met(self, cell: str) -> bool:
        """Return whether any cell was *cell*, which `values` replaces."""
        return self._form(cell) in self.met

    def _form(self, cell: str) -> str:
        """Return a cell as `values` are compared: trimmed, and folded where case is no matter."""
        return cell.strip().casefold() if self._is_folding else cell.strip()

    def _refuse_empty(self, read: ColumnRead) -> None:
        what = f'column "{self.planned.header}" is empty, and {self.planned.api_name} is mandatory'
        for at, value in enumerate(read.values):
            if not value.strip() and at not in read.refused:
                read.refused[at] = Cell(value, refusal=what, is_certain=True)

    def _apostrophes(self, read: ColumnRead, numbers: Sequence[int]) -> ColumnRead:
        """Take apostrophes before numbers off, or only count them if not all numbers have one."""
        has = [bool(_APOSTROPHE.fullmatch(value)) for value in read.values]
        if not self.planned.strips_apostrophes:
            kept = list(compress(numbers, has))
            return read._replace(remarks={KEPT_APOSTROPHE: kept} if kept else {})
        bare = [bool(_BARE.fullmatch(value)) for value in read.values]
        remarks = {
            remark: list(compress(numbers, which))
            for remark, which in ((APOSTROPHE, has), (BARE_NUMBER, bare))
            if any(which)
        }
        values = [
            value[1:] if is_so else value for value, is_so in zip(read.values, has, strict=True)
        ]
        return ColumnRead(values, {}, remarks, read.raw)


def has_apostrophes(values: Sequence[str]) -> bool:
    """Return whether a program has put an apostrophe before some numbers, for a spreadsheet."""
    return any(map(_APOSTROPHE.fullmatch, values))


def without_formulas(values: Sequence[str]) -> tuple[list[str], list[bool]]:
    """Return the texts that formulas such as ="01067" stand for, and which cells were such."""
    found = [_FORMULA.fullmatch(value) if '="' in value else None for value in values]
    texts = [
        match[1].replace('""', '"') if match else value
        for match, value in zip(found, values, strict=True)
    ]
    return texts, [match is not None for match in found]


def shown(value: str) -> str:
    """Return what is kept of a cell: the plan holds examples of two hundred columns."""
    is_short = len(value) <= _SHOWN_CHARACTERS
    return value if is_short else value[: _SHOWN_CHARACTERS - 1] + "…"


type Converter = Callable[[str], str]

_BLANKS = str.maketrans("\u00a0\u202f\u2009", "   ")


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
        text = cell.translate(_BLANKS).strip()
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
        mark = re.escape(thousands.translate(_BLANKS))
        whole = rf"(?:\d{{1,3}}(?:{mark}\d{{2,3}})*{mark}\d{{3}}|\d+)"
    point = re.escape(decimal)
    return re.compile(rf"[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)", re.ASCII)


# Spaces and characters that cannot be seen, spelt out: a class in a set takes twice the time.
_NOT_IN_ADDRESSES = (
    r"<>()\[\]:;,\x00-\x20\x7f-\xa0\xad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff"
)
_ANYTHING = re.compile(r"\[\^[^\]]+\]\*\+")
_MOST_PICKS = 50
_MOST_MISSES = 3
_TYPED = {
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "datetime": "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}Z?+",
}
_DECIMAL = r"[+-]?+[0-9]{1,16}+\.?+[0-9]*+"
_WHOLE = "[+-]?+[0-9]{1,9}+"


class RowPattern:
    """
    The pattern of one plan; it changes with what the readers have seen.

    After some blocks that it has missed one after another it is not tried any more.
    """

    def __init__(self, plan: ColumnPlan, readers: Sequence[ColumnReader]) -> None:
        sources = [column.source for column in plan.columns]
        self._readers = dict(zip(sources, readers, strict=True))
        self._is_distinct = len(self._readers) == len(readers)
        self._cells: list[str] = []
        self._misses = 0

    def matches(self, block: Block) -> bool:
        """Return whether all rows of *block* are plain; if so, look at what damages ids."""
        cells = self._cells_of(block)
        if cells is None or self._has_missed_too_often(cells):
            return False
        if all(map(_ANYTHING.fullmatch, cells)):
            return True
        rows = _compiled(block.delimiter, tuple(cells)).findall(block.shape)
        if len(rows) != len(block.numbers):
            self._misses += 1
            return False
        self._misses = 0
        self._take(block, rows)
        return True

    def _has_missed_too_often(self, cells: list[str]) -> bool:
        if cells != self._cells:
            self._cells, self._misses = cells, 0
        return self._misses >= _MOST_MISSES

    def _cells_of(self, block: Block) -> list[str] | None:
        """Return a pattern for each cell of a row; None if there is none for one."""
        if not self._is_distinct:
            return None
        cells = []
        for at in range(block.width):
            # One character that a cell does not have, not two: a set takes half as much again.
            # No cell but the last can hold an LF, for each line has as many delimiters.
            stop = re.escape(block.delimiter) if at < block.width - 1 else r"\n"
            reader = self._readers.get(at)
            cell = _cell(reader, block.numbers[0], stop) if reader else f"[^{stop}]*+"
            if cell is None:
                return None
            cells.append(f"({cell})" if reader and _is_looked_at(reader) else cell)
        return cells

    def _take(self, block: Block, found: list[Any]) -> None:
        """Keep the columns that the pattern has *found*, and look at what damages ids in them."""
        looked_at = [at for at, reader in sorted(self._readers.items()) if _is_looked_at(reader)]
        columns = [found] if len(looked_at) == 1 else zip(*found, strict=True)
        for at, column in zip(looked_at, columns, strict=False):
            block.know_column(at, column)
            if damage := self._readers[at].damage:
                damage.look(list(filter(None, block.column(at))))


def _is_looked_at(reader: ColumnReader) -> bool:
    return reader.is_key or reader.damage is not None


@lru_cache
def _compiled(delimiter: str, cells: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("^" + re.escape(delimiter).join(cells) + "\n", re.MULTILINE)


def _cell(reader: ColumnReader, number: int, stop: str) -> str | None:
    """
    Return what matches plain cells of a column; None if others are to be found or looked for.

    Args:
        number: The row from which on.
        stop: The character that ends a cell, as a pattern.
    """
    planned = reader.planned
    if reader.rule.values or planned.strips_apostrophes is not None:
        return None
    is_filled = reader.is_key or planned.is_mandatory
    if not reader.has_fitting:
        return None if is_filled else ""
    if not reader.is_sampled(number):
        return None
    cell, is_bare = next(_plain(reader, stop), (None, False))
    if cell is None:
        return None
    if is_bare:
        # Nested groups cost most: a column of which no cell was empty so far does without.
        return f"(?:{cell})?+" if reader.has_empty and not is_filled else cell
    return rf"(?![\s{stop}]){cell}" if is_filled else cell


def _plain(reader: ColumnReader, stop: str) -> Iterator[tuple[str, bool]]:
    """Yield what matches plain cells by their kind, and whether no empty cell is among them."""
    kind, length = reader.kind, reader.planned.length
    up_to = f"{{0,{length}}}+" if length else "*+"
    match kind:
        case TextKind() if reader.is_key or not kind.is_plain([" "]):
            yield rf"(?![^\S\n])[^{stop}\x00-\x1f]{up_to}(?<![^\S\n])", False
        case TextKind():
            yield f"[^{stop}]{up_to}", False
        case PhoneKind():
            yield rf"[0-9 +\-()/]{up_to}", False
        case EmailKind():
            part = rf'[^@"{stop}{_NOT_IN_ADDRESSES}'
            short = f"(?![^{stop}]{{{length + 1}}})" if length else ""
            yield rf"(?!'){short}{part}]++@{part}.]++\.{part}]++(?<![.'])", True
        case NumberKind() if kind.is_plain(["1"]):
            yield _DECIMAL if kind.is_plain(["0.5"]) else _WHOLE, True
        case IdKind():
            yield "[0-9]{15,20}+", True
        case BooleanKind():
            yield "(?:true|false|True|False|TRUE|FALSE)", True
        case PicklistKind() if len(reader.planned.pick_list) <= _MOST_PICKS:
            longest = sorted(reader.planned.pick_list, key=len, reverse=True)
            yield f"(?:{'|'.join(map(re.escape, longest))})", True
        case TypedKind() if reader.data_type in _TYPED:
            yield _TYPED[reader.data_type], True
