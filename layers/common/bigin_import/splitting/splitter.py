"""A drop, read once from front to back -> parts in Bigin's form; and the same walk again."""

from __future__ import annotations

import hashlib
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, chain, compress, islice
from operator import eq
from tempfile import SpooledTemporaryFile
from typing import NamedTuple, Self

from bigin_import.domain.drop import Problem
from bigin_import.domain.job_request import MAX_BYTES, MAX_ROWS
from bigin_import.domain.plan import ColumnPlan, InvalidRow, SourceRow, SplitPart, SplitResult
from bigin_import.errors import DropRejectedError
from bigin_import.reading.table import Table
from bigin_import.splitting.archive import EntryWriter, SentRecord, column_of, csv_text
from bigin_import.splitting.cells import ROWS_NAMED
from bigin_import.splitting.content_log import ContentLog
from bigin_import.splitting.row_check import CheckedBatch, RowCheck
from bigin_import.splitting.value_checks import ReadAgainError, ValueChecks, learned_plan

# Keys compare trimmed and case-folded, by 63 bits of a hash: with ten million keys the chance that
# any two different ones look equal is one in 180,000. The bits are read as a float, which sorts in
# half the time of so long an int; the bit that is left out keeps it finite. The hashes of each part
# are sorted and, beyond some megabytes, kept in a temporary file; in the end equal ones are sought
# range by range over all parts, so that memory stays the same however long the drop is.
_IN_MEMORY_BYTES = 4_000_000
_EMPTY_KEY = 0.0  # of the hash 0, whatever the seed of this process
_FINITE = bytes(byte & 0b10111111 for byte in range(256))  # for the byte with the sign

# 10 million keys in 256 ranges are 39,000 at a time: the exponents of the floats are spread evenly.
_LIMITS = [2.0**exponent for exponent in range(8 - 1023, 2, 8)]
_KEY_RANGES = (*(-limit for limit in reversed(_LIMITS)), 0.0, *_LIMITS[:-1])
_HASH_BYTES = 8
_ROW_BYTES = 4
_KEYS_NAMED = 100
_KEY_ROWS_NAMED = 200


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
        self._named: set[float] = set()
        self._parts: list[_PartHashes] = []
        self._sorted = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # closed by __exit__
        self._in_order = SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115  # likewise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sorted.close()
        self._in_order.close()

    def add(self, keys: Iterable[str], rows: Iterable[int]) -> None:
        """Remember the keys of some rows of the part that is being written."""
        self._hashes.extend(map(hash, map(str.casefold, map(str.strip, keys))))
        self._rows.extend(rows)

    def end_part(self) -> PartKeys:
        """Return what the part that ends here has, and begin the next."""
        hashes, rows = _as_floats(self._hashes), self._rows
        ordered = sorted(hashes)
        repeated = _repeated(ordered)
        empty = hashes.count(_EMPTY_KEY)
        self.empty += empty
        self._repeated_within_parts += len(repeated)
        self._name(repeated)
        limits = array("I", (bisect_left(ordered, lowest) for lowest in _KEY_RANGES))
        limits.append(len(ordered))
        self._parts.append(_PartHashes(self._sorted.tell(), limits))
        self._sorted.write(array("d", ordered).tobytes())
        self._in_order.write(hashes.tobytes() + rows.tobytes())
        self._hashes, self._rows = array("q"), array("I")
        return PartKeys(bool(empty), bool(repeated))

    def repeated(self) -> Repeated:
        """Return what repeats in all parts that have ended."""
        count = self._repeated_within_parts
        if len(self._parts) > 1:
            count = 0
            for at in range(len(_KEY_RANGES)):
                # Timsort sees the sorted runs of the parts and only merges them.
                repeated = _repeated(sorted(chain.from_iterable(self._range(at))))
                count += len(repeated)
                self._name(repeated)
        return Repeated(
            count=count,
            rows=self._rows_of_named() if self._named else (),
            across_parts=count > self._repeated_within_parts,
        )

    def _name(self, repeated: list[float]) -> None:
        self._named.update(repeated[: _KEYS_NAMED - len(self._named)])

    def _range(self, at: int) -> Iterator[array[float]]:
        """Yield the hashes of one range, part by part, each sorted."""
        for part in self._parts:
            first, end = part.limits[at], part.limits[at + 1]
            self._sorted.seek(part.start + first * _HASH_BYTES)
            yield array("d", self._sorted.read((end - first) * _HASH_BYTES))

    def _rows_of_named(self) -> tuple[int, ...]:
        self._in_order.seek(0)
        found: list[int] = []
        for part in self._parts:
            length = part.limits[-1]
            hashes = array("d", self._in_order.read(length * _HASH_BYTES))
            rows = array("I", self._in_order.read(length * _ROW_BYTES))
            found += compress(rows, map(self._named.__contains__, hashes))
            if len(found) >= _KEY_ROWS_NAMED:
                break
        return tuple(found[:_KEY_ROWS_NAMED])


