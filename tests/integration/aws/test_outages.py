"""What AWS says when it cannot or will not, through adapters and botocore's own parsers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from bigin_import.aws.files import S3Files
from bigin_import.aws.ledger import DynamoLedger
from bigin_import.aws.outages import translate_errors
from bigin_import.aws.queue import SqsCollectQueue
from bigin_import.aws.secrets import AccessTokenSecret, Secrets
from bigin_import.domain.import_record import Import
from bigin_import.errors import (
    AwsRefusedError,
    AwsUnavailableError,
    SecretUnreadableError,
    UnreadableObjectError,
)

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
URL = "https://aws.example.com"
JSON_ERROR = '{"__type": "%s", "message": "m"}'
XML_ERROR = "<Error><Code>%s</Code><Message>m</Message></Error>"

type Answer = tuple[int, str] | Exception
type Client = Any  # as many types as services
type Call = Callable[[Client], object]


class Body(io.BytesIO):
    """As urllib3's responses are read."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def load(client: Client) -> object:
    return DynamoLedger(client, "table").load(Import.at("a" * 26))


def write(client: Client) -> None:
    S3Files(client, "bucket").write("k", b"x", content_type="text/plain")


def read(client: Client) -> object:
    return S3Files(client, "bucket").read("k")


def head(client: Client) -> object:
    return S3Files(client, "bucket").find_newest("k")


def listed(client: Client) -> object:
    return list(S3Files(client, "bucket").list_keys("k"))


def collect(client: Client) -> None:
    SqsCollectQueue(client, f"{URL}/1/queue").collect("a" * 26)


def secret(client: Client) -> object:
    return Secrets(client).read_text("arn")


def put_token(client: Client) -> object:
    return AccessTokenSecret(client, "arn").write("1000.token")


def read_token(client: Client) -> object:
    return AccessTokenSecret(client, "arn").read("0" * 32)


CALLS: list[tuple[str, Call]] = [
    ("dynamodb", load),
    ("s3", write),
    ("s3", read),
    ("s3", head),
    ("s3", listed),
    ("sqs", collect),
    ("secretsmanager", secret),
    ("secretsmanager", put_token),
    ("secretsmanager", read_token),
]
LOST = [
    ConnectTimeoutError(endpoint_url=URL),
    ReadTimeoutError(endpoint_url=URL),
    EndpointConnectionError(endpoint_url=URL),
]


def answering(aws: boto3.Session, service: str, answer: Answer) -> Any:  # noqa: ANN401
    """Return a client that gets *answer* to every request, below all of botocore's own work."""

    def reply(request: Any, **_: object) -> AWSResponse:  # noqa: ANN401
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return AWSResponse(request.url, status, HTTPHeaders(), Body(body.encode()))

    client: Any = aws.client(service, config=ONCE)  # type: ignore[call-overload]  # not a literal
    client.meta.events.register_first("before-send", reply)
    return translate_errors(client)


def error(service: str, status: int, code: str) -> Answer:
    return status, (XML_ERROR if service == "s3" else JSON_ERROR) % code


@pytest.mark.parametrize(("service", "call"), CALLS)
@pytest.mark.parametrize("answer", [(500, ""), (503, "<html>"), *LOST], ids=str)
def test_a_fault_or_a_lost_connection_is_an_outage_whoever_was_asked(
    aws: boto3.Session, service: str, call: Call, answer: Answer
) -> None:
    with pytest.raises(AwsUnavailableError) as caught:
        call(answering(aws, service, answer))

    assert caught.value.service == service
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("service", "call", "status", "code"),
    [
        ("dynamodb", load, 400, "ProvisionedThroughputExceededException"),
        ("dynamodb", load, 400, "ThrottlingException"),
        ("dynamodb", load, 400, "RequestLimitExceeded"),
        ("s3", write, 503, "SlowDown"),
        ("s3", write, 400, "RequestTimeout"),
        ("s3", write, 400, "KMS.ThrottlingException"),
        ("s3", read, 400, "KMS.ThrottlingException"),
        ("s3", read, 400, "KMS.DependencyTimeoutException"),
        ("s3", read, 400, "KMS.KMSInternalException"),
        ("s3", read, 400, "ExpiredToken"),
        ("s3", read, 403, "RequestTimeTooSkewed"),
        ("s3", write, 400, "ExpiredToken"),
        ("dynamodb", load, 400, "ExpiredTokenException"),
        ("secretsmanager", secret, 400, "ExpiredTokenException"),
        ("sqs", collect, 400, "RequestExpired"),
        ("sqs", collect, 400, "KmsThrottled"),
        ("sqs", collect, 403, "RequestThrottled"),
        ("secretsmanager", secret, 400, "ThrottlingException"),
        ("secretsmanager", put_token, 400, "ThrottlingException"),
        ("secretsmanager", read_token, 400, "ThrottlingException"),
    ],
)
def test_what_passes_by_itself_is_an_outage_whatever_its_status(
    aws: boto3.Session, service: str, call: Call, status: int, code: str
) -> None:
    with pytest.raises(AwsUnavailableError):
        call(answering(aws, service, error(service, status, code)))


@pytest.mark.parametrize(
    ("service", "call", "status", "code", "raised"),
    [
        ("dynamodb", load, 400, "AccessDeniedException", AwsRefusedError),
        ("dynamodb", load, 400, "ResourceNotFoundException", AwsRefusedError),
        ("s3", write, 403, "AccessDenied", AwsRefusedError),
        ("s3", write, 400, "KMS.DisabledException", AwsRefusedError),
        ("s3", write, 404, "NoSuchBucket", AwsRefusedError),
        ("sqs", collect, 403, "AccessDeniedException", AwsRefusedError),
        ("sqs", collect, 400, "AWS.SimpleQueueService.NonExistentQueue", AwsRefusedError),
        ("s3", read, 403, "AccessDenied", UnreadableObjectError),
        ("s3", head, 403, "403", AwsRefusedError),
        ("s3", read, 400, "KMS.DisabledException", UnreadableObjectError),
        ("secretsmanager", secret, 400, "AccessDeniedException", SecretUnreadableError),
        ("secretsmanager", put_token, 400, "AccessDeniedException", AwsRefusedError),
        ("secretsmanager", put_token, 400, "LimitExceededException", AwsRefusedError),
        ("secretsmanager", put_token, 400, "ResourceNotFoundException", AwsRefusedError),
        ("secretsmanager", put_token, 400, "EncryptionFailure", AwsRefusedError),
        ("secretsmanager", read_token, 400, "AccessDeniedException", AwsRefusedError),
        ("secretsmanager", read_token, 400, "DecryptionFailure", AwsRefusedError),
    ],
)
def test_a_refusal_is_no_outage(
    aws: boto3.Session,
    service: str,
    call: Call,
    status: int,
    code: str,
    raised: type[Exception],
) -> None:
    with pytest.raises(raised) as caught:
        call(answering(aws, service, error(service, status, code)))

    assert not isinstance(caught.value, AwsUnavailableError)


def test_a_condition_that_fails_is_the_adapters_business(aws: boto3.Session) -> None:
    answer = error("dynamodb", 400, "ConditionalCheckFailedException")
    client = answering(aws, "dynamodb", answer)

    with pytest.raises(client.exceptions.ConditionalCheckFailedException):
        client.put_item(TableName="table", Item={"pk": {"S": "x"}})
