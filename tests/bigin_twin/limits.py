"""What the day and the moment allow: API credits and parallel calls."""

from __future__ import annotations

from collections import deque

from tests.bigin_twin.answers import RefusedError

DAY_SECONDS = 86_400


class Credits:
    """Credits spent in the last 24 hours."""

    def __init__(self) -> None:
        self._spent: deque[tuple[float, int]] = deque()
        self._sum = 0

    def spent(self, now: float) -> int:
        while self._spent and self._spent[0][0] <= now - DAY_SECONDS:
            self._sum -= self._spent.popleft()[1]
        return self._sum

    def check(self, cost: int, now: float, *, budget: int) -> None:
        """Refuse with TOO_MANY_REQUESTS if *cost* is more than what is left."""
        if self.spent(now) + cost > budget:
            raise RefusedError("TOO_MANY_REQUESTS")

    def spend(self, cost: int, now: float) -> None:
        self._spent.append((now, cost))
        self._sum += cost


class ParallelCalls:
    """Calls that are being answered at this moment."""

    def __init__(self) -> None:
        self.now_open = 0
        self.most_open = 0

    def enter(self, *, at_most: int) -> None:
        """Take a place for one call; refuse with TOO_MANY_REQUESTS if there is none."""
        if self.now_open >= at_most:
            raise RefusedError("TOO_MANY_REQUESTS")
        self.now_open += 1
        self.most_open = max(self.most_open, self.now_open)

    def leave(self) -> None:
        self.now_open -= 1
