"""Reasons by frequency, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable

from bigin_import.models.findings import RankedReason, Reason

MAX_REASONS = 200
MAX_EXAMPLES = 5
OTHER_REASONS = Reason("", "Other reasons.", "The column bigin__Reason says them row by row.")


class Ranking:
    """Counts reasons; those met after the first MAX_REASONS are counted together."""

    def __init__(self) -> None:
        self._counts: dict[Reason, int] = {}
        self._examples: dict[Reason, list[int]] = {}

    def add(self, reasons: Iterable[Reason], row: int | None) -> None:
        """Count each of a row's *reasons* once."""
        counted = dict.fromkeys(
            reason if self._is_kept(reason) else OTHER_REASONS for reason in reasons
        )
        for reason in counted:
            self._count(reason, row)

    def _is_kept(self, reason: Reason) -> bool:
        return reason in self._counts or len(self._counts) < MAX_REASONS

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


def shortened(text: str, at_most: int) -> str:
    """Return *text* with as many characters, the last an ellipsis if it had more."""
    return text if len(text) <= at_most else text[: at_most - 1] + "…"
