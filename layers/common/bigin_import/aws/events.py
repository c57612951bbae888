"""S3's notification events, as Lambda gets them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from bigin_import.models import ObjectVersion


def created_objects(event: Mapping[str, Any]) -> tuple[ObjectVersion, ...]:
    """
    Return the objects that *event* says were created.

    S3 URL-encodes keys with `+` for a space; here they are decoded, once. An event without
    records (S3's test event, a resume) names no objects.
    """
    return tuple(_object(record["s3"]) for record in event.get("Records", ()))


def _object(s3: Mapping[str, Any]) -> ObjectVersion:
    stored = s3["object"]
    return ObjectVersion(
        bucket=s3["bucket"]["name"],
        key=unquote_plus(stored["key"]),
        version_id=stored["versionId"],
        size=stored.get("size", 0),
        sequencer=stored.get("sequencer", ""),
    )
