"""
Bytes of a drop -> text, in chunks that end where a line ends. No encoding is ever guessed.

A BOM decides. Without one the drop is UTF-8, strictly; where its first non-ASCII bytes are not,
it is what the mapping says, or what the deployment says; else it is rejected, with the cells as
common encodings read them. A drop that did have UTF-8 characters before is UTF-8 with damage:
what cannot be decoded becomes lone surrogates, which nobody can encode again, so that the row
is found when it is written.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import BinaryIO

from isal import isal_zlib
from isal.igzip_lib import IsalError

from bigin_import.domain.drop import Problem
from bigin_import.errors import DropRejectedError

CHUNK_BYTES = 256 * 1024

# Ten times what one Lambda run reads in comfort; a gzip bomb of 2 MB unpacks to as much.
MAX_UNPACKED_BYTES = 2_000_000_000

_SMALL_CHUNK_BYTES = 64 * 1024
_FIRST_STEP_BYTES = 256
_GZIP_WINDOW = 31  # zlib's way to say: expect a gzip header and trailer


class DropBytes:
    """
    An iterator over the bytes of a drop, unpacked if its name ends in .gz.

    Raises:
        DropRejectedError: While iterating, if it is not gzip, broken, or unpacks to more than
            *max_unpacked* bytes.
    """

    def __init__(
        self, stream: BinaryIO, *, name: str, max_unpacked: int = MAX_UNPACKED_BYTES
    ) -> None:
        self._name = name
        self._max_unpacked = max_unpacked
        self._hash = hashlib.sha256()
        stored = self._stored(stream)
        self._chunks = self._unpacked(stored) if name.lower().endswith(".gz") else stored

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    @property
    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the stored bytes read so far; of all, after the last chunk."""
        return self._hash.hexdigest()

    def _stored(self, stream: BinaryIO) -> Iterator[bytes]:
        while chunk := stream.read(CHUNK_BYTES):
            self._hash.update(chunk)
            yield chunk

    def _unpacked(self, stored: Iterator[bytes]) -> Iterator[bytes]:
        total = 0
        for chunk in _gathered(_gunzip(stored, self._broken())):
            total += len(chunk)
            if total > self._max_unpacked:
                raise self._rejected(
                    f"it unpacks to more than {self._max_unpacked:,} bytes",
                    "Split it into smaller drops",
                )
            yield chunk

    def _broken(self) -> DropRejectedError:
        return self._rejected(
            "it is named .gz but is not a whole gzip file", "Pack it again and drop it again"
        )

    def _rejected(self, what: str, remedy: str) -> DropRejectedError:
        return DropRejectedError((Problem(self._name, what, remedy),))


