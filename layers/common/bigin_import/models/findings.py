"""What is found out about rows: said by the join and the result files, shown by the report."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.models import RowStatus


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
