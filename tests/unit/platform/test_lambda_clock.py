"""Time as one Lambda invocation sees it."""

from __future__ import annotations

import time

from bigin_import.container import LambdaClock


class Context:
    """What Lambda hands to a handler, with two seconds and a half to go."""

    def get_remaining_time_in_millis(self) -> int:
        return 2500


def test_the_remaining_time_is_lambdas_in_seconds() -> None:
    assert LambdaClock(Context()).remaining_seconds() == 2.5


def test_now_is_in_whole_seconds() -> None:
    before = int(time.time())

    now = LambdaClock(Context()).now()

    assert before <= now <= time.time()
    assert isinstance(now, int)


def test_sleep_waits() -> None:
    began = time.monotonic()

    LambdaClock(Context()).sleep(0.02)

    assert time.monotonic() - began >= 0.02
