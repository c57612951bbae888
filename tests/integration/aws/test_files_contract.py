"""What a bucket promises, in memory and in S3 alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import boto3
import pytest

from bigin_import.aws.files import CLOSED_TAG, S3Files
from bigin_import.domain.drop import ObjectVersion
from bigin_import.errors import DropRejectedError, MissingObjectError
from bigin_import.ports import Files
from tests.fakes.memory_files import MemoryFiles

KEY = "incoming/contacts.csv"
CSV = "text/csv"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as the application sees it, and what people do with it."""

    files: Files
    put: Callable[[str, bytes], ObjectVersion]
    remove: Callable[[str], object]
    is_marked: Callable[[ObjectVersion], bool]


@pytest.fixture(params=["memory", "moto"])
def bucket(request: pytest.FixtureRequest) -> Bucket:
    if request.param == "memory":
        files = MemoryFiles()
        return Bucket(
            files,
            files.put,
            files.remove,
            lambda source: (source.key, source.version_id) in files.marked,
        )
    return s3_bucket(request.getfixturevalue("aws"))


def s3_bucket(aws: boto3.Session) -> Bucket:
    client = aws.client("s3")
    client.create_bucket(
        Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    client.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})

    def put(key: str, body: bytes) -> ObjectVersion:
        stored = client.put_object(Bucket="bucket", Key=key, Body=body)
        return ObjectVersion("bucket", key, stored["VersionId"], size=len(body))

    def is_marked(source: ObjectVersion) -> bool:
        tags = client.get_object_tagging(
            Bucket="bucket", Key=source.key, VersionId=source.version_id
        )
        return CLOSED_TAG in tags["TagSet"]

    return Bucket(
        S3Files(client, "bucket"),
        put,
        lambda key: client.delete_object(Bucket="bucket", Key=key),
        is_marked,
    )


def test_the_newest_version_is_the_last_one_put(bucket: Bucket) -> None:
    bucket.put(KEY, b"old")
    later = bucket.put(KEY, b"newer")

    newest = bucket.files.find_newest(KEY)

    assert newest == ObjectVersion("bucket", KEY, later.version_id, size=5)


def test_there_is_no_newest_version_of_a_key_that_is_not_there(bucket: Bucket) -> None:
    bucket.put("incoming/deleted.csv", b"x")
    bucket.remove("incoming/deleted.csv")

    assert bucket.files.find_newest(KEY) is None
    assert bucket.files.find_newest("incoming/deleted.csv") is None


def test_a_version_is_read_after_it_was_overwritten_and_deleted(bucket: Bucket) -> None:
    first = bucket.put(KEY, b"first")
    bucket.put(KEY, b"second")
    assert bucket.files.read(KEY) == b"second"

    bucket.remove(KEY)

    assert bucket.files.read(KEY, version_id=first.version_id) == b"first"
    assert bucket.files.open_stream(first).read() == b"first"


def test_a_missing_or_deleted_object_is_named(bucket: Bucket) -> None:
    bucket.put("incoming/deleted.csv", b"x")
    bucket.remove("incoming/deleted.csv")

    with pytest.raises(MissingObjectError, match=r"incoming/contacts\.csv is not in the bucket"):
        bucket.files.read(KEY)
    with pytest.raises(MissingObjectError, match="deleted"):
        bucket.files.read("incoming/deleted.csv")


def test_the_stream_of_a_missing_version_is_not_begun(bucket: Bucket) -> None:
    bucket.put(KEY, b"x")

    with pytest.raises(MissingObjectError):
        bucket.files.open_stream(ObjectVersion("bucket", KEY, "no-such-version"))


def test_an_object_larger_than_asked_for_is_rejected_with_its_size(bucket: Bucket) -> None:
    bucket.put(KEY, b"x" * 1001)

    assert bucket.files.read(KEY, at_most=1001) == b"x" * 1001
    with pytest.raises(DropRejectedError, match=r"incoming/contacts\.csv: .*1,001 bytes.*1,000"):
        bucket.files.read(KEY, at_most=1000)


