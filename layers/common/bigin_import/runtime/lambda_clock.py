"""The Clock port of one Lambda invocation."""

from __future__ import annotations

import time
from typing import Protocol


class InvocationContext(Protocol):
    """What Lambda tells a handler about its invocation; the part that we use."""

    def get_remaining_time_in_millis(self) -> int: ...


class LambdaClock:
    """The machine's time, and what Lambda leaves of this invocation."""

    def __init__(self, context: InvocationContext) -> None:
        self._context = context

    def now(self) -> int:
        return int(time.time())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def remaining_seconds(self) -> float:
        return self._context.get_remaining_time_in_millis() / 1000
