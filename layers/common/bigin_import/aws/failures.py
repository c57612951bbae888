"""The failure queue: events that import_csv failed on, all of Lambda's retries included."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

from pydantic import TypeAdapter

from bigin_import.aws.events import created_objects
from bigin_import.domain.drop import ObjectVersion
from bigin_import.ports import Telemetry
from bigin_import.validation import hiding_adapter

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


class FailedEvents:
    """
    What Lambda's on-failure destination put into one queue.

    A message that cannot be read is reported and left where it is: it keeps no other from being
    drained, and the alarm on the age of the oldest message brings a person to it.
    """

    def __init__(self, client: SQSClient, queue_url: str, telemetry: Telemetry) -> None:
        self._client = client
        self._queue_url = queue_url
        self._telemetry = telemetry

    def drain(self) -> Iterator[tuple[ObjectVersion, ...]]:
        """
        Yield the objects that the events of up to ten messages were about.

        A message is deleted when the next event is asked for. If dealing with an event fails,
        its message stays and comes back after the queue's visibility time-out.
        """
        answer = self._client.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            objects = self._read_objects(message)
            if objects is None:
                continue
            yield objects
            self._client.delete_message(
                QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
            )

    def _read_objects(self, message: MessageTypeDef) -> tuple[ObjectVersion, ...] | None:
        try:
            envelope = _envelopes().validate_json(message["Body"])
            payload = envelope["requestPayload"]
            return () if "resume" in payload else created_objects(payload)
        except ValueError:
            self._telemetry.emit("failed_event_unreadable", message_id=message["MessageId"])
            return None


class _Envelope(TypedDict):
    requestPayload: dict[str, Any]


@cache
def _envelopes() -> TypeAdapter[_Envelope]:
    return hiding_adapter(_Envelope)
