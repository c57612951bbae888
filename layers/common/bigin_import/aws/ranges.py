"""Reading an object by ranges, so that a broken connection costs one range and not the object."""

from __future__ import annotations

from http import HTTPStatus
from io import RawIOBase
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from bigin_import.errors import AwsUnavailableError, MissingObjectError, UnreadableObjectError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from mypy_boto3_s3 import S3Client

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
                raise UnreadableObjectError(self._which["Key"]) from exc
            raise
        # Objects from before versioning share the version "null" and may be overwritten.
        self._which["IfMatch"] = answer["ETag"]
        self.total = int(answer["ContentRange"].rpartition("/")[2])
        return answer["Body"].read()


def _is_of_its_key(error: ClientError) -> bool:
    """Return whether KMS has disabled or deleted the object's key, which S3 answers with 400."""
    return error.response["Error"]["Code"].startswith("KMS.")


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
