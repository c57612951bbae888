"""A clock that only moves when it is told to, or when somebody sleeps."""

from __future__ import annotations

START = 1_760_000_000  # 9 October 2025; any moment does


class ManualClock:
    """
    The Clock port.

    Attributes:
        slept: Every wait, in seconds.
    """

    def __init__(self, now: float = START, *, remaining_seconds: float = 300.0) -> None:
        self._now = now
        self._deadline = now + remaining_seconds
        self.slept: list[float] = []

    def now(self) -> int:
        return int(self._now)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += seconds

    def remaining_seconds(self) -> float:
        return max(0.0, self._deadline - self._now)

    def advance(self, seconds: float) -> None:
        """Let time pass, the invocation's remaining time included."""
        self._now += seconds

    def begin(self, remaining_seconds: float = 300.0) -> None:
        """Begin a new invocation now."""
        self._deadline = self._now + remaining_seconds


class FrozenClock(ManualClock):
    """A clock of a container that stood still: the platform does not count what it slept."""

    def remaining_seconds(self) -> float:
        return 300.0
