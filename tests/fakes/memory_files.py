"""A versioned bucket in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import count
from typing import BinaryIO

from bigin_import.domain.drop import NO_VERSION, ObjectVersion, Problem
from bigin_import.errors import DropRejectedError, MissingObjectError, UnreadableObjectError

LONGEST_KEY_BYTES = 1024


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of an object; a delete marker has no body."""

    source: ObjectVersion
    body: bytes | None
    content_type: str
    written_at: int


class MemoryFiles:
    """
    The Files port over a dictionary, and what people do with a bucket: `put` and `remove`.

    Args:
        now: Says what time it is, in seconds since the epoch.

    Attributes:
        versions: Every version of every key, the newest last.
        marked: Keys and versions that may be deleted once files are kept no longer.
        unreadable: Keys and versions that are there and may not be read: archived, or encrypted.
        keeps_versions: False while versioning is suspended: each put replaces version "null".
    """

    def __init__(self, bucket: str = "bucket", *, now: Callable[[], int] = lambda: 0) -> None:
        self.bucket = bucket
        self._now = now
        self.versions: dict[str, list[StoredVersion]] = {}
        self.marked: set[tuple[str, str]] = set()
        self.unreadable: set[tuple[str, str]] = set()
        self.keeps_versions = True
        self._numbers = count(1)

    def put(self, key: str, body: bytes, *, content_type: str = "text/csv") -> ObjectVersion:
        """Store a new version of *key*, as an upload does; its sequencer is later than all."""
        return self._add(key, body, content_type)

    def remove(self, key: str) -> None:
        """Put a delete marker on *key*; its versions stay."""
        self._add(key, None, "")

    def find_newest(self, key: str) -> ObjectVersion | None:
        stored = self._current(key)
        # Only events tell the sequencer.
        return replace(stored.source, sequencer="") if stored else None

    def read(self, key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:
        body = self._body(key, version_id)
        if len(body) > at_most:
            what = f"the file has {len(body):,} bytes, and at most {at_most:,} are read"
            raise DropRejectedError((Problem(key, what),))
        return body

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        body = self._body(source.key, source.version_id)
        current = self.versions[source.key][-1].source.etag
        if source.etag and source.etag != current:
            raise MissingObjectError(source.key)
        return BytesIO(body)

    def write(self, key: str, body: bytes, *, content_type: str) -> None:
        self._add(key, body, content_type)

    @contextmanager
    def open_writer(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        buffer = BytesIO()
        yield buffer
        self._add(key, buffer.getvalue(), content_type)

    def mark_closed(self, source: ObjectVersion) -> None:
        versions = self.versions.get(source.key, [])
        if any(each.source.version_id == source.version_id for each in versions):
            self.marked.add((source.key, source.version_id))

    def mark_open(self, source: ObjectVersion) -> None:
        self.marked.discard((source.key, source.version_id))

    def list_keys(self, prefix: str, *, since: int = 0) -> Iterator[str]:
        for key in sorted(key for key in self.versions if key.startswith(prefix)):
            stored = self._current(key)
            if stored is not None and stored.written_at >= since:
                yield key

    def _add(self, key: str, body: bytes | None, content_type: str) -> ObjectVersion:
        if len(key.encode()) > LONGEST_KEY_BYTES:
            raise ValueError(f"S3 refuses a key of {len(key.encode())} bytes")
        number = next(self._numbers)
        version_id = f"v{number}" if self.keeps_versions else NO_VERSION
        if not self.keeps_versions:
            stored = self.versions.get(key, [])
            self.versions[key] = [one for one in stored if one.source.version_id != NO_VERSION]
        source = ObjectVersion(
            self.bucket, key, version_id, size=len(body or b""), sequencer=f"{number:016X}"
        )
        if not self.keeps_versions:
            source = replace(source, etag=f"e{number}")
        self.versions.setdefault(key, []).append(
            StoredVersion(source, body, content_type, self._now())
        )
        return source

    def _current(self, key: str) -> StoredVersion | None:
        versions = self.versions.get(key)
        return versions[-1] if versions and versions[-1].body is not None else None

    def _body(self, key: str, version_id: str | None) -> bytes:
        if version_id is None:
            stored = self._current(key)
        else:
            named = [v for v in self.versions.get(key, []) if v.source.version_id == version_id]
            stored = named[0] if named else None
        if stored is None or stored.body is None:
            raise MissingObjectError(key)
        if (key, stored.source.version_id) in self.unreadable:
            raise UnreadableObjectError(key, "InvalidObjectState")
        return stored.body
