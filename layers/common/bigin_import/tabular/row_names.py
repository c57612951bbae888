"""Rows that a sentence names: how many there were, and the first of them."""

from __future__ import annotations

from collections.abc import Sequence

ROWS_NAMED = 10


class RowNames:
    """
    Counts rows and keeps the numbers of the first.

    Attributes:
        first: At most ROWS_NAMED.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: list[int] = []

    def add(self, numbers: Sequence[int]) -> None:
        """Count some rows, in order."""
        self.count += len(numbers)
        self.first += numbers[: ROWS_NAMED - len(self.first)]

    def __str__(self) -> str:
        return ", ".join(map(str, self.first))
