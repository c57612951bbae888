"""
What became of each row of an import, kept for the drops that come after it.

A gzipped CSV beside the result files, in the order of the drop. It holds no cell of it.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from io import TextIOWrapper
from typing import BinaryIO, NamedTuple

from bigin_import.domain.plan import ColumnPlan
from bigin_import.domain.row_result import RowStatus
from bigin_import.row_results.result_files import DropRow, result_of

_DIGEST_BYTES = 16  # of two rows in a billion times a billion one pair is taken for equal


class KeptRow(NamedTuple):
    """
    One row of a drop.

    Attributes:
        row: Its number there.
        through: The import that got it in, if an earlier one did; else "".
        root_import, root_row: Who it is in its family, if it was there before this import: the
            import that it was first dropped with, and its number there; else "" and 0.
        sent: Fingerprint of what was sent of it; "" if nothing was.
        cells: Fingerprint of its mapped cells as they were read, whatever became of it; "" if the
            drop is gone.
    """

    row: int
    status: RowStatus
    record_id: str = ""
    through: str = ""
    root_import: str = ""
    root_row: int = 0
    sent: str = ""
    cells: str = ""


class Fingerprints:
    """Names what is sent of a row: the same for the same values in the same fields."""

    def __init__(self, columns: ColumnPlan) -> None:
        self._order = sorted(range(len(columns.header)), key=columns.header.__getitem__)
        request = columns.request
        constants = sorted(
            f"{field.api_name}={field.default_value}"
            for field in request.field_mappings
            if field.default_value is not None
        )
        names = [columns.header[at] for at in self._order]
        head = repr((request.module, request.ignore_empty, names, constants))
        self._key = blake2b(head.encode()).digest()

    def of(self, record: Sequence[str]) -> str:
        cells = repr([record[at] for at in self._order]).encode(errors="backslashreplace")
        return blake2b(cells, digest_size=_DIGEST_BYTES, key=self._key).hexdigest()


def write_kept_rows(
    stream: BinaryIO,
    rows: Iterable[DropRow],
    columns: ColumnPlan,
    *,
    cells_of: Callable[[Sequence[str]], str],
) -> Iterator[DropRow]:
    """
    Write *rows* to *stream* as they pass by; rows whose number is not known are left out.

    Args:
        cells_of: Makes the fingerprint of a row's mapped cells.
    """
    fingerprints = Fingerprints(columns)
    with (
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=stream, mtime=0) as archive,
        TextIOWrapper(archive, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text)
        writer.writerow(KeptRow._fields)
        for row in rows:
            if row.number is not None:
                kept = _kept(row, row.number, fingerprints)
                writer.writerow(kept._replace(cells=cells_of(row.cells)))
            yield row


def _kept(row: DropRow, number: int, fingerprints: Fingerprints) -> KeptRow:
    result, decision = result_of(row), row.decision
    sent = "" if row.record is None else fingerprints.of(row.record)
    if decision is None:
        return KeptRow(number, result.status, result.record_id, sent=sent)
    through = decision.through if decision.status else ""
    root = (decision.root_import, decision.root_row)
    return KeptRow(number, result.status, result.record_id, through, *root, sent)


def read_kept_rows(body: BinaryIO) -> Iterator[KeptRow]:
    """Yield what `write_kept_rows` wrote."""
    with gzip.open(body, "rt", encoding="utf-8", newline="") as text:
        for line in csv.DictReader(text):
            yield KeptRow(
                int(line["row"]),
                RowStatus(line["status"]),
                line["record_id"],
                line["through"],
                line["root_import"],
                int(line["root_row"]),
                line["sent"],
                line["cells"],
            )
