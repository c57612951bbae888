"""A result file that was corrected and dropped again: our columns, and what they tell of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PREFIX = "bigin__"
RESULT_COLUMNS = (
    "bigin__Row",
    "bigin__Status",
    "bigin__Id",
    "bigin__Error",
    "bigin__Reason",
    "bigin__Import",
)
MOST_IMPORTS = 10  # more than one is too many already
_IMPORT_ID = re.compile(r"[0-9a-z]{26}")


def strip_result_columns(header: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of the columns that are not ours."""
    return tuple(at for at, name in enumerate(header) if not _is_ours(name))


def _is_ours(name: str) -> bool:
    return name.strip().casefold().startswith(PREFIX)


class Ancestry:
    """
    What the rows of a drop tell of the imports whose result files they come from.

    Attributes:
        imports: Ids that were met so far, the first one first.
    """

    def __init__(self, header: Sequence[str]) -> None:
        self.imports: dict[str, None] = {}
        self._import_at = _places(header, "bigin__import")
        self._row_at = _places(header, "bigin__row")

    def meet(self, rows: Iterable[Sequence[str]]) -> str | None:
        """Note what *rows* name; return the import that was met first, None if none was."""
        for row in rows:
            for at in self._import_at:
                cell = row[at].strip() if at < len(row) else ""
                if _IMPORT_ID.fullmatch(cell) and len(self.imports) < MOST_IMPORTS:
                    self.imports[cell] = None
        return next(iter(self.imports), None)

    def numbers(self, numbers: Sequence[int], rows: Sequence[Sequence[str]]) -> dict[int, int]:
        """Return, by the number of a row here, the number that it had in its parent."""
        found = {}
        for number, row in zip(numbers, rows, strict=True):
            for at in self._row_at:
                if at < len(row) and row[at].strip().isdecimal():
                    found[number] = int(row[at])
                    break
        return found


def _places(header: Sequence[str], name: str) -> tuple[int, ...]:
    return tuple(at for at, each in enumerate(header) if each.strip().casefold() == name)
