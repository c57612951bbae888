"""
What the functions have in common.

Clients and secrets live as long as the sandbox; what knows its deadline lives for one invocation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.aws.outages import translate_errors
from bigin_import.aws.queue import SqsCollectQueue
from bigin_import.aws.secrets import Secrets
from bigin_import.aws.telemetry import PowertoolsTelemetry
from bigin_import.bigin.auth import Credentials, ZohoAccounts
from bigin_import.bigin.client import BiginClient, Patience
from bigin_import.bigin.datacenters import endpoints
from bigin_import.bigin.token_store import SharedAccessToken
from bigin_import.callback_url import SignedCallbacks
from bigin_import.lambda_runtime import LambdaClock
from bigin_import.settings import BiginSettings
from bigin_import.settling.match_job import JobMatcher
from bigin_import.settling.poll import JobPoller
from bigin_import.telemetry import report_forbidden_edge

# Time-outs, so that no call outlives the invocation that made it.
CLIENT_CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 4}
)


@dataclass(frozen=True)
class Container:
    """What outlives an invocation: AWS clients, secrets, the log."""

    settings: BiginSettings
    table: str
    collect_queue_url: str

    @cached_property
    def logger(self) -> Logger:
        return Logger()

    @cached_property
    def secrets(self) -> Secrets:
        client = translate_errors(boto3.client("secretsmanager", config=CLIENT_CONFIG))
        return Secrets(client)

    @cached_property
    def ledger(self) -> DynamoLedger:
        client = translate_errors(boto3.client("dynamodb", config=CLIENT_CONFIG))
        return DynamoLedger(
            client, self.table, check=partial(report_forbidden_edge, self.telemetry)
        )

    @cached_property
    def queue(self) -> SqsCollectQueue:
        return SqsCollectQueue(
            translate_errors(boto3.client("sqs", config=CLIENT_CONFIG)), self.collect_queue_url
        )

    @cached_property
    def telemetry(self) -> PowertoolsTelemetry:
        return PowertoolsTelemetry(self.logger)

    def bigin(self, clock: LambdaClock, patience: Patience | None = None) -> BiginClient:
        """Return a client for one invocation; it never waits past that invocation's end."""
        hosts = endpoints(self.settings)
        accounts = ZohoAccounts(hosts, self._credentials)
        tokens = SharedAccessToken(self.ledger, accounts, clock)
        return BiginClient(hosts, tokens, clock, patience=patience or Patience())

    def poller(self, bigin: BiginClient, clock: LambdaClock) -> JobPoller:
        """Return the use case that writes down what became of a job."""
        return JobPoller(
            ledger=self.ledger, bigin=bigin, queue=self.queue, clock=clock, telemetry=self.telemetry
        )

    def job_matcher(
        self, bigin: BiginClient, clock: LambdaClock, signing_keys: Sequence[bytes]
    ) -> JobMatcher:
        """Return the use case that asks about jobs which callbacks named."""
        return JobMatcher(
            ledger=self.ledger,
            bigin=bigin,
            urls=SignedCallbacks("", signing_keys),
            poller=self.poller(bigin, clock),
            queue=self.queue,
            clock=clock,
            telemetry=self.telemetry,
        )

    def _credentials(self) -> Credentials:
        return Credentials.from_json(self.secrets.read_text(self.settings.zoho_secret_arn))
