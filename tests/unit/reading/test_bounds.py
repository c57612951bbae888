"""What a drop may cost: bounds that do not depend on who wrote it."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest
from isal import isal_zlib

from bigin_import.errors import DropRejectedError
from bigin_import.reading import decoding, records
from bigin_import.reading.decoding import DropBytes
from bigin_import.reading.table import open_table


def read_rows(body: bytes) -> list[list[str]]:
    table = open_table(io.BytesIO(body), name="x.csv", encoding=None, default_encoding=None)
    return [row for batch in table.batches() for row in batch.rows]


DECOMPRESSOR = isal_zlib.decompressobj


class Counted:
    """What unpacks one gzip member; adds up how many bytes are given to all of them."""

    given = 0

    def __init__(self, window: int) -> None:
        self._member = DECOMPRESSOR(window)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the member has it
        return getattr(self._member, name)

    def decompress(self, piece: bytes, most: int) -> bytes:
        Counted.given += len(piece)
        return bytes(self._member.decompress(piece, most))


def test_a_gzip_file_of_very_many_tiny_members_is_read_in_linear_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some loggers flush each line as a member of its own."""
    monkeypatch.setattr(isal_zlib, "decompressobj", Counted)
    packed = b"".join(gzip.compress(text, 1) for text in (b"a", b",", b"b\n", b"1", b",2\n")) * 4000
    Counted.given = 0

    chunks = list(DropBytes(io.BytesIO(packed), name="x.csv.gz"))

    assert b"".join(chunks) == b"a,b\n1,2\n" * 4000
    assert len(chunks) <= 2  # not one for each member: what reads lines looks at each chunk again
    assert Counted.given < 20 * len(packed)  # a quarter of a megabyte for each would be 10,000


@pytest.mark.parametrize("zeros", [1, 512, 600_000])
def test_zero_bytes_behind_the_last_gzip_member_fill_a_block_and_say_nothing(zeros: int) -> None:
    packed = gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n") + bytes(zeros)

    assert b"".join(DropBytes(io.BytesIO(packed), name="x.csv.gz")) == b"a,b\n1,2\n"


@pytest.mark.parametrize("zeros", [0, 1, 600_000])
@pytest.mark.parametrize("rest", [b"x", gzip.compress(b"3,4\n")[:-1]], ids=["text", "a half"])
def test_anything_else_behind_it_is_not_gzip(zeros: int, rest: bytes) -> None:
    packed = gzip.compress(b"a,b\n1,2\n") + bytes(zeros) + rest

    with pytest.raises(DropRejectedError, match="not a whole gzip file"):
        list(DropBytes(io.BytesIO(packed), name="x.csv.gz"))


def test_zero_bytes_alone_are_not_gzip() -> None:
    with pytest.raises(DropRejectedError, match="not a whole gzip file"):
        list(DropBytes(io.BytesIO(bytes(512)), name="x.csv.gz"))


@pytest.mark.parametrize("characters", [131_073, 1_500_000])
def test_a_cell_that_is_longer_than_the_csv_module_expects_is_read(characters: int) -> None:
    """Its own limit is for the whole process, and nobody else may have raised it."""
    csv.field_size_limit(131_072)
    text = "x" * 1_000 + "\n"
    cell = (text * (characters // len(text) + 1))[:characters]

    rows = read_rows(f'a,b\n1,"{cell}"\n2,y\n'.encode())

    assert [len(row[1]) for row in rows] == [characters, 1]


@pytest.mark.parametrize(
    "line", [b"x" * 999 + b"\n", b"x" * 1_000], ids=["of lines", "of one line"]
)
def test_a_cell_that_is_too_long_for_anything_is_refused_before_it_is_read_whole(
    line: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_CELL_CHARACTERS", 2_100_000)
    monkeypatch.setattr(decoding, "MAX_LINE_BYTES", 2_100_000)
    body = io.BytesIO(b'a,b\n1,"' + line * 10_000 + b'"\n')

    with pytest.raises(DropRejectedError, match=r"never closed|a line is longer than"):
        list(open_table(body, name="x.csv", encoding=None, default_encoding=None).batches())

    assert body.tell() < 5_000_000
