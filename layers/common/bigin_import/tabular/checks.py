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

from bigin_import.models import ColumnFindings, ColumnPlan, PlannedColumn, Problem
from bigin_import.tabular.fitness import Fitness, fitness
from bigin_import.tabular.sent_csv import SentRecord

_SAMPLES = 3
_BATCHES_SAMPLED = 20
_ROWS_NAMED = 10
_UNKNOWN_NAMED = 20

# Bigin adds picklist values that it does not know: a few new ones alone are no mistake.
_PICKS_FOR_REJECTION = 10
# One id in a thousand ends in 000 by chance; two of two do not.
_ROUND_IDS_FOR_REJECTION = 2

_ID_TYPES = frozenset({"id", "lookup", "ownerlookup"})
_SCIENTIFIC = re.compile(
    r"^ *\d(?:[.,]\d+)?E\+?\d{1,2} *$", re.IGNORECASE | re.MULTILINE | re.ASCII
)
_LONG_ID = re.compile(r"^ *\d{15,16}(\d{3}) *$", re.MULTILINE | re.ASCII)
_EXPORT_AGAIN = (
    "A spreadsheet keeps 15 digits of a number: export the file again and do not save it from a "
    "spreadsheet, or read the column as text there"
)


class ValueChecks:
    """The checks of all columns of a plan, fed batch by batch with what is sent."""

    def __init__(self, plan: ColumnPlan, *, name: str) -> None:
        self._name = name
        self._columns = [_ColumnCheck(plan, at) for at in range(len(plan.columns))]
        self._asked = [(at, column) for at, column in enumerate(self._columns) if column.is_asked]
        self._batches_to_sample = _BATCHES_SAMPLED

    def look(self, records: Sequence[SentRecord], numbers: Sequence[int]) -> None:
        """Check the records of a batch; they stand in the rows *numbers*."""
        if not records or not (self._asked or self._batches_to_sample):
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
        """Return a sentence for each column of which some values do not fit."""
        return tuple(column.warning() for column in self._columns if column.misfits)


class _ColumnCheck:
    """What was seen in one column so far."""

    def __init__(self, plan: ColumnPlan, at: int) -> None:
        planned = plan.columns[at]
        self.header = planned.header
        self.misfits = 0
        self._planned = planned
        self._type = _checked_type(planned, plan)
        self._fitness = fitness(planned, self._type)
        self._may_hold_ids = self._type in _ID_TYPES or (at == plan.key and self._type != "email")
        self.is_asked = self._fitness is not None or self._may_hold_ids
        self._samples: dict[str, None] = {}
        self._filled = 0
        self._misfit_rows: list[int] = []
        self._unknown: dict[str, None] = {}
        self._scientific = self._long_ids = self._round_ids = 0

    def sample(self, values: Sequence[str]) -> None:
        """Take the first different values."""
        if len(self._samples) < _SAMPLES:
            seen = dict.fromkeys([*self._samples, *filter(str.strip, values)])
            self._samples = dict.fromkeys(list(seen)[:_SAMPLES])

    def look(self, values: Sequence[str], numbers: Sequence[int]) -> None:
        """Check some values, which stand in the rows *numbers*."""
        filled = list(filter(None, values))
        self._filled += len(filled)
        if self._may_hold_ids:
            self._look_for_damage(filled)
        if self._fitness and not self._fitness.every(filled):
            self._note_misfits(self._fitness, values, numbers)

    def _look_for_damage(self, filled: list[str]) -> None:
        text = "\n".join(filled)
        self._scientific += len(_SCIENTIFIC.findall(text)) if "E" in text.upper() else 0
        endings = _LONG_ID.findall(text)
        self._long_ids += len(endings)
        self._round_ids += endings.count("000")

    def _note_misfits(self, fits: Fitness, values: Sequence[str], numbers: Sequence[int]) -> None:
        is_misfit = [bool(value.strip()) and not fits.one(value) for value in values]
        self._filled -= sum(value.isspace() for value in values)
        self.misfits += sum(is_misfit)
        room = _ROWS_NAMED - len(self._misfit_rows)
        self._misfit_rows += list(compress(numbers, is_misfit))[:room]
        if self._planned.pick_list and len(self._unknown) < _UNKNOWN_NAMED:
            self._unknown |= dict.fromkeys(compress(values, is_misfit))

    def findings(self) -> ColumnFindings:
        return ColumnFindings(
            header=self.header,
            api_name=self._planned.api_name,
            samples=tuple(self._samples),
            filled=self._filled if self._fitness else 0,
            misfits=self.misfits,
            misfit_rows=tuple(self._misfit_rows),
            unknown=tuple(self._unknown)[:_UNKNOWN_NAMED],
        )

    def reasons_to_reject(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong and what to do about it."""
        if self._may_hold_ids and self._scientific:
            yield f"{self._scientific:,} ids are in scientific notation (1.11E+17)", _EXPORT_AGAIN
        elif self._round_ids >= max(_ROUND_IDS_FOR_REJECTION, self._long_ids / 2):
            yield "most ids of 18 or 19 digits end in 000: they were rounded", _EXPORT_AGAIN
        elif self._fitness and self._is_hopeless():
            what = f"none of {self._filled:,} values fits the field {self._field()}"
            yield what, self._fitness.remedy

    def warning(self) -> str:
        """Say how many values do not fit, and where; never the values."""
        rows = ", ".join(map(str, self._misfit_rows))
        return (
            f'Column "{self.header}": {self.misfits:,} of {self._filled:,} values do not fit the '
            f"field {self._field()}, first in row {rows}. {self._fitness.remedy}."
            if self._fitness
            else ""
        )

    def _is_hopeless(self) -> bool:
        least = _PICKS_FOR_REJECTION if self._planned.pick_list else 1
        return self.misfits == self._filled >= least

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
