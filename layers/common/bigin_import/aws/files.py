"""
The Files port on one S3 bucket.

Objects of any size are written with bounded memory, and read by ranges, so that a broken
connection costs one range and not the object.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from io import BufferedReader, BufferedWriter, RawIOBase
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from bigin_import.domain.drop import NO_VERSION, ObjectVersion, Problem
from bigin_import.errors import (
    AwsRefusedError,
    AwsUnavailableError,
    DropRejectedError,
    MissingObjectError,
    UnreadableObjectError,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef, TagTypeDef


PART_BYTES: Final = 5 * 1024 * 1024
"""The smallest part S3 takes; with 10,000 of them an object has up to 48 GiB."""

_IN_MEMORY_BYTES: Final = 1_000_000


class ObjectUpload(RawIOBase):
    """A stream whose bytes become an object on `complete`: as one put, or in parts."""

    def __init__(self, client: S3Client, bucket: str, key: str, content_type: str) -> None:
        super().__init__()
        self._client = client
        self._bucket = bucket
        self._key = key
        self._content_type = content_type
        # On disk beyond that: five uploads at once would hold five times PART_BYTES in memory.
        self._waiting = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  # see close
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    def writable(self) -> bool:
        return True

    def write(self, chunk: ReadableBuffer, /) -> int:
        written = self._waiting.write(chunk)
        if self._waiting.tell() >= PART_BYTES:
            self._send(self._take_waiting())
        return written

    def complete(self) -> None:
        """Make the object."""
        if self._upload_id is None:
            self._put_whole()
            return
        if self._waiting.tell():
            self._send(self._take_waiting())
        self._client.complete_multipart_upload(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload_id,
            MultipartUpload={"Parts": self._parts},
        )

    def abort(self) -> None:
        """Drop what was sent; without this, S3 keeps and bills the parts until they expire."""
        if self._upload_id is not None:
            self._client.abort_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id
            )

    def close(self) -> None:
        self._waiting.close()
        super().close()

    def _take_waiting(self) -> bytes:
        self._waiting.seek(0)
        taken = self._waiting.read()
        self._waiting.seek(0)
        self._waiting.truncate()
        return taken

    def _put_whole(self) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=self._key,
            Body=self._take_waiting(),
            ContentType=self._content_type,
        )

    def _send(self, body: bytes) -> None:
        if self._upload_id is None:
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._key, ContentType=self._content_type
            )
            self._upload_id = begun["UploadId"]
        number = len(self._parts) + 1
        sent = self._client.upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._upload_id,
            PartNumber=number,
            Body=body,
        )
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


RANGE_BYTES: Final = 3 * 1024 * 1024
"""Read while result files are written, so it counts in the 60 MiB of `python -m tests.bench`."""
RANGE_ATTEMPTS: Final = 5
"""As many as boto3's own downloads make."""

# botocore repeats a request until the answer begins; a body that breaks off is left to us.
_BROKEN_BODY = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)

# 404 is a missing key or version, 405 a delete marker, 412 a version "null" that was
# overwritten. 403 is not among them: the roles may list the bucket and its versions, so that
# S3 says it only of what is there.
_MISSING = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.PRECONDITION_FAILED,
)


class ObjectRanges:
    """
    Ranges of one version of one object; without *version_id*, of what the first range met.

    Args:
        etag: That of the content which is meant; "" if the version says enough.

    Attributes:
        total: Size of the object, known after the first range.
    """

    def __init__(
        self, client: S3Client, bucket: str, key: str, version_id: str | None, *, etag: str = ""
    ) -> None:
        self._client = client
        self._which: dict[str, Any] = {"Bucket": bucket, "Key": key}
        if version_id is not None:
            self._which["VersionId"] = version_id
        if etag:
            self._which["IfMatch"] = f'"{etag}"'
        self.total = 0

    def fetch(self, start: int, length: int) -> bytes:
        """
        Return at most *length* bytes from *start*; fewer, or none, at the end.

        Raises:
            MissingObjectError: The object or the version is not there.
            UnreadableObjectError: It is there, and we may not read it.
            AwsUnavailableError: Its body broke off every time.
        """
        for _ in range(RANGE_ATTEMPTS - 1):
            try:
                return self._fetch_once(start, length)
            except _BROKEN_BODY:
                continue
        try:
            return self._fetch_once(start, length)
        except _BROKEN_BODY as exc:
            raise AwsUnavailableError("s3", "GetObject", type(exc).__name__) from exc

    def _fetch_once(self, start: int, length: int) -> bytes:
        try:
            answer = self._client.get_object(
                **self._which, Range=f"bytes={start}-{start + length - 1}"
            )
        except ClientError as exc:
            status = exc.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return b""  # not one byte to give: the object is empty
            if status in _MISSING:
                raise MissingObjectError(self._which["Key"]) from exc
            if status == HTTPStatus.FORBIDDEN or _is_of_its_key(exc):
                raise UnreadableObjectError(self._which["Key"], _code_of(exc)) from exc
            raise
        # Objects from before versioning share the version "null" and may be overwritten.
        self._which["IfMatch"] = answer["ETag"]
        self.total = int(answer["ContentRange"].rpartition("/")[2])
        return answer["Body"].read()


