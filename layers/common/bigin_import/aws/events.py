"""S3's notification events, as Lambda gets them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NotRequired, TypedDict
from urllib.parse import unquote_plus

from pydantic import TypeAdapter

from bigin_import.domain.drop import ObjectVersion

# What is written while the bucket's versioning is suspended has this version id, says S3; only
# events leave it out.
NO_VERSION = "null"


def created_objects(event: Mapping[str, Any]) -> tuple[ObjectVersion, ...]:
    """
    Return the objects that *event* says were created.

    S3 URL-encodes keys with `+` for a space; here they are decoded, once. An event without
    records (S3's test event, a resume) names no objects.

    Raises:
        ValueError: Its records are none of S3's.
    """
    records = _events().validate_python(event).get("Records", [])
    return tuple(_object(record["s3"]) for record in records)


class _Bucket(TypedDict):
    name: str


class _Stored(TypedDict):
    key: str
    versionId: NotRequired[str]
    size: NotRequired[int]
    sequencer: NotRequired[str]


class _S3(TypedDict):
    bucket: _Bucket
    object: _Stored


class _Record(TypedDict):
    s3: _S3


class _Event(TypedDict, total=False):
    Records: list[_Record]


def _object(s3: _S3) -> ObjectVersion:
    stored = s3["object"]
    return ObjectVersion(
        bucket=s3["bucket"]["name"],
        key=unquote_plus(stored["key"]),
        version_id=stored.get("versionId", NO_VERSION),
        size=stored.get("size", 0),
        sequencer=stored.get("sequencer", ""),
    )


@cache
def _events() -> TypeAdapter[_Event]:
    return TypeAdapter(_Event)  # on first use: made on import, it slows cold starts
