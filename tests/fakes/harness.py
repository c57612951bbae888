"""The whole house on fakes: people drop files, events are delivered, time passes by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from bigin_import import identity
from bigin_import.callback_url import SignedCallbacks, verify
from bigin_import.corrections.corrections import Corrections
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.errors import BiginError
from bigin_import.importing.decisions import Decisions
from bigin_import.importing.importer import Importer
from bigin_import.importing.metadata_cache import MetadataCache
from bigin_import.importing.prepare import Preparer
from bigin_import.importing.register import Registrar
from bigin_import.importing.send import Sender
from bigin_import.importing.send_part import PartSender
from bigin_import.settling.callback import CallbackRecorder
from bigin_import.settling.close import ImportCloser, ResultWriter
from bigin_import.settling.collect import Collector
from bigin_import.settling.credit_notice import OutOfCreditsNotice
from bigin_import.settling.match_job import JobMatcher
from bigin_import.settling.poll import JobPoller
from bigin_import.settling.suggest_mapping import Suggester
from bigin_import.settling.summarize import ConsoleLinks
from bigin_import.settling.tick import Tick
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
        self.events: list[tuple[ObjectVersion, ...]] = []

    def drain(self) -> Iterator[tuple[ObjectVersion, ...]]:
        while self.events:
            yield self.events[0]
            self.events.pop(0)


class Harness:
    """
    Every use case over one set of fakes.

    `drop` puts an object and delivers its event; `settle` delivers what lies in the queues;
    `tick` lets the minute pass and runs the sweeper.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.files = MemoryFiles(now=self.clock.now)
        self.bigin = FakeBigin()
        self.queue = MemoryQueue()
        self.resumer = MemoryResumer()
        self.notices = MemoryNotices()
        self.failures = MemoryFailures()
        self.telemetry = SeenEvents()
        self.urls = SignedCallbacks(BASE_URL, KEYS)

    @property
    def intake(self) -> Registrar:
        return Registrar(
            ledger=self.ledger, files=self.files, clock=self.clock, telemetry=self.telemetry
        )

    @property
    def metadata(self) -> MetadataCache:
        return MetadataCache(self.ledger, self.bigin, self.clock)

    @property
    def corrections(self) -> Corrections:
        return Corrections(ledger=self.ledger, files=self.files, default_encoding="")

    @property
    def preparer(self) -> Preparer:
        return Preparer(
            ledger=self.ledger,
            files=self.files,
            metadata=self.metadata,
            corrections=self.corrections,
            clock=self.clock,
            telemetry=self.telemetry,
            default_encoding="",
        )

    @property
    def sender(self) -> Sender:
        return Sender(
            ledger=self.ledger,
            bigin=self.bigin,
            urls=self.urls,
            part_sender=PartSender(
                files=self.files,
                bigin=self.bigin,
                metadata=self.metadata,
                urls=self.urls,
                clock=self.clock,
                telemetry=self.telemetry,
            ),
            clock=self.clock,
            parallel=SerialParallel(),
            queue=self.queue,
            telemetry=self.telemetry,
            max_parallel_calls=3,
            unknown_create_seconds=3600,
        )

    @property
    def importer(self) -> Importer:
        return Importer(
            ledger=self.ledger,
            files=self.files,
            intake=self.intake,
            corrections=self.corrections,
            preparer=self.preparer,
            sender=self.sender,
            queue=self.queue,
            clock=self.clock,
            telemetry=self.telemetry,
            mapping_wait_seconds=3600,
        )

    @property
    def poller(self) -> JobPoller:
        return JobPoller(
            ledger=self.ledger,
            bigin=self.bigin,
            queue=self.queue,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @property
    def callback_recorder(self) -> CallbackRecorder:
        return CallbackRecorder(
            ledger=self.ledger,
            job_matcher=self.job_matcher,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @property
    def job_matcher(self) -> JobMatcher:
        return JobMatcher(
            ledger=self.ledger,
            bigin=self.bigin,
            urls=self.urls,
            poller=self.poller,
            queue=self.queue,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @property
    def collector(self) -> Collector:
        return Collector(
            ledger=self.ledger,
            files=self.files,
            bigin=self.bigin,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @property
    def finisher(self) -> ImportCloser:
        around = ConsoleLinks(
            region="eu-central-1",
            bucket=self.files.bucket,
            import_function="import-csv",
            request_text=str,
        )
        return ImportCloser(
            ledger=self.ledger,
            files=self.files,
            writer=ResultWriter(
                files=self.files,
                clock=self.clock,
                around=around,
                suggest=Suggester(
                    files=self.files,
                    metadata=self.metadata,
                    default_encoding="",
                ).suggest,
            ),
            intake=self.intake,
            notices=self.notices,
            resumer=self.resumer,
            clock=self.clock,
            telemetry=self.telemetry,
            keep_seconds=90 * 24 * 3600,
        )

    @property
    def sweeper(self) -> Tick:
        return Tick(
            ledger=self.ledger,
            files=self.files,
            intake=self.intake,
            poller=self.poller,
            job_matcher=self.job_matcher,
            collector=self.collector,
            finisher=self.finisher,
            out_of_credits=OutOfCreditsNotice(
                ledger=self.ledger,
                notices=self.notices,
                clock=self.clock,
                telemetry=self.telemetry,
            ),
            resumer=self.resumer,
            failures=self.failures,
            clock=self.clock,
            telemetry=self.telemetry,
            mapping_wait_seconds=3600,
            job_deadline_seconds=24 * 3600,
            hold_seconds=14 * 24 * 3600,
        )

    @property
    def decisions(self) -> Decisions:
        return Decisions(
            ledger=self.ledger,
            bigin=self.bigin,
            urls=self.urls,
            queue=self.queue,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def drop(self, key: str, body: bytes | Mapping[str, object]) -> ObjectVersion:
        """Put an object under `incoming/` and deliver its event."""
        content = body if isinstance(body, bytes) else as_json(body)
        source = self.files.put(key, content)
        self.clock.begin()
        self.importer.receive(source)
        return source

    def settle(self) -> None:
        """Deliver what lies in the queues until they are empty."""
        while self.queue.messages or self.resumer.asked:
            self.clock.begin()
            if self.queue.messages:
                self._deliver(*self.queue.messages.pop(0))
            else:
                self.importer.resume(self.resumer.asked.pop(0))

    def _deliver(self, import_id: str, part: int | None) -> None:
        if part is None:
            self.finisher.finish(import_id)
            return
        try:
            self.collector.collect(import_id, part)
        except BiginError:
            return  # as settle_jobs does: the part stays due, the message is done
        self.finisher.finish_after_part(import_id)

    def tick(self, minutes: int = 1) -> None:
        """Let minutes pass, each with its tick and everything the tick asks for."""
        for _ in range(minutes):
            self.clock.advance(60)
            self.clock.begin()
            self.sweeper.tick()
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
