"""Parallel work that is over when it says so."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bigin_import.container import SharedItems, Threads

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


def test_the_error_of_the_work_is_raised_as_it_is() -> None:
    error = ValueError("bad item")

    def work(_item: int) -> None:
        raise error

    with pytest.raises(ValueError, match="bad item") as caught:
        Threads().each(work, [1, 2, 3], at_most=2)

    assert caught.value is error


def test_of_several_errors_the_first_counts_and_nothing_is_given_out_after_it() -> None:
    shared = SharedItems([1, 2, 3])
    next(shared)

    shared.stop(ValueError("first"))
    shared.stop(KeyError("second"))

    assert isinstance(shared.first_error, ValueError)
    assert list(shared) == []


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
