"""A result file that was corrected and dropped again: our columns, its parent, and damage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bigin_import.models import Problem

PREFIX = "bigin__"
RESULT_COLUMNS = (
    "bigin__Row",
    "bigin__Status",
    "bigin__Id",
    "bigin__Error",
    "bigin__Reason",
    "bigin__Import",
)
_IMPORT_ID = re.compile(r"[0-9a-z]{26}")
_NUMBER_AS_POWER = re.compile(r"[+-]?\d([.,]\d+)?E\+\d{2,3}", re.IGNORECASE)
_MONTH_NAME = re.compile(
    r"(\d{1,2}-)?(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)-\d{1,4}|"
    r"\d{1,2}-(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    re.IGNORECASE,
)
_DATE = re.compile(r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})")
_EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number
_POWERS = "turned long numbers into powers of ten"
_ZEROS = "removed leading zeros"
_ROUNDED = "rounded long numbers"
_DATES = "rewritten dates"
_LEAST_ROWS = {_DATES: 2}
_REMEDY = (
    "Take the column from the original file again, and open the CSV by import with this column "
    "as text; if the change is meant, delete the columns that begin with bigin__ and drop the "
    "file with its mapping"
)


def strip_result_columns(header: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the columns that are not ours."""
    return tuple(at for at, name in enumerate(header) if not _is_ours(name))


def parent_import(header: Sequence[str], first_row: Sequence[str]) -> str | None:
    """Return the id of the import that wrote this file, or None if it is not a result file."""
    for name, cell in zip(header, first_row, strict=False):
        if name.strip().casefold() == "bigin__import" and _IMPORT_ID.fullmatch(cell.strip()):
            return cell.strip()
    return None


def parent_row(header: Sequence[str], row: Sequence[str]) -> int | None:
    """Return the number that *row* had in the parent's drop, or None if it does not say."""
    for name, cell in zip(header, row, strict=False):
        if name.strip().casefold() == "bigin__row" and cell.strip().isdecimal():
            return int(cell)
    return None


def _is_ours(name: str) -> bool:
    return name.strip().casefold().startswith(PREFIX)


@dataclass(slots=True)
class _Column:
    """
    What was seen in one column.

    Attributes:
        damage: For each kind of damage the first rows that show it.
        unharmed: Kinds that left a cell alone which a spreadsheet would have changed.
    """

    damage: dict[str, list[int]] = field(default_factory=dict)
    unharmed: set[str] = field(default_factory=set)


def damaged_columns(
    rows: Iterable[tuple[int, Sequence[str], Sequence[str] | None]],
    *,
    header: Sequence[str],
    file: str,
) -> tuple[Problem, ...]:
    """
    Find columns that a spreadsheet has visibly changed. No cell value is in the problems.

    A spreadsheet changes all cells of a kind; where some were left alone, the others were
    corrected by a person. One rewritten date alone is a correction too.

    Args:
        rows: Row number, the row's cells, and the parent's original cells if they are known;
            both without our columns.
        header: Of the dropped file, without our columns.
        file: Its name.
    """
    columns = [_Column() for _ in header]
    for number, cells, originals in rows:
        for column, cell, original in zip(columns, cells, originals or cells, strict=False):
            _look_at(column, number, cell.strip(), original.strip(), known=originals is not None)
    return tuple(
        Problem(f'{file}, column "{name}", row {seen[0]}', f"A spreadsheet has {what}", _REMEDY)
        for name, column in zip(header, columns, strict=True)
        for what, seen in column.damage.items()
        if what not in column.unharmed and len(seen) >= _LEAST_ROWS.get(what, 1)
    )


def _look_at(column: _Column, number: int, cell: str, original: str, *, known: bool) -> None:
    if known and cell == original:
        column.unharmed.update(_exposed(cell))
        return
    what = _damage(cell, original)
    if what is not None:
        seen = column.damage.setdefault(what, [])
        if len(seen) < max(_LEAST_ROWS.values()):
            seen.append(number)


def _exposed(cell: str) -> Iterator[str]:
    """Yield the kinds of damage that a spreadsheet would have done to *cell*."""
    if cell.isdecimal() and cell.startswith("0") and cell.lstrip("0"):
        yield _ZEROS
    if _DATE.fullmatch(cell):
        yield _DATES


def _damage(cell: str, original: str) -> str | None:
    if _NUMBER_AS_POWER.fullmatch(cell):
        return _POWERS
    if cell == original:
        return None
    if _lost_zeros(cell, original):
        return _ZEROS
    if _rounded(cell, original):
        return _ROUNDED
    return _DATES if _rewritten_date(cell, original) else None


def _lost_zeros(cell: str, original: str) -> bool:
    return original.isdecimal() and original[:1] == "0" and cell == original.lstrip("0") != ""


def _rounded(cell: str, original: str) -> bool:
    return (
        original.isdecimal()
        and len(cell) == len(original) > _EXACT_DIGITS
        and cell == original[:_EXACT_DIGITS].ljust(len(original), "0")
    )


def _rewritten_date(cell: str, original: str) -> bool:
    """Tell a date in another notation from another date; "1-2" that became "02-Jan" counts."""
    if _MONTH_NAME.fullmatch(cell):
        return not _MONTH_NAME.fullmatch(original) and any(map(str.isdigit, original))
    after, before = _DATE.fullmatch(cell), _DATE.fullmatch(original)
    if not (after and before) or _notation(cell) == _notation(original):
        return False
    return _numbers(cell) == _numbers(original)


def _notation(date: str) -> str:
    return re.sub(r"\d", "9", date)


def _numbers(date: str) -> list[int]:
    """Return day, month and two-digit year in no order: what every notation of a date keeps."""
    return sorted(int(number) % 100 for number in re.findall(r"\d+", date))
