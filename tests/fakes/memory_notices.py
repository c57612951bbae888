"""A topic whose notices can be read."""

from __future__ import annotations

from bigin_import.domain.drop import Notice


class MemoryNotices:
    """
    The Notices port.

    Attributes:
        published: The oldest first.
    """

    def __init__(self) -> None:
        self.published: list[Notice] = []

    def publish(self, notice: Notice) -> None:
        self.published.append(notice)
