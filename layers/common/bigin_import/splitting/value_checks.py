"""
What is concluded of the columns of a drop once they have been read.

Bigin charges for a job before it looks at a value. So: what can be read in two ways is asked, and a
column of which no value fits its field rejects the drop; what some values are is told with their
rows. Notices name rows only; cells are shown by the report.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import ColumnFindings, ColumnPlan, PlannedColumn
from bigin_import.splitting.cells import (
    MISFIT,
    PLACEHOLDERS,
    Remark,
    RowNames,
    field_type,
    how_to_empty,
    placeholder,
)
from bigin_import.splitting.column_reader import (
    APOSTROPHE,
    BARE_NUMBER,
    FORMULA,
    ColumnReader,
    shown,
)
from bigin_import.splitting.kinds import NEW, NO_WORD, SEPARATED, WORD, PicklistKind
from bigin_import.splitting.numbers import (
    BESIDE_PERCENT,
    CURRENCY,
    DECIDES,
    FRACTION,
    OPEN,
    PERCENT,
    NumberKind,
    are_one_currency,
    currency_words,
)
from bigin_import.splitting.row_check import RowCheck

_CORRECT_THEM = "Correct them, or check in the mapping that this column belongs to this field"
_MARKS = {",": "commas", "\n": "line breaks", ";": "semicolons"}
_UNMET_NAMED = 10
_UNKNOWN_NAMED = 20
_THOUSANDS_DIGITS = 3

# Bigin adds picklist values that it does not know: a few new ones alone are no mistake.
_PICKS_FOR_REJECTION = 10
_NOBODY = RowNames()


class ReadAgainError(Exception):
    """
    The values of a drop have shown what no single cell of it does: read it again from its start.

    Attributes:
        plan: By which it is to be read.
    """

    def __init__(self, plan: ColumnPlan) -> None:
        self.plan = plan
        super().__init__("the drop is to be read again")


def learned_plan(plan: ColumnPlan, rows: RowCheck, *, at_end: bool) -> ColumnPlan:
    """Return *plan* with what the columns have proven so far; *plan* itself if that is nothing."""
    columns = tuple(
        _learned(column, reader, has_apostrophes=at in rows.apostrophes, at_end=at_end)
        for at, (column, reader) in enumerate(zip(plan.columns, rows.readers, strict=True))
    )
    return plan if columns == plan.columns else replace(plan, columns=columns)


def _learned(
    planned: PlannedColumn, reader: ColumnReader, *, has_apostrophes: bool, at_end: bool
) -> PlannedColumn:
    tally = reader.tally
    if WORD in tally and MISFIT in tally and planned.reads_words is None:
        planned = replace(planned, reads_words=False)
    if has_apostrophes and planned.strips_apostrophes is None:
        planned = replace(planned, strips_apostrophes=True)
    if planned.strips_apostrophes and APOSTROPHE in tally and BARE_NUMBER in tally:
        planned = replace(planned, strips_apostrophes=False)
    if planned.proven_decimal is None and isinstance(reader.kind, NumberKind):
        is_open = OPEN["."] in tally or OPEN[","] in tally
        mark = _decimal_mark(reader, at_end=at_end)
        if mark == "," and is_open:
            planned = replace(planned, proven_decimal=mark)
    return planned


def _decimal_mark(reader: ColumnReader, *, at_end: bool) -> str | None:
    """Return the decimal mark that the cells of a column prove; None if they prove none."""
    tally = reader.tally
    if DECIDES["."] in tally or DECIDES[","] in tally:
        if DECIDES["."] in tally and DECIDES[","] in tally:
            return None
        return "." if DECIDES["."] in tally else ","
    places = reader.planned.decimal_place
    is_whole_group = at_end and places is not None and places < _THOUSANDS_DIGITS
    if reader.data_type in {"integer", "bigint"} or not is_whole_group:
        return None
    # Three digits are more than the field has behind its point: the mark is one of thousands.
    if OPEN["."] in tally and OPEN[","] not in tally:
        return ","
    return "." if OPEN[","] in tally and OPEN["."] not in tally else None


class ValueChecks:
    """What is said of all columns of a plan."""

    def __init__(self, rows: RowCheck, *, name: str) -> None:
        self._name = name
        self._rows = rows
        for at, names in rows.formulas.items():
            rows.readers[at].tally[FORMULA] = names
        self._columns = [ColumnConclusions(reader) for reader in rows.readers]

    def findings(self) -> tuple[ColumnFindings, ...]:
        """Return what was seen in each column, in the order we send them."""
        return tuple(column.findings() for column in self._columns)

    def problems(self) -> tuple[Problem, ...]:
        """Return why the drop must not be sent."""
        return tuple(
            replace(problem, where=self._where(column))
            for at, column in enumerate(self._columns)
            for problem in self._problems_of(at, column)
        )

    def _problems_of(self, at: int, column: ColumnConclusions) -> Iterator[Problem]:
        dates = self._rows.unread_dates.get(at)
        if dates and (problem := dates.problem(self._where(column))):
            yield problem
        yield from column.problems(is_date=dates is not None)

    def _where(self, column: ColumnConclusions) -> str:
        return f'{self._name}, column "{column.header}"'

    def asides(self) -> Iterator[Problem]:
        """Yield what may be the cause of problems: keys of `values` that are in no cell."""
        for column in self._columns:
            if column.has_misfits and (unmet := column.unmet_values()):
                yield Problem(
                    self._where(column),
                    f'of the "values" in the mapping no cell is {unmet}',
                    "Write them as the cells have them, in the same letter case",
                )

    def warnings(self) -> tuple[str, ...]:
        """Return sentences on values that a person should look at."""
        return tuple(sentence for column in self._columns for sentence in column.warnings())

    def notes(self) -> tuple[str, ...]:
        """Return sentences on what was restored or converted for certain."""
        return tuple(sentence for column in self._columns for sentence in column.notes())


class ColumnConclusions:
    """What is concluded of one column."""

    def __init__(self, reader: ColumnReader) -> None:
        self.header = reader.planned.header
        self._reader = reader
        self._planned = reader.planned
        self._tally = reader.tally
        fits = field_type(reader.planned, reader.data_type)
        self._remedy = (
            fits.remedy if fits else "Check in the mapping that this column belongs to this field"
        )

    def findings(self) -> ColumnFindings:
        return ColumnFindings(
            header=self.header,
            api_name=self._planned.api_name,
            samples=tuple(self._reader.samples),
            unknown=tuple(map(self._new_value, list(self._reader.new_values)[:_UNKNOWN_NAMED])),
            decimal=self._proven_decimal(),
        )

    def _proven_decimal(self) -> str | None:
        if not isinstance(self._reader.kind, NumberKind) or self._reader.kind.is_stated:
            return None
        return self._planned.proven_decimal or _decimal_mark(self._reader, at_end=True)

    def problems(self, *, is_date: bool) -> Iterator[Problem]:
        """Yield what is wrong and what to do about it; where is added later."""
        if damage := self._reader.damage and self._reader.damage.words():
            yield Problem("", *damage)
        elif not is_date and self._is_hopeless():
            misfits = self._tally.get(MISFIT, _NOBODY).count
            count = misfits + self._reader.refused.count
            remedy = self._remedy if misfits else _CORRECT_THEM
            what = f"none of {count:,} values fits the field {self._field()}"
            if NO_WORD in self._tally and self._planned.reads_words is False:
                what = (
                    "its cells are not all words for yes and no: look at row "
                    f"{self._tally.get(NO_WORD, _NOBODY)}"
                )
                remedy += "".join(map(how_to_empty, self._placeholders()))
            yield Problem("", what, remedy)
        if isinstance(self._reader.kind, NumberKind):
            yield from self._number_problems(self._reader.kind)
        if isinstance(self._reader.kind, PicklistKind):
            yield from self._choice_problems(self._reader.kind)

    def _placeholders(self) -> list[str]:
        """Return the words for no value that stand in the column."""
        return [word for word in sorted(PLACEHOLDERS) if placeholder(word) in self._tally]

    def _is_hopeless(self) -> bool:
        if self._reader.may_all_be_wrong:
            return False
        misfits = self._tally.get(MISFIT, _NOBODY).count + self._reader.refused.count
        is_added = self._reader.rule.new_values == "add"
        least = _PICKS_FOR_REJECTION if self._planned.pick_list else 1
        return not self._reader.has_fitting and not is_added and misfits >= least

    def _number_problems(self, kind: NumberKind) -> Iterator[Problem]:
        currencies = {
            remark.name.removeprefix(CURRENCY): rows
            for remark, rows in self._tally.items()
            if remark.name.startswith(CURRENCY)
        }
        if not are_one_currency(set(currencies)):
            where = "; ".join(f"{name} in row {rows}" for name, rows in currencies.items())
            yield Problem(
                "",
                f"its numbers are in several currencies: {where}",
                "Bigin keeps one currency: drop the rows of each in a file of its own, or take the "
                "signs away",
            )
        if kind.is_stated:
            return
        decides = [self._tally.get(DECIDES[mark], _NOBODY) for mark in ".,"]
        if all(rows.count for rows in decides):
            yield Problem(
                "",
                f"some numbers have a decimal point (row {decides[0]}), some a decimal comma "
                f"(row {decides[1]})",
                'Correct these, or write "decimal" in the mapping with the mark of the others',
                cells=self._examples(DECIDES["."], DECIDES[","]),
            )
        elif self._is_open():
            yield self._open_problem()

    def _is_open(self) -> bool:
        is_open = OPEN["."] in self._tally or OPEN[","] in self._tally
        return is_open and self._proven_decimal() is None

    def _open_problem(self) -> Problem:
        rows = RowNames()
        for mark in ".,":
            names = self._tally.get(OPEN[mark], _NOBODY)
            rows.count += names.count
            rows.first += names.first
        shown_cells = self._examples(OPEN["."], OPEN[","])
        mark = "." if OPEN["."] in self._tally else ","
        other = "," if mark == "." else "."
        return Problem(
            "",
            f"{rows.count:,} numbers can be read in two ways, first in row {rows}: their mark is "
            "either one of decimals or one of thousands, and no cell of the column decides it",
            f'Write "decimal": "{other}" in the mapping if it marks thousands, or '
            f'"decimal": "{mark}" if it marks decimals',
            cells=tuple(f"{cell}: {_two_ways(cell)}" for cell in shown_cells),
        )

    def _choice_problems(self, kind: PicklistKind) -> Iterator[Problem]:
        for mark, remark in SEPARATED.items():
            if remark in self._tally and self._reader.rule.new_values != "add":
                yield self._separated_problem(mark, remark)
        rule = self._reader.rule.new_values
        new = self._reader.new_values
        words = [value for value in new if value not in PLACEHOLDERS]
        near = {value: known for value in words if (known := kind.nearest(value))}
        if (rule == "reject" and new) or (rule is None and near):
            yield self._new_values_problem(near, is_refused=rule == "reject")

    def _separated_problem(self, mark: str, remark: Remark) -> Problem:
        rows, name = self._tally[remark], _MARKS.get(mark, f"a {mark}")
        return Problem(
            "",
            f"{rows.count:,} cells hold several values of {self._planned.api_name} with {name} "
            f"between them, first in row {rows}",
            f'Write "separator": {json.dumps(mark)} in the mapping; or "new_values": "add" if each '
            "is one",
            cells=self._examples(remark),
        )

    def _new_values_problem(self, near: dict[str, str], *, is_refused: bool) -> Problem:
        new, rows = self._reader.new_values, self._tally[NEW]
        named = new if is_refused else near
        what = f"{len(named):,} values are not in the picklist {self._planned.api_name} in Bigin"
        if near:
            what += f", {len(near):,} of them nearly" if is_refused else " but nearly"
        cells = tuple(map(self._new_value, list(named)[:_UNKNOWN_NAMED]))
        met = self._unmet_values()
        remedy = 'Correct them, say by "values" what they are in Bigin'
        remedy += "" if is_refused else ', or write "new_values": "add" if Bigin is to add them'
        return Problem("", f"{what}, first in row {rows}{met}", remedy, cells=cells)

    def _new_value(self, value: str) -> str:
        """Return a value as the report shows it, with its count and the nearest known one."""
        kind = self._reader.kind
        near = kind.nearest(value) if isinstance(kind, PicklistKind) else None
        count = f"{shown(value)} ({self._reader.new_values[value]:,})"
        return f"{count}: in Bigin {near}" if near else count

    def _unmet_values(self) -> str:
        """Return which keys of `values` are in no cell: often they are misspelt."""
        unmet = self.unmet_values()
        return f'; of the "values" in the mapping no cell is {unmet}' if unmet else ""

    def unmet_values(self) -> str:
        """Return the keys of `values` that are in no cell, as the mapping has them."""
        unmet = [key for key, _ in self._reader.rule.values if not self._reader.has_met(key)]
        more = ", …" if len(unmet) > _UNMET_NAMED else ""
        return (
            " or ".join(json.dumps(key, ensure_ascii=False) for key in unmet[:_UNMET_NAMED]) + more
        )

    @property
    def has_misfits(self) -> bool:
        """Whether some values do not fit, or keep their rows here."""
        return MISFIT in self._tally or bool(self._reader.refused.count)

    def _examples(self, *remarks: Remark) -> tuple[str, ...]:
        return tuple(cell for remark in remarks for cell in self._reader.examples.get(remark, ()))

    def warnings(self) -> Iterator[str]:
        """Yield how many values do not fit or may be misread, and where; never the values."""
        misfits = self._tally.get(MISFIT, _NOBODY)
        if NEW in self._tally:
            yield (
                f'Column "{self.header}": {self._tally[NEW].count:,} cells hold '
                f"{len(self._reader.new_values):,} values that the picklist "
                f"{self._planned.api_name} does not have, first in row {self._tally[NEW]}; Bigin "
                f"adds them{self._unmet_values()}."
            )
        elif misfits.count:
            yield (
                f'Column "{self.header}": {misfits.count:,} values do not fit the field '
                f"{self._field()}, first in row {misfits}{self._unmet_values()}. {self._remedy}."
            )
        if self._reader.damage:
            for words in self._reader.damage.warnings():
                yield f'Column "{self.header}": {words}'
        yield from self._sentences(are_notes=False)

    def notes(self) -> Iterator[str]:
        """Yield what was restored or converted for certain."""
        yield from self._sentences(are_notes=True)
        if (unmet := self.unmet_values()) and not self._names_unmet_values:
            yield f'Column "{self.header}": of the "values" in the mapping no cell is {unmet}.'
        is_read = (
            OPEN["."] in self._tally or OPEN[","] in self._tally or DECIDES[","] in self._tally
        )
        if is_read and (mark := self._proven_decimal()):
            name = "comma" if mark == "," else "point"
            yield (
                f'Column "{self.header}": its numbers have a decimal {name}, as its cells or the '
                "field show; they are sent with a point and without marks of thousands."
            )

    def _sentences(self, *, are_notes: bool) -> Iterator[str]:
        for noticed, rows in self._tally.items():
            remark = noticed
            if noticed.name.startswith(CURRENCY):
                remark = currency_words(noticed.name.removeprefix(CURRENCY))
            elif noticed is FRACTION and PERCENT in self._tally:
                remark = BESIDE_PERCENT
            if remark.words and remark.is_note == are_notes and rows.count:
                words = remark.words.format(count=rows.count, rows=rows)
                yield f'Column "{self.header}": {words}'

    @property
    def _names_unmet_values(self) -> bool:
        """Whether a warning does it already."""
        return NEW in self._tally or MISFIT in self._tally

    def _field(self) -> str:
        kind = "picklist" if self._planned.pick_list else self._reader.data_type or "text"
        return f"{self._planned.api_name} ({kind})"


def _two_ways(cell: str) -> str:
    """Return how the report shows both readings of a number."""
    mark = "." if "." in cell else ","
    return f"{cell.replace(mark, '')} or {cell.replace(mark, '.')}"