def _is_of_its_key(error: ClientError) -> bool:
    """Return whether KMS has disabled or deleted the object's key, which S3 answers with 400."""
    return _code_of(error).startswith("KMS.")


def _code_of(error: ClientError) -> str:
    return error.response["Error"]["Code"]


class RangedReader(RawIOBase):
    """An object's bytes from first to last; one range is in memory at a time."""

    def __init__(self, ranges: ObjectRanges) -> None:
        super().__init__()
        self._ranges = ranges
        self._start = 0
        self._range = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if not self._range and not self._ended:
            self.fill()
        target = memoryview(buffer).cast("B")
        taken = min(len(target), len(self._range))
        target[:taken] = self._range[:taken]
        self._range = self._range[taken:]
        return taken

    def fill(self) -> None:
        """Fetch the next range."""
        self._range = memoryview(b"")  # let go of the old range before the new one comes
        self._range = memoryview(self._ranges.fetch(self._start, RANGE_BYTES))
        self._start += len(self._range)
        self._ended = self._start >= self._ranges.total


CLOSED_TAG: Final[TagTypeDef] = {"Key": "bigin-drop", "Value": "closed"}
"""What template.yaml's rule FilesExpire asks for below incoming/."""
OPEN_TAG: Final[TagTypeDef] = {"Key": "bigin-drop", "Value": "open"}
MOST_TAGS: Final = 10
"""S3 takes no more on one object."""


class S3Files:
    """
    Objects of *bucket*.

    `newest` needs s3:ListBucket on the prefix it asks in: without it S3 answers 403 for a key
    that does not exist, and that is raised, because it may as well be a missing permission.
    """

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def find_newest(self, key: str) -> ObjectVersion | None:
        try:
            head = self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError as exc:
            status = exc.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == HTTPStatus.NOT_FOUND:
                return None
            if status == HTTPStatus.FORBIDDEN:
                raise AwsRefusedError("s3", "HeadObject", _code_of(exc)) from exc
            raise
        version_id = head.get("VersionId", NO_VERSION)
        etag = head["ETag"].strip('"') if version_id == NO_VERSION else ""
        return ObjectVersion(self.bucket, key, version_id, size=head["ContentLength"], etag=etag)

    def read(self, key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:
        ranges = ObjectRanges(self._client, self.bucket, key, version_id)
        body = ranges.fetch(0, at_most + 1)
        if len(body) > at_most:
            raise DropRejectedError((_too_large(key, ranges.total, at_most),))
        return body

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        ranges = ObjectRanges(
            self._client, self.bucket, source.key, source.version_id, etag=source.etag
        )
        reader = RangedReader(ranges)
        reader.fill()  # now, not at the first read: the caller hears here of a missing version
        return BufferedReader(reader)

    def write(self, key: str, body: bytes, *, content_type: str) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    @contextmanager
    def open_writer(self, key: str, *, content_type: str) -> Iterator[BinaryIO]:
        upload = ObjectUpload(self._client, self.bucket, key, content_type)
        stream = BufferedWriter(upload)
        try:
            yield stream
            stream.flush()
            upload.complete()
        except BaseException:
            upload.abort()
            raise
        finally:
            upload.close()

    def mark_closed(self, source: ObjectVersion) -> None:
        tags = self._find_tags(source)
        if tags is not None and CLOSED_TAG not in tags:
            kept = [tag for tag in tags if tag["Key"] != CLOSED_TAG["Key"]]
            if len(kept) < MOST_TAGS:
                self._put_tags(source, [*kept, CLOSED_TAG])

    def mark_open(self, source: ObjectVersion) -> None:
        tags = self._find_tags(source)
        if tags is not None and CLOSED_TAG in tags:
            self._put_tags(source, [OPEN_TAG if tag == CLOSED_TAG else tag for tag in tags])

    def _find_tags(self, source: ObjectVersion) -> list[TagTypeDef] | None:
        """Return what people and we have put on a version; None if it is gone."""
        try:
            answer = self._client.get_object_tagging(
                Bucket=self.bucket, Key=source.key, VersionId=source.version_id
            )
        except ClientError as exc:
            if exc.response["ResponseMetadata"]["HTTPStatusCode"] in _MISSING:
                return None
            raise
        return answer["TagSet"]

    def _put_tags(self, source: ObjectVersion, tags: list[TagTypeDef]) -> None:
        self._client.put_object_tagging(
            Bucket=self.bucket,
            Key=source.key,
            VersionId=source.version_id,
            Tagging={"TagSet": tags},
        )

    def list_keys(self, prefix: str, *, since: int = 0) -> Iterator[str]:
        paginator = self._client.get_paginator("list_objects_v2")
        for page in paginator.paginate(Bucket=self.bucket, Prefix=prefix):
            for found in page.get("Contents", []):
                if found["LastModified"].timestamp() >= since:
                    yield found["Key"]


def _too_large(key: str, size: int, at_most: int) -> Problem:
    return Problem(
        where=key,
        what=f"the file has {size:,} bytes, and at most {at_most:,} are read",
        remedy="Check that the right file was dropped",
    )
