"""The failure queue: events that import_csv failed on, all of Lambda's retries included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bigin_import.aws.events import created_objects
from bigin_import.models import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class FailedEvents:
    """What Lambda's on-failure destination put into one queue."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def drain(self) -> Iterator[tuple[ObjectVersion, ...]]:
        """
        Yield the objects that the events of up to ten messages were about.

        A message is deleted when the next event is asked for. If dealing with an event fails,
        its message stays and comes back after the queue's visibility time-out.
        """
        answer = self._client.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            yield created_objects(json.loads(message["Body"])["requestPayload"])
            self._client.delete_message(
                QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
            )
