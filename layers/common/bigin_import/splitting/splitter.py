"""A drop, read once from front to back -> parts in Bigin's form; and the same walk again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import accumulate, islice
from operator import itemgetter

from bigin_import.domain.drop import Problem
from bigin_import.domain.job_request import MAX_BYTES, MAX_ROWS
from bigin_import.domain.plan import ColumnPlan, CutPart, CutResult, InvalidRow, SourceRow
from bigin_import.errors import DropRejectedError
from bigin_import.reading.table import Table
from bigin_import.splitting.archive import EntryWriter
from bigin_import.splitting.cells import ROWS_NAMED
from bigin_import.splitting.content_log import ContentLog
from bigin_import.splitting.duplicate_keys import KeyLog, PartKeys, Repeated
from bigin_import.splitting.row_check import CheckedBatch, RowCheck
from bigin_import.splitting.value_checks import ReadAgainError, ValueChecks, learned_plan
from bigin_import.splitting.value_rules import SentRecord, csv_text

_ROWS_KEPT = 100


class InvalidRows:
    """
    Rows that are never sent.

    Attributes:
        first: The first hundred.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: list[InvalidRow] = []

    def add(self, reasons: dict[int, str], numbers: Sequence[int]) -> None:
        """Note the rows of a batch: position in it -> reason."""
        self.count += len(reasons)
        for at in islice(sorted(reasons), _ROWS_KEPT - len(self.first)):
            self.first.append(InvalidRow(numbers[at], reasons[at]))


def problems_of_rows(
    table: Table, plan: ColumnPlan, invalid: InvalidRows, *, excused: int
) -> Iterator[Problem]:
    """Yield that there is nothing to send, or too much that cannot be."""
    records = table.rows - sum(len(group.rows) for group in table.left_out)
    if not records:
        yield Problem(
            table.name,
            "there is a header and no row below it",
            "Export the data again",
        )
    elif refusal := _refusal(records, invalid.count, excused, plan.max_invalid_share):
        yield Problem(table.name, *refusal)
        for row in invalid.first[:ROWS_NAMED]:
            yield Problem(f"{table.name}, row {row.row}", row.reason)


LEAST_BAD_ROWS = 10
LEAST_BAD_SHARE = Fraction(1, 100)
MOST_BAD_SHARE = Fraction(1, 4)


