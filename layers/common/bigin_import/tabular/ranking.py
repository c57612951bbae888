"""Reasons by frequency, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bigin_import.models.findings import RankedReason, Reason

MAX_REASONS = 200
MAX_EXAMPLES = 5
OTHER_REASONS = Reason("", "Other reasons.", "The column bigin__Reason says them row by row.")
SHOWN_CELLS = 4  # of a failed row: who it is, not all that is known of it
_SHOWN_CHARACTERS = 40


class Ranking:
    """Counts reasons; those met after the first MAX_REASONS are counted together."""

    def __init__(self) -> None:
        self._counts: dict[Reason, int] = {}
        self._examples: dict[Reason, list[int]] = {}

    def add(self, reasons: Iterable[Reason], row: int | None) -> None:
        for reason in reasons:
            is_kept = reason in self._counts or len(self._counts) < MAX_REASONS
            self._count(reason if is_kept else OTHER_REASONS, row)

    def _count(self, reason: Reason, row: int | None) -> None:
        self._counts[reason] = self._counts.get(reason, 0) + 1
        examples = self._examples.setdefault(reason, [])
        if row is not None and len(examples) < MAX_EXAMPLES:
            examples.append(row)

    def ranked(self) -> tuple[RankedReason, ...]:
        """Return the reasons, the most frequent first; equal ones as they were met."""
        return tuple(
            RankedReason(reason, self._counts[reason], tuple(self._examples[reason]))
            for reason in sorted(self._counts, key=lambda reason: -self._counts[reason])
        )


def shortened(cells: Sequence[str]) -> tuple[str, ...]:
    """Return the first cells of a row, short enough for a table on a page."""
    return tuple(
        cell if len(cell) <= _SHOWN_CHARACTERS else cell[: _SHOWN_CHARACTERS - 1] + "…"
        for cell in cells[:SHOWN_CELLS]
    )
