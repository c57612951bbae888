"""Zips: ours are read by everyone, and those of others are opened with care."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from bigin_import.errors import BiginOutcomeUnknownError
from bigin_import.splitting.archive import EntryWriter, read_entry

CONTENT = b"Email,STATUS,RECORD_ID,ERRORS\n" + b"a@x.de,ADDED,1,\n" * 5_000


def zipped(*names: str, content: bytes = CONTENT, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("pieces", [[], [b""], [CONTENT], [CONTENT[:7], CONTENT[7:]]])
def test_what_is_written_in_pieces_is_read_whole(pieces: list[bytes]) -> None:
    writer = EntryWriter("part.csv")
    for piece in pieces:
        writer.write(piece)
    archive = writer.close()

    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.namelist() == ["part.csv"]
        assert opened.testzip() is None
        assert opened.read("part.csv") == b"".join(pieces)
    assert writer.size == sum(map(len, pieces))
    assert read_entry(io.BytesIO(archive)).read() == b"".join(pieces)


def test_the_only_entry_of_a_zip_is_read_as_a_stream_of_lines() -> None:
    entry = read_entry(io.BytesIO(zipped("Contacts-bulkwrite.csv")))

    assert entry.readline() == b"Email,STATUS,RECORD_ID,ERRORS\n"
    assert sum(1 for _ in entry) == 5_000


def test_a_folder_beside_the_entry_is_no_second_entry() -> None:
    assert read_entry(io.BytesIO(zipped("out/", "out/result.csv"))).read() == CONTENT


@pytest.mark.parametrize("names", [(), ("a.csv", "b.csv")])
def test_a_zip_without_exactly_one_entry_is_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(BiginOutcomeUnknownError, match=f"has {len(names)} files instead of one"):
        read_entry(io.BytesIO(zipped(*names)))


def test_an_entry_that_unpacks_to_more_than_allowed_is_not_read_on() -> None:
    entry = read_entry(io.BytesIO(zipped("a.csv", content=bytes(1_000_000))), max_bytes=999_999)

    with pytest.raises(BiginOutcomeUnknownError, match="unpacks to more than it may"):
        entry.read()


def flipped(archive: bytes) -> bytes:
    return archive[:60] + bytes([archive[60] ^ 0xFF]) + archive[61:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda archive: archive[:-30],
        lambda archive: b"<html>not found</html>",
        lambda archive: b"",
        flipped,
        lambda archive: archive[:40] + bytes(20) + archive[60:],
    ],
    ids=["cut off", "an error page", "empty", "one byte changed", "zeros inside"],
)
def test_a_broken_zip_is_an_error_of_ours(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BiginOutcomeUnknownError, match=r"zip (cannot be read|is damaged)"):
        read_entry(io.BytesIO(damage(zipped("a.csv")))).read()


def with_offset(archive: bytes) -> bytes:
    """Say that the list of entries begins far behind the end."""
    at = archive.rindex(b"PK\5\6") + 16
    return archive[:at] + b"\x00\xff\xff\xff" + archive[at + 4 :]


def garbled(archive: bytes) -> bytes:
    return archive[:45] + bytes(byte ^ 0x5A for byte in archive[45:85]) + archive[85:]


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(zipped("é.csv").replace("é".encode(), b"\xff\xfe"), id="no UTF-8 name"),
        pytest.param(with_offset(zipped("a.csv")), id="no such place"),
        pytest.param(garbled(zipped("a.csv", compression=zipfile.ZIP_BZIP2)), id="bzip2"),
        pytest.param(garbled(zipped("a.csv", compression=zipfile.ZIP_LZMA)), id="LZMA"),
    ],
)
def test_so_is_one_for_which_the_library_has_other_errors(archive: bytes) -> None:
    with pytest.raises(BiginOutcomeUnknownError, match=r"zip (cannot be read|is damaged)"):
        read_entry(io.BytesIO(archive)).read()
