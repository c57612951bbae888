"""
Entries that begin with a hash, spread over ranges of it: two lots of any size are joined range by
range, in the memory that one range needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Self

RANGES = 64  # of a million entries one has 16,000
_IN_MEMORY_BYTES = 64 * 1024
_CHUNK_ENTRIES = 4_096


class HashRanges:
    """
    Entries of one layout, by the range of the hash with which each begins.

    Beyond some kilobytes a range lies in a temporary file. Use it in a `with` block.
    """

    def __init__(self, layout: Struct) -> None:
        self._layout = layout
        self._ranges = [
            SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # closed by __exit__
            for _ in range(RANGES)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
