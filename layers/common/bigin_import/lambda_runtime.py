"""The Clock port of one Lambda invocation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
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


class Threads:
    """Work side by side in threads that are all joined before `each` returns or raises."""

    def each[T](self, work: Callable[[T], object], items: Iterable[T], *, at_most: int) -> None:
        shared = SharedItems(items)

        def work_on() -> None:
            try:
                for item in shared:
                    work(item)
            except BaseException as exc:
                shared.stop(exc)
                raise

        with ThreadPoolExecutor(max_workers=at_most) as pool:
            for _ in range(at_most):
                pool.submit(work_on)
        if shared.first_error is not None:
            raise shared.first_error


class SharedItems[T]:
    """Items for several threads; empty once an error was met."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self._lock = Lock()
        self.first_error: BaseException | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            if self.first_error is not None:
                raise StopIteration
            return next(self._items)

    def stop(self, error: BaseException) -> None:
        with self._lock:
            if self.first_error is None:
                self.first_error = error
