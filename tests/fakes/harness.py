"""The whole application on fakes: people drop files, events are delivered, time passes by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from bigin_import import identity
from bigin_import.callback_url import SignedCallbacks, verify
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.importing.decisions import Decisions
from bigin_import.importing.importer import Importer
from bigin_import.importing.prepare import Preparer
from bigin_import.importing.register import Registrar
from bigin_import.importing.send import Sender
from bigin_import.ports import FailedDecision
from bigin_import.settling.close import ImportCloser
from bigin_import.settling.collect import Collector
from bigin_import.settling.match_job import CallbackRecorder, JobMatcher, JobPoller
from bigin_import.settling.tick import Tick
from bigin_import.wiring import Application
from tests.fakes.fake_bigin import FakeBigin
from tests.fakes.manual_clock import ManualClock
from tests.fakes.memory_files import MemoryFiles
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_notices import MemoryNotices
from tests.fakes.memory_queue import MemoryQueue, MemoryResumer
from tests.fakes.seen_events import SeenEvents
from tests.fakes.serial_parallel import SerialParallel

KEYS = (b"current key", b"previous key")
BASE_URL = "https://callback.example/live/v1/callback"
MAPPING: Mapping[str, object] = {
    "module": "Contacts",
    "operation": "insert",
    "columns": {"E-mail": "Email", "Surname": "Last_Name"},
}
ROWS = b"E-mail,Surname\nada@example.com,Lovelace\nalan@example.com,Turing\n"


def as_json(mapping: Mapping[str, object]) -> bytes:
    return json.dumps(dict(mapping)).encode()


class MemoryFailures:
    """
    The Failures port.

    Attributes:
        events: What each failed event was about, the oldest first.
    """

    def __init__(self) -> None:
        self.events: list[tuple[ObjectVersion | FailedDecision, ...]] = []

    def drain(self) -> Iterator[tuple[ObjectVersion | FailedDecision, ...]]:
        while self.events:
            yield self.events[0]
            self.events.pop(0)


class MemoryZohoSecret:
    """The ZohoSecret port; whoever stores another secret sets another *version*."""

    def __init__(self) -> None:
        self.version = "version-1"

    def read_version(self) -> str:
        return self.version


class Harness:
    """
    The ports, all of them fakes, and every use case over them.

    `drop` puts an object and delivers its event; `settle` delivers what lies in the queues;
    `tick` lets the minute pass and runs the sweeper.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.files = MemoryFiles(now=self.clock.now)
        self.bigin = FakeBigin()
        self.zoho_secret = MemoryZohoSecret()
        self.queue = MemoryQueue()
        self.resumer = MemoryResumer()
        self.notices = MemoryNotices()
        self.failures = MemoryFailures()
        self.telemetry = SeenEvents()
        self.urls = SignedCallbacks(BASE_URL, KEYS)
        self.parallel = SerialParallel()

    @property
    def application(self) -> Application:
        """The use cases, made anew as for each invocation."""
        return Application(self)

    @property
    def importer(self) -> Importer:
        return self.application.importer

    @property
    def preparer(self) -> Preparer:
        return self.application.preparer

    @property
    def sender(self) -> Sender:
        return self.application.sender

    @property
    def registrar(self) -> Registrar:
        return self.application.registrar

    @property
    def poller(self) -> JobPoller:
        return self.application.poller

    @property
    def job_matcher(self) -> JobMatcher:
        return self.application.job_matcher

    @property
    def callback_recorder(self) -> CallbackRecorder:
        return self.application.callback_recorder

    @property
    def collector(self) -> Collector:
        return self.application.collector

    @property
    def closer(self) -> ImportCloser:
        return self.application.import_closer

    @property
    def sweeper(self) -> Tick:
        return self.application.tick

    @property
    def decisions(self) -> Decisions:
        return self.application.decisions

    @property
    def records(self) -> FakeBigin:
        return self.bigin

    def probe(self, url: str) -> int:
        """Answer as job_callback does to a signature that is good, or not."""
        import_id, number, count, signature = url.split("/")[-4:]
        is_good = verify(import_id, number, count, signature, KEYS) is not None
        return 200 if is_good else 403

    def drop(self, key: str, body: bytes | Mapping[str, object]) -> ObjectVersion:
        """Put an object under `incoming/` and deliver its event."""
        content = body if isinstance(body, bytes) else as_json(body)
        source = self.files.put(key, content)
        self.clock.begin()
        self.importer.receive(source)
        return source

    def settle(self) -> None:
        """Deliver what lies in the queues until they are empty."""
        while self.queue.messages or self.queue.undone or self.resumer.asked:
            self.clock.begin()
            if self.queue.messages:
                self._deliver(*self.queue.messages.pop(0))
            elif self.queue.undone:
                self.application.undo_runner.go_on(self.queue.undone.pop(0))
            else:
                self.importer.resume(self.resumer.asked.pop(0))

    def _deliver(self, import_id: str, part: int | None) -> None:
        with self.telemetry.mark_lines(import_id):  # as settle_jobs does
            self.application.collect_messages.act(import_id, part)

    def tick(self, minutes: int = 1) -> None:
        """Let minutes pass, each with its tick and everything the tick asks for."""
        for _ in range(minutes):
            self.clock.advance(60)
            self.clock.begin()
            self.sweeper.tick()
            self.queue.pass_time()
            self.settle()

    def call_back(self, part: Part, hint: str | None = None) -> None:
        """Let Bigin report the job of a part's current attempt."""
        attempt = part.attempt
        assert attempt is not None
        url = self.urls.url(part.import_id, part.number, attempt.number)
        import_id, number, count, signature = url.split("/")[-4:]
        target = verify(import_id, number, count, signature, KEYS)
        assert target is not None
        self.callback_recorder.receive(target, hint or attempt.job_id)

    def import_of(self, source: ObjectVersion, take: int = 1) -> Import:
        record = self.ledger.load(Import.at(identity.import_id_of(source, take)))
        assert record is not None
        return record

    def parts_of(self, source: ObjectVersion) -> tuple[Part, ...]:
        return self.ledger.load_parts(identity.import_id_of(source))

    def result(self, source: ObjectVersion, name: str) -> bytes:
        """Return a result file of a drop."""
        return self.files.read(f"{self.import_of(source).results}{name}", at_most=10_000_000)
