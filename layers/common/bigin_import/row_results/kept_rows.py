"""
The kept rows: what became of each row of an import, for the drops that come after it.

A gzipped CSV in the order of the drop, beside the result files. It holds no cell of the drop.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from hashlib import blake2b
from io import TextIOWrapper
from itertools import batched, groupby, repeat
from operator import itemgetter
from typing import BinaryIO, NamedTuple, cast

from isal import igzip

from bigin_import.domain.plan import ColumnPlan
from bigin_import.domain.row_result import RowStatus
from bigin_import.reading.table import Batch, Rows
from bigin_import.row_results.result_files import CsvLines, DropRow, SentRows, are_plain, result_of

_ROWS_AT_ONCE = 100
_STATUSES = {str(status): status for status in RowStatus}
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


_THROUGH_AT = KeptRow._fields.index("through")
_ROOT_AT = KeptRow._fields.index("root_import")


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
        key = blake2b(head.encode()).digest()
        self._begun = blake2b(digest_size=_DIGEST_BYTES, key=key)

    def of(self, record: Sequence[str]) -> str:
        (fingerprint,) = self.of_all([[cell] for cell in record])
        return fingerprint

    def of_all(self, sent: Sequence[Sequence[str]]) -> list[str]:
        """Return the fingerprint of each record, of which *sent* are the columns."""
        fingerprints = []
        for cells in self._spelt(sent):
            begun = self._begun.copy()  # in half the time of a new one
            begun.update(cells.encode())
            fingerprints.append(begun.hexdigest())
        return fingerprints

    def _spelt(self, sent: Sequence[Sequence[str]]) -> Iterable[str]:
        """Return `repr` of each record as a list; join() makes it in a fourth of the time."""
        records = list(zip(*(sent[at] for at in self._order), strict=True))
        joined = list(map("', '".join, records))
        text = "".join(joined)
        quotes = 2 * (len(self._order) - 1) * len(joined)
        if text.isprintable() and "\\" not in text and text.count("'") == quotes:
            return [f"['{each}']" for each in joined]
        return map(repr, map(list, records))


def write_kept_rows(
    stream: BinaryIO,
    rows: Iterable[DropRow | SentRows],
    columns: ColumnPlan,
    *,
    cells_of: Callable[[Rows], Sequence[str]],
) -> Iterator[DropRow | SentRows]:
    """
    Write *rows* to *stream* as they pass by; rows whose number is not known are left out.

    Args:
        cells_of: Makes the fingerprint of each row's mapped cells.
    """
    fingerprints = Fingerprints(columns)
    with (
        igzip.IGzipFile("", "wb", 1, stream, 0) as archive,  # type: ignore[no-untyped-call]
        TextIOWrapper(archive, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text)
        writer.writerow(KeptRow._fields)
        for are_many, some in groupby(rows, key=_are_many):
            if are_many:
                for each in cast("Iterator[SentRows]", some):
                    text.write(_lines(each, cells_of(each.rows), fingerprints))
                    yield each
                continue
            for few in batched(cast("Iterator[DropRow]", some), _ROWS_AT_ONCE, strict=False):
                numbered = [row for row in few if row.number is not None]
                numbers = [row.number or 0 for row in numbered]
                cells = cells_of(Batch([list(row.cells) for row in numbered], numbers, {}, {}))
                writer.writerows(map(_kept, numbered, cells, repeat(fingerprints)))
                yield from few


def _are_many(rows: DropRow | SentRows) -> bool:
    return isinstance(rows, SentRows)


def _lines(some: SentRows, cells: Sequence[str], fingerprints: Fingerprints) -> str:
    """Return the lines that csv.writer would make of the `KeptRow` of each row."""
    statuses, record_ids, *_ = some.results
    ids = record_ids if are_plain(record_ids) else CsvLines(",").cells(record_ids)
    sent = [""] * len(cells) if some.sent is None else fingerprints.of_all(some.sent)
    rows = zip(some.rows.numbers, statuses, ids, sent, cells, strict=True)
    return "".join(
        [f"{number},{status},{id_},,,0,{own},{read}\r\n" for number, status, id_, own, read in rows]
    )


def _kept(row: DropRow, cells: str, fingerprints: Fingerprints) -> KeptRow:
    result, decision, number = result_of(row), row.decision, row.number or 0
    sent = "" if row.record is None else fingerprints.of(row.record)
    if decision is None:
        return KeptRow(number, result.status, result.record_id, "", "", 0, sent, cells)
    through = decision.through if decision.status else ""
    root = (decision.root_import, decision.root_row)
    return KeptRow(number, result.status, result.record_id, through, *root, sent, cells)


def read_kept_rows(body: BinaryIO) -> Iterator[KeptRow]:
    """Yield what `write_kept_rows` wrote; a DictReader would take twice as long."""
    return map(_kept_row, read_columns(body, *KeptRow._fields))


def _kept_row(line: Sequence[str]) -> KeptRow:
    row, status, record_id, through, root_import, root_row, sent, cells = line
    root = (root_import, int(root_row))
    return KeptRow(int(row), _STATUSES[status], record_id, through, *root, sent, cells)


def read_columns(body: BinaryIO, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield columns of kept rows as text, at least two: in a third of the time of whole rows."""
    with gzip.open(body, "rt", encoding="utf-8", newline="") as text:
        lines = csv.reader(text)
        header = next(lines, list(KeptRow._fields))
        yield from map(itemgetter(*map(header.index, names)), lines)


def read_resent(body: BinaryIO) -> Iterator[KeptRow]:
    """Yield the rows that an import has sent itself and that were not new there."""
    for line in read_columns(body, *KeptRow._fields):
        if line[_ROOT_AT] and not line[_THROUGH_AT]:
            yield _kept_row(line)


def without_undone(rows: Iterable[KeptRow], undone: Container[str]) -> Iterator[KeptRow]:
    """Yield *rows*; those of records that were deleted since are not in Bigin any more."""
    for row in rows:
        if row.record_id and row.record_id in undone:
            yield row._replace(status=RowStatus.UNPROCESSED, record_id="", through="")
        else:
            yield row