def _refusal(rows: int, invalid: int, excused: int, share: float | None) -> tuple[str, str] | None:
    """
    Return that too many rows are invalid, and what to do; None if they are left out.

    Args:
        excused: Those of them that Bigin would certainly refuse: each is wrong by itself and says
            nothing against the others.
        share: What the mapping allows; None if it says nothing.
    """
    what = f"{invalid:,} of {rows:,} rows cannot be sent"
    if invalid == rows:
        return what, "Correct them, or what in the mapping refuses them"
    if share is None:
        allowed = min(max(Fraction(LEAST_BAD_ROWS), rows * LEAST_BAD_SHARE), rows * MOST_BAD_SHARE)
        limit = "up to ten rows or 1%, but no more than a quarter of them,"
    else:
        # By its digits: the number that a person wrote as "29%" is a little less than 0.29.
        allowed, limit = rows * Fraction(str(share)), f"up to {100 * share:.6g}%"
    counted = invalid - excused
    if counted <= allowed:
        return None
    enough = min(100, -(-100 * counted // rows))
    return f"{what}; {limit} are left out, more stop the drop", (
        f'Correct these rows, or write "on_bad_rows": "{enough}%" in the mapping to leave them out'
    )


def _repeated_keys(repeated: Repeated) -> Iterator[str]:
    if repeated.count:
        rows = ", ".join(map(str, repeated.rows[:ROWS_NAMED]))
        yield (
            f"{repeated.count:,} rows have the key of an earlier row; of the rows with one key the "
            f"last one counts in Bigin. Look at rows {rows}."
        )


def problems_of_keys(table: Table, plan: ColumnPlan, repeated: Repeated) -> Iterator[Problem]:
    """Yield that keys repeat, if the mapping says that they must not."""
    if plan.duplicate_keys == "reject" and repeated.count and plan.key is not None:
        rows = ", ".join(map(str, repeated.rows[: 2 * ROWS_NAMED]))
        yield Problem(
            f'{table.name}, column "{plan.columns[plan.key].header}"',
            f"{repeated.count:,} rows have the key of an earlier row; see row {rows}",
            'Remove them, or write "duplicate_keys": "send" in the mapping',
        )


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


def split(
    table: Table,
    plan: ColumnPlan,
    *,
    store: Callable[[int, bytes], None],
    entry_name: Callable[[int], str],
    max_rows: int = MAX_ROWS,
    max_bytes: int = MAX_BYTES,
    log: ContentLog | None = None,
) -> CutResult:
    """
    Read *table* to its end and store its rows as parts that Bigin accepts.

    The same drop and plan make the same bytes.

    Args:
        store: Takes the number of a part, from 1, and its zip; called as soon as it is full.
        entry_name: Names the CSV in the zip of a part.
        max_bytes: Of the CSV of a part, header included.
        log: Takes what every row says.

    Raises:
        DropRejectedError: With everything found to be wrong. Parts may have been stored by then.
        ReadAgainError: Open the table again and split it by the plan in it.
    """
    with KeyLog() as keys:
        rows = check_of(plan, max_bytes=max_bytes)
        parts = PartWriter(
            plan, keys, store=store, entry_name=entry_name, max_rows=max_rows, max_bytes=max_bytes
        )
        invalid = _read(table, plan, rows, parts, log)
        values = ValueChecks(rows, name=table.name)
        repeated, empty_keys = keys.repeated(), keys.empty + rows.empty_keys
    problems = [*problems_of_rows(table, plan, invalid, excused=rows.excused)]
    problems += [*values.problems(), *problems_of_keys(table, plan, repeated)]
    if problems:
        problems += values.asides()
        raise DropRejectedError(tuple(problems), concerns_mapping=table.rows > 0)
    return _result(table, parts, invalid, repeated, empty_keys, values)


def _read(
    table: Table, plan: ColumnPlan, rows: RowCheck, parts: PartWriter, log: ContentLog | None
) -> InvalidRows:
    """Take every batch of the drop through the checks into the parts."""
    invalid = InvalidRows()
    for checked in rows.batches(table):
        if checked.reasons:
            batch = checked.batch
            settled = {at for at, decision in batch.decided.items() if decision.status}
            no_fault = batch.left_out | settled
            reasons = {at: why for at, why in checked.reasons.items() if at not in no_fault}
            invalid.add(reasons, checked.batch.numbers)
            if log is not None:
                log.refuse(reasons, checked.batch.numbers)
        _stop_if_learned(plan, rows, at_end=False)
        parts.add(checked)
        if log is not None:
            log.add(checked)
    _stop_if_learned(plan, rows, at_end=True)
    parts.finish()
    return invalid


def _stop_if_learned(plan: ColumnPlan, rows: RowCheck, *, at_end: bool) -> None:
    learned = learned_plan(plan, rows, at_end=at_end)
    if learned is not plan:
        raise ReadAgainError(learned)


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
        warnings=(*table.warnings, *values.warnings(), *_repeated_keys(repeated)),
        notes=(*table.notes, *values.notes()),
        left_out=table.left_out,
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
        DropRejectedError: As `split` did, had it been so then; never for a drop that was split.
    """
    for checked in check_of(plan, max_bytes=max_bytes).batches(table):
        yield from _rows_of(checked)


def _rows_of(checked: CheckedBatch) -> Iterator[SourceRow]:
    batch, records = checked.batch, iter(checked.records)
    for at, (number, row) in enumerate(zip(batch.numbers, batch.rows, strict=True)):
        reason = checked.reasons.get(at)
        record = next(records) if reason is None else None
        yield SourceRow(number, row, reason, at in batch.left_out, record, batch.decided.get(at))


def check_of(plan: ColumnPlan, *, max_bytes: int = MAX_BYTES) -> RowCheck:
    """Return the checks that rows of *plan* go through."""
    header = len(csv_text([plan.header]).encode())
    return RowCheck(plan, max_record_bytes=max_bytes - header)
