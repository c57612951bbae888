"""Records as lines of CSV; zips with one entry: those we send, and Bigin's answers."""

from __future__ import annotations

import csv
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import IO, BinaryIO, cast, overload

from isal import isal_zlib

from bigin_import.errors import BiginOutcomeUnknownError

type SentRecord = tuple[str, ...]


class ColumnRecords(Sequence[SentRecord]):
    """Records that lie in columns, all equally long; a record is made when it is asked for."""

    def __init__(self, columns: Sequence[Sequence[str]], count: int) -> None:
        self._columns = columns
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[SentRecord]:
        return zip(*self._columns, strict=True)

    @overload
    def __getitem__(self, at: int) -> SentRecord: ...
    @overload
    def __getitem__(self, at: slice) -> ColumnRecords: ...
    def __getitem__(self, at: int | slice) -> SentRecord | ColumnRecords:
        if isinstance(at, slice):
            count = len(range(self._count)[at])
            return ColumnRecords([column[at] for column in self._columns], count)
        return tuple(column[at] for column in self._columns)

    def column(self, at: int) -> Sequence[str]:
        return self._columns[at]


def column_of(records: Sequence[SentRecord], at: int) -> Iterable[str]:
    """Return one cell of each record."""
    return (
        records.column(at) if isinstance(records, ColumnRecords) else map(itemgetter(at), records)
    )


class _Echo:
    """A file for csv.writer that hands every line back instead of storing it."""

    def write(self, line: str) -> str:
        return line


def csv_text(records: Sequence[SentRecord]) -> str:
    """Return *records*, all equally long, as lines of CSV, each with its LF."""
    if not records:
        return ""
    commas = len(records[0]) - 1
    if not commas:  # an empty cell alone must be quoted, or its line would be blank
        return "".join(map(_quoting(), records))
    lines = list(map(",".join, records))
    text = "\n".join(lines) + "\n"
    if (
        text.count(",") == commas * len(lines)
        and text.count("\n") == len(lines)
        and '"' not in text
        and "\r" not in text
    ):
        return text
    quoted = _quoting()
    # The same four questions for each line, spelled out: a call for each costs a tenth of it all.
    return "".join(
        quoted(record)
        if '"' in line or "\n" in line or "\r" in line or line.count(",") != commas
        else line + "\n"
        for line, record in zip(lines, records, strict=True)
    )


def _quoting() -> Callable[[SentRecord], str]:
    writerow = csv.writer(_Echo(), lineterminator="\n").writerow
    return cast("Callable[[SentRecord], str]", writerow)  # it returns what write() returned


MAX_RESULT_BYTES = 200_000_000

# ISA-L's level 1 packs 700 MB/s to nearly the size that zlib's default makes of 58 MB/s.
_LEVEL = 1
_RAW_DEFLATE = -15  # no zlib header: a zip has its own

_VERSION, _FLAGS, _DEFLATED = 20, 0, 8
_TIME, _DATE = 0, 0x21  # 1 January 1980, always: the same rows make the same bytes
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


class EntryWriter:
    """
    A zip with one flat entry, packed while it is written; only the packed bytes are held.

    The zipfile module cannot be told to use another deflate than zlib's.
    """

    def __init__(self, name: str) -> None:
        self._name = name.encode("ascii")
        self._buffer = io.BytesIO()
        self._buffer.write(bytes(_LOCAL.size) + self._name)
        self._deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW_DEFLATE)
        self._crc = 0
        self.size = 0

    def write(self, content: bytes) -> None:
        """Add bytes to the entry; `size` counts them before packing."""
        self._crc = isal_zlib.crc32(content, self._crc)
        self.size += len(content)
        self._buffer.write(self._deflate.compress(content))

    def close(self) -> bytes:
        """Return the finished archive."""
        self._buffer.write(self._deflate.flush())
        end_of_entry = self._buffer.tell()
        packed = end_of_entry - _LOCAL.size - len(self._name)
        common = (_FLAGS, _DEFLATED, _TIME, _DATE, self._crc, packed, self.size, len(self._name), 0)
        central = _CENTRAL.pack(b"PK\1\2", _VERSION, _VERSION, *common, 0, 0, 0, 0, 0)
        self._buffer.write(central + self._name)
        size = len(central) + len(self._name)
        self._buffer.write(_END.pack(b"PK\5\6", 0, 0, 1, 1, size, end_of_entry, 0))
        self._buffer.seek(0)
        self._buffer.write(_LOCAL.pack(b"PK\3\4", _VERSION, *common))
        return self._buffer.getvalue()


def read_entry(archive: BinaryIO, max_bytes: int = MAX_RESULT_BYTES) -> BinaryIO:
    """
    Open the only entry of a seekable zip as a stream of its unpacked bytes.

    Raises:
        BiginOutcomeUnknownError: It is no zip, broken, or does not have exactly one entry; while
            reading also if the entry is damaged or longer than *max_bytes*.
    """
    with _readable(archive) as (opened, entry):
        return cast(BinaryIO, io.BufferedReader(_CappedEntry(opened.open(entry), max_bytes)))


def name_of_entry(archive: BinaryIO) -> str:
    """
    Return the name of the only entry of a seekable zip.

    Raises:
        BiginOutcomeUnknownError: As `read_entry` does.
    """
    with _readable(archive) as (_, entry):
        return entry.filename


@contextmanager
def _readable(archive: BinaryIO) -> Iterator[tuple[zipfile.ZipFile, zipfile.ZipInfo]]:
    try:
        opened = zipfile.ZipFile(archive)
        entries = [entry for entry in opened.infolist() if not entry.is_dir()]
        if len(entries) != 1:
            raise BiginOutcomeUnknownError(f"the zip has {len(entries)} files instead of one")
        yield opened, entries[0]
    except (
        zipfile.BadZipFile,
        NotImplementedError,  # a compression nobody here knows
        RuntimeError,  # encrypted
        OSError,  # a place in the file that cannot be
        ValueError,  # a name that is not UTF-8
        EOFError,
    ) as exc:
        raise BiginOutcomeUnknownError(f"the zip cannot be read: {exc}") from exc


class _CappedEntry(io.RawIOBase):
    """Unpacked bytes of one entry, counted: what the zip says of its size is not believed."""

    def __init__(self, entry: IO[bytes], max_bytes: int) -> None:
        self._entry = entry
        self._left = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # BufferedReader passes a memoryview
        try:
            content = self._entry.read(len(buffer))
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError) as exc:
            raise BiginOutcomeUnknownError(f"the zip is damaged: {exc}") from exc
        self._left -= len(content)
        if self._left < 0:
            raise BiginOutcomeUnknownError("the zip unpacks to more than it may")
        buffer[: len(content)] = content
        return len(content)
