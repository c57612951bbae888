"""Parallel work, one item after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class SerialParallel:
    """
    The Parallel port without threads.

    Attributes:
        widths: The `at_most` of every call.
    """

    def __init__(self) -> None:
        self.widths: list[int] = []

    def each[T](self, work: Callable[[T], object], items: Iterable[T], *, at_most: int) -> None:
        self.widths.append(at_most)
        for item in items:
            work(item)
