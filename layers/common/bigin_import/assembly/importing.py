"""import_csv, put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import boto3

from bigin_import.assembly.container import CLIENT_CONFIG, Container
from bigin_import.aws.files import S3Files
from bigin_import.aws.outages import translate_errors
from bigin_import.bigin.client import BiginClient
from bigin_import.callback_url import SignedCallbacks
from bigin_import.corrections.corrections import Corrections
from bigin_import.importing.decisions import Decisions
from bigin_import.importing.importer import Importer
from bigin_import.importing.metadata_cache import MetadataCache
from bigin_import.importing.prepare import Preparer
from bigin_import.importing.register import Registrar
from bigin_import.importing.send import Sender
from bigin_import.importing.send_part import PartSender
from bigin_import.lambda_runtime import InvocationContext, LambdaClock, Threads
from bigin_import.settings import ImportSettings


@dataclass(frozen=True)
class ImportCsv:
    """The parts of import_csv."""

    settings: ImportSettings

    @cached_property
    def container(self) -> Container:
        settings = self.settings
        return Container(settings.bigin, settings.table, settings.collect_queue_url)

    @cached_property
    def files(self) -> S3Files:
        return S3Files(
            translate_errors(boto3.client("s3", config=CLIENT_CONFIG)), self.settings.bucket
        )

    def importer(self, context: InvocationContext) -> Importer:
        """Return the use case for one invocation."""
        clock = LambdaClock(context)
        bigin = self.container.bigin(clock)
        metadata = MetadataCache(self.container.ledger, bigin, clock)
        corrections = Corrections(
            ledger=self.container.ledger,
            files=self.files,
            default_encoding=self.settings.default_encoding,
        )
        return Importer(
            ledger=self.container.ledger,
            files=self.files,
            intake=self._intake(clock),
            corrections=corrections,
            preparer=self._preparer(clock, metadata, corrections),
            sender=self._sender(clock, bigin, metadata),
            queue=self.container.queue,
            clock=clock,
            telemetry=self.container.telemetry,
            mapping_wait_seconds=self.settings.mapping_wait_minutes * 60,
        )

    def decisions(self, context: InvocationContext) -> Decisions:
        """Return the use case for what a person decides."""
        clock = LambdaClock(context)
        return Decisions(
            ledger=self.container.ledger,
            bigin=self.container.bigin(clock),
            urls=self._urls(),
            queue=self.container.queue,
            clock=clock,
            telemetry=self.container.telemetry,
        )

    def _intake(self, clock: LambdaClock) -> Registrar:
        return Registrar(
            ledger=self.container.ledger,
            files=self.files,
            clock=clock,
            telemetry=self.container.telemetry,
        )

    def _preparer(
        self, clock: LambdaClock, metadata: MetadataCache, corrections: Corrections
    ) -> Preparer:
        return Preparer(
            ledger=self.container.ledger,
            files=self.files,
            metadata=metadata,
            corrections=corrections,
            clock=clock,
            telemetry=self.container.telemetry,
            default_encoding=self.settings.default_encoding,
        )

    def _sender(self, clock: LambdaClock, bigin: BiginClient, metadata: MetadataCache) -> Sender:
        urls = self._urls()
        return Sender(
            ledger=self.container.ledger,
            bigin=bigin,
            urls=urls,
            part_sender=PartSender(
                files=self.files,
                bigin=bigin,
                metadata=metadata,
                urls=urls,
                clock=clock,
                telemetry=self.container.telemetry,
            ),
            clock=clock,
            parallel=Threads(),
            queue=self.container.queue,
            telemetry=self.container.telemetry,
            max_parallel_calls=self.settings.max_parallel_calls,
            unknown_create_seconds=self.settings.unknown_create_minutes * 60,
        )

    def _urls(self) -> SignedCallbacks:
        keys = self.container.secrets.read_signing_keys(self.settings.signing_secret_arn)
        return SignedCallbacks(self.settings.callback_url, keys)
