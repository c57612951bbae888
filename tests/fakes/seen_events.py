"""What use cases emit, remembered."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

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
    The Telemetry port.

    Attributes:
        events: (event, facts), the oldest first.
        import_ids: Of each event the import that its line names, if it names one.
    """

    def __init__(self) -> None:
        self.events: list[tuple[str, Facts]] = []
        self.import_ids: list[str | None] = []
        self._marks: list[str] = []

    def emit(self, event: str, **facts: str | float | None) -> None:
        taken = RESERVED & facts.keys()
        if taken:
            raise KeyError(f"{event}: a fact needs another name than {', '.join(sorted(taken))}")
        self.events.append((event, facts))
        named = facts.get("import_id", self._marks[-1] if self._marks else None)
        self.import_ids.append(None if named is None else str(named))

    @contextmanager
    def mark_lines(self, import_id: str) -> Iterator[None]:
        self._marks.append(import_id)
        try:
            yield
        finally:
            self._marks.pop()

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self.events]

    def facts(self, event: str) -> list[Facts]:
        """Return the facts of every occurrence of *event*."""
        return [facts for name, facts in self.events if name == event]
