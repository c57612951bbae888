"""The three functions as they are wired in production, but over the simulated world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bigin_import.aws.queue import CollectMessage
from bigin_import.callback_url import SignedCallbacks, read_job_id, verify
from bigin_import.importing.decisions import Decisions
from bigin_import.importing.importer import Importer
from bigin_import.ports import CollectQueue, Failures, Notices, Resumer
from bigin_import.wiring import Application, Limits
from tests.fakes.memory_files import MemoryFiles
from tests.fakes.memory_token_secret import MemoryTokenSecret
from tests.fakes.seen_events import SeenEvents
from tests.fakes.shared_token import shared_token
from tests.simulation.bigin_port import BiginServer, SimulatedBigin, ZohoTokens
from tests.simulation.ports import (
    Fibers,
    ProcessClock,
    SimulatedFiles,
    SimulatedLedger,
    SimulatedTokenSecret,
    SimulatedUrls,
)
from tests.simulation.scenarios import ROWS_PER_PART
from tests.simulation.world import World

KEYS = (b"current key", b"previous key")
BASE_URL = "https://callback.example/live/v1/callback"
DAY = 24 * 3600
IDS_PER_DELETE = 2
LIMITS = Limits(max_rows=ROWS_PER_PART, ids_per_delete=IDS_PER_DELETE)


@dataclass(frozen=True, slots=True)
class Outside:
    """What outlives an invocation."""

    world: World
    ledger: SimulatedLedger
    token_secret: MemoryTokenSecret
    bucket: MemoryFiles
    bigin: BiginServer
    queue: CollectQueue
    resumer: Resumer
    notices: Notices
    failures: Failures
    telemetry: SeenEvents


class Functions:
    """The functions as one process runs them: its ports, and the use cases over them."""

    def __init__(self, outside: Outside) -> None:
        world = outside.world
        self.ledger = outside.ledger
        self.queue = outside.queue
        self.resumer = outside.resumer
        self.notices = outside.notices
        self.failures = outside.failures
        self.telemetry = outside.telemetry
        self.clock = ProcessClock(world, world.process)
        self.files = SimulatedFiles(world, outside.bucket)
        tokens = shared_token(
            ZohoTokens(outside.bigin),
            self.clock,
            ledger=outside.ledger,
            secret=SimulatedTokenSecret(world, outside.token_secret),
        )
        self.bigin = self.records = SimulatedBigin(outside.bigin, tokens)
        self.urls = SimulatedUrls(world, SignedCallbacks(BASE_URL, KEYS))
        self.zoho_secret = ZohoTokens(outside.bigin)
        self.parallel = Fibers(world)
        self._application = Application(self, LIMITS)

    def probe(self, url: str) -> int:
        """Answer as nobody asks: no doctor comes here."""
        raise AssertionError(url)

    def importer(self) -> Importer:
        return self._application.importer

    def decisions(self) -> Decisions:
        return self._application.decisions

    def call_back(self, url: str, body: bytes, content_type: str) -> bool:
        """Do what job_callback does with a POST; False is an answer 403."""
        import_id, part, attempt, signature = url.split("/")[-4:]
        target = verify(import_id, part, attempt, signature, KEYS)
        if target is None:
            return False
        self._application.callback_recorder.receive(target, read_job_id(body, content_type))
        return True

    def collect(self, message: CollectMessage) -> None:
        """Do what settle_jobs does with one message."""
        if message.undo:
            self._application.undo_runner.go_on(message.import_id)
        else:
            self._application.collect_messages.act(message.import_id, message.part)

    def undo(self, event: Mapping[str, object]) -> dict[str, object]:
        """Do what settle_jobs does when a person asks for an undo."""
        return self._application.undo_desk.act(event)

    def tick(self) -> None:
        """Do what settle_jobs does every minute."""
        self._application.tick.tick()
