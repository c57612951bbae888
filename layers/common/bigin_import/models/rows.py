"""What became of rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RowStatus(StrEnum):
    """What became of a row. Every row of a drop has exactly one of these at the end."""

    ADDED = "added"
    UPDATED = "updated"
    EXISTING = "existing"
    SKIPPED = "skipped"
    UNPROCESSED = "unprocessed"
    INVALID = "invalid"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class RowFate:
    """
    What became of one row that was sent.

    Attributes:
        record_id: Bigin's id of the record, "" if unknown.
        error: Bigin's ERRORS cell as it came, "" if none.
        either: The row is in Bigin as asked, but whether it was added or updated is unknown;
            its status then says UPDATED.
    """

    status: RowStatus
    record_id: str = ""
    error: str = ""
    either: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by their fate. Their sum is the number of rows they speak of."""

    added: int = 0
    updated: int = 0
    existing: int = 0
    skipped: int = 0
    unprocessed: int = 0
    invalid: int = 0
    unclear: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            *(getattr(self, name) + getattr(other, name) for name in Counts.__dataclass_fields__)
        )

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in Counts.__dataclass_fields__)

    @property
    def succeeded(self) -> int:
        """Rows that are in Bigin as asked."""
        return self.added + self.updated + self.existing
