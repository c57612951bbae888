"""Columns of a corrected result file that a spreadsheet has changed, and not a person."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bigin_import.models import Problem
from bigin_import.tabular.rewriting import Damage, damage_of, endangers

# One rewritten date alone is a correction; of other damage one cell is enough.
_LEAST_ROWS = {Damage.DATES: 2}
# A number that was rounded or shortened is lost, however many others are whole.
_ALWAYS_LOST = (Damage.POWERS, Damage.ROUNDED)
_CLEARLY_MORE = 2  # times as many damaged cells as cells that a spreadsheet would have changed
_REMEDY = (
    "Take the column from the original file again, and open the CSV by import with this column "
    "as text; if the change is meant, delete the columns that begin with bigin__ and drop the "
    "file with its mapping"
)


@dataclass(slots=True)
class _Seen:
    """Damage of one kind in one column; *unharmed*: cells of the kind that were left alone."""

    first_row: int = 0
    damaged: int = 0
    unharmed: int = 0

    def is_certain(self, damage: Damage) -> bool:
        enough = self.damaged >= _LEAST_ROWS.get(damage, 1)
        unharmed = 0 if damage in _ALWAYS_LOST else self.unharmed
        return enough and self.damaged > _CLEARLY_MORE * unharmed


@dataclass(slots=True)
class _Column:
    """What was seen in one column."""

    seen: dict[Damage, _Seen] = field(default_factory=dict)

    def look_at(self, number: int, cell: str, original: str | None) -> None:
        damage = damage_of(cell, original)
        if damage is not None:
            of_kind = self.seen.setdefault(damage, _Seen())
            of_kind.first_row = of_kind.first_row or number
            of_kind.damaged += 1
        elif cell == original:
            for each in endangers(cell):
                self.seen.setdefault(each, _Seen()).unharmed += 1


def damaged_columns(
    rows: Iterable[tuple[int, Sequence[str], Sequence[str | None]]],
    *,
    header: Sequence[str],
    file: str,
) -> tuple[Problem, ...]:
    """
    Find columns that a spreadsheet has visibly changed. No cell value is in the problems.

    A spreadsheet changes all cells of a kind, and a person may have typed some of them again;
    where more than a few were left alone, the others were corrected by a person.

    Args:
        rows: Row number, the row's cells, and for each of them the original, None where it is
            not known; all without our columns.
        header: Of the dropped file, without our columns.
        file: Its name.
    """
    columns = [_Column() for _ in header]
    for number, cells, originals in rows:
        for column, cell, original in zip(columns, cells, originals, strict=False):
            column.look_at(number, cell.strip(), None if original is None else original.strip())
    return tuple(
        Problem(
            f'{file}, column "{name}", row {seen.first_row}', f"A spreadsheet has {damage}", _REMEDY
        )
        for name, column in zip(header, columns, strict=True)
        for damage, seen in column.seen.items()
        if seen.is_certain(damage)
    )
