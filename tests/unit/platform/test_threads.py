"""Parallel work that is over when it says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bigin_import.threads import Threads

PATIENCE_SECONDS = 10


def test_every_item_is_worked_on_once() -> None:
    done: list[int] = []

    Threads().each(done.append, range(100), at_most=3)

    assert sorted(done) == list(range(100))


def test_as_many_as_allowed_work_side_by_side_and_no_more() -> None:
    together = threading.Barrier(3)  # passes only three at a time
    inside: set[int] = set()
    most = 0
    lock = threading.Lock()

    def work(item: int) -> None:
        nonlocal most
        with lock:
            inside.add(item)
            most = max(most, len(inside))
        together.wait(PATIENCE_SECONDS)
        with lock:
            inside.remove(item)

    Threads().each(work, range(9), at_most=3)

    assert most == 3


def test_after_an_error_nothing_new_begins_and_what_runs_ends_first() -> None:
    failed = threading.Event()
    ended: list[str] = []

    def work(item: str) -> None:
        if item == "bad":
            failed.set()
            raise ZeroDivisionError
        assert failed.wait(PATIENCE_SECONDS)
        ended.append(item)

    def items() -> Iterator[str]:
        yield from ("slow", "bad")
        for number in range(1000):
            assert failed.wait(PATIENCE_SECONDS)
            yield f"later {number}"

    with pytest.raises(ZeroDivisionError):
        Threads().each(work, items(), at_most=2)

    assert "slow" in ended
    assert len(ended) < 1000


def test_the_first_error_is_the_one_raised() -> None:
    first_failed = threading.Event()

    def work(item: int) -> None:
        if item == 1:
            first_failed.set()
            raise ValueError("first")
        assert first_failed.wait(PATIENCE_SECONDS)
        raise KeyError("second")

    with pytest.raises((ValueError, KeyError)) as caught:
        Threads().each(work, [2, 1], at_most=2)

    assert isinstance(caught.value, ValueError)


def test_an_error_of_the_items_themselves_is_raised() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Threads().each(lambda _item: None, items(), at_most=2)


def test_no_thread_is_left_running() -> None:
    before = threading.active_count()

    Threads().each(lambda _item: None, range(10), at_most=4)

    assert threading.active_count() == before
