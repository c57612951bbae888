"""Work for later: the CollectQueue port on SQS, and the Resumer port, which invokes import_csv."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bigin_import.plain_values import Stored

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class CollectMessage:
    """
    Work for settle_jobs: collect one part, or, without *part*, finish the import.

    Attributes:
        undo: Take it back further, and nothing else.
    """

    import_id: str
    part: int | None = None
    undo: bool = False


_MESSAGES = Stored[CollectMessage](CollectMessage)


class SqsCollectQueue:
    """Puts messages {"import_id", "part"} into one queue."""

    def __init__(self, client: SQSClient, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def collect(self, import_id: str, part: int | None = None, *, after_seconds: int = 0) -> None:
        self._send({"import_id": import_id, "part": part}, after_seconds)

    def go_on_undoing(self, import_id: str) -> None:
        self._send({"import_id": import_id, "undo": True})

    def _send(self, message: Mapping[str, object], after_seconds: int = 0) -> None:
        self._client.send_message(
            QueueUrl=self._queue_url, MessageBody=json.dumps(message), DelaySeconds=after_seconds
        )


def collect_message(body: str) -> CollectMessage:
    """
    Read the body of a queue message.

    Raises:
        ValueError: It is none of ours; the queue's dead-letter queue is the place for it.
    """
    return _MESSAGES.read_json(body)


class LambdaResumer:
    """Invokes *function* (a name or an ARN) with {"resume": import_id}."""

    def __init__(self, client: LambdaClient, function: str) -> None:
        self._client = client
        self._function = function

    def resume(self, import_id: str) -> None:
        self._client.invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps({"resume": import_id}),
        )