class _PartHashes(NamedTuple):
    """Where the sorted hashes of a part begin, and where in them each range begins; the end too."""

    start: int
    limits: array[int]


def _as_floats(hashes: array[int]) -> array[float]:
    """Return 63 bits of each of 64 as a finite float; equal ones are equal, and 0 is 0."""
    content = bytearray(hashes.tobytes())
    high = slice(7, None, 8) if sys.byteorder == "little" else slice(0, None, 8)
    content[high] = content[high].translate(_FINITE)
    return array("d", bytes(content))


def _repeated(hashes: list[float]) -> list[float]:
    """Return every hash that equals the one before it, empty keys aside; *hashes* are sorted."""
    repeated = compress(hashes, map(eq, hashes, islice(hashes, 1, None)))
    return [each for each in repeated if each != _EMPTY_KEY]


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
        self.parts: list[SplitPart] = []
        self._header = csv_text([plan.header]).encode()
        self._key = plan.key
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
            fitting, first = self._fitting(records)
            self._put(records[:fitting], numbers[:fitting], first)
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
        keys = self._keys.end_part() if self._key is not None else PartKeys(False, False)
        number = len(self.parts) + 1
        self._store(number, archive)
        self.parts.append(
            SplitPart(
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

    def _fitting(self, records: Sequence[SentRecord]) -> tuple[int, bytes]:
        """Return how many of *records*, from the first, still fit into this part; and their CSV."""
        records = records[: self._max_rows - self._rows]
        content = csv_text(records).encode()
        room = self._max_bytes - self._entry.size
        if len(content) <= room:
            return len(records), content
        sizes = (len(csv_text([record]).encode()) for record in records)
        fitting = sum(total <= room for total in accumulate(sizes))
        return fitting, csv_text(records[:fitting]).encode()

    def _put(self, records: Sequence[SentRecord], numbers: Sequence[int], content: bytes) -> None:
        if not records:
            return
        self._entry.write(content)
        self._first_row = self._first_row or numbers[0]
        self._last_row = numbers[-1]
        self._rows += len(records)
        if self._key is not None:
            self._keys.add(column_of(records, self._key), numbers)


def split(
    table: Table,
    plan: ColumnPlan,
    *,
    store: Callable[[int, bytes], None],
    entry_name: Callable[[int], str],
    max_rows: int = MAX_ROWS,
    max_bytes: int = MAX_BYTES,
    log: ContentLog | None = None,
) -> SplitResult:
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
    return _result(table, parts, invalid, repeated, empty_keys, values, plan)


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
    columns: ColumnPlan,
) -> SplitResult:
    about_header = (columns.about_header,) if columns.about_header else ()
    return SplitResult(
        parts=tuple(parts.parts),
        rows=table.rows,
        blank=table.blank,
        padded=table.padded,
        trimmed=table.trimmed,
        invalid=invalid.count,
        invalid_rows=tuple(invalid.first),
        repeated_keys_across_parts=repeated.across_parts,
        content_sha256=table.content_sha256,
        warnings=(*about_header, *table.warnings, *values.warnings(), *_repeated_keys(repeated)),
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