def _gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield *pieces* joined to chunks worth reading: of tiny members each gives a few bytes."""
    small: list[bytes] = []
    size = 0
    for piece in pieces:
        small.append(piece)
        size += len(piece)
        if size >= _SMALL_CHUNK_BYTES:
            yield b"".join(small)
            small.clear()
            size = 0
    if small:
        yield b"".join(small)


def _gunzip(stored: Iterator[bytes], broken: DropRejectedError) -> Iterator[bytes]:
    """
    Yield the unpacked bytes in chunks; a gzip file may have several members, and zero bytes behind
    the last one, with which tapes and some programs fill up a block.

    What a member leaves over is copied, so each gets a little first, then twice as much: a file
    of a million tiny members is read in time that its size bounds.
    """
    member = isal_zlib.decompressobj(_GZIP_WINDOW)
    step = _FIRST_STEP_BYTES
    is_filled = False
    for packed in stored:
        at = 0
        while at < len(packed):
            if member.eof and (is_filled or packed[at] == 0):
                if packed.count(0, at) < len(packed) - at:
                    raise broken
                is_filled = True
                break
            if member.eof:
                member = isal_zlib.decompressobj(_GZIP_WINDOW)
                step = _FIRST_STEP_BYTES
            piece = packed[at : at + step]
            try:
                unpacked = member.decompress(piece, CHUNK_BYTES)
            except IsalError as exc:  # type: ignore[misc]  # isal's stub takes the class for an instance
                raise broken from exc
            if unpacked:
                yield unpacked
            left = member.unused_data if member.eof else member.unconsumed_tail
            at += len(piece) - len(left)
            step = min(2 * step, CHUNK_BYTES)
    if not member.eof:
        raise broken


_SAVE_AS_CSV = 'Open it in the spreadsheet program and save it as "CSV UTF-8"'
_NAME_IT = "If it is a workbook, name it .xlsx and drop it again"
_EXPORT_AGAIN = "Open it in a text editor to see what it is, and export the data again as CSV"

_SIGNATURES = (
    (b"PK\x03\x04", "an Excel workbook or another zip archive", _NAME_IT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", _SAVE_AS_CSV),
    (b"\x1f\x8b", "gzip", "Name it .csv.gz and drop it again"),
    (b"%PDF-", "a PDF document", _EXPORT_AGAIN),
    (b"\x89PNG", "a picture", _EXPORT_AGAIN),
    (b"\xff\xd8\xff", "a picture", _EXPORT_AGAIN),
    (b"PAR1", "a Parquet file", "Export the data as CSV"),
    (b"SQLite format 3\x00", "a database file", "Export the data as CSV"),
    (b"{\\rtf", "a rich text document", _EXPORT_AGAIN),
)
_MARKUP = (
    (b"<!doctype html", "a web page, perhaps an error page of the program that exported it"),
    (b"<html", "a web page, perhaps an error page of the program that exported it"),
    (b"<table", "an HTML table"),
    (b"<?xml", "an XML file"),
    (b'{"', "JSON"),
    (b"[{", "JSON"),
)

# A CSV may hold a stray NUL; UTF-16 without a BOM and binary files are full of them.
_NUL_SHARE = 0.1
_NULS_TOLERATED = 3

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF32_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)  # the first begins as UTF-16's does


def byte_order_mark(head: bytes) -> tuple[bytes, str] | None:
    """Return the BOM that *head* begins with and the codec it stands for, if there is one."""
    return next(((bom, codec) for bom, codec in _BOMS if head.startswith(bom)), None)


def is_full_of_nuls(head: bytes) -> bool:
    """Return whether *head* is UTF-16 without a BOM, or no text at all."""
    return head.count(0) > max(len(head) * _NUL_SHARE, _NULS_TOLERATED)


def not_a_csv(head: bytes, name: str) -> Problem | None:
    """Return what the file is if its first bytes show that it is no CSV."""
    for signature, kind, remedy in _SIGNATURES:
        if head.startswith(signature):
            return Problem(name, f"this is {kind}, not a CSV", remedy)
    if head.startswith(_UTF32_BOMS):
        return Problem(name, "the file is in UTF-32, which is not supported", _SAVE_AS_CSV)
    start = head.removeprefix(codecs.BOM_UTF8).lstrip()[:32].lower()
    for signature, kind in _MARKUP:
        if start.startswith(signature):
            return Problem(name, f"this is {kind}, not a CSV", _EXPORT_AGAIN)
    return None


def nuls_problem(name: str) -> Problem:
    """Return that the file has NUL bytes all over and no BOM that would explain them."""
    return Problem(
        name,
        "it is full of NUL bytes: UTF-16 without a byte order mark, or no text at all",
        'Save it as "CSV UTF-8"; if it must be UTF-16, add "character_encoding": "utf-16-le" '
        'or "utf-16-be" to the mapping',
    )


_MARKS = ",;\t|:\"'\r\n A0"
_DAMAGE = b"\xff"


def codec_problem(encoding: str, where: str) -> Problem | None:
    """Return why a CSV cannot be read as *encoding*, if so."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError):  # ValueError: "undefined" is a codec that refuses all
        return Problem(
            where,
            f"character_encoding {encoding!r} is not known",
            'Write for example "utf-8", "windows-1252", "cp850" or "macroman"',
        )
    if is_wide(encoding) or _extends_ascii(encoding):
        return None
    what = f"character_encoding {encoding!r} is not supported: it writes ASCII in its own way"
    return Problem(where, what, 'Save the file as "CSV UTF-8"')


def _extends_ascii(encoding: str) -> bool:
    """Return whether text can be cut into lines before it is decoded, and damage be kept apart."""
    try:
        text = (_MARKS.encode("ascii") + _DAMAGE).decode(encoding, "surrogateescape")
    except ValueError:
        return False
    return text.startswith(_MARKS)


def is_wide(encoding: str) -> bool:
    """Return whether *encoding* is UTF-16, which writes line ends as two bytes."""
    return codecs.lookup(encoding).name.startswith("utf-16")


def lacks_byte_order(encoding: str) -> bool:
    """Return whether *encoding* leaves it to a byte order mark which byte comes first."""
    return codecs.lookup(encoding).name == "utf-16"


