"""
Do the values of a column fit its field?

Bigin charges for a job before it looks at a value. So: if no value of a column fits, the mapping
is wrong and the drop is rejected; if some do not, the report warns, with rows, and Bigin decides.
A column of which nothing is known costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import compress

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import ColumnFindings, ColumnPlan, PlannedColumn
from bigin_import.splitting.field_types import FieldType, field_type
from bigin_import.splitting.row_check import CheckedBatch, RowNames
from bigin_import.splitting.value_rules import SentRecord

# A number needs no sign in its exponent; a text such as the product code 1E5 is no number.
_NUMBER_AS_POWER = re.compile(
    r"^ *\d(?:[.,]\d+)?E\+?\d{1,2} *$", re.IGNORECASE | re.MULTILINE | re.ASCII
)
_TEXT_AS_POWER = re.compile(r"^ *\d(?:[.,]\d+)?E\+\d\d *$", re.IGNORECASE | re.MULTILINE | re.ASCII)
_LONG_ID = re.compile(r"^ *\d{15,16}(\d{3}) *$", re.MULTILINE | re.ASCII)

# One id in a thousand ends in 000 by chance; two of two do not.
_ROUND_IDS_FOR_REJECTION = 2

REMEDY = (
    "A spreadsheet keeps 15 digits of a number: export the file again and do not save it from a "
    "spreadsheet, or read the column as text there"
)


class IdDamage:
    """What was seen of it in one column; *are_numbers*: its ids have nothing but digits."""

    def __init__(self, *, are_numbers: bool) -> None:
        self._power = _NUMBER_AS_POWER if are_numbers else _TEXT_AS_POWER
        self._powers = self._long_ids = self._round_ids = 0

    def look(self, filled: list[str]) -> None:
        """Look at some cells, none of them empty."""
        text = "\n".join(filled)
        self._powers += len(self._power.findall(text)) if "E" in text.upper() else 0
        endings = _LONG_ID.findall(text)
        self._long_ids += len(endings)
        self._round_ids += endings.count("000")

    def words(self) -> str | None:
        """Say what was done to the ids; None if nothing was."""
        if self._powers:
            return f"{self._powers:,} ids are in scientific notation (1.11E+17)"
        if self._round_ids >= max(_ROUND_IDS_FOR_REJECTION, self._long_ids / 2):
            return "most ids of 18 or 19 digits end in 000: they were rounded"
        return None


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


_SAMPLES = 3
_BATCHES_SAMPLED = 20
_UNKNOWN_NAMED = 20

# What is kept of a cell: the plan holds samples of two hundred columns, and a cell may have MBs.
_SHOWN_CHARACTERS = 100

# Bigin adds picklist values that it does not know: a few new ones alone are no mistake.
_PICKS_FOR_REJECTION = 10

_ID_TYPES = frozenset({"id", "lookup", "ownerlookup"})


class ValueChecks:
    """The checks of all columns of a plan, fed batch by batch with what is sent."""

    def __init__(self, plan: ColumnPlan, *, name: str) -> None:
        self._name = name
        self._columns = [_ColumnCheck(plan, at) for at in range(len(plan.columns))]
        self._asked = [(at, column) for at, column in enumerate(self._columns) if column.is_asked]
        self._formulas = TextFormulas(plan.columns)
        self._batches_to_sample = _BATCHES_SAMPLED

    def look(self, checked: CheckedBatch) -> None:
        """Check the records of a batch."""
        records, numbers = checked.records, checked.numbers
        if not records:
            return
        self._formulas.look(records, numbers, checked.content)
        if not (self._asked or self._batches_to_sample):
            return
        cells = list(zip(*records, strict=True))  # column by column
        if self._batches_to_sample:
            self._batches_to_sample -= 1
            for at, column in enumerate(self._columns):
                column.sample(cells[at])
        for at, column in self._asked:
            column.look(cells[at], numbers)

    def findings(self) -> tuple[ColumnFindings, ...]:
        """Return what was seen in each column, in the order we send them."""
        return tuple(column.findings() for column in self._columns)

    def problems(self) -> tuple[Problem, ...]:
        """Return why the drop must not be sent."""
        return tuple(
            Problem(f'{self._name}, column "{column.header}"', what, remedy)
            for column in self._columns
            for what, remedy in column.reasons_to_reject()
        )

    def warnings(self) -> tuple[str, ...]:
        """Return sentences on columns of which some values do not fit, or may be misread."""
        of_columns = (warning for column in self._columns for warning in column.warnings())
        return (*of_columns, *self._formulas.warnings())


class _ColumnCheck:
    """What was seen in one column so far."""

    def __init__(self, plan: ColumnPlan, at: int) -> None:
        planned = plan.columns[at]
        self.header = planned.header
        self._planned = planned
        self._type = _checked_type(planned, plan)
        self._fitness = field_type(planned, self._type)
        self._damage = _id_damage(self._type, is_key=at == plan.key)
        self._points = PointsForThousands(planned)
        self.is_asked = self._fitness is not None or self._damage is not None
        self._samples: dict[str, None] = {}
        self._filled = 0
        self._misfits = RowNames()
        self._unknown: dict[str, None] = {}

    def sample(self, values: Sequence[str]) -> None:
        """Take the first different values."""
        if len(self._samples) < _SAMPLES:
            seen = dict.fromkeys([*self._samples, *map(_shown, filter(str.strip, values))])
            self._samples = dict.fromkeys(list(seen)[:_SAMPLES])

    def look(self, values: Sequence[str], numbers: Sequence[int]) -> None:
        """Check some values, which stand in the rows *numbers*."""
        filled = list(filter(None, values))
        self._filled += len(filled)
        if self._damage:
            self._damage.look(filled)
        if self._points.is_open:
            self._points.look(values, numbers)
        if self._fitness and not self._fitness.every(filled):
            self._note_misfits(self._fitness, values, numbers)

    def _note_misfits(self, fits: FieldType, values: Sequence[str], numbers: Sequence[int]) -> None:
        is_misfit = [bool(value.strip()) and not fits.one(value) for value in values]
        self._filled -= sum(value.isspace() for value in values)
        self._misfits.add(list(compress(numbers, is_misfit)))
        if self._planned.pick_list and len(self._unknown) < _UNKNOWN_NAMED:
            self._unknown |= dict.fromkeys(map(_shown, compress(values, is_misfit)))

    def findings(self) -> ColumnFindings:
        return ColumnFindings(
            header=self.header,
            api_name=self._planned.api_name,
            samples=tuple(self._samples),
            filled=self._filled if self._fitness else 0,
            misfits=self._misfits.count,
            misfit_rows=tuple(self._misfits.first),
            unknown=tuple(self._unknown)[:_UNKNOWN_NAMED],
        )

    def reasons_to_reject(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong and what to do about it."""
        if damage := self._damage and self._damage.words():
            yield damage, REMEDY
        elif self._fitness and self._is_hopeless():
            what = f"none of {self._filled:,} values fits the field {self._field()}"
            yield what, self._fitness.remedy

    def warnings(self) -> Iterator[str]:
        """Yield how many values do not fit or may be misread, and where; never the values."""
        if self._fitness and self._misfits.count:
            yield (
                f'Column "{self.header}": {self._misfits.count:,} of {self._filled:,} values do '
                f"not fit the field {self._field()}, first in row {self._misfits}. "
                f"{self._fitness.remedy}."
            )
        if points := self._points.warning():
            yield points

    def _is_hopeless(self) -> bool:
        least = _PICKS_FOR_REJECTION if self._planned.pick_list else 1
        return self._misfits.count == self._filled >= least

    def _field(self) -> str:
        kind = "picklist" if self._planned.pick_list else self._type or "text"
        return f"{self._planned.api_name} ({kind})"


def _checked_type(planned: PlannedColumn, plan: ColumnPlan) -> str | None:
    """Return the type to check by: a lookup found by another field of its parent holds text."""
    if planned.api_name == "id":
        return "id"
    sent = {mapping.api_name: mapping.find_by for mapping in plan.request.field_mappings}
    if planned.data_type == "lookup" and sent.get(planned.api_name) not in (None, "id"):
        return None
    return planned.data_type


def _id_damage(data_type: str | None, *, is_key: bool) -> IdDamage | None:
    if data_type in _ID_TYPES:
        return IdDamage(are_numbers=True)
    return IdDamage(are_numbers=False) if is_key and data_type != "email" else None


def _shown(value: str) -> str:
    is_short = len(value) <= _SHOWN_CHARACTERS
    return value if is_short else value[: _SHOWN_CHARACTERS - 1] + "…"
