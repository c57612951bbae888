"""
Every use case put together once, whatever ports it stands on.

Production stands on `container.LambdaPorts`, the tests and the simulation on their own. A use
case and its package are imported where they are built: a function loads what it uses, and
job_callback, which Bigin waits for, nothing of mappings and files.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, Self

from bigin_import.domain.undo import IDS_PER_CALL
from bigin_import.settings import CallbackSettings, ImportSettings, SettleSettings

if TYPE_CHECKING:
    from bigin_import import ports
    from bigin_import.corrections.corrections import Corrections
    from bigin_import.domain.import_record import Import
    from bigin_import.domain.job_request import JobRequest
    from bigin_import.importing.decisions import Decisions
    from bigin_import.importing.find_mapping import MetadataCache
    from bigin_import.importing.importer import Importer
    from bigin_import.importing.prepare import Preparer
    from bigin_import.importing.register import Registrar
    from bigin_import.importing.send import Sender
    from bigin_import.settling.close import ImportCloser
    from bigin_import.settling.collect import CollectMessages, Collector
    from bigin_import.settling.match_job import CallbackRecorder, JobMatcher, JobPoller
    from bigin_import.settling.self_check import SelfCheck
    from bigin_import.settling.summarize import ConsoleLinks
    from bigin_import.settling.tick import Tick
    from bigin_import.settling.waiting import PauseNotices, Suggestion, ZohoAccess
    from bigin_import.settling.write_overview import OverviewWriter
    from bigin_import.undoing.run import UndoRunner
    from bigin_import.undoing.show import UndoDesk

MINUTE_SECONDS = 60
HOUR_SECONDS = 3600
DAY_SECONDS = 24 * 3600


class Ports(Protocol):
    """What an invocation stands on; a function needs only those that its use cases ask for."""

    @property
    def ledger(self) -> ports.Ledger: ...
    @property
    def files(self) -> ports.Files: ...
    @property
    def bigin(self) -> ports.Bigin: ...
    @property
    def records(self) -> ports.Records: ...
    @property
    def zoho_secret(self) -> ports.ZohoSecret: ...
    @property
    def urls(self) -> ports.CallbackUrls: ...
    @property
    def queue(self) -> ports.CollectQueue: ...
    @property
    def notices(self) -> ports.Notices: ...
    @property
    def resumer(self) -> ports.Resumer: ...
    @property
    def failures(self) -> ports.Failures: ...
    @property
    def clock(self) -> ports.Clock: ...
    @property
    def parallel(self) -> ports.Parallel: ...
    @property
    def telemetry(self) -> ports.Telemetry: ...
    def probe(self, url: str) -> int:
        """Post nothing to *url* and return the status of the answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What a deployment may set, as the use cases read it; the defaults are the template's.

    Attributes:
        max_rows: Of one part; 0 for as many as Bigin takes.
        ids_per_delete: Records that one call deletes, at most as many as Bigin takes.
        region, bucket, import_function, zoho_secret: For links and commands in notices, reports.
        bucket: Also the only one whose failed events are taken in.
    """

    default_encoding: str = ""
    max_parallel_calls: int = 3
    mapping_wait_seconds: int = HOUR_SECONDS
    notice_wait_seconds: int = 2 * MINUTE_SECONDS
    unknown_create_seconds: int = HOUR_SECONDS
    job_deadline_seconds: int = DAY_SECONDS
    hold_seconds: int = 14 * DAY_SECONDS
    keep_seconds: int = 90 * DAY_SECONDS
    max_rows: int = 0
    ids_per_delete: int = IDS_PER_CALL
    region: str = "eu-central-1"
    bucket: str = "bucket"
    import_function: str = "import-csv"
    zoho_secret: str = "zoho"  # noqa: S105  # its name

    @classmethod
    def of(
        cls, settings: CallbackSettings | ImportSettings | SettleSettings, *, region: str
    ) -> Self:
        match settings:
            case CallbackSettings():
                return cls()
            case ImportSettings():
                return cls(
                    default_encoding=settings.default_encoding,
                    max_parallel_calls=settings.max_parallel_calls,
                    mapping_wait_seconds=settings.mapping_wait_minutes * MINUTE_SECONDS,
                    unknown_create_seconds=settings.unknown_create_minutes * MINUTE_SECONDS,
                )
        return cls(
            default_encoding=settings.default_encoding,
            mapping_wait_seconds=settings.mapping_wait_minutes * MINUTE_SECONDS,
            notice_wait_seconds=settings.mapping_notice_minutes * MINUTE_SECONDS,
            job_deadline_seconds=settings.job_deadline_hours * HOUR_SECONDS,
            hold_seconds=settings.hold_days * DAY_SECONDS,
            keep_seconds=settings.keep_days * DAY_SECONDS,
            region=region,
            bucket=settings.bucket,
            import_function=settings.import_function,
            zoho_secret=settings.bigin.zoho_secret_arn,
        )


class Application:
    """The use cases of one invocation, each built when it is first asked for."""

    def __init__(self, given: Ports, limits: Limits | None = None) -> None:
        self._ports = given
        self._limits = limits or Limits()

    @cached_property
    def importer(self) -> Importer:
        from bigin_import.importing.importer import Importer

        return Importer(
            ledger=self._ports.ledger,
            files=self._ports.files,
            registrar=self.registrar,
            corrections=self.corrections,
            preparer=self.preparer,
            sender=self.sender,
            queue=self._ports.queue,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
            mapping_wait_seconds=self._limits.mapping_wait_seconds,
        )

    @cached_property
    def preparer(self) -> Preparer:
        from bigin_import.domain.job_request import MAX_ROWS
        from bigin_import.importing.prepare import Preparer

        return Preparer(
            ledger=self._ports.ledger,
            files=self._ports.files,
            metadata=self.metadata,
            corrections=self.corrections,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
            default_encoding=self._limits.default_encoding,
            max_rows=self._limits.max_rows or MAX_ROWS,
        )

    @cached_property
    def sender(self) -> Sender:
        from bigin_import.importing.send import Sender
        from bigin_import.importing.send_part import PartSender

        return Sender(
            ledger=self._ports.ledger,
            bigin=self._ports.bigin,
            urls=self._ports.urls,
            part_sender=PartSender(
                files=self._ports.files,
                bigin=self._ports.bigin,
                urls=self._ports.urls,
                clock=self._ports.clock,
                telemetry=self._ports.telemetry,
            ),
            clock=self._ports.clock,
            parallel=self._ports.parallel,
            queue=self._ports.queue,
            telemetry=self._ports.telemetry,
            max_parallel_calls=self._limits.max_parallel_calls,
            unknown_create_seconds=self._limits.unknown_create_seconds,
        )

    @cached_property
    def decisions(self) -> Decisions:
        from bigin_import.importing.decisions import Decisions

        return Decisions(
            ledger=self._ports.ledger,
            bigin=self._ports.bigin,
            urls=self._ports.urls,
            queue=self._ports.queue,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
        )

    @cached_property
    def registrar(self) -> Registrar:
        from bigin_import.importing.register import Registrar

        return Registrar(
            ledger=self._ports.ledger,
            files=self._ports.files,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
        )

    @cached_property
    def metadata(self) -> MetadataCache:
        from bigin_import.importing.find_mapping import MetadataCache

        return MetadataCache(self._ports.ledger, self._ports.bigin, self._ports.clock)

    @cached_property
    def corrections(self) -> Corrections:
        from bigin_import.corrections.corrections import Corrections

        return Corrections(
            ledger=self._ports.ledger,
            files=self._ports.files,
            default_encoding=self._limits.default_encoding,
        )

    @cached_property
    def callback_recorder(self) -> CallbackRecorder:
        from bigin_import.settling.match_job import CallbackRecorder

        return CallbackRecorder(
            ledger=self._ports.ledger,
            job_matcher=self.job_matcher,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
        )

    @cached_property
    def job_matcher(self) -> JobMatcher:
        from bigin_import.settling.match_job import JobMatcher

        return JobMatcher(
            ledger=self._ports.ledger,
            urls=self._ports.urls,
            poller=self.poller,
            queue=self._ports.queue,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
        )

    @cached_property
    def poller(self) -> JobPoller:
        from bigin_import.settling.match_job import JobPoller

        return JobPoller(
            ledger=self._ports.ledger,
            bigin=self._ports.bigin,
            queue=self._ports.queue,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
        )

    @cached_property
    def collector(self) -> Collector:
        from bigin_import.settling.collect import Collector

        return Collector(
            ledger=self._ports.ledger,
            files=self._ports.files,
            bigin=self._ports.bigin,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
        )

    @cached_property
    def collect_messages(self) -> CollectMessages:
        from bigin_import.settling.collect import CollectMessages

        return CollectMessages(
            collector=self.collector,
            closer=self.import_closer,
            queue=self._ports.queue,
            telemetry=self._ports.telemetry,
        )

    @cached_property
    def import_closer(self) -> ImportCloser:
        from bigin_import.settling.close import ImportCloser, ResultWriter

        return ImportCloser(
            ledger=self._ports.ledger,
            files=self._ports.files,
            writer=ResultWriter(
                ledger=self._ports.ledger,
                files=self._ports.files,
                clock=self._ports.clock,
                around=self._around,
                suggest=self._suggest,
            ),
            registrar=self.registrar,
            notice_wait_seconds=self._limits.notice_wait_seconds,
            notices=self._ports.notices,
            resumer=self._ports.resumer,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
            keep_seconds=self._limits.keep_seconds,
        )

    @cached_property
    def _around(self) -> ConsoleLinks:
        from bigin_import.bigin import wire
        from bigin_import.settling.summarize import ConsoleLinks

        def request_text(request: JobRequest) -> str:
            body = wire.create_body(
                request, file_id="(from the upload)", callback_url="(ours, signed)"
            )
            return json.dumps(body, indent=2, ensure_ascii=False)

        return ConsoleLinks(
            region=self._limits.region,
            bucket=self._limits.bucket,
            import_function=self._limits.import_function,
            request_text=request_text,
            zoho_secret=self._limits.zoho_secret,
        )

    def _suggest(self, record: Import) -> Suggestion:
        """Few imports want a suggestion, and all that reads mappings comes with it."""
        from bigin_import.settling.suggest_mapping import Suggester

        suggester = Suggester(
            files=self._ports.files,
            metadata=self.metadata,
            default_encoding=self._limits.default_encoding,
        )
        return suggester.suggest(record)

    @cached_property
    def tick(self) -> Tick:
        from bigin_import.settling.tick import ListedFolders, Tick

        return Tick(
            ledger=self._ports.ledger,
            files=self._ports.files,
            folders=ListedFolders(self._ports.files),
            registrar=self.registrar,
            poller=self.poller,
            job_matcher=self.job_matcher,
            collector=self.collector,
            closer=self.import_closer,
            pause_notices=self._pause_notices,
            overview=self._overview,
            zoho_access=self._zoho_access,
            resumer=self._ports.resumer,
            queue=self._ports.queue,
            failures=self._ports.failures,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
            bucket=self._limits.bucket,
            mapping_wait_seconds=self._limits.mapping_wait_seconds,
            job_deadline_seconds=self._limits.job_deadline_seconds,
            hold_seconds=self._limits.hold_seconds,
        )

    @cached_property
    def undo_desk(self) -> UndoDesk:
        from bigin_import.undoing.checks import UndoChecks
        from bigin_import.undoing.show import UndoDesk

        return UndoDesk(
            ledger=self._ports.ledger,
            files=self._ports.files,
            records=self._ports.records,
            checks=UndoChecks(
                ledger=self._ports.ledger, files=self._ports.files, bigin=self._ports.bigin
            ),
            queue=self._ports.queue,
            parallel=self._ports.parallel,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
        )

    @cached_property
    def undo_runner(self) -> UndoRunner:
        from bigin_import.deduplication.claims import KeyHistory
        from bigin_import.undoing.conclude import UndoConcluder
        from bigin_import.undoing.run import UndoRunner

        ledger, files, clock = self._ports.ledger, self._ports.files, self._ports.clock
        return UndoRunner(
            ledger=ledger,
            files=files,
            records=self._ports.records,
            concluder=UndoConcluder(
                ledger=ledger,
                files=files,
                history=KeyHistory(ledger=ledger, files=files, clock=clock),
                around=self._around,
                notices=self._ports.notices,
                resumer=self._ports.resumer,
                clock=clock,
                telemetry=self._ports.telemetry,
            ),
            queue=self._ports.queue,
            parallel=self._ports.parallel,
            clock=clock,
            telemetry=self._ports.telemetry,
            ids_per_call=self._limits.ids_per_delete,
        )

    @cached_property
    def self_check(self) -> SelfCheck:
        from bigin_import.settling.self_check import SelfCheck

        return SelfCheck(
            ledger=self._ports.ledger,
            bigin=self._ports.bigin,
            read_urls=lambda: self._ports.urls,
            probe=self._ports.probe,
            default_encoding=self._limits.default_encoding,
        )

    @cached_property
    def _overview(self) -> OverviewWriter:
        from bigin_import.settling.write_overview import OverviewWriter

        return OverviewWriter(
            ledger=self._ports.ledger,
            files=self._ports.files,
            clock=self._ports.clock,
            keep_seconds=self._limits.keep_seconds,
        )

    @cached_property
    def _zoho_access(self) -> ZohoAccess:
        from bigin_import.settling.waiting import ZohoAccess

        return ZohoAccess(
            ledger=self._ports.ledger,
            secret=self._ports.zoho_secret,
            notices=self._ports.notices,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
            around=self._around,
        )

    @cached_property
    def _pause_notices(self) -> PauseNotices:
        from bigin_import.settling.waiting import PauseNotices

        return PauseNotices(
            ledger=self._ports.ledger,
            notices=self._ports.notices,
            clock=self._ports.clock,
            telemetry=self._ports.telemetry,
            around=self._around,
        )
