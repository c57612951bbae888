"""The three functions as they are wired in production, but over the simulated world."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.callback import SignedCallbacks, read_job_id, verify
from bigin_import.complaints import complain
from bigin_import.errors import BiginError
from bigin_import.importing.decisions import Decisions
from bigin_import.importing.importer import Importer
from bigin_import.importing.intake import Intake
from bigin_import.importing.metadata import Metadata
from bigin_import.importing.part_sender import PartSender
from bigin_import.importing.preparer import Preparer
from bigin_import.importing.reworking import Reworking
from bigin_import.importing.sender import Sender
from bigin_import.ports import CollectQueue, Failures, Notices, Resumer
from bigin_import.settling.adopter import Adopter
from bigin_import.settling.closing import Writer
from bigin_import.settling.collector import Collector
from bigin_import.settling.finisher import Finisher
from bigin_import.settling.receiver import Receiver
from bigin_import.settling.settler import Settler
from bigin_import.settling.shortage import Shortage
from bigin_import.settling.suggesting import Suggester
from bigin_import.settling.summarising import Surroundings
from bigin_import.settling.sweeper import Sweeper
from bigin_import.shared_token import SharedAccessToken
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
    observer: SeenEvents


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
        self.intake = Intake(
            ledger=outside.ledger, files=self.files, clock=self.clock, observer=outside.observer
        )

    def importer(self) -> Importer:
        o = self.o
        metadata = Metadata(o.ledger, self.bigin, self.clock)
        reworking = Reworking(ledger=o.ledger, files=self.files, default_encoding="")
        return Importer(
            ledger=o.ledger,
            files=self.files,
            intake=self.intake,
            reworking=reworking,
            preparer=Preparer(
                ledger=o.ledger,
                files=self.files,
                metadata=metadata,
                reworking=reworking,
                clock=self.clock,
                observer=o.observer,
                default_encoding="",
                max_rows=ROWS_PER_PART,
            ),
            sender=self._sender(metadata),
            queue=o.queue,
            clock=self.clock,
            observer=o.observer,
            mapping_wait_seconds=MAPPING_WAIT_SECONDS,
        )

    def _sender(self, metadata: Metadata) -> Sender:
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
                observer=o.observer,
            ),
            clock=self.clock,
            parallel=Fibers(o.world),
            queue=o.queue,
            observer=o.observer,
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
            observer=o.observer,
        )

    def call_back(self, url: str, body: bytes, content_type: str) -> bool:
        """Do what job_callback does with a POST; False is an answer 403."""
        import_id, part, attempt, signature = url.split("/")[-4:]
        target = verify(import_id, part, attempt, signature, KEYS)
        if target is None:
            return False
        receiver = Receiver(
            ledger=self.o.ledger,
            adopter=self._adopter(),
            clock=self.clock,
            observer=self.o.observer,
        )
        receiver.receive(target, read_job_id(body, content_type))
        return True

    def collect(self, import_id: str, part: int | None) -> None:
        """Do what settle_jobs does with one message."""
        if part is not None:
            try:
                self._collector().collect(import_id, part)
            except BiginError as exc:
                complain(self.o.observer, exc, part=part)
                return
        self._finisher().finish(import_id)

    def tick(self) -> None:
        """Do what settle_jobs does every minute."""
        o = self.o
        Sweeper(
            ledger=o.ledger,
            files=self.files,
            intake=self.intake,
            settler=self._settler(),
            adopter=self._adopter(),
            collector=self._collector(),
            finisher=self._finisher(),
            shortage=Shortage(
                ledger=o.ledger, notices=o.notices, clock=self.clock, observer=o.observer
            ),
            resumer=o.resumer,
            failures=o.failures,
            clock=self.clock,
            observer=o.observer,
            mapping_wait_seconds=MAPPING_WAIT_SECONDS,
            job_deadline_seconds=JOB_DEADLINE_SECONDS,
            hold_seconds=HOLD_SECONDS,
        ).tick()

    def _settler(self) -> Settler:
        o = self.o
        return Settler(
            ledger=o.ledger,
            bigin=self.bigin,
            queue=o.queue,
            clock=self.clock,
            observer=o.observer,
        )

    def _adopter(self) -> Adopter:
        o = self.o
        return Adopter(
            ledger=o.ledger,
            bigin=self.bigin,
            urls=self.urls,
            settler=self._settler(),
            queue=o.queue,
            clock=self.clock,
            observer=o.observer,
        )

    def _collector(self) -> Collector:
        o = self.o
        return Collector(
            ledger=o.ledger,
            files=self.files,
            bigin=self.bigin,
            clock=self.clock,
            observer=o.observer,
        )

    def _finisher(self) -> Finisher:
        o = self.o
        around = Surroundings(
            region="eu-central-1",
            bucket=o.bucket.bucket,
            import_function="import-csv",
            request_text=str,
        )
        return Finisher(
            ledger=o.ledger,
            files=self.files,
            writer=Writer(
                files=self.files,
                clock=self.clock,
                around=around,
                suggest=Suggester(
                    files=self.files,
                    metadata=Metadata(o.ledger, self.bigin, self.clock),
                    default_encoding="",
                ).suggest,
            ),
            intake=self.intake,
            notices=o.notices,
            resumer=o.resumer,
            clock=self.clock,
            observer=o.observer,
            keep_seconds=90 * DAY,
        )
