"""What only S3 does: ranges, broken bodies, uploads in parts, its ways to say no."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ResponseStreamingError
from botocore.stub import Stubber

from bigin_import.aws.files import (
    MOST_TAGS,
    PART_BYTES,
    RANGE_ATTEMPTS,
    RANGE_BYTES,
    ObjectRanges,
    ObjectUpload,
    RangedReader,
    S3Files,
)
from bigin_import.domain.drop import ObjectVersion
from bigin_import.errors import (
    AwsRefusedError,
    AwsUnavailableError,
    MissingObjectError,
    UnreadableObjectError,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

KEY = "incoming/contacts.csv"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def s3(aws: boto3.Session) -> Iterator[S3Client]:
    client = aws.client("s3")
    client.create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    client.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    yield client
    client.close()


def put(s3: S3Client, body: bytes) -> ObjectVersion:
    stored = s3.put_object(Bucket="bucket", Key=KEY, Body=body)
    return ObjectVersion("bucket", KEY, stored["VersionId"])


def distinct_bytes(size: int) -> bytes:
    """Return bytes in which no two places look alike."""
    return b"".join(b"%015d\n" % number for number in range(size // 16 + 1))[:size]


class BreakingBody:
    """A body whose connection breaks off when it is read."""

    def read(self) -> bytes:
        raise ResponseStreamingError(error="connection reset")


def break_bodies(s3: S3Client, times: int) -> list[int]:
    """Let the next *times* bodies of GetObject break off; return a list of those still to come."""
    to_come = list(range(times))

    def break_one(parsed: dict[str, Any], **_: object) -> None:
        if to_come:
            to_come.pop()
            parsed["Body"] = BreakingBody()

    s3.meta.events.register("after-call.s3.GetObject", break_one)
    return to_come


@pytest.mark.parametrize("size", [RANGE_BYTES - 1, RANGE_BYTES, RANGE_BYTES + 1, 2 * RANGE_BYTES])
def test_ranges_join_to_the_whole_object(s3: S3Client, size: int) -> None:
    body = distinct_bytes(size)
    source = put(s3, body)
    asked: list[str] = []
    s3.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: asked.append(params["Range"])
    )

    streamed = S3Files(s3, "bucket").open_stream(source).read()

    assert streamed == body
    assert len(asked) == -(-size // RANGE_BYTES)


def test_a_body_that_breaks_off_costs_its_range_only(s3: S3Client) -> None:
    body = distinct_bytes(RANGE_BYTES + 100)
    source = put(s3, body)
    stream = S3Files(s3, "bucket").open_stream(source)
    start = stream.read(RANGE_BYTES)
    to_come = break_bodies(s3, times=RANGE_ATTEMPTS - 1)

    rest = stream.read()

    assert start + rest == body
    assert not to_come


def test_a_body_that_always_breaks_off_is_an_error(s3: S3Client) -> None:
    source = put(s3, b"x")
    break_bodies(s3, times=RANGE_ATTEMPTS)

    with pytest.raises(AwsUnavailableError):
        S3Files(s3, "bucket").open_stream(source)


def test_an_unversioned_object_that_is_overwritten_is_not_read_on(s3: S3Client) -> None:
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket="bucket", Key=KEY, Body=b"a" * (RANGE_BYTES + 1))
    stream = S3Files(s3, "bucket").open_stream(ObjectVersion("bucket", KEY, "null"))
    s3.put_object(Bucket="bucket", Key=KEY, Body=b"b" * (RANGE_BYTES + 1))

    with pytest.raises(MissingObjectError):
        stream.read()


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "NoSuchKey"),
        (404, "NoSuchVersion"),
        (405, "MethodNotAllowed"),
        (412, "PreconditionFailed"),
    ],
)
def test_every_way_of_s3_to_say_missing_is_understood(s3: S3Client, status: int, code: str) -> None:
    with Stubber(s3) as stubber:
        stubber.add_client_error("get_object", code, http_status_code=status)

        with pytest.raises(MissingObjectError):
            S3Files(s3, "bucket").read(KEY)


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "AccessDenied"), (403, "InvalidObjectState"), (400, "KMS.DisabledException")],
)
def test_an_object_that_may_not_be_read_is_not_taken_for_a_missing_one(
    s3: S3Client, status: int, code: str
) -> None:
    """Its KMS key does not admit our role or is disabled, or it was archived to Glacier."""
    source = put(s3, b"x")
    with Stubber(s3) as stubber:
        stubber.add_client_error("get_object", code, http_status_code=status)

        with pytest.raises(UnreadableObjectError, match="does not let") as caught:
            S3Files(s3, "bucket").open_stream(source)

    assert (caught.value.key, caught.value.code) == (KEY, code)


def test_a_fault_of_s3_is_not_taken_for_a_missing_object(s3: S3Client) -> None:
    with Stubber(s3) as stubber:
        stubber.add_client_error("get_object", "InternalError", http_status_code=500)

        with pytest.raises(ClientError, match="InternalError"):
            S3Files(s3, "bucket").read(KEY)


def test_a_missing_permission_is_not_taken_for_a_missing_mapping(s3: S3Client) -> None:
    with Stubber(s3) as stubber:
        stubber.add_client_error("head_object", "403", http_status_code=403)

        with pytest.raises(AwsRefusedError, match="403"):
            S3Files(s3, "bucket").find_newest(KEY)


def test_a_large_object_is_uploaded_in_parts(s3: S3Client) -> None:
    body = distinct_bytes(2 * PART_BYTES + 100)
    files = S3Files(s3, "bucket")

    with files.open_writer(KEY, content_type="text/csv") as stream:
        for start in range(0, len(body), MEBIBYTE):
            stream.write(body[start : start + MEBIBYTE])

    stored = s3.get_object(Bucket="bucket", Key=KEY)
    assert stored["Body"].read() == body
    assert stored["ETag"].endswith('-3"')
    assert stored["ContentType"] == "text/csv"


def test_a_failed_upload_leaves_no_parts_behind(s3: S3Client) -> None:
    files = S3Files(s3, "bucket")

    def write_half() -> None:
        with files.open_writer(KEY, content_type="text/csv") as stream:
            stream.write(b"x" * (PART_BYTES + 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()

    assert files.find_newest(KEY) is None
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="bucket")


def test_what_is_written_has_its_content_type(s3: S3Client) -> None:
    S3Files(s3, "bucket").write(KEY, b"<p>", content_type="text/html; charset=utf-8")

    assert s3.head_object(Bucket="bucket", Key=KEY)["ContentType"] == "text/html; charset=utf-8"


class Zeros:
    """An S3 client of one object of zeros that keeps nothing; moto keeps all in this process."""

    def __init__(self, size: int) -> None:
        self.size = size

    def get_object(self, *, Range: str, **_: object) -> dict[str, Any]:  # noqa: N803  # S3's name
        start, _dash, last = Range.removeprefix("bytes=").partition("-")
        length = min(int(last) + 1, self.size) - int(start)
        content_range = f"bytes {start}-{int(start) + length - 1}/{self.size}"
        return {"ETag": "e", "ContentRange": content_range, "Body": ZerosBody(length)}

    def create_multipart_upload(self, **_: object) -> dict[str, str]:
        return {"UploadId": "u"}

    def upload_part(self, **_: object) -> dict[str, str]:
        return {"ETag": "e"}

    def complete_multipart_upload(self, **_: object) -> None: ...


class ZerosBody:
    def __init__(self, length: int) -> None:
        self.length = length

    def read(self) -> bytes:
        return bytes(self.length)


def test_reading_holds_little_more_than_one_range() -> None:
    client: Any = Zeros(10 * RANGE_BYTES)
    reader = RangedReader(ObjectRanges(client, "bucket", KEY, "v1"))
    tracemalloc.start()

    taken = 0
    while piece := reader.read(MEBIBYTE):
        taken += len(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken == 10 * RANGE_BYTES
    assert peak < RANGE_BYTES + 4 * MEBIBYTE


def test_writing_holds_little_more_than_two_parts() -> None:
    client: Any = Zeros(0)
    upload = ObjectUpload(client, "bucket", KEY, "text/csv")
    piece = bytes(MEBIBYTE)
    tracemalloc.start()

    for _ in range(80):
        upload.write(piece)
    upload.complete()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 2 * PART_BYTES + 3 * MEBIBYTE


def test_of_a_version_that_was_written_over_not_one_byte_is_read(s3: S3Client) -> None:
    """Where the bucket keeps no versions, "null" names whatever lies there now."""
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Suspended"})
    etag = s3.put_object(Bucket="bucket", Key=KEY, Body=b"old")["ETag"].strip('"')
    files, meant = S3Files(s3, "bucket"), ObjectVersion("bucket", KEY, "null", etag=etag)
    before = files.open_stream(meant).read()

    s3.put_object(Bucket="bucket", Key=KEY, Body=b"new")

    assert before == b"old"
    with pytest.raises(MissingObjectError):
        files.open_stream(meant)


def tags_of(s3: S3Client, source: ObjectVersion) -> dict[str, str]:
    answer = s3.get_object_tagging(Bucket="bucket", Key=KEY, VersionId=source.version_id)
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def tag(s3: S3Client, tags: dict[str, str]) -> None:
    wanted: Any = {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}
    s3.put_object_tagging(Bucket="bucket", Key=KEY, Tagging=wanted)


def test_tags_that_people_have_put_on_a_drop_stay(s3: S3Client) -> None:
    """S3 knows no adding to the tags of an object: a put replaces them all."""
    source, files = put(s3, b"x"), S3Files(s3, "bucket")
    tag(s3, {"owner": "sales"})

    files.mark_closed(source)
    marked = tags_of(s3, source)
    files.mark_open(source)

    assert marked == {"owner": "sales", "bigin-drop": "closed"}
    assert tags_of(s3, source) == {"owner": "sales", "bigin-drop": "open"}


def test_a_drop_with_as_many_tags_as_s3_takes_keeps_them_and_stays(s3: S3Client) -> None:
    source = put(s3, b"x")
    full = {f"tag{number}": "theirs" for number in range(MOST_TAGS)}
    tag(s3, full)

    S3Files(s3, "bucket").mark_closed(source)

    assert tags_of(s3, source) == full
