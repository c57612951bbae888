"""Records -> parts: slices that Bigin accepts, packed as they grow, handed on when full."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import itemgetter

from bigin_import.models import ColumnPlan, CutPart
from bigin_import.tabular.archive import EntryWriter
from bigin_import.tabular.keys import KeyLog, PartKeys
from bigin_import.tabular.row_check import CheckedBatch
from bigin_import.tabular.sent_csv import SentRecord, csv_text

type Store = Callable[[int, bytes], None]


class PartWriter:
    """
    Writes parts one after another; only the packed bytes of the one being written are held.

    Attributes:
        parts: Those that are full and stored.
    """

    def __init__(
        self,
        plan: ColumnPlan,
        keys: KeyLog,
        *,
        store: Store,
        entry_name: Callable[[int], str],
        max_rows: int,
        max_bytes: int,
    ) -> None:
        self.parts: list[CutPart] = []
        self._header = csv_text([plan.header]).encode()
        self._key = None if plan.key is None else itemgetter(plan.key)
        self._keys = keys
        self._store = store
        self._entry_name = entry_name
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._begin()

    def add(self, checked: CheckedBatch) -> None:
        """Write all records of a batch, into as many parts as they need."""
        records, numbers, content = checked.records, checked.numbers, checked.content
        while not self._has_room(len(records), len(content)):
            fitting = self._fitting(records)
            self._put(records[:fitting], numbers[:fitting], csv_text(records[:fitting]).encode())
            self.finish()
            records, numbers = records[fitting:], numbers[fitting:]
            content = csv_text(records).encode()
        self._put(records, numbers, content)

    def finish(self) -> None:
        """Store the part that is being written, unless it has no rows yet."""
        if not self._rows:
            return
        size = self._entry.size
        archive = self._entry.close()
        keys = self._keys.end_part() if self._key else PartKeys(False, False)
        number = len(self.parts) + 1
        self._store(number, archive)
        self.parts.append(
            CutPart(
                number=number,
                rows=self._rows,
                csv_bytes=size,
                sha256=hashlib.sha256(archive).hexdigest(),
                first_row=self._first_row,
                last_row=self._last_row,
                empty_keys=keys.has_empty,
                repeated_keys=keys.has_repeated,
            )
        )
        self._begin()

    def _begin(self) -> None:
        self._entry = EntryWriter(self._entry_name(len(self.parts) + 1))
        self._entry.write(self._header)
        self._rows = self._first_row = self._last_row = 0

    def _has_room(self, rows: int, size: int) -> bool:
        return self._rows + rows <= self._max_rows and self._entry.size + size <= self._max_bytes

    def _fitting(self, records: list[SentRecord]) -> int:
        """Return how many of *records*, from the first, still fit into this part."""
        candidates = records[: self._max_rows - self._rows]
        sizes = (len(csv_text([record]).encode()) for record in candidates)
        room = self._max_bytes - self._entry.size
        return sum(total <= room for total in accumulate(sizes))

    def _put(self, records: list[SentRecord], numbers: Sequence[int], content: bytes) -> None:
        if not records:
            return
        self._entry.write(content)
        self._first_row = self._first_row or numbers[0]
        self._last_row = numbers[-1]
        self._rows += len(records)
        if self._key:
            self._keys.add(map(self._key, records), numbers)
