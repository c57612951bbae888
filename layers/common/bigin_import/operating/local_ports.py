"""Ports over files of this machine, to check them with the use cases that import them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, Never

from bigin_import.domain.drop import ObjectVersion, Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address, OpenKind
from bigin_import.errors import DropRejectedError, MissingObjectError


class LocalFiles:
    """The Files port over files that are only read; *paths*: by the key that each stands for."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._paths = paths

    def find_newest(self, key: str) -> ObjectVersion | None:
        return ObjectVersion("", key, "") if key in self._paths else None

    def read(self, key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:  # noqa: ARG002  # there is one version
        with self.open_stream(ObjectVersion("", key, "")) as stream:
            body = stream.read(at_most + 1)
        if len(body) > at_most:
            raise DropRejectedError((Problem(key, f"it has more than {at_most:,} bytes"),))
        return body

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        if source.key not in self._paths:
            raise MissingObjectError(source.key)
        return self._paths[source.key].open("rb")

    def write(self, key: str, body: bytes, *, content_type: str) -> Never:  # noqa: ARG002
        raise TypeError(f"nothing is written here: {key}")

    def open_writer(
        self,
        key: str,
        *,
        content_type: str,  # noqa: ARG002
    ) -> AbstractContextManager[BinaryIO]:
        raise TypeError(f"nothing is written here: {key}")

    def mark_closed(self, source: ObjectVersion) -> None:
        raise TypeError(f"nothing is marked here: {source.key}")

    def mark_open(self, source: ObjectVersion) -> None:
        raise TypeError(f"nothing is marked here: {source.key}")

    def list_keys(self, prefix: str, *, since: int = 0) -> Iterator[str]:  # noqa: ARG002
        return (key for key in sorted(self._paths) if key.startswith(prefix))


class EmptyLedger:
    """The Ledger port where nothing was imported yet."""

    def load[R: Record](self, address: Address[R]) -> R | None:  # noqa: ARG002
        return None

    def save[R: Record](self, record: R, *, over: R | None = None) -> R:  # noqa: ARG002
        raise TypeError("nothing is written here")

    def delete[R: Record](self, record: R) -> None:  # noqa: ARG002
        raise TypeError("nothing is written here")

    def load_parts(self, import_id: str) -> tuple[Part, ...]:  # noqa: ARG002
        return ()

    def find_due(
        self,
        kind: OpenKind,  # noqa: ARG002
        *,
        before: int,  # noqa: ARG002
        limit: int,  # noqa: ARG002
    ) -> tuple[Address[Import] | Address[Part], ...]:
        return ()

    def find_listed(self, heading: str, *, limit: int | None = None) -> tuple[Import, ...]:  # noqa: ARG002
        return ()

    def leave_unreadable(self, address: Address[Any], due_at: int) -> None:  # noqa: ARG002
        raise TypeError("nothing is written here")
