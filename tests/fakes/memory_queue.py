"""Queues that remember what was put in."""

from __future__ import annotations


class MemoryQueue:
    """
    The CollectQueue port.

    Attributes:
        messages: (import id, part or None), the oldest first; take them out as you like.
        delayed: What is put in for later.
        undone: Import ids that are to be undone further, the oldest first.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[str, int | None]] = []
        self.delayed: list[tuple[str, int | None]] = []
        self.undone: list[str] = []

    def collect(self, import_id: str, part: int | None = None, *, after_seconds: int = 0) -> None:
        (self.delayed if after_seconds else self.messages).append((import_id, part))

    def go_on_undoing(self, import_id: str) -> None:
        self.undone.append(import_id)

    def pass_time(self) -> None:
        """Let the time come for which messages were delayed."""
        self.messages += self.delayed
        self.delayed = []


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
