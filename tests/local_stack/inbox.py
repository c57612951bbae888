"""A subscriber of the topic, so that notices can be read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.local_stack.emulator import Emulator


@dataclass(slots=True)
class Inbox:
    """A queue that is subscribed to the topic, and the notices taken from it so far."""

    sqs: Any
    queue_url: str
    taken: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def subscribed(cls, emulator: Emulator, *, topic_arn: str) -> Inbox:
        """Create the queue, named after the topic, and subscribe it."""
        sqs = emulator.client("sqs")
        name = topic_arn.rpartition(":")[2]
        url = sqs.create_queue(QueueName=f"inbox-of-{name}"[:80])["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        queue_arn = attributes["Attributes"]["QueueArn"]
        policy = _admit(topic_arn, queue_arn)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        sns = emulator.client("sns")
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=queue_arn)
        return cls(sqs, url)

    def notices(self) -> list[dict[str, Any]]:
        """Return all messages published so far: Subject, Message, MessageAttributes, ..."""
        while arrived := self._receive():
            self.taken.extend(arrived)
        return list(self.taken)

    def _receive(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        messages = answer.get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


def _admit(topic_arn: str, queue_arn: str) -> dict[str, Any]:
    statement = {
        "Sid": "TopicDelivers",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}
