"""One result file while it is written: UTF-8 with BOM, the drop's delimiter, CRLF."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO
from typing import BinaryIO

BYTE_ORDER_MARK = "\ufeff"
MAX_EMBEDDED_BYTES = 1_000_000  # in the report, where it is a third more as base64
_FLUSH_CHARACTERS = 64 * 1024
# A cell that begins with one of these is a formula to some spreadsheet.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class Sheet:
    """
    Collects rows and writes them to *stream* in batches.

    Attributes:
        rows: Rows so far, the header not counted.
    """

    def __init__(
        self, stream: BinaryIO, header: Sequence[str], *, delimiter: str, keeps_whole: bool = False
    ) -> None:
        self.rows = 0
        self._stream = stream
        self._copy = bytearray() if keeps_whole else None
        self._text = StringIO(newline="")
        self._writer = csv.writer(self._text, delimiter=delimiter, lineterminator="\r\n")
        self._text.write(BYTE_ORDER_MARK)
        self._writer.writerow(header)

    def add(self, *cells: str | int) -> None:
        """Add a row. Nothing is changed: foreign text for our own columns goes through `inert`."""
        self._writer.writerow(cells)
        self.rows += 1
        if self._text.tell() > _FLUSH_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write what was collected. Lone surrogates, which UTF-8 cannot hold, are spelt out."""
        body = self._text.getvalue().encode(errors="backslashreplace")
        self._stream.write(body)
        self._text.seek(0)
        self._text.truncate()
        if self._copy is not None:
            self._copy += body
            if len(self._copy) > MAX_EMBEDDED_BYTES:
                self._copy = None

    @property
    def whole(self) -> bytes | None:
        """Everything that was flushed, if it is kept and at most MAX_EMBEDDED_BYTES."""
        return bytes(self._copy) if self._copy is not None else None


def inert(text: str) -> str:
    """Return *text* so that no spreadsheet runs it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
