"""
AWS's own failures as two errors of ours: one that passes, and one that a person must mend.

botocore has repeated a call before it gives up, but for less than a second in all (retry mode
"standard"), so that even a short outage comes through to us. Translated where botocore hands out
every answer (its events `after-call` and `after-call-error`): no adapter can forget it.
"""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any, Final

from botocore.client import BaseClient
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.exceptions import HTTPClientError, IncompleteReadError
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

from bigin_import.errors import AwsRefusedError, AwsUnavailableError

# What passes although its status is 400; with 5xx and 429 the status says enough.
_PASSING: Final = (
    "DependencyTimeoutException",  # KMS's
    "ExpiredToken",  # the role's own credentials, which Lambda renews
    "ExpiredTokenException",
    "InternalError",
    "KMSInternalException",
    "KMSThrottling",  # SNS's word
    "KmsThrottled",  # SQS's word
    "LimitExceededException",  # DynamoDB: too many operations on tables at once
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestExpired",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeTooSkewed",  # a container that was frozen: its clock is set again
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
)
_REFUSING: Final = (
    "AccessDenied",
    "AccessDeniedException",
    "NoSuchBucket",
    "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
)
_LOST: Final = (NoConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)
# A hundred versions within a day: of no use to wait for, and its adapter says so.
_NO_MORE_VERSIONS: Final = ("secretsmanager", "LimitExceededException")
# Their adapters tell a refusal of one object or secret from one of all.
_JUDGED_BY_ADAPTER: Final = ("secretsmanager", "GetObject", "HeadObject")


def translate_errors[Client: BaseClient](client: Client) -> Client:
    """Let *client* raise AwsUnavailableError and AwsRefusedError; return it."""
    client.meta.events.register("after-call", _check_answer)
    service = client.meta.service_model.service_name
    client.meta.events.register("after-call-error", partial(_raise_lost, service))
    return client


def _check_answer(parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
    status: int = parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", HTTPStatus.OK)
    code: str = parsed.get("Error", {}).get("Code", "")
    service: str = model.service_model.service_name
    if (service, code) == _NO_MORE_VERSIONS:
        return
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or _passes(status, code):
        raise AwsUnavailableError(service, model.name, code or str(status))
    if status < HTTPStatus.BAD_REQUEST or {service, model.name} & set(_JUDGED_BY_ADAPTER):
        return
    if code in _REFUSING or code.startswith(("KMS", "Kms")):
        raise AwsRefusedError(service, model.name, code)


def _passes(status: int, code: str) -> bool:
    # KMS behind another service: "KMS.ThrottlingException".
    return status == HTTPStatus.TOO_MANY_REQUESTS or code.rpartition(".")[2] in _PASSING


def _raise_lost(service: str, exception: Exception, event_name: str, **_: object) -> None:
    if isinstance(exception, _LOST):
        operation = event_name.rpartition(".")[2]
        raise AwsUnavailableError(service, operation, type(exception).__name__) from exception
