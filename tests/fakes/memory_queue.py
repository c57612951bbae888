"""Queues that remember what was put in."""

from __future__ import annotations


class MemoryQueue:
    """
    The CollectQueue port.

    Attributes:
        messages: (import id, part or None), the oldest first; take them out as you like.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[str, int | None]] = []

    def collect(self, import_id: str, part: int | None = None) -> None:
        self.messages.append((import_id, part))


class MemoryResumer:
    """
    The Resumer port.

    Attributes:
        asked: Import ids, the oldest first.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []

    def resume(self, import_id: str) -> None:
        self.asked.append(import_id)
