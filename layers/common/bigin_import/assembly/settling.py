"""settle_jobs, put together."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property, partial

import boto3

from bigin_import.assembly.container import CLIENT_CONFIG, Container
from bigin_import.aws.failures import FailedEvents
from bigin_import.aws.files import S3Files
from bigin_import.aws.functions import LambdaResumer
from bigin_import.aws.notices import SnsNotices
from bigin_import.aws.outages import translate_errors
from bigin_import.bigin import wire
from bigin_import.bigin.client import BiginClient
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import JobRequest
from bigin_import.importing.metadata_cache import MetadataCache
from bigin_import.importing.register import Registrar
from bigin_import.lambda_runtime import InvocationContext, LambdaClock
from bigin_import.settings import SettleSettings
from bigin_import.settling.close import ImportCloser, ResultWriter
from bigin_import.settling.collect import Collector
from bigin_import.settling.credit_notice import OutOfCreditsNotice
from bigin_import.settling.summarize import ConsoleLinks
from bigin_import.settling.tick import Tick

DAY_SECONDS = 24 * 3600


@dataclass(frozen=True)
class SettleJobs:
    """The parts of settle_jobs."""

    settings: SettleSettings

    @cached_property
    def container(self) -> Container:
        settings = self.settings
        return Container(settings.bigin, settings.table, settings.collect_queue_url)

    @cached_property
    def files(self) -> S3Files:
        return S3Files(
            translate_errors(boto3.client("s3", config=CLIENT_CONFIG)), self.settings.bucket
        )

    @cached_property
    def resumer(self) -> LambdaResumer:
        client = translate_errors(boto3.client("lambda", config=CLIENT_CONFIG))
        return LambdaResumer(client, self.settings.import_function)

    @cached_property
    def notices(self) -> SnsNotices:
        return SnsNotices(
            translate_errors(boto3.client("sns", config=CLIENT_CONFIG)), self.settings.topic_arn
        )

    @cached_property
    def failures(self) -> FailedEvents:
        client = translate_errors(boto3.client("sqs", config=CLIENT_CONFIG))
        return FailedEvents(client, self.settings.failure_queue_url, self.container.telemetry)

    def collector(self, context: InvocationContext) -> Collector:
        """Return the use case that collects a part, for one invocation."""
        clock = LambdaClock(context)
        return self._collector(clock, self.container.bigin(clock))

    def finisher(self, context: InvocationContext) -> ImportCloser:
        """Return the use case that closes imports, for one invocation."""
        clock = LambdaClock(context)
        return self._finisher(clock, self.container.bigin(clock))

    def sweeper(self, context: InvocationContext) -> Tick:
        """Return the use case of the tick, for one invocation."""
        clock = LambdaClock(context)
        bigin = self.container.bigin(clock)
        return Tick(
            ledger=self.container.ledger,
            files=self.files,
            intake=self._intake(clock),
            poller=self.container.poller(bigin, clock),
            job_matcher=self.container.job_matcher(bigin, clock, self._signing_keys()),
            collector=self._collector(clock, bigin),
            finisher=self._finisher(clock, bigin),
            out_of_credits=OutOfCreditsNotice(
                ledger=self.container.ledger,
                notices=self.notices,
                clock=clock,
                telemetry=self.container.telemetry,
            ),
            resumer=self.resumer,
            failures=self.failures,
            clock=clock,
            telemetry=self.container.telemetry,
            mapping_wait_seconds=self.settings.mapping_wait_minutes * 60,
            job_deadline_seconds=self.settings.job_deadline_hours * 3600,
            hold_seconds=self.settings.hold_days * DAY_SECONDS,
        )

    def _intake(self, clock: LambdaClock) -> Registrar:
        return Registrar(
            ledger=self.container.ledger,
            files=self.files,
            clock=clock,
            telemetry=self.container.telemetry,
        )

    def _signing_keys(self) -> tuple[bytes, ...]:
        return self.container.secrets.read_signing_keys(self.settings.signing_secret_arn)

    def _finisher(self, clock: LambdaClock, bigin: BiginClient) -> ImportCloser:
        metadata = MetadataCache(self.container.ledger, bigin, clock)
        return ImportCloser(
            ledger=self.container.ledger,
            files=self.files,
            writer=ResultWriter(
                files=self.files,
                clock=clock,
                around=self._console_links,
                suggest=partial(self._suggest, metadata),
            ),
            intake=self._intake(clock),
            notices=self.notices,
            resumer=self.resumer,
            clock=clock,
            telemetry=self.container.telemetry,
            keep_seconds=self.settings.keep_days * DAY_SECONDS,
        )

    def _suggest(self, metadata: MetadataCache, record: Import) -> str | None:
        # Imported here: few imports want a suggestion, and all that reads mappings comes with it.
        from bigin_import.settling.suggest_mapping import Suggester  # noqa: PLC0415  # see above

        suggester = Suggester(
            files=self.files, metadata=metadata, default_encoding=self.settings.default_encoding
        )
        return suggester.suggest(record)

    def _collector(self, clock: LambdaClock, bigin: BiginClient) -> Collector:
        return Collector(
            ledger=self.container.ledger,
            files=self.files,
            bigin=bigin,
            clock=clock,
            telemetry=self.container.telemetry,
        )

    @cached_property
    def _console_links(self) -> ConsoleLinks:
        return ConsoleLinks(
            region=boto3.Session().region_name,
            bucket=self.settings.bucket,
            import_function=self.settings.import_function,
            request_text=_request_text,
        )


def _request_text(request: JobRequest) -> str:
    body = wire.create_body(request, file_id="(from the upload)", callback_url="(ours, signed)")
    return json.dumps(body, indent=2, ensure_ascii=False)
