"""
The AWS account around the functions: who invokes them, when, and how often.

S3 events invoke import_csv asynchronously: two repetitions, then the failure queue. Messages
come back after their visibility time-out, five times, then they are dead. The tick comes every
minute, is never repeated, and is left out of the simulation while it would find nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bigin_import import identity
from bigin_import.aws.queue import CollectMessage
from bigin_import.domain.drop import Notice, ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import KeyLock, Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.undo import Undo
from bigin_import.importing.decisions import Decision
from tests.fakes.memory_files import MemoryFiles
from tests.fakes.memory_token_secret import MemoryTokenSecret
from tests.fakes.seen_events import SeenEvents
from tests.simulation.bigin_port import BiginServer
from tests.simulation.functions import Functions, Outside
from tests.simulation.ports import FAILS, SimulatedLedger
from tests.simulation.scenarios import Scenario
from tests.simulation.world import SKEW_SECONDS, World, away

# The figures of template.yaml.
IMPORT_SECONDS = SETTLE_SECONDS = 300
CALLBACK_SECONDS = 15
VISIBILITY_SECONDS = 1800
FAILURE_VISIBILITY_SECONDS = 600
MAX_RECEIVE_COUNT = 5
ASYNC_RETRIES_AFTER = (60, 120)
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Command:
    """What import_csv is sent by the tick or by a person."""

    import_id: str
    decision: Decision | None = None
    part: int = 0
    attempt: int = 0
    job_id: str = ""
    held_at: int = 0


type Event = ObjectVersion | Command


class Account:
    """
    Everything that is deployed.

    Attributes:
        published: Every notice with its time.
        dead: Messages that came five times.
        failed: Events that import_csv failed on for good, each with the time it is visible from.
    """

    def __init__(
        self,
        world: World,
        scenario: Scenario,
        check: Callable[[Record | None, Record], None],
        told: Callable[[Notice], object],
    ) -> None:
        self.world = world
        self.ledger = SimulatedLedger(world, self._checked(check))
        self.bucket = MemoryFiles(now=lambda: int(world.now))
        self.bigin = BiginServer(world, scenario, self.post)
        self.telemetry = SeenEvents()
        self.published: list[tuple[float, Notice]] = []
        self.dead: list[CollectMessage] = []
        self.failed: list[list[object]] = []
        self._told = told
        self._ticks: set[int] = set()
        self._outside = Outside(
            world=world,
            ledger=self.ledger,
            token_secret=MemoryTokenSecret(),
            bucket=self.bucket,
            bigin=self.bigin,
            queue=self,
            resumer=self,
            notices=self,
            failures=self,
            telemetry=self.telemetry,
        )

    # What people and other services do

    def put(self, key: str, body: bytes) -> ObjectVersion:
        """Put an object; its event comes at least once."""
        source = self.bucket.put(key, body)
        kind, number = self.world.faults.strike("s3 event", ("event_twice", "event_late"))
        late = 900 * number if kind == "event_late" else 1 + number
        self.world.after(late, lambda: self.invoke(source))
        if kind == "event_twice":
            self.world.after(300 * number, lambda: self.invoke(source))
        return source

    def post(self, url: str, body: bytes, content_type: str, *, forged: str = "") -> None:
        """POST to the callback address; Bigin does not mind how that ends."""

        def call_back() -> None:
            accepted = Functions(self._outside).call_back(url, body, content_type)
            if forged and accepted:
                self.world.violate(f"{forged} was accepted")

        process = self.world.start("job_callback", CALLBACK_SECONDS, call_back)
        process.forbidden = forged

    def invoke(self, event: Event, earlier: int = 0) -> None:
        """Invoke import_csv asynchronously."""

        def work() -> None:
            functions = Functions(self._outside)
            if isinstance(event, ObjectVersion):
                functions.importer().receive(event)
                return
            if event.decision is not None:
                _decide(functions, event)
            functions.importer().resume(event.import_id)

        def ended(well: bool) -> None:
            if well:
                return
            if earlier < len(ASYNC_RETRIES_AFTER):
                pause = ASYNC_RETRIES_AFTER[earlier]
                self.world.after(pause, lambda: self.invoke(event, earlier + 1))
            else:
                self.failed.append([self.world.now, event])
                self.wake_tick(self.world.now)

        self.world.start("import_csv", IMPORT_SECONDS, work, ended)

    def ask(self, event: Mapping[str, object], heard: Callable[[Any], object]) -> None:
        """Invoke settle_jobs as `bigin-drop undo` does; *heard* gets None where it failed."""
        said: list[object] = []

        def work() -> None:
            said.append(Functions(self._outside).undo(event))

        def ended(well: bool) -> None:
            heard(said[0] if well else None)

        self.world.start("settle_jobs", SETTLE_SECONDS, work, ended)

    # What is there to be seen

    def parts_of(self, import_id: str) -> tuple[Part, ...]:
        """Return the parts of an import as they stand; nobody's call."""
        records = self.ledger.records.values()
        return tuple(r for r in records if isinstance(r, Part) and r.import_id == import_id)

    def undos(self) -> Iterator[Undo]:
        """Yield what was shown or undone, as it stands; nobody's call."""
        yield from (r for r in self.ledger.records.values() if isinstance(r, Undo))

    def import_of(self, import_id: str) -> Import | None:
        """Return an import as it stands; nobody's call."""
        record = self.ledger.records.get((Import.at(import_id).pk, "IMPORT"))
        return record if isinstance(record, Import) else None

    def holder_of(self, source: ObjectVersion) -> str | None:
        """Return the import that has the lock of a key; nobody's call."""
        address = KeyLock.at(identity.place_of(source))
        lock = self.ledger.records.get((address.pk, address.sk))
        return lock.open_import if isinstance(lock, KeyLock) else None

    def jobs_of(self, import_id: str, part: int | None = None) -> list[str]:
        """Return the jobs in Bigin that name an import, or one part of it, in their callback."""
        found = []
        for job in self.bigin.model.jobs.values():
            assert job.request.callback is not None
            *_, named, number, _, _ = job.request.callback.url.split("/")
            if named == import_id and part in (None, int(number)):
                found.append(job.id)
        return found

    # Ports

    def collect(self, import_id: str, part: int | None = None, *, after_seconds: int = 0) -> None:
        """The CollectQueue port."""
        self._send("queue.collect", CollectMessage(import_id, part), after_seconds)

    def go_on_undoing(self, import_id: str) -> None:
        """The CollectQueue port, too."""
        self._send("queue.undo", CollectMessage(import_id, undo=True))

    def _send(self, label: str, message: CollectMessage, after_seconds: int = 0) -> None:
        kind = self.world.point(f"{label} before", (*FAILS, "message_twice"))
        if kind == "aws_error" or self.world.is_away("queue"):
            raise away("SQS is out of order")
        for _ in range(2 if kind == "message_twice" else 1):
            self.world.after(1 + after_seconds, lambda: self._deliver(message, 1))
        if self.world.point(f"{label} after", FAILS):
            raise away("SQS gave no answer")

    def resume(self, import_id: str) -> None:
        """The Resumer port."""
        kind = self.world.point("resumer.resume before", (*FAILS, "event_twice"))
        if kind == "aws_error":
            raise away("Lambda is out of order")
        for _ in range(2 if kind == "event_twice" else 1):
            self.world.after(0.1, lambda: self.invoke(Command(import_id)))
        if self.world.point("resumer.resume after", FAILS):
            raise away("Lambda gave no answer")

    def publish(self, notice: Notice) -> None:
        """The Notices port."""
        kind = self.world.point("notices.publish before", (*FAILS, "answer_lost"))
        if kind == "aws_error":
            raise away("SNS is out of order")
        self._publish(notice)
        if kind == "answer_lost":
            raise away("SNS gave no answer")
        self.world.point("notices.publish after")

    def _publish(self, notice: Notice) -> None:
        self.published.append((self.world.now, notice))
        self._told(notice)

    def drain(self) -> Iterator[tuple[ObjectVersion, ...]]:
        """The Failures port."""
        if self.world.point("failures.receive before", FAILS):
            raise away("SQS is out of order")
        visible = [entry for entry in self.failed if float(str(entry[0])) <= self.world.now]
        for entry in visible:
            entry[0] = self.world.now + FAILURE_VISIBILITY_SECONDS
        for entry in visible:
            event = entry[1]
            yield (event,) if isinstance(event, ObjectVersion) else ()
            if entry in self.failed:  # or another tick was faster, while this one stood still
                self.failed.remove(entry)
            self.world.point("failures.delete after")

    # Invocations of settle_jobs

    def _deliver(self, message: CollectMessage, times: int) -> None:
        def ended(well: bool) -> None:
            if well:
                return
            if times == MAX_RECEIVE_COUNT:
                self.dead.append(message)
                return
            self.world.after(VISIBILITY_SECONDS, lambda: self._deliver(message, times + 1))

        self.world.start(
            "settle_jobs",
            SETTLE_SECONDS,
            lambda: Functions(self._outside).collect(message),
            ended,
        )

    def wake_tick(self, moment: float) -> None:
        """See to it that there is a tick at the first full minute from *moment* on."""
        minute = math.ceil(max(moment, self.world.now) / MINUTE)
        if minute not in self._ticks:
            self._ticks.add(minute)
            self.world.at(minute * MINUTE, self._tick)

    def _tick(self) -> None:
        self.world.start("tick", SETTLE_SECONDS, lambda: Functions(self._outside).tick())
        self._plan_tick()

    def _plan_tick(self) -> None:
        """Plan the next tick that may find something, whatever becomes of this one."""
        open_at = [record.due_at or 0 for record in self.ledger.open_records()]
        failed_at = [float(str(entry[0])) for entry in self.failed]
        if open_at or failed_at:
            soonest = min([*open_at, *failed_at]) - SKEW_SECONDS
            self.wake_tick(max(soonest, self.world.now + 1))

    def _checked(
        self, check: Callable[[Record | None, Record], None]
    ) -> Callable[[Record | None, Record], None]:
        def checked(old: Record | None, new: Record) -> None:
            check(old, new)
            if isinstance(new, (Import, Part, Undo)) and new.due_at is not None:
                self.wake_tick(new.due_at - SKEW_SECONDS)

        return checked


def _decide(functions: Functions, wanted: Command) -> None:
    decisions = functions.decisions()
    about = (wanted.import_id, wanted.part, wanted.attempt)
    match wanted.decision:
        case Decision.CREATE:
            decisions.create(*about)
        case Decision.ADOPT:
            decisions.adopt(*about, wanted.job_id)
        case Decision.GIVE_UP:
            decisions.give_up(*about)
        case _:
            decisions.go_on(wanted.import_id, wanted.held_at)
