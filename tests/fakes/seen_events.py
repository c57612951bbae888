"""An observer that remembers."""

from __future__ import annotations

import logging

type Facts = dict[str, str | float | None]

# A log line cannot carry facts of these names: logging and Powertools keep them for themselves.
RESERVED = frozenset(logging.makeLogRecord({}).__dict__) | {
    "asctime",
    "level",
    "location",
    "message",
    "timestamp",
}


class SeenEvents:
    """
    The Observer port.

    Attributes:
        events: (event, facts), the oldest first.
    """

    def __init__(self) -> None:
        self.events: list[tuple[str, Facts]] = []

    def emit(self, event: str, **facts: str | float | None) -> None:
        taken = RESERVED & facts.keys()
        if taken:
            raise KeyError(f"{event}: a fact needs another name than {', '.join(sorted(taken))}")
        self.events.append((event, facts))

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self.events]

    def facts(self, event: str) -> list[Facts]:
        """Return the facts of every occurrence of *event*."""
        return [facts for name, facts in self.events if name == event]
