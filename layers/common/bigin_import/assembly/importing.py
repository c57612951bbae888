"""import_csv, put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import boto3

from bigin_import.assembly.sandbox import CLIENT_CONFIG, Sandbox
from bigin_import.aws.files import S3Files
from bigin_import.bigin.client import BiginClient
from bigin_import.callback import SignedCallbacks
from bigin_import.importing.decisions import Decisions
from bigin_import.importing.importer import Importer
from bigin_import.importing.intake import Intake
from bigin_import.importing.metadata import Metadata
from bigin_import.importing.part_sender import PartSender
from bigin_import.importing.preparer import Preparer
from bigin_import.importing.reworking import Reworking
from bigin_import.importing.sender import Sender
from bigin_import.runtime.lambda_clock import InvocationContext, LambdaClock
from bigin_import.runtime.threads import Threads
from bigin_import.settings import ImportSettings


@dataclass(frozen=True)
class ImportCsv:
    """The parts of import_csv."""

    settings: ImportSettings

    @cached_property
    def sandbox(self) -> Sandbox:
        settings = self.settings
        return Sandbox(settings.bigin, settings.table, settings.collect_queue_url)

    @cached_property
    def files(self) -> S3Files:
        return S3Files(boto3.client("s3", config=CLIENT_CONFIG), self.settings.bucket)

    def importer(self, context: InvocationContext) -> Importer:
        """Return the use case for one invocation."""
        clock = LambdaClock(context)
        bigin = self.sandbox.bigin(clock)
        metadata = Metadata(self.sandbox.ledger, bigin, clock)
        reworking = Reworking(
            ledger=self.sandbox.ledger,
            files=self.files,
            default_encoding=self.settings.default_encoding,
        )
        return Importer(
            ledger=self.sandbox.ledger,
            files=self.files,
            intake=self._intake(clock),
            reworking=reworking,
            preparer=self._preparer(clock, metadata, reworking),
            sender=self._sender(clock, bigin, metadata),
            queue=self.sandbox.queue,
            clock=clock,
            observer=self.sandbox.observer,
            mapping_wait_seconds=self.settings.mapping_wait_minutes * 60,
        )

    def decisions(self, context: InvocationContext) -> Decisions:
        """Return the use case for what a person decides."""
        clock = LambdaClock(context)
        return Decisions(
            ledger=self.sandbox.ledger,
            bigin=self.sandbox.bigin(clock),
            urls=self._urls(),
            queue=self.sandbox.queue,
            clock=clock,
            observer=self.sandbox.observer,
        )

    def _intake(self, clock: LambdaClock) -> Intake:
        return Intake(
            ledger=self.sandbox.ledger,
            files=self.files,
            clock=clock,
            observer=self.sandbox.observer,
        )

    def _preparer(self, clock: LambdaClock, metadata: Metadata, reworking: Reworking) -> Preparer:
        return Preparer(
            ledger=self.sandbox.ledger,
            files=self.files,
            metadata=metadata,
            reworking=reworking,
            clock=clock,
            observer=self.sandbox.observer,
            default_encoding=self.settings.default_encoding,
        )

    def _sender(self, clock: LambdaClock, bigin: BiginClient, metadata: Metadata) -> Sender:
        urls = self._urls()
        return Sender(
            ledger=self.sandbox.ledger,
            bigin=bigin,
            urls=urls,
            part_sender=PartSender(
                files=self.files,
                bigin=bigin,
                metadata=metadata,
                urls=urls,
                clock=clock,
                observer=self.sandbox.observer,
            ),
            clock=clock,
            parallel=Threads(),
            queue=self.sandbox.queue,
            observer=self.sandbox.observer,
            max_parallel_calls=self.settings.max_parallel_calls,
            unknown_create_seconds=self.settings.unknown_create_minutes * 60,
        )

    def _urls(self) -> SignedCallbacks:
        keys = self.sandbox.secrets.signing_keys(self.settings.signing_secret_arn)
        return SignedCallbacks(self.settings.callback_url, keys)
