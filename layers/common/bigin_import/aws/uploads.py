"""Writing an object of any size with bounded memory."""

from __future__ import annotations

from io import BytesIO, RawIOBase
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES: Final = 5 * 1024 * 1024
"""The smallest part S3 takes; with 10,000 of them an object has up to 48 GiB."""


class ObjectUpload(RawIOBase):
    """A stream whose bytes become an object on `complete`: as one put, or in parts."""

    def __init__(self, client: S3Client, bucket: str, key: str, content_type: str) -> None:
        super().__init__()
        self._client = client
        self._bucket = bucket
        self._key = key
        self._content_type = content_type
        self._waiting = BytesIO()
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    def writable(self) -> bool:
        return True

    def write(self, chunk: ReadableBuffer, /) -> int:
        written = self._waiting.write(chunk)
        if self._waiting.tell() >= PART_BYTES:
            # Not sliced: a BytesIO hands its bytes over without a copy, and four result files
            # are written at once.
            full, self._waiting = self._waiting, BytesIO()
            self._send(full.getvalue())
        return written

    def complete(self) -> None:
        """Make the object."""
        if self._upload_id is None:
            self._put_whole()
            return
        if self._waiting.tell():
            self._send(self._waiting.getvalue())
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

    def _put_whole(self) -> None:
        self._client.put_object(
            Bucket=self._bucket,
            Key=self._key,
            Body=self._waiting.getvalue(),
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
