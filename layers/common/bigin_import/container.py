"""
What a function has while it lives: AWS clients, secrets, the log; and the ports of an invocation,
Lambda's clock and threads among them.

Imported here is what every function uses; the rest where it is first asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol

import boto3
from aws_lambda_powertools import Logger
from botocore.config import Config

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.aws.outages import translate_errors
from bigin_import.aws.queue import SqsCollectQueue
from bigin_import.aws.secrets import RECHECK_SECONDS, AccessTokenSecret, Secrets, ZohoSecret
from bigin_import.aws.telemetry import PowertoolsTelemetry
from bigin_import.bigin.auth import Credentials, ZohoAccounts
from bigin_import.bigin.client import (
    ONE_QUICK_TRY,
    BiginClient,
    OrganisationMemory,
    Patience,
)
from bigin_import.bigin.datacenters import endpoints
from bigin_import.bigin.token_store import SharedAccessToken, TokenMemory
from bigin_import.bigin.transport import post_nothing
from bigin_import.callback_url import SignedCallbacks
from bigin_import.settings import CallbackSettings, ImportSettings, SettleSettings
from bigin_import.telemetry import report_aws_error, report_forbidden_edge
from bigin_import.wiring import Application, Limits

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

    from bigin_import.aws.events import FailedEvents
    from bigin_import.aws.files import S3Files
    from bigin_import.aws.notices import SnsNotices
    from bigin_import.aws.queue import LambdaResumer
    from bigin_import.settling.match_job import RefusedCallbacks

type ServiceName = Literal["dynamodb", "lambda", "s3", "secretsmanager", "sns", "sqs"]

# Time-outs, so that no call outlives the invocation that made it.
CLIENT_CONFIG = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 4}
)


def _client(service: ServiceName) -> Any:  # noqa: ANN401 - its type hangs on *service*
    """Return a client whose outages and refusals are errors of ours."""
    return translate_errors(boto3.client(service, config=CLIENT_CONFIG))


class LaterClient:
    """The client of a service that few invocations call: made when it is first called."""

    def __init__(self, service: ServiceName) -> None:
        self._service: ServiceName = service

    @cached_property
    def _made(self) -> Any:  # noqa: ANN401 - as _client
        return _client(self._service)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as _client
        return getattr(self._made, name)


class Container:
    """What outlives an invocation: AWS clients and secrets, each made when first asked for."""

    def __init__(self, settings: CallbackSettings | ImportSettings | SettleSettings) -> None:
        self.settings = settings
        self.telemetry = PowertoolsTelemetry(Logger())
        self._token_memory = TokenMemory()
        self._organisations = OrganisationMemory()

    @cached_property
    def _secrets_manager(self) -> SecretsManagerClient:
        client: SecretsManagerClient = _client("secretsmanager")
        return client

    @cached_property
    def secrets(self) -> Secrets:
        return Secrets(self._secrets_manager)

    @cached_property
    def ledger(self) -> DynamoLedger:
        return DynamoLedger(
            _client("dynamodb"),
            self.settings.table,
            check=partial(report_forbidden_edge, self.telemetry),
        )

    @cached_property
    def _sqs(self) -> SQSClient:
        client: SQSClient = _client("sqs")
        return client

    @cached_property
    def queue(self) -> SqsCollectQueue:
        return SqsCollectQueue(self._sqs, self.settings.collect_queue_url)

    @cached_property
    def files(self) -> S3Files:
        from bigin_import.aws.files import S3Files

        if isinstance(self.settings, CallbackSettings):
            raise TypeError("job_callback has no bucket")
        return S3Files(_client("s3"), self.settings.bucket)

    @cached_property
    def notices(self) -> SnsNotices:
        from bigin_import.aws.notices import SnsNotices

        client: Any = LaterClient("sns")
        return SnsNotices(client, self._settle.topic_arn)

    @cached_property
    def resumer(self) -> LambdaResumer:
        from bigin_import.aws.queue import LambdaResumer

        client: Any = LaterClient("lambda")
        return LambdaResumer(client, self._settle.import_function)

    @cached_property
    def failures(self) -> FailedEvents:
        from bigin_import.aws.events import FailedEvents

        return FailedEvents(self._sqs, self._settle.failure_queue_url, self.telemetry)

    @cached_property
    def _refused_callbacks(self) -> RefusedCallbacks:
        from bigin_import.settling.match_job import RefusedCallbacks

        return RefusedCallbacks(telemetry=self.telemetry)

    def record_refused(
        self, context: InvocationContext, import_id: str, address: str | None
    ) -> None:
        """Record that *address* sent a callback with a wrong signature."""
        self._refused_callbacks.record(import_id, address, LambdaClock(context).now())

    def read_signing_keys(self) -> tuple[bytes, ...]:
        return self.secrets.read_signing_keys(self.settings.signing_secret_arn)

    def read_signing_keys_again(self) -> tuple[bytes, ...]:
        """Return them as they are now, or were some seconds ago."""
        arn = self.settings.signing_secret_arn
        return self.secrets.read_signing_keys(arn, keep_seconds=RECHECK_SECONDS)

    def read_urls(self) -> SignedCallbacks:
        """Only import_csv knows the address; the others recognise what they signed."""
        settings = self.settings
        base_url = settings.callback_url if isinstance(settings, ImportSettings) else ""
        return SignedCallbacks(base_url, self.read_signing_keys())

    @property
    def _settle(self) -> SettleSettings:
        if not isinstance(self.settings, SettleSettings):
            raise TypeError("only settle_jobs has this port")
        return self.settings

    def connect_bigin(self, clock: LambdaClock) -> BiginClient:
        """Return a client for one invocation; it never waits past that invocation's end."""
        hosts = endpoints(self.settings.bigin)
        secret = self.zoho_secret
        accounts = ZohoAccounts(
            hosts, lambda: Credentials.from_json(secret.read_text()), secret.read_version
        )
        tokens = self._shared_token(accounts, clock)
        # Bigin waits for job_callback's answer, and the tick repeats what fails there.
        is_callback = isinstance(self.settings, CallbackSettings)
        patience = ONE_QUICK_TRY if is_callback else Patience()
        return BiginClient(
            hosts, tokens, clock, patience=patience, organisations=self._organisations
        )

    def _shared_token(self, accounts: ZohoAccounts, clock: LambdaClock) -> SharedAccessToken:
        return SharedAccessToken(
            self.ledger,
            AccessTokenSecret(self._secrets_manager, self.settings.bigin.token_secret_arn),
            accounts,
            clock,
            memory=self._token_memory,
            report=partial(report_aws_error, self.telemetry),
        )

    @property
    def zoho_secret(self) -> ZohoSecret:
        return ZohoSecret(self.secrets, self.settings.bigin.zoho_secret_arn)

    def application(self, context: InvocationContext) -> Application:
        """Return the use cases of one invocation."""
        # A client has the region already; another session would read all of botocore's data again.
        limits = Limits.of(self.settings, region=self._sqs.meta.region_name)
        return Application(LambdaPorts(self, context), limits)


