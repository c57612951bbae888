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
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import batched, chain
from operator import itemgetter
from struct import Struct
from tempfile import SpooledTemporaryFile
from typing import Any, Self

from bigin_import.domain.plan import ColumnPlan
from bigin_import.reading.blocks import Block
from bigin_import.reading.table import Rows
from bigin_import.splitting.row_check import CheckedBatch, picker

FINGERPRINT_BYTES = 16
KEY_HASH_BYTES = 8
SAMPLE_BYTES = 4
_SAMPLED_ROWS = 8  # of a file that shares half of its rows, one in 250 shares none of these
_IN_MEMORY_BYTES = 4_000_000
_BETWEEN_CELLS = "\0"
_LONE = "surrogatepass"  # surrogates: they stand for bytes that no encoding explains
_PERSON_BYTES = 16  # BLAKE2b's name for what a hash is about
_ROW = Struct(f"={FINGERPRINT_BYTES}sI")
_KEY = Struct(f"={KEY_HASH_BYTES}sI")
_KEY_BEGUN = hashlib.blake2b(digest_size=KEY_HASH_BYTES)
_CHUNK_ROWS = 4_096


class Fingerprints:
    """Makes fingerprints of rows by the columns of one plan."""

    def __init__(self, plan: ColumnPlan) -> None:
        columns = sorted(plan.columns, key=lambda column: column.api_name.casefold())
        self._count = len(columns)
        self._width = 1 + max((column.source for column in columns), default=0)
        self._sources = [column.source for column in columns]
        self._pick = picker(self._sources)
        names = json.dumps([column.api_name.casefold() for column in columns]).encode()
        person = hashlib.blake2b(names, digest_size=_PERSON_BYTES).digest()
        self._begun = hashlib.blake2b(digest_size=FINGERPRINT_BYTES, person=person)

    def of_batch(self, batch: Rows) -> list[bytes]:
        """Return the fingerprint of each row of *batch*; of a block, without making its rows."""
        if not isinstance(batch, Block):
            return self.of(batch.rows)
        columns = [map(str.strip, batch.column(at)) for at in self._sources]
        return self._hashed(list(zip(*columns, strict=True)))

    def of(self, rows: Sequence[Sequence[str]]) -> list[bytes]:
        """Return the fingerprint of each of *rows*, which are as wide as the header or faulty."""
        if any(len(row) < self._width for row in rows):
            rows = [[*row, *[""] * (self._width - len(row))] for row in rows]
        # Cell by cell, but in C: a loop of ours over them takes twice as long.
        cells = map(str.strip, chain.from_iterable(map(self._pick, rows)))
        return self._hashed(list(batched(cells, self._count, strict=True)))

    def _hashed(self, records: Sequence[Sequence[str]]) -> list[bytes]:
        lines = list(map(_BETWEEN_CELLS.join, records))
        text = "".join(lines)
        if "\r" in text:
            lines = [line.replace("\r\n", "\n").replace("\r", "\n") for line in lines]
        if text.count(_BETWEEN_CELLS) != (self._count - 1) * len(lines):
            lines = [
                self._spelt_out(line, record) for line, record in zip(lines, records, strict=True)
            ]
        return _hashed(self._begun, lines)

    def _spelt_out(self, line: str, record: Sequence[str]) -> str:
        """Return *line* so that it is no other record's, whatever its cells hold."""
        if line.count(_BETWEEN_CELLS) == self._count - 1:
            return line
        return _BETWEEN_CELLS * self._count + json.dumps(record)


def key_hashes(keys: Iterable[str]) -> list[bytes]:
    """Return what keys are known by: they compare trimmed and case-folded, as in Bigin."""
    return _hashed(_KEY_BEGUN, map(str.casefold, map(str.strip, keys)))