def test_an_empty_object_is_read_as_nothing(bucket: Bucket) -> None:
    empty = bucket.put(KEY, b"")

    assert bucket.files.read(KEY) == b""
    assert bucket.files.open_stream(empty).read() == b""


def test_a_stream_gives_lines_and_pieces(bucket: Bucket) -> None:
    source = bucket.put(KEY, b"name\r\nAnn\r\n")

    with bucket.files.open_stream(source) as stream:
        assert stream.readline() == b"name\r\n"
        assert stream.read(2) == b"An"
        assert stream.read() == b"n\r\n"
        assert stream.read() == b""


def test_what_is_written_whole_can_be_read(bucket: Bucket) -> None:
    bucket.files.write("results/report.html", b"<p>", content_type="text/html")

    assert bucket.files.read("results/report.html") == b"<p>"


@pytest.mark.parametrize("pieces", [[], [b""], [b"a", b"bc"], [b"x" * 100_000] * 3])
def test_what_is_written_piece_by_piece_is_one_object(bucket: Bucket, pieces: list[bytes]) -> None:
    with bucket.files.open_writer("results/success.csv", content_type=CSV) as stream:
        for piece in pieces:
            stream.write(piece)

    assert bucket.files.read("results/success.csv") == b"".join(pieces)


def test_a_writer_that_fails_leaves_no_object(bucket: Bucket) -> None:
    def write_half() -> None:
        with bucket.files.open_writer("results/success.csv", content_type=CSV) as stream:
            stream.write(b"half of it")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()

    assert bucket.files.find_newest("results/success.csv") is None


def test_keys_are_the_current_ones_of_the_prefix_in_order(bucket: Bucket) -> None:
    for key in ("incoming/b.csv", "incoming/a/c.csv", "incoming/gone.csv", "parts/1.zip"):
        bucket.put(key, b"x")
    bucket.remove("incoming/gone.csv")

    assert list(bucket.files.list_keys("incoming/")) == ["incoming/a/c.csv", "incoming/b.csv"]
    assert list(bucket.files.list_keys("incoming/", since=2**40)) == []
    assert list(bucket.files.list_keys("results/")) == []


@pytest.mark.parametrize(
    "name",
    ["two words.csv", "a+b.csv", "naïve (1).csv", "名前.csv", "100%.csv", "a&b=c?.csv", "#1.csv"],
)
def test_a_key_is_taken_as_it_is(bucket: Bucket, name: str) -> None:
    source = bucket.put(f"incoming/{name}", b"x")

    newest = bucket.files.find_newest(f"incoming/{name}")

    assert newest is not None
    assert newest.version_id == source.version_id
    assert bucket.files.open_stream(source).read() == b"x"
    assert list(bucket.files.list_keys("incoming/")) == [f"incoming/{name}"]


def test_the_version_that_was_imported_is_marked_and_no_other(bucket: Bucket) -> None:
    first = bucket.put(KEY, b"first")
    second = bucket.put(KEY, b"second")

    bucket.files.mark_closed(first)
    bucket.files.mark_closed(first)

    assert (bucket.is_marked(first), bucket.is_marked(second)) == (True, False)


def test_a_mark_is_taken_off_again(bucket: Bucket) -> None:
    source = bucket.put(KEY, b"x")
    bucket.files.mark_closed(source)

    bucket.files.mark_open(source)
    bucket.files.mark_open(source)

    assert not bucket.is_marked(source)


def test_a_version_that_is_gone_is_not_marked(bucket: Bucket) -> None:
    gone = ObjectVersion("bucket", "incoming/gone.csv", "no-such-version")

    bucket.files.mark_closed(gone)
    bucket.files.mark_open(gone)

    assert bucket.files.find_newest(gone.key) is None
