"""
Do the values of a column fit its field?

Bigin charges for a job before it looks at a value. So: if no value of a column fits, the mapping
is wrong and the drop is rejected; if some do not, the report warns, with rows, and Bigin decides.
A column of which nothing is known costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

from bigin_import.models import ColumnFindings, ColumnPlan, PlannedColumn, Problem
from bigin_import.tabular.fitness import Fitness, fitness
from bigin_import.tabular.id_damage import REMEDY, IdDamage
from bigin_import.tabular.look_alikes import PointsForThousands, TextFormulas
from bigin_import.tabular.row_check import CheckedBatch
from bigin_import.tabular.row_names import RowNames

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
        self._fitness = fitness(planned, self._type)
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

    def _note_misfits(self, fits: Fitness, values: Sequence[str], numbers: Sequence[int]) -> None:
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
