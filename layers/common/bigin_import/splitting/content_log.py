"""
What a drop says, in hashes: of every row's mapped cells, and of every key that is sent.

A row is known again by a fingerprint of 128 bits, BLAKE2b of its mapped cells as they were read:
decoded, trimmed, with one kind of line end, in the order of their API names. With ten million
rows the chance that any two different ones look equal is one in 10^24, so cells need not be
compared after it. Byte order mark, packing, unmapped columns and the order of the mapped ones
are not in it, nor is anything that Bigin's metadata say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from operator import itemgetter
from struct import Struct
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self, cast

from bigin_import.domain.plan import ColumnPlan
from bigin_import.splitting.row_check import CheckedBatch, picker

FINGERPRINT_BYTES = 16
KEY_HASH_BYTES = 8
_IN_MEMORY_BYTES = 4_000_000
_BETWEEN_CELLS = "\x1f"
_ROW = Struct(f"={FINGERPRINT_BYTES}sI")
_KEY = Struct(f"={KEY_HASH_BYTES}sI")
_CHUNK_ROWS = 4_096


class Fingerprints:
    """Makes fingerprints of rows by the columns of one plan."""

    def __init__(self, plan: ColumnPlan) -> None:
        columns = sorted(plan.columns, key=lambda column: column.api_name.casefold())
        self._width = 1 + max((column.source for column in columns), default=0)
        self._pick = picker([column.source for column in columns])
        names = json.dumps([column.api_name.casefold() for column in columns])
        self._names = hashlib.blake2b(names.encode(), digest_size=8).digest()

    def of(self, rows: Sequence[Sequence[str]]) -> list[bytes]:
        """Return the fingerprint of each of *rows*, which are as wide as the header or faulty."""
        return [
            hashlib.blake2b(self._names + line, digest_size=FINGERPRINT_BYTES).digest()
            for line in map(self._line, rows)
        ]

    def _line(self, row: Sequence[str]) -> bytes:
        if len(row) < self._width:
            row = [*row, *[""] * (self._width - len(row))]
        cells = [cell.strip() for cell in self._pick(cast("list[str]", row))]
        text = _BETWEEN_CELLS.join(cells)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if text.count(_BETWEEN_CELLS) >= len(cells):
            text = json.dumps(cells)
        return text.encode(errors="surrogatepass")


def key_hash(key: str) -> bytes:
    """Return what a key is known by: keys compare trimmed and case-folded, as Bigin does."""
    text = key.strip().casefold().encode(errors="surrogatepass")
    return hashlib.blake2b(text, digest_size=KEY_HASH_BYTES).digest()


class ContentLog:
    """
    The fingerprints of all rows of a drop and the hashes of all keys that are sent, in order.

    Beyond some megabytes they lie in a temporary file. Use it in a `with` block.

    Attributes:
        has_keys: Whether rows are found by a key that a column fills.
    """

    def __init__(self, plan: ColumnPlan) -> None:
        self.has_keys = plan.key is not None
        self._fingerprints = Fingerprints(plan)
        self._key = None if plan.key is None else itemgetter(plan.key)
        self._content = hashlib.sha256()
        self._rows = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # closed by __exit__
        self._keys = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # likewise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rows.close()
        self._keys.close()

    def add(self, checked: CheckedBatch) -> None:
        """Take a batch of the drop: all of its rows, whether they are sent or not."""
        batch = checked.batch
        found = self._fingerprints.of(batch.rows)
        self._content.update(b"".join(found))
        self._rows.write(b"".join(map(_ROW.pack, found, batch.numbers)))
        if self._key is not None:
            hashes = map(key_hash, map(self._key, checked.records))
            self._keys.write(b"".join(map(_KEY.pack, hashes, checked.numbers)))

    @property
    def sha256(self) -> str:
        """Of the content so far, in hexadecimal."""
        return self._content.hexdigest()

    def rows(self) -> Iterator[tuple[bytes, int]]:
        """Yield the fingerprint of each row and its number."""
        self._rows.seek(0)
        while chunk := self._rows.read(_CHUNK_ROWS * _ROW.size):
            yield from _ROW.iter_unpack(chunk)

    def keyed_rows(self) -> Iterator[tuple[bytes, int]]:
        """Yield the hash of the key of each row that can be sent, and the row's number."""
        self._keys.seek(0)
        while chunk := self._keys.read(_CHUNK_ROWS * _KEY.size):
            yield from _KEY.iter_unpack(chunk)
