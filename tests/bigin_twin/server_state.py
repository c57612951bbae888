"""What the threads of the server share: the model under one lock, the clock, the logs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bigin_twin.model import Bigin

type Clock = Callable[[], float]


@dataclass
class Server:
    """
    The running twin.

    Attributes:
        new_bigin: Makes an empty organisation; used again on reset.
        clock: Seconds since the epoch.
        requests: Every request that was answered, oldest first; no token values.
        callbacks: Every callback that was posted, oldest first; no URLs.
        stopping: Set once; ends every wait.
    """

    new_bigin: Callable[[], Bigin]
    clock: Clock
    requests: list[dict[str, Any]] = field(default_factory=list)
    callbacks: list[dict[str, Any]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._bigin = self.new_bigin()
        self._lock = threading.RLock()
        #: Notified after each change of the model: the next event may have come nearer.
        self.changed = threading.Condition(self._lock)

    @contextmanager
    def bigin(self) -> Iterator[Bigin]:
        """Hold the model alone; whoever waits for its next event looks again afterwards."""
        with self.changed:
            try:
                yield self._bigin
            finally:
                self.changed.notify_all()

    def next_event(self) -> float | None:
        """Return when the model has something to do; hold `changed` while asking."""
        return self._bigin.next_event()

    def wait(self, seconds: float) -> None:
        """Let *seconds* pass, unless the server stops."""
        if seconds > 0:
            self.stopping.wait(seconds)

    def wait_while(self, condition: Callable[[Bigin], bool]) -> None:
        """Wait until *condition* does not hold any more, unless the server stops."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopping.is_set() or not condition(self._bigin))

    def reset(self) -> None:
        """Start with an empty organisation under the same settings."""
        with self.changed:
            settings = self._bigin.settings
            self._bigin = self.new_bigin()
            self._bigin.settings = settings
            self.requests.clear()
            self.callbacks.clear()
            self.changed.notify_all()

    def stop(self) -> None:
        self.stopping.set()
        with self.changed:
            self.changed.notify_all()
