"""What became of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Self


class RowStatus(StrEnum):
    """What became of a row. Every row of a drop has exactly one of these at the end."""

    ADDED = "added"
    UPDATED = "updated"
    EXISTING = "existing"
    REFUSED = "refused"
    UNPROCESSED = "unprocessed"
    INVALID = "invalid"
    UNCLEAR = "unclear"
    LEFT_OUT = "left_out"

    @property
    def is_in_bigin(self) -> bool:
        return self in _IN_BIGIN

    @classmethod
    def _missing_(cls, value: object) -> RowStatus | None:
        """Read files of the releases that had Bigin's word for a refused row."""
        return cls.REFUSED if value == "skipped" else None


_IN_BIGIN = frozenset({RowStatus.ADDED, RowStatus.UPDATED, RowStatus.EXISTING})


class RowResult(NamedTuple):  # one is made for every row; a data class takes twice the time
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


class RowResults(NamedTuple):
    """Row results in columns: what is alike in many rows is then looked at once."""

    statuses: Sequence[RowStatus] = ()
    record_ids: Sequence[str] = ()
    errors: Sequence[str] = ()
    eithers: Sequence[bool] = ()

    @classmethod
    def of(cls, row_results: Iterable[RowResult]) -> Self:
        return cls(*zip(*row_results, strict=True))

    def one_by_one(self) -> Iterator[RowResult]:
        return map(RowResult, *self)

    def at(self, places: Sequence[int]) -> Self:
        """Return the row results at *places*, in that order."""
        statuses, record_ids, errors, eithers = self
        return type(self)(
            list(map(statuses.__getitem__, places)),
            list(map(record_ids.__getitem__, places)),
            list(map(errors.__getitem__, places)),
            list(map(eithers.__getitem__, places)),
        )

    @property
    def counts(self) -> Counts:
        """How many rows have each status."""
        found = Counter(self.statuses)
        return Counts(**{status.value: count for status, count in found.items()})


NO_RESULTS = RowResults()


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by what became of them. Their sum is the number of rows they speak of."""

    added: int = 0
    updated: int = 0
    existing: int = 0
    refused: int = 0
    unprocessed: int = 0
    invalid: int = 0
    unclear: int = 0
    left_out: int = 0

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

    @property
    def data(self) -> int:
        """Rows but for those that are proven to be no data, such as a footer."""
        return self.total - self.left_out


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Bigin's own counts for one job. What it left out is None."""

    added: int | None = None
    updated: int | None = None
    skipped: int | None = None
    total: int | None = None

    @property
    def covered(self) -> int | None:
        """Rows that Bigin says it decided about; None if it says nothing."""
        said = [each for each in (self.added, self.updated, self.skipped) if each is not None]
        return sum(said) if said else None


@dataclass(frozen=True, slots=True)
class Reason:
    """
    Why a row, or a whole job, is not in Bigin as asked.

    Attributes:
        code: Bigin's code; "" if the reason is not Bigin's or not readable.
        what: A sentence with its full stop.
        remedy: What to do about it, a sentence with its full stop; "" if nothing is known.
        quotes: *what* repeats words of Bigin that may hold a cell's value: not for notices.
    """

    code: str
    what: str
    remedy: str = ""
    quotes: bool = False

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class RankedReason:
    """
    A reason and how often it was met.

    Attributes:
        examples: Numbers of the first rows that met it, as a spreadsheet shows them.
    """

    reason: Reason
    rows: int
    examples: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FailedRow:
    """
    One row for the report's short list.

    Attributes:
        row: None if it is not known any more.
        why: What is wrong with it, in short.
        cells: Header and original cell, both shortened: the row's key, and the cells that *why*
            speaks of. Never in a log.
    """

    row: int | None
    status: RowStatus
    why: str
    cells: tuple[tuple[str, str], ...]
