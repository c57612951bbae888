"""The ports of the use cases, over fakes, each call a point of the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal

from bigin_import.callback_url import SignedCallbacks
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Job
from bigin_import.domain.locks import Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.undo import Undo
from tests.fakes.memory_files import MemoryFiles
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_token_secret import MemoryTokenSecret
from tests.simulation.world import Process, World, away

MOST_LAG_SECONDS = 20
FAILS = ("aws_error",)
REPEATED_AFTER_SECONDS = 5.0  # the SDK's own time-out and pause before it repeats a write


class ProcessClock:
    """The Clock of one process: whole seconds, a little off."""

    def __init__(self, world: World, process: Process) -> None:
        self._world = world
        self._process = process

    def now(self) -> int:
        return int(self._world.now + self._process.skew)

    def sleep(self, seconds: float) -> None:
        self._world.pause(seconds)

    def remaining_seconds(self) -> float:
        return max(0.0, self._process.deadline - self._world.now)


class Fibers:
    """The Parallel port: fibers of the process that calls."""

    def __init__(self, world: World) -> None:
        self._world = world

    def each[T](self, work: Callable[[T], object], items: Iterable[T], *, at_most: int) -> None:
        waiting = list(items)
        errors: list[Exception] = []
        parent = self._world.fiber
        running = min(at_most, len(waiting))

        def work_on() -> None:
            nonlocal running
            try:
                while waiting and not errors:
                    work(waiting.pop(0))
            except Exception as exc:  # noqa: BLE001  # raised again by the parent
                errors.append(exc)
            running -= 1
            if running == 0:
                self._world.wake(parent)

        if running:
            for _ in range(running):
                self._world.spawn(work_on)
            self._world.park()
        if errors:
            raise errors[0]


class SimulatedLedger(MemoryLedger):
    """
    A ledger whose writes get lost, or lose their answer, and whose index lags.

    Attributes:
        repeats: The write that is made now is the SDK's repetition of one that was lost.
    """

    def __init__(self, world: World, check: Callable[[Record | None, Record], None]) -> None:
        self._world = world
        self.repeats = False
        super().__init__(
            check=check,
            hook=self._point,
            answer_lost=self._answer_lost,
            now=lambda: int(world.now),
            lag=self._lag_seconds,
        )

    def _point(
        self,
        moment: Literal["before", "after"],
        call: Literal["load", "save", "delete", "parts", "due"],
        subject: object,
    ) -> None:
        kind = type(subject).__name__ if call == "save" else ""
        label = f"ledger.{call}{'.' + kind if kind else ''} {moment}"
        fails = moment == "before" or call in ("save", "delete")
        struck = self._world.point(label, FAILS if fails else ())
        if struck or (moment == "before" and self._world.is_away("ledger")):
            raise away(f"{label}: throttled")
        if call == "save" and moment == "before":
            self._lose_request()

    def _lose_request(self) -> None:
        """Let the first try of a write get lost on its way; the SDK repeats it."""
        lost = self._world.faults.strike("ledger request", ("request_lost",))[0]
        if lost:
            self._world.pause(REPEATED_AFTER_SECONDS)
        self.repeats = bool(lost)

    def _answer_lost(self) -> bool:
        lost = self._world.faults.strike("ledger write", ("answer_lost",))[0]
        if lost:
            self._world.pause(REPEATED_AFTER_SECONDS)
        return bool(lost)

    def _put(self, record: Record, saved: Record, write_id: int) -> None:
        super()._put(record, saved, write_id)

    def _lag_seconds(self) -> int:
        lag, number = self._world.faults.strike("index", ("index_lag",))
        return int(MOST_LAG_SECONDS * number) if lag else 0

    def open_records(self) -> Iterator[Import | Part | Undo]:
        """Yield what is open in truth, whatever the index says."""
        for record in self.records.values():
            if isinstance(record, (Import, Part, Undo)) and record.open is not None:
                yield record


class SimulatedFiles:
    """The Files port of a process."""

    def __init__(self, world: World, bucket: MemoryFiles) -> None:
        self._world = world
        self._bucket = bucket

    def find_newest(self, key: str) -> ObjectVersion | None:
        return self._call("newest", lambda: self._bucket.find_newest(key))

    def read(self, key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:
        return self._call(
            "read", lambda: self._bucket.read(key, version_id=version_id, at_most=at_most)
        )

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        return self._call("stream", lambda: self._bucket.open_stream(source))

    def write(self, key: str, body: bytes, *, content_type: str) -> None:
        self._call("write", lambda: self._bucket.write(key, body, content_type=content_type))

    @contextmanager
    def open_writer(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        with self._bucket.open_writer(key, content_type=content_type) as stream:
            yield stream
            self._before("writer")
        self._world.point("files.writer after")

    def mark_closed(self, source: ObjectVersion) -> None:
        self._call("mark", lambda: self._bucket.mark_closed(source))

    def mark_open(self, source: ObjectVersion) -> None:
        self._call("mark", lambda: self._bucket.mark_open(source))

    def list_keys(self, prefix: str, *, since: int = 0) -> Iterator[str]:
        return iter(self._call("keys", lambda: list(self._bucket.list_keys(prefix, since=since))))

    def _call[R](self, name: str, effect: Callable[[], R]) -> R:
        self._before(name)
        result = effect()
        if self._world.point(f"files.{name} after", FAILS if name == "write" else ()):
            raise away(f"files.{name}: S3 gave no answer")
        return result

    def _before(self, name: str) -> None:
        struck = self._world.point(f"files.{name} before", FAILS, longest=0.2)
        if struck or self._world.is_away("files"):
            raise away(f"files.{name}: S3 is out of order")


class SimulatedTokenSecret:
    """The TokenSecret port of a process."""

    def __init__(self, world: World, secret: MemoryTokenSecret) -> None:
        self._world = world
        self._secret = secret

    def read(self, version_id: str) -> str | None:
        _check_secrets(self._world)
        return self._secret.read(version_id)

    def write(self, token: str) -> str:
        _check_secrets(self._world)
        return self._secret.write(token)


class SimulatedUrls:
    """The CallbackUrls port of a process, which reads its keys when it signs."""

    def __init__(self, world: World, urls: SignedCallbacks) -> None:
        self._world = world
        self._urls = urls

    def names(self, job: Job, import_id: str, part: int, attempt: int) -> bool | None:
        _check_secrets(self._world)
        return self._urls.names(job, import_id, part, attempt)

    def url(self, import_id: str, part: int, attempt: int) -> str:
        _check_secrets(self._world)
        return self._urls.url(import_id, part, attempt)


def _check_secrets(world: World) -> None:
    if world.is_away("secrets"):
        raise away("Secrets Manager is out of order")
