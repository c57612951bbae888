"""What the rows of a result file that comes back say of the imports that they come from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bigin_import.reading.dialect import is_own_column
from bigin_import.reading.row_shapes import ParentRow

MOST_IMPORTS = 10  # so many are too many
_IMPORT_ID = re.compile(r"[0-9a-z]{26}")
# However a tool wrote a whole number (with decimals, in thousands, as text), it is the same row.
_ROW_NUMBER = re.compile(r"'?([0-9]+|[0-9]{1,3}(?:[.,'\u2019\s][0-9]{3})+)(?:[.,]0{1,2})?")


class ParentReferences:
    """
    What the rows of a drop tell of the imports whose result files they come from.

    Attributes:
        imports: Ids that were met so far, the first one first.
        unnamed: Number of the first row that says what became of it, and not in which import.
    """

    def __init__(self, header: Sequence[str]) -> None:
        self.imports: dict[str, None] = {}
        self.unnamed: int | None = None
        self._import_at = _places(header, "bigin__import")
        self._row_at = _places(header, "bigin__row")
        self._status_at = _places(header, "bigin__status")
        self._id_at = _places(header, "bigin__id")
        self._error_at = _places(header, "bigin__error")
        self._reason_at = _places(header, "bigin__reason")

    def meet(self, rows: Iterable[Sequence[str]]) -> str | None:
        """Note what *rows* name; return the import that was met first, None if none was."""
        for row in rows:
            for at in self._import_at:
                cell = row[at].strip() if at < len(row) else ""
                if _IMPORT_ID.fullmatch(cell) and len(self.imports) < MOST_IMPORTS:
                    self.imports[cell] = None
        return next(iter(self.imports), None)

    def rows(self, numbers: Sequence[int], rows: Sequence[Sequence[str]]) -> dict[int, ParentRow]:
        """Return, by the number of a row here, which row of its parent it says to be."""
        self.meet(rows)
        found = {}
        for number, row in zip(numbers, rows, strict=True):
            status = _first_cell(row, self._status_at)
            said = ParentRow(
                _row_number(_first_cell(row, self._row_at)),
                status,
                _first_cell(row, self._id_at),
                _first_cell(row, self._reason_at),
                self._named_by(row),
                is_released=bool(self._status_at) and not status,
            )
            if said.row is not None or said.status or said.record_id:
                found[number] = said
            if self.unnamed is None and not said.import_id and self._tells(row):
                self.unnamed = number
        return found

    def _named_by(self, row: Sequence[str]) -> str:
        named = _first_cell(row, self._import_at)
        return named if named in self.imports else ""

    def _tells(self, row: Sequence[str]) -> bool:
        """Return whether a row has anything in our columns: a new one has not, nor a header."""
        ours = (*self._row_at, *self._status_at, *self._id_at, *self._error_at, *self._reason_at)
        cells = [row[at] for at in ours if at < len(row) and row[at].strip()]
        return bool(cells) and not any(map(is_own_column, cells))


def _row_number(cell: str) -> int | None:
    """Return the number of a row as a person or a tool wrote it; None if it is none."""
    said = _ROW_NUMBER.fullmatch(cell)
    return int(re.sub("[^0-9]", "", said[1])) if said else None


def _first_cell(row: Sequence[str], columns: Iterable[int]) -> str:
    """Return the first of some cells that is not empty; "" if all are."""
    cells = (row[at].strip() for at in columns if at < len(row))
    return next(filter(None, cells), "")


def _places(header: Sequence[str], name: str) -> tuple[int, ...]:
    return tuple(at for at, each in enumerate(header) if each.strip().casefold() == name)
