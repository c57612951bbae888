"""A drop, read once from front to back -> parts in Bigin's form; and the same walk again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bigin_import.errors import DropRejectedError
from bigin_import.models import ColumnPlan, CutResult, SourceRow
from bigin_import.tabular.checks import ValueChecks
from bigin_import.tabular.keys import KeyLog, Repeated
from bigin_import.tabular.parts import PartWriter
from bigin_import.tabular.row_check import RowCheck
from bigin_import.tabular.sent_csv import csv_text
from bigin_import.tabular.table import Table
from bigin_import.tabular.verdict import InvalidRows, problems_of_keys, problems_of_rows

# Bigin takes 25,000 records and 25 MB; the million between is our margin.
MAX_ROWS = 25_000
MAX_BYTES = 24_000_000


def cut(
    table: Table,
    plan: ColumnPlan,
    *,
    store: Callable[[int, bytes], None],
    entry_name: Callable[[int], str],
    max_rows: int = MAX_ROWS,
    max_bytes: int = MAX_BYTES,
) -> CutResult:
    """
    Read *table* to its end and store its rows as parts that Bigin accepts.

    The same drop and plan make the same bytes. Memory holds a batch of rows and the packed bytes
    of the part being written.

    Args:
        store: Takes the number of a part, from 1, and its zip; called as soon as it is full.
        entry_name: Names the CSV in the zip of a part.
        max_bytes: Of the CSV of a part, header included.

    Raises:
        DropRejectedError: The drop must not be sent; with everything found to be wrong. Parts
            may have been stored by then.
    """
    with KeyLog() as keys:
        rows, values = _row_check(plan, max_bytes), ValueChecks(plan, name=table.name)
        parts = PartWriter(
            plan, keys, store=store, entry_name=entry_name, max_rows=max_rows, max_bytes=max_bytes
        )
        invalid = _read(table, rows, values, parts)
        repeated = keys.repeated()
        empty_keys = keys.empty + rows.empty_keys
    problems = (
        *problems_of_rows(table, plan, invalid, rows.unread_dates),
        *values.problems(),
        *problems_of_keys(table, plan, repeated),
    )
    if problems:
        raise DropRejectedError(problems, concerns_mapping=table.rows > 0)
    return _result(table, parts, invalid, repeated, empty_keys, values)


def _read(table: Table, rows: RowCheck, values: ValueChecks, parts: PartWriter) -> InvalidRows:
    """Take every batch of the drop through the checks into the parts."""
    invalid = InvalidRows()
    for checked in rows.batches(table):
        if checked.reasons:
            invalid.add(checked.reasons, checked.batch.numbers)
        values.look(checked)
        parts.add(checked)
    parts.finish()
    return invalid


def _result(
    table: Table,
    parts: PartWriter,
    invalid: InvalidRows,
    repeated: Repeated,
    empty_keys: int,
    values: ValueChecks,
) -> CutResult:
    return CutResult(
        parts=tuple(parts.parts),
        rows=table.rows,
        blank=table.blank,
        padded=table.padded,
        trimmed=table.trimmed,
        invalid=invalid.count,
        invalid_rows=tuple(invalid.first),
        repeated_keys_across_parts=repeated.across_parts,
        content_sha256=table.content_sha256,
        warnings=(*table.warnings, *values.warnings()),
        empty_keys=empty_keys,
        repeated_keys=repeated.count,
        repeated_key_rows=repeated.rows,
        columns=values.findings(),
    )


def source_rows(
    table: Table, plan: ColumnPlan, *, max_bytes: int = MAX_BYTES
) -> Iterator[SourceRow]:
    """
    Read the same drop again and yield every data row as it stands there.

    The n-th row without a reason is the n-th record of the parts in order.

    Raises:
        DropRejectedError: As `cut` did, had it been so then; never for a drop that was cut.
    """
    for checked in _row_check(plan, max_bytes).batches(table):
        for at, (number, row) in enumerate(
            zip(checked.batch.numbers, checked.batch.rows, strict=True)
        ):
            yield SourceRow(number, row, checked.reasons.get(at))


def _row_check(plan: ColumnPlan, max_bytes: int) -> RowCheck:
    header = len(csv_text([plan.header]).encode())
    return RowCheck(plan, max_record_bytes=max_bytes - header)
