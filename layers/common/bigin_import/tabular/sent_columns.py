"""What was sent, as people know it: whose cells, under which headers, and to what end."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.models import Operation
from bigin_import.tabular.ranking import shortened

_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class SentColumn:
    """
    One column of what was sent.

    Attributes:
        header: What the drop calls it.
        at: Position of its cell in the rows of the result files, our own columns not counted.
        parent: For a lookup, what people call the module that it points to; else "".
    """

    api_name: str
    header: str
    at: int
    is_lookup: bool = False
    parent: str = ""

    @property
    def name(self) -> str:
        """Return what to call it before people: its header, and Bigin's name if that differs."""
        header, api_name = (
            shortened(each, _SHOWN_CHARACTERS) for each in (self.header, self.api_name)
        )
        return f'"{header}"' if header == api_name else f'"{header}" ({api_name})'


@dataclass(frozen=True, slots=True)
class SentColumns:
    """
    All columns of what was sent, in that order.

    Attributes:
        key: API name of the `find_by` column; None without one.
    """

    columns: tuple[SentColumn, ...] = ()
    operation: Operation | None = None
    key: str | None = None

    def named(self, api_name: str) -> SentColumn | None:
        return next((column for column in self.columns if column.api_name == api_name), None)
