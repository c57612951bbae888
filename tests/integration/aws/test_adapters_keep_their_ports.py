"""
Every adapter and every fake keeps its port: mypy compares the assignments below.

At run time the test shows that an adapter is made without touching AWS.
"""

from __future__ import annotations

import boto3
from aws_lambda_powertools import Logger

from bigin_import import ports
from bigin_import.aws.events import FailedEvents
from bigin_import.aws.files import S3Files
from bigin_import.aws.ledger import DynamoLedger
from bigin_import.aws.notices import SnsNotices
from bigin_import.aws.queue import LambdaResumer, SqsCollectQueue
from bigin_import.aws.secrets import AccessTokenSecret
from bigin_import.aws.telemetry import PowertoolsTelemetry
from bigin_import.container import InvocationContext, LambdaClock, Threads
from tests.fakes.manual_clock import ManualClock
from tests.fakes.memory_files import MemoryFiles
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.memory_notices import MemoryNotices
from tests.fakes.memory_queue import MemoryQueue, MemoryResumer
from tests.fakes.memory_token_secret import MemoryTokenSecret
from tests.fakes.seen_events import SeenEvents
from tests.fakes.serial_parallel import SerialParallel


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 0


def test_adapters_and_fakes_keep_their_ports(aws: boto3.Session) -> None:
    context: InvocationContext = Context()

    clocks: list[ports.Clock] = [LambdaClock(context), ManualClock()]
    parallels: list[ports.Parallel] = [Threads(), SerialParallel()]
    ledgers: list[ports.Ledger] = [DynamoLedger(aws.client("dynamodb"), "table"), MemoryLedger()]
    files: list[ports.Files] = [S3Files(aws.client("s3"), "bucket"), MemoryFiles()]
    queues: list[ports.CollectQueue] = [SqsCollectQueue(aws.client("sqs"), "url"), MemoryQueue()]
    resumers: list[ports.Resumer] = [LambdaResumer(aws.client("lambda"), "f"), MemoryResumer()]
    notices: list[ports.Notices] = [SnsNotices(aws.client("sns"), "arn"), MemoryNotices()]
    observers: list[ports.Telemetry] = [PowertoolsTelemetry(Logger()), SeenEvents()]

    tokens: list[ports.TokenSecret] = [
        AccessTokenSecret(aws.client("secretsmanager"), "arn"),
        MemoryTokenSecret(),
    ]
    failures: list[ports.Failures] = [FailedEvents(aws.client("sqs"), "url", SeenEvents())]

    assert all([clocks, parallels, ledgers, files, queues, resumers, notices, observers])
    assert all([failures, tokens])
