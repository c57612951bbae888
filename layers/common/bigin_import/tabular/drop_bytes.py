"""The stored bytes of a drop: hashed, unpacked if they are gzip, given out in chunks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from isal import isal_zlib
from isal.igzip_lib import IsalError

from bigin_import.errors import DropRejectedError
from bigin_import.models import Problem

CHUNK_BYTES = 256 * 1024

# Ten times what one Lambda run reads in comfort; a gzip bomb of 2 MB unpacks to as much.
MAX_UNPACKED_BYTES = 2_000_000_000

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
        for chunk in _gunzip(stored, self._broken()):
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


def _gunzip(stored: Iterator[bytes], broken: DropRejectedError) -> Iterator[bytes]:
    """Yield the unpacked bytes in chunks; a gzip file may have several members."""
    member = isal_zlib.decompressobj(_GZIP_WINDOW)
    for packed in stored:
        pending = packed
        while pending:
            if member.eof:
                member = isal_zlib.decompressobj(_GZIP_WINDOW)
            try:
                unpacked = member.decompress(pending, CHUNK_BYTES)
            except IsalError as exc:  # type: ignore[misc]  # isal's stub takes the class for an instance
                raise broken from exc
            if unpacked:
                yield unpacked
            pending = member.unused_data if member.eof else member.unconsumed_tail
    if not member.eof:
        raise broken