def _hashed(begun: hashlib.blake2b, texts: Iterable[str]) -> list[bytes]:
    hashes = []
    for text in texts:
        hashed = begun.copy()  # in half the time of a new one
        hashed.update(text.encode(errors=_LONE))
        hashes.append(hashed.digest())
    return hashes


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
        self._refused = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # likewise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()
        self._keys.close()
        self._refused.close()

    def add(self, checked: CheckedBatch) -> None:
        """Take a batch of the drop: all of its rows, whether they are sent or not."""
        self.add_rows(checked.batch)
        if self._key is not None:
            hashes = key_hashes(map(self._key, checked.records))
            self._keys.write(b"".join(map(_KEY.pack, hashes, checked.numbers)))

    def add_rows(self, batch: Rows) -> None:
        """Take a batch of which nothing is sent."""
        found = self._fingerprints.of_batch(batch)
        self._content.update(b"".join(found))
        self._rows.write(b"".join(map(_ROW.pack, found, batch.numbers)))

    def refuse(self, reasons: dict[int, str], numbers: Sequence[int]) -> None:
        """Note the rows of a batch that are not sent: position in it -> reason."""
        for at in sorted(reasons):
            line = json.dumps((numbers[at], reasons[at])) + "\n"
            self._refused.write(line.encode())

    def refused_rows(self) -> Iterator[tuple[int, str]]:
        """Yield the number of each row that is not sent, and why."""
        self._refused.seek(0)
        for line in self._refused:
            number, reason = json.loads(line)
            yield number, reason

    @property
    def sha256(self) -> str:
        """Of the content so far, in hexadecimal."""
        return self._content.hexdigest()

    def rows(self) -> Iterator[tuple[bytes, int]]:
        """Yield the fingerprint of each row and its number."""
        self._rows.seek(0)
        while chunk := self._rows.read(_CHUNK_ROWS * _ROW.size):
            yield from _ROW.iter_unpack(chunk)

    def sample(self) -> list[bytes]:
        """Return the beginnings of the fingerprints of a few rows, the same for the same rows."""
        first = nsmallest(_SAMPLED_ROWS * _SAMPLED_ROWS, (cells for cells, _ in self.rows()))
        return [cells[:SAMPLE_BYTES] for cells in dict.fromkeys(first)][:_SAMPLED_ROWS]

    def keyed_rows(self) -> Iterator[tuple[bytes, int]]:
        """Yield the hash of the key of each row that can be sent, and the row's number."""
        self._keys.seek(0)
        while chunk := self._keys.read(_CHUNK_ROWS * _KEY.size):
            yield from _KEY.iter_unpack(chunk)


# Entries that begin with a hash are spread over ranges of it: two lots of any size are joined range
# by range, in the memory that one range needs.
RANGES = 64  # of a million entries one has 16,000
_RANGE_IN_MEMORY_BYTES = 64 * 1024
_CHUNK_ENTRIES = 4_096


class HashRanges:
    """
    Entries of one layout, by the range of the hash with which each begins.

    Beyond some kilobytes a range lies in a temporary file. Use it in a `with` block.
    """

    def __init__(self, layout: Struct) -> None:
        self._layout = layout
        self._ranges = [
            SpooledTemporaryFile(_RANGE_IN_MEMORY_BYTES)  # noqa: SIM115  # closed by __exit__
            for _ in range(RANGES)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._ranges:
            each.close()

    def add(self, *entry: Any) -> None:  # noqa: ANN401  # what the layout takes
        """Take an entry, its hash first."""
        packed = self._layout.pack(*entry)
        self._ranges[packed[0] % RANGES].write(packed)

    def add_all(self, packed: Iterable[bytes]) -> None:
        """Take entries that are packed already."""
        for each in packed:
            self._ranges[each[0] % RANGES].write(each)

    def entries(self, at: int) -> Iterator[tuple[Any, ...]]:
        """Yield the entries of one range, in the order in which they came."""
        file = self._ranges[at]
        file.seek(0)
        while chunk := file.read(_CHUNK_ENTRIES * self._layout.size):
            yield from self._layout.iter_unpack(chunk)
        file.seek(0, 2)


def shares_a_hash(ours: Iterable[bytes], theirs: Iterable[bytes], size: int) -> bool:
    """Return whether two lots of hashes of *size* bytes have one in common."""
    layout = Struct(f"={size}s")
    with HashRanges(layout) as left, HashRanges(layout) as right:
        left.add_all(ours)
        right.add_all(theirs)
        return any(not set(left.entries(at)).isdisjoint(right.entries(at)) for at in range(RANGES))
