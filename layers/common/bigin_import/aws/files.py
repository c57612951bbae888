"""The Files port on one S3 bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from io import BufferedReader, BufferedWriter
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError

from bigin_import.aws.ranges import ObjectRanges, RangedReader
from bigin_import.aws.uploads import ObjectUpload
from bigin_import.domain.drop import NO_VERSION, ObjectVersion, Problem
from bigin_import.errors import DropRejectedError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
            if exc.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                return None
            raise
        return ObjectVersion(
            self.bucket, key, head.get("VersionId", NO_VERSION), size=head["ContentLength"]
        )

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
