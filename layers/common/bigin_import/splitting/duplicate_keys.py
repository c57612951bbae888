"""
Which keys of a drop repeat, in little memory.

Keys compare trimmed and case-folded, as 64-bit hashes: with ten million keys the chance that
any two different ones look equal is one in 370,000. The hashes of each part are sorted and,
beyond some megabytes, kept in a temporary file; in the end equal ones are sought range by range
over all parts, so that memory stays the same however long the drop is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, compress, islice
from operator import eq
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import NamedTuple, Self

_IN_MEMORY_BYTES = 4_000_000
_EMPTY = hash("")  # 0, whatever the seed of this process

# 10 million keys in 256 ranges are 39,000 at a time.
_RANGES = tuple(range(-(2**63), 2**63, 2**56))
_HASH_BYTES = 8
_ROW_BYTES = 4
_KEYS_NAMED = 100
_ROWS_NAMED = 200


class PartKeys(NamedTuple):
    """Whether a part has rows without their key, and a key twice."""

    has_empty: bool
    has_repeated: bool


@dataclass(frozen=True, slots=True)
class Repeated:
    """
    What repeats in the whole drop.

    Attributes:
        count: Rows whose key an earlier row has.
        rows: All rows of a hundred repeated keys, in order, at most two hundred.
        across_parts: Whether a key occurs in more than one part.
    """

    count: int = 0
    rows: tuple[int, ...] = ()
    across_parts: bool = False


class KeyLog:
    """Hashes of all keys that are sent, part by part. Use it in a `with` block."""

    def __init__(self) -> None:
        self.empty = 0
        self._hashes = array("q")
        self._rows = array("I")
        self._repeated_within_parts = 0
        self._named: set[int] = set()
        self._parts: list[_PartHashes] = []
        self._sorted = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # closed by __exit__
        self._in_order = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # likewise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sorted.close()
        self._in_order.close()

    def add(self, keys: Iterable[str], rows: Iterable[int]) -> None:
        """Remember the keys of some rows of the part that is being written."""
        self._hashes.extend(map(hash, map(str.casefold, map(str.strip, keys))))
        self._rows.extend(rows)

    def end_part(self) -> PartKeys:
        """Return what the part that ends here has, and begin the next."""
        hashes, rows = self._hashes, self._rows
        ordered = sorted(hashes)
        repeated = _repeated(ordered)
        empty = hashes.count(_EMPTY)
        self.empty += empty
        self._repeated_within_parts += len(repeated)
        self._name(repeated)
        limits = array("I", (bisect_left(ordered, lowest) for lowest in _RANGES))
        limits.append(len(ordered))
        self._parts.append(_PartHashes(self._sorted.tell(), limits))
        self._sorted.write(array("q", ordered).tobytes())
        self._in_order.write(hashes.tobytes() + rows.tobytes())
        self._hashes, self._rows = array("q"), array("I")
        return PartKeys(bool(empty), bool(repeated))

    def repeated(self) -> Repeated:
        """Return what repeats in all parts that have ended."""
        count = self._repeated_within_parts
        if len(self._parts) > 1:
            count = 0
            for at in range(len(_RANGES)):
                # Timsort sees the sorted runs of the parts and only merges them.
                repeated = _repeated(sorted(chain.from_iterable(self._range(at))))
                count += len(repeated)
                self._name(repeated)
        return Repeated(
            count=count,
            rows=self._rows_of_named() if self._named else (),
            across_parts=count > self._repeated_within_parts,
        )

    def _name(self, repeated: list[int]) -> None:
        self._named.update(repeated[: _KEYS_NAMED - len(self._named)])

    def _range(self, at: int) -> Iterator[array[int]]:
        """Yield the hashes of one range, part by part, each sorted."""
        for part in self._parts:
            first, end = part.limits[at], part.limits[at + 1]
            self._sorted.seek(part.start + first * _HASH_BYTES)
            yield array("q", self._sorted.read((end - first) * _HASH_BYTES))

    def _rows_of_named(self) -> tuple[int, ...]:
        self._in_order.seek(0)
        found: list[int] = []
        for part in self._parts:
            length = part.limits[-1]
            hashes = array("q", self._in_order.read(length * _HASH_BYTES))
            rows = array("I", self._in_order.read(length * _ROW_BYTES))
            found += compress(rows, map(self._named.__contains__, hashes))
            if len(found) >= _ROWS_NAMED:
                break
        return tuple(found[:_ROWS_NAMED])


class _PartHashes(NamedTuple):
    """Where the sorted hashes of a part begin, and where in them each range begins; the end too."""

    start: int
    limits: array[int]


def _repeated(hashes: list[int]) -> list[int]:
    """Return every hash that equals the one before it, empty keys aside; *hashes* are sorted."""
    repeated = compress(hashes, map(eq, hashes, islice(hashes, 1, None)))
    return [each for each in repeated if each != _EMPTY]
