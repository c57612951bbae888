"""The three functions as they are wired in production, but over the simulated world."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.bigin.token_store import SharedAccessToken
from bigin_import.callback_url import SignedCallbacks, read_job_id, verify
from bigin_import.corrections.corrections import Corrections
from bigin_import.errors import BiginError
from bigin_import.importing.decisions import Decisions
from bigin_import.importing.importer import Importer
from bigin_import.importing.metadata_cache import MetadataCache
from bigin_import.importing.prepare import Preparer
from bigin_import.importing.register import Registrar
from bigin_import.importing.send import Sender
from bigin_import.importing.send_part import PartSender
from bigin_import.ports import CollectQueue, Failures, Notices, Resumer
from bigin_import.settling.callback import CallbackRecorder
from bigin_import.settling.close import ImportCloser, ResultWriter
from bigin_import.settling.collect import Collector
from bigin_import.settling.credit_notice import OutOfCreditsNotice
from bigin_import.settling.match_job import JobMatcher
from bigin_import.settling.poll import JobPoller
from bigin_import.settling.suggest_mapping import Suggester
from bigin_import.settling.summarize import ConsoleLinks
from bigin_import.settling.tick import Tick
from bigin_import.telemetry import report_bigin_error
from tests.fakes.memory_files import MemoryFiles
from tests.fakes.seen_events import SeenEvents
from tests.simulation.bigin_port import BiginServer, SimulatedBigin, ZohoTokens
from tests.simulation.ports import Fibers, ProcessClock, SimulatedFiles, SimulatedLedger
from tests.simulation.scenarios import ROWS_PER_PART
from tests.simulation.world import World

KEYS = (b"current key", b"previous key")
BASE_URL = "https://callback.example/live/v1/callback"
DAY = 24 * 3600
HOLD_SECONDS = 14 * DAY
JOB_DEADLINE_SECONDS = DAY
MAPPING_WAIT_SECONDS = 3600
UNKNOWN_CREATE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Outside:
    """What outlives an invocation."""

    world: World
    ledger: SimulatedLedger
    bucket: MemoryFiles
    bigin: BiginServer
    queue: CollectQueue
    resumer: Resumer
    notices: Notices
    failures: Failures
    telemetry: SeenEvents


class Functions:
    """The use cases of one invocation: made within its process."""

    def __init__(self, outside: Outside) -> None:
        self.o = outside
        world = outside.world
        self.clock = ProcessClock(world, world.process)
        self.files = SimulatedFiles(world, outside.bucket)
        tokens = SharedAccessToken(outside.ledger, ZohoTokens(outside.bigin), self.clock)
        self.bigin = SimulatedBigin(outside.bigin, tokens)
        self.urls = SignedCallbacks(BASE_URL, KEYS)
        self.intake = Registrar(
            ledger=outside.ledger, files=self.files, clock=self.clock, telemetry=outside.telemetry
        )

    def importer(self) -> Importer:
        o = self.o
        metadata = MetadataCache(o.ledger, self.bigin, self.clock)
        corrections = Corrections(ledger=o.ledger, files=self.files, default_encoding="")
        return Importer(
            ledger=o.ledger,
            files=self.files,
            intake=self.intake,
            corrections=corrections,
            preparer=Preparer(
                ledger=o.ledger,
                files=self.files,
                metadata=metadata,
                corrections=corrections,
                clock=self.clock,
                telemetry=o.telemetry,
                default_encoding="",
                max_rows=ROWS_PER_PART,
            ),
            sender=self._sender(metadata),
            queue=o.queue,
            clock=self.clock,
            telemetry=o.telemetry,
            mapping_wait_seconds=MAPPING_WAIT_SECONDS,
        )

    def _sender(self, metadata: MetadataCache) -> Sender:
        o = self.o
        return Sender(
            ledger=o.ledger,
            bigin=self.bigin,
            urls=self.urls,
            part_sender=PartSender(
                files=self.files,
                bigin=self.bigin,
                metadata=metadata,
                urls=self.urls,
                clock=self.clock,
                telemetry=o.telemetry,
            ),
            clock=self.clock,
            parallel=Fibers(o.world),
            queue=o.queue,
            telemetry=o.telemetry,
            max_parallel_calls=3,
            unknown_create_seconds=UNKNOWN_CREATE_SECONDS,
        )

    def decisions(self) -> Decisions:
        o = self.o
        return Decisions(
            ledger=o.ledger,
            bigin=self.bigin,
            urls=self.urls,
            queue=o.queue,
            clock=self.clock,
            telemetry=o.telemetry,
        )

    def call_back(self, url: str, body: bytes, content_type: str) -> bool:
        """Do what job_callback does with a POST; False is an answer 403."""
        import_id, part, attempt, signature = url.split("/")[-4:]
        target = verify(import_id, part, attempt, signature, KEYS)
        if target is None:
            return False
        callback_recorder = CallbackRecorder(
            ledger=self.o.ledger,
            job_matcher=self._job_matcher(),
            clock=self.clock,
            telemetry=self.o.telemetry,
        )
        callback_recorder.receive(target, read_job_id(body, content_type))
        return True

    def collect(self, import_id: str, part: int | None) -> None:
        """Do what settle_jobs does with one message."""
        if part is not None:
            try:
                self._collector().collect(import_id, part)
            except BiginError as exc:
                report_bigin_error(self.o.telemetry, exc, part=part)
                return
            self._finisher().finish_after_part(import_id)
        else:
            self._finisher().finish(import_id)

    def tick(self) -> None:
        """Do what settle_jobs does every minute."""
        o = self.o
        Tick(
            ledger=o.ledger,
            files=self.files,
            intake=self.intake,
            poller=self._poller(),
            job_matcher=self._job_matcher(),
            collector=self._collector(),
            finisher=self._finisher(),
            out_of_credits=OutOfCreditsNotice(
                ledger=o.ledger, notices=o.notices, clock=self.clock, telemetry=o.telemetry
            ),
            resumer=o.resumer,
            failures=o.failures,
            clock=self.clock,
            telemetry=o.telemetry,
            mapping_wait_seconds=MAPPING_WAIT_SECONDS,
            job_deadline_seconds=JOB_DEADLINE_SECONDS,
            hold_seconds=HOLD_SECONDS,
        ).tick()

    def _poller(self) -> JobPoller:
        o = self.o
        return JobPoller(
            ledger=o.ledger,
            bigin=self.bigin,
            queue=o.queue,
            clock=self.clock,
            telemetry=o.telemetry,
        )

    def _job_matcher(self) -> JobMatcher:
        o = self.o
        return JobMatcher(
            ledger=o.ledger,
            bigin=self.bigin,
            urls=self.urls,
            poller=self._poller(),
            queue=o.queue,
            clock=self.clock,
            telemetry=o.telemetry,
        )

    def _collector(self) -> Collector:
        o = self.o
        return Collector(
            ledger=o.ledger,
            files=self.files,
            bigin=self.bigin,
            clock=self.clock,
            telemetry=o.telemetry,
        )

    def _finisher(self) -> ImportCloser:
        o = self.o
        around = ConsoleLinks(
            region="eu-central-1",
            bucket=o.bucket.bucket,
            import_function="import-csv",
            request_text=str,
        )
        return ImportCloser(
            ledger=o.ledger,
            files=self.files,
            writer=ResultWriter(
                files=self.files,
                clock=self.clock,
                around=around,
                suggest=Suggester(
                    files=self.files,
                    metadata=MetadataCache(o.ledger, self.bigin, self.clock),
                    default_encoding="",
                ).suggest,
            ),
            intake=self.intake,
            notices=o.notices,
            resumer=o.resumer,
            clock=self.clock,
            telemetry=o.telemetry,
            keep_seconds=90 * DAY,
        )
