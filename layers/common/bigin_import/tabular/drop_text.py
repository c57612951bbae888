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
import re
from collections.abc import Iterable, Iterator

from bigin_import.errors import DropRejectedError
from bigin_import.models import Problem
from bigin_import.tabular.encodings import is_wide, lacks_byte_order, says_nothing
from bigin_import.tabular.magic import byte_order_mark

# A quoted cell may hold any number of lines, but a line this long is not one of a table.
MAX_LINE_BYTES = 33_000_000

_CANDIDATES = ("windows-1252", "cp850", "macroman", "cp1250")
_CELL_WITH_HIGH_BYTE = re.compile(rb"[^,;\t|:\r\n\"]{0,60}[\x80-\xff][^,;\t|:\r\n\"]{0,60}")
_CELLS_SHOWN = 5
_DOS_END_OF_FILE = "\x1a"
_HALF_A_CHARACTER = b"\xff"
_CONTROLS = re.compile("[\x80-\x9f]")


class DropText:
    """
    An iterator over the text of a drop, in chunks of whole lines.

    Attributes:
        encoding: What the text was read with so far, a Python codec name.
        bom: Whether the drop begins with a byte order mark.
        has_controls: Whether the stated encoding was needed and made C1 control characters of
            some bytes, as ISO-8859-1 does of the € and the quotes of windows-1252.

    Raises:
        DropRejectedError: At once if it is UTF-16 of an unknown byte order; while iterating if
            the encoding is neither UTF-8 nor stated.
    """

    def __init__(
        self,
        head: bytes,
        rest: Iterable[bytes],
        *,
        name: str,
        stated_encoding: str | None,
    ) -> None:
        self._name = name
        self._stated = stated_encoding
        mark, codec = byte_order_mark(head) or (b"", "utf-8")
        self.bom = bool(mark)
        self.has_controls = False
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
        return _without_marks(text)

    def _fall_back(self, chunk: bytes) -> None:
        """Take the stated encoding for the rest; all that came before was ASCII."""
        stated = self._stated
        if stated is None or says_nothing(stated) or is_wide(stated):
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
