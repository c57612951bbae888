"""
Events as Lambda gets them: S3's, those that import_csv failed on, and API Gateway's.

S3 and Lambda deliver at least once and in any order, so the use cases are idempotent.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from bigin_import.domain.drop import NO_VERSION, ObjectVersion
from bigin_import.plain_values import Stored, UnreadableValueError
from bigin_import.ports import FailedDecision, Telemetry

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef


def created_objects(event: object) -> tuple[ObjectVersion, ...]:
    """
    Return the objects that *event* says were created.

    S3 URL-encodes keys with `+` for a space; here they are decoded, once. The test event that
    S3 sends when notifications are set up names no objects.

    Raises:
        UnknownEventError: It is none of S3's.
    """
    if isinstance(event, Mapping) and event.get("Event") == "s3:TestEvent":
        return ()
    try:
        return tuple(_object(record["s3"]) for record in _records(event))
    except (KeyError, TypeError, AttributeError, UnreadableValueError) as exc:
        raise UnknownEventError(_described(event)) from exc


class UnknownEventError(ValueError):
    """An event that this function does not know; says which keys it has, and no values."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"this is no event for import_csv: {what}. It takes S3's events (Records), S3's test "
            'event, and {"resume": "<import id>"} with or without a decision'
        )


def _described(event: object) -> str:
    if not isinstance(event, Mapping):
        return f"it is a {type(event).__name__}"
    records = event.get("Records")
    first = records[0] if isinstance(records, list) and records else {}
    source = first.get("eventSource") or first.get("EventSource") if isinstance(first, dict) else ""
    named = f", of records of {source}" if source else ""
    return f"it has the keys {', '.join(sorted(map(str, event))) or '(none)'}{named}"


_OBJECTS = Stored[ObjectVersion](ObjectVersion)


def _records(event: object) -> list[Any]:
    records = _mapping(event)["Records"]
    if not isinstance(records, list):
        raise TypeError("Records is no list")
    return records


def _object(s3: dict[str, Any]) -> ObjectVersion:
    stored = s3["object"]
    version_id = stored.get("versionId") or NO_VERSION
    etag = (stored.get("eTag") or "").strip('"')
    return _OBJECTS.read(
        {
            "bucket": s3["bucket"]["name"],
            "key": unquote_plus(stored["key"]),
            "version_id": version_id,
            "size": stored.get("size") or 0,
            "sequencer": stored.get("sequencer") or "",
            "etag": etag if version_id == NO_VERSION else "",
        }
    )


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

    def drain(self) -> Iterator[tuple[ObjectVersion | FailedDecision, ...]]:
        """
        Yield the objects, or the decision, that the events of up to ten messages were about.

        A message is deleted when the next event is asked for. If dealing with an event fails,
        its message stays and comes back after the queue's visibility time-out.
        """
        answer = self._client.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            subjects = self._read_subjects(message)
            if subjects is None:
                continue
            yield subjects
            self._client.delete_message(
                QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"]
            )

    def _read_subjects(
        self, message: MessageTypeDef
    ) -> tuple[ObjectVersion | FailedDecision, ...] | None:
        try:
            payload = _mapping(json.loads(message["Body"])).get("requestPayload")
            asked = _mapping(payload)
            if "resume" not in asked:
                return created_objects(payload)
            return (_failed_decision(asked),) if asked.get("decision") is not None else ()
        except (ValueError, RecursionError):
            self._telemetry.emit("failed_event_unreadable", message_id=message["MessageId"])
            return None


def _failed_decision(payload: dict[str, Any]) -> FailedDecision:
    """Return what was decided about; what was typed wrong, for which it failed, is left out."""
    part, attempt, held_at = (_count(payload.get(name)) for name in ("part", "attempt", "held_at"))
    return FailedDecision(_text(payload["resume"]), part, attempt, held_at)


_SEGMENTS = ("import_id", "part", "attempt", "signature")


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """
    A call of the callback API; what is not there, or of another type, is empty.

    Attributes:
        segments: Of its path: import id, part, attempt, signature.
        body: None if it is not what API Gateway sends.
        caller: The address of who called.
    """

    segments: tuple[str, str, str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    content_type: str
    caller: str | None


def callback_request(event: object) -> CallbackRequest:
    """Return what *event* says, whatever it is: anybody may call."""
    said = _mapping(event)
    segments = _mapping(said.get("pathParameters"))
    headers = _mapping(said.get("headers"))
    identity = _mapping(_mapping(said.get("requestContext")).get("identity"))
    import_id, part, attempt, signature = (_text(segments.get(name)) for name in _SEGMENTS)
    return CallbackRequest(
        segments=(import_id, part, attempt, signature),
        body=_body(said),
        content_type=next(
            (_text(headers[name]) for name in headers if name.lower() == "content-type"), ""
        ),
        caller=_text(identity.get("sourceIp")) or None,
    )


def _body(said: dict[str, Any]) -> bytes | None:
    body = said.get("body") or ""
    if not isinstance(body, str):
        return None
    sent = body.encode("utf-8", "replace")
    try:
        return base64.b64decode(sent, validate=True) if said.get("isBase64Encoded") else sent
    except binascii.Error:
        return None


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int:
    return value if type(value) is int else 0


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
