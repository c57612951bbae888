"""An observer that remembers."""

from __future__ import annotations

type Facts = dict[str, str | float | None]


class SeenEvents:
    """
    The Observer port.

    Attributes:
        events: (event, facts), the oldest first.
    """

    def __init__(self) -> None:
        self.events: list[tuple[str, Facts]] = []

    def saw(self, event: str, **facts: str | float | None) -> None:
        self.events.append((event, facts))

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self.events]

    def facts(self, event: str) -> list[Facts]:
        """Return the facts of every occurrence of *event*."""
        return [facts for name, facts in self.events if name == event]
