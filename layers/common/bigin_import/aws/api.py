"""API Gateway's proxy events, as Lambda gets them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from typing import Any

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
    said = _object(event)
    segments = _object(said.get("pathParameters"))
    headers = _object(said.get("headers"))
    identity = _object(_object(said.get("requestContext")).get("identity"))
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


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