def explains_nothing(encoding: str) -> bool:
    """Return whether *encoding* explains nothing that is not UTF-8."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")


# A quoted cell may hold any number of lines, but a line this long is not one of a table.
MAX_LINE_BYTES = 33_000_000

_CANDIDATES = ("windows-1252", "cp850", "macroman", "cp1250")
_CELL_WITH_HIGH_BYTE = re.compile(rb"[^,;\t|:\r\n\"]{0,60}[\x80-\xff][^,;\t|:\r\n\"]{0,60}")
_CELLS_SHOWN = 5
_DOS_END_OF_FILE = "\x1a"
_HALF_A_CHARACTER = b"\xff"
_CONTROLS = re.compile("[\x80-\x9f]")


# What a program that takes UTF-8 for one of these makes of a byte order mark, such as "ï»¿".
_TAKEN_FOR = ("cp1252", "mac_roman", "cp850", "cp437", "cp1250", "cp1251", "cp1254")
_MARKS_DECODED_TWICE = {codecs.BOM_UTF8.decode(codec): codec for codec in reversed(_TAKEN_FOR)}


def mark_decoded_twice(text: str) -> tuple[str, str] | None:
    """Return the byte order mark that *text* begins with as text, and the codec that made it so."""
    found = (item for item in _MARKS_DECODED_TWICE.items() if text.startswith(item[0]))
    return next(found, None)


def decoded_once(text: str, codec: str) -> str:
    """
    Return *text*, UTF-8 that was taken for *codec*, as it was meant.

    Programs keep bytes that the codec does not have as control characters, U+0080 to U+009F.

    Raises:
        UnicodeError: It was not written so.
    """
    if text.isascii():
        return text
    taken = bytearray()
    for piece in _CONTROLS_KEPT.split(text):
        is_control = _CONTROLS_KEPT.fullmatch(piece) and not _has(codec, piece)
        taken += piece.encode("latin-1" if is_control else codec)
    return taken.decode()


_CONTROLS_KEPT = re.compile("([\x80-\x9f])")


def _has(codec: str, letter: str) -> bool:
    try:
        letter.encode(codec)
    except UnicodeError:
        return False
    return True


class DropText:
    """
    An iterator over the text of a drop, in chunks of whole lines.

    Attributes:
        encoding: What the text was read with so far, a Python codec name.
        bom: Whether the drop begins with a byte order mark.
        decoded_twice: The codec that the text was wrongly read with by who wrote it, and from
            which it is restored; "" if it was not.
        sheet, others, notes, warnings, faults, left_out: As of a workbook; a CSV has none.
        has_controls: Whether the stated encoding was needed and made C1 control characters of
            some bytes, as ISO-8859-1 does of the € and the quotes of windows-1252.

    Raises:
        DropRejectedError: At once if it is UTF-16 of an unknown byte order; while iterating if
            the encoding is neither UTF-8 nor stated.
    """

    sheet = ""
    others = notes = warnings = tuple[str, ...]()
    faults: Mapping[int, str] = MappingProxyType({})
    left_out: Mapping[int, str] = MappingProxyType({})

    def __init__(
        self,
        head: bytes,
        rest: Iterable[bytes],
        *,
        name: str,
        stated_encoding: str | None,
        decoded_twice: str | None = None,
    ) -> None:
        """*decoded_twice*: As it was found before; None to look for it."""
        self._name = name
        self._stated = stated_encoding
        mark, codec = byte_order_mark(head) or (b"", "utf-8")
        self.bom = bool(mark)
        self.has_controls = False
        self.decoded_twice = decoded_twice or ""
        self._is_mark_expected = decoded_twice is None
        if not mark and stated_encoding and is_wide(stated_encoding) and not _is_utf8(head):
            if lacks_byte_order(stated_encoding):
                raise DropRejectedError((_no_byte_order(head, name),), concerns_mapping=True)
            codec = stated_encoding
        self.encoding = codec
        self._is_settled = self.bom or is_wide(codec)
        self._is_fallen_back = False
        chunks = _chained(head.removeprefix(mark), rest)
        if is_wide(codec):
            chunks = _narrowed(chunks, codec)
        self._chunks = _whole_lines(chunks, name)
        self._decoder = "utf-8" if is_wide(codec) else codec

    def __iter__(self) -> Iterator[str]:
        lookahead = next(self._chunks, None)
        while lookahead is not None:
            chunk, lookahead = lookahead, next(self._chunks, None)
            text = self._decoded(chunk)
            yield text if lookahead is not None else text.rstrip(_DOS_END_OF_FILE)

    def _decoded(self, chunk: bytes) -> str:
        try:
            text = chunk.decode(self._decoder)
            self._is_settled = self._is_settled or not text.isascii()
        except UnicodeDecodeError as exc:
            if not self._is_settled and chunk[: exc.start].isascii():
                self._fall_back(chunk)
            self._is_settled = True
            text = chunk.decode(self._decoder, errors="surrogateescape")
        if self._is_fallen_back and not self.has_controls:
            self.has_controls = _CONTROLS.search(text) is not None
        return _without_marks(self._restored(text))

    def _restored(self, text: str) -> str:
        if self._is_mark_expected and (found := mark_decoded_twice(text)):
            self.decoded_twice = found[1]
        self._is_mark_expected = False
        if not self.decoded_twice:
            return text
        try:
            return decoded_once(text, self.decoded_twice)
        except UnicodeError as exc:
            raise DropRejectedError((_half_decoded_twice(self._name),)) from exc

    def _fall_back(self, chunk: bytes) -> None:
        """Take the stated encoding for the rest; all that came before was ASCII."""
        stated = self._stated
        if stated is None or explains_nothing(stated) or is_wide(stated):
            raise DropRejectedError((_unknown_encoding(chunk, self._name),), concerns_mapping=True)
        self.encoding = self._decoder = stated
        self._is_fallen_back = True


def _is_utf8(head: bytes) -> bool:
    """
    Return whether *head*, which may end within a character, is UTF-8 text and not UTF-16.

    Chinese in UTF-16 may look like ASCII, but no line of a table in UTF-16 is without a NUL byte.
    """
    try:
        codecs.utf_8_decode(head, "strict", False)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def _chained(head: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _narrowed(chunks: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """Rewrite UTF-16 as UTF-8; what is damaged becomes bytes that UTF-8 refuses."""
    decoder = codecs.getincrementaldecoder(codec)("surrogatepass")
    for chunk in chunks:
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    if decoder.getstate()[0]:
        yield _HALF_A_CHARACTER


def _whole_lines(chunks: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Cut the stream anew, after line ends. A CR at the end waits: an LF may follow it."""
    pending: list[bytes] = []
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1 or chunk.rfind(b"\r", 0, -1) + 1
        if end:
            yield b"".join((*pending, chunk[:end]))
            pending = [chunk[end:]]
        else:
            pending.append(chunk)
            if sum(map(len, pending)) > MAX_LINE_BYTES:
                raise DropRejectedError((_endless_line(name),))
    if any(pending):
        yield b"".join(pending)


