"""Waiting for conditions, never for time: look again until it is so, or say what is not."""

from __future__ import annotations

import time
from collections.abc import Callable

LOOK_EVERY_SECONDS = 0.2
# Far more than anything takes: a slow machine is no failure. A person's command waits as long.
PATIENCE_SECONDS = 150


def until[T](look: Callable[[], T | None], *, what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """
    Return the first answer of *look* that is true.

    Raises:
        TimeoutError: There was none; it names *what* was waited for.
    """
    give_up_at = time.monotonic() + seconds
    while True:
        if found := look():
            return found
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"after {seconds:.0f} s still not: {what}")
        time.sleep(LOOK_EVERY_SECONDS)