class LambdaPorts:
    """The ports of one invocation: those of its container, and what knows its deadline."""

    def __init__(self, container: Container, context: InvocationContext) -> None:
        self._container = container
        self.clock = LambdaClock(context)
        self.parallel = Threads()
        self.telemetry = container.telemetry

    @cached_property
    def bigin(self) -> BiginClient:
        return self._container.connect_bigin(self.clock)

    @property
    def records(self) -> BiginClient:
        return self.bigin

    def probe(self, url: str) -> int:
        return post_nothing(url)

    @property
    def ledger(self) -> DynamoLedger:
        return self._container.ledger

    @property
    def files(self) -> S3Files:
        return self._container.files

    @cached_property
    def urls(self) -> SignedCallbacks:
        return self._container.read_urls()

    @property
    def zoho_secret(self) -> ZohoSecret:
        return self._container.zoho_secret

    @property
    def queue(self) -> SqsCollectQueue:
        return self._container.queue

    @property
    def notices(self) -> SnsNotices:
        return self._container.notices

    @property
    def resumer(self) -> LambdaResumer:
        return self._container.resumer

    @property
    def failures(self) -> FailedEvents:
        return self._container.failures


class InvocationContext(Protocol):
    """What Lambda tells a handler about its invocation; the part that we use."""

    def get_remaining_time_in_millis(self) -> int: ...


class LambdaClock:
    """The machine's time, and what Lambda leaves of this invocation."""

    def __init__(self, context: InvocationContext) -> None:
        self._context = context

    def now(self) -> int:
        return int(time.time())

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def remaining_seconds(self) -> float:
        return self._context.get_remaining_time_in_millis() / 1000


class Threads:
    """Work side by side in threads that are all joined before `each` returns or raises."""

    def each[T](self, work: Callable[[T], object], items: Iterable[T], *, at_most: int) -> None:
        shared = SharedItems(items)

        def work_on() -> None:
            try:
                for item in shared:
                    work(item)
            except BaseException as exc:
                shared.stop(exc)
                raise

        with ThreadPoolExecutor(max_workers=at_most) as pool:
            for _ in range(at_most):
                pool.submit(work_on)
        if shared.first_error is not None:
            raise shared.first_error


class SharedItems[T]:
    """Items for several threads; empty once an error was met."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self._lock = Lock()
        self.first_error: BaseException | None = None

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        with self._lock:
            if self.first_error is not None:
                raise StopIteration
            return next(self._items)

    def stop(self, error: BaseException) -> None:
        with self._lock:
            if self.first_error is None:
                self.first_error = error