def _without_marks(text: str) -> str:
    """Drop byte order marks at the start of lines: files that were joined have them inside."""
    if "\ufeff" not in text:
        return text
    return text.removeprefix("\ufeff").replace("\n\ufeff", "\n").replace("\r\ufeff", "\r")


def _endless_line(name: str) -> Problem:
    return Problem(
        name,
        f"a line is longer than {MAX_LINE_BYTES:,} bytes",
        "Check that this is a CSV with one record per line",
    )


def _half_decoded_twice(name: str) -> Problem:
    return Problem(
        name,
        'it begins with a byte order mark that was read as text, such as "ï»¿": the file was '
        "decoded twice, but not all of its text was, so it cannot be restored",
        'Export the data again as "CSV UTF-8"; or delete these first characters, if the names in '
        "the file are right",
    )


def _no_byte_order(head: bytes, name: str) -> Problem:
    if b"\0" not in head:
        return _unknown_encoding(head, name)
    return Problem(
        name,
        "UTF-16 is stated, but no byte order mark says which byte of a character comes first",
        'Write "character_encoding": "utf-16-le" in the mapping, as Windows has it, or '
        '"utf-16-be"; or save the file as "CSV UTF-8"',
    )


def _unknown_encoding(chunk: bytes, name: str) -> Problem:
    """Show the first non-ASCII cells as the common encodings read them."""
    cells = [match[0].strip() for match in _CELL_WITH_HIGH_BYTE.finditer(chunk)][:_CELLS_SHOWN]
    readings = tuple(
        f"{encoding}: {' · '.join(cell.decode(encoding, 'replace') for cell in cells)}"
        for encoding in _CANDIDATES
    )
    return Problem(
        name,
        "the file is not UTF-8, and nothing says what it is",
        "Find the encoding that reads these cells rightly and add it to the mapping, for example "
        '"character_encoding": "windows-1252"; or save the file as "CSV UTF-8"',
        cells=readings,
    )
