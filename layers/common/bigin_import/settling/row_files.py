"""The rows of an import with what became of them: from the drop, or from what was sent of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from itertools import islice, repeat
from typing import NamedTuple, NoReturn

from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import InvalidRow, Plan, RowDecision, SourceRow, SplitResult
from bigin_import.domain.row_result import Reason, RowResult, RowResults, RowStatus
from bigin_import.domain.states import PartState
from bigin_import.errors import MissingObjectError, RowResultsMismatchError
from bigin_import.mapping.names import STANDARD_LOOKUPS, SYSTEM_KEYS
from bigin_import.ports import Files
from bigin_import.reading.table import Drop, some_of
from bigin_import.reading.table import Rows as BatchRows
from bigin_import.report.summary import sentence
from bigin_import.row_results.bigin_listing import next_columns
from bigin_import.row_results.join import RowResultReader
from bigin_import.row_results.reasons import (
    SentColumn,
    SentColumns,
    job_reason,
    settled_reason,
    unclear_reason,
)
from bigin_import.row_results.result_files import DropRow, SentRows
from bigin_import.settling.summarize import why_unclear
from bigin_import.splitting.archive import read_entry
from bigin_import.splitting.splitter import source_rows
from bigin_import.stored_plan import read_archive, read_decisions, read_row_results_file

_PEOPLE_SAY = {"Accounts": "Companies", "Pipelines": "Deals"}
_MODULE_OF_KEY = {key: module for module, key in SYSTEM_KEYS.items()}
_LEFT_OUT = RowResult(RowStatus.LEFT_OUT)
_ROWS_AT_ONCE = 1_000
_REASON_IS_GONE = "it is not valid, and why is not known any more without the original file"


class Taken(NamedTuple):
    """
    Some rows of a part.

    Attributes:
        results: What became of each.
        because: By their status, why rows of the part were not done, or are unclear.
        sent: The columns of what was sent of them; None if it is not kept any more.
    """

    results: RowResults
    because: Mapping[RowStatus, Reason]
    sent: Sequence[Sequence[str]] | None


class KeptPart:
    """
    What is kept of a part, from its first row to its last.

    Attributes:
        left: Rows that were not taken yet.
    """

    def __init__(
        self, part: Part, results: RowResultReader | None, sent: Iterator[str] | None
    ) -> None:
        self.left = part.rows
        self._part = part
        self._results = results
        self._sent = sent
        self._status, self._because = _of_whole_part(part)

    def take(self, count: int) -> Taken:
        """
        Take the next rows, at most *count*.

        Raises:
            RowResultsMismatchError: There are not as many row results as rows.
        """
        count = min(count, self.left)
        self.left -= count
        results = self._take_results(count)
        sent = None if self._sent is None else next_columns(self._sent, count)
        return Taken(results, self._because, sent)

    def _take_results(self, count: int) -> RowResults:
        if self._results is None:
            return RowResults.of([RowResult(self._status)] * count)
        results = self._results.take(count)
        surplus = 0 if self.left else len(self._results.take(1).statuses)
        found = len(results.statuses) + surplus
        if found != count:
            part = self._part
            taken = part.rows - self.left - count
            raise RowResultsMismatchError(
                part.import_id, part.number, rows=part.rows, row_results=taken + found
            )
        return results


class KeptParts:
    """What is kept of all parts, one behind the other."""

    def __init__(
        self, import_id: str, parts: Sequence[Part], open_part: Callable[[Part], KeptPart]
    ) -> None:
        self._import_id = import_id
        self._parts = parts
        self._opened = map(open_part, parts)
        self._part: KeptPart | None = None

    def take(self, count: int) -> Iterator[Taken]:
        """
        Take the next *count* rows, each time those of one part.

        Raises:
            RowResultsMismatchError: The drop has more rows to send than its parts together.
        """
        while count:
            if self._part is None or not self._part.left:
                self._part = next(self._opened, None) or self._raise_too_short()
            taken = self._part.take(count)
            count -= len(taken.results.statuses)
            yield taken

    def _raise_too_short(self) -> NoReturn:
        last = self._parts[-1].number if self._parts else 0
        rows = sum(part.rows for part in self._parts)
        raise RowResultsMismatchError(self._import_id, last, rows=rows + 1, row_results=rows)


def _of_whole_part(part: Part) -> tuple[RowStatus, Mapping[RowStatus, Reason]]:
    """Return what became of all rows of a part without row results; and why rows of it ended so."""
    if part.refusal is not None and not part.may_have_earlier_job:
        refusal = part.refusal
        reason = job_reason(refusal.code, refusal.message, refusal.resolution)
        return RowStatus.UNPROCESSED, {RowStatus.UNPROCESSED: reason}
    why = why_unclear(part)
    return RowStatus.UNCLEAR, {RowStatus.UNCLEAR: unclear_reason(sentence(why))} if why else {}


@dataclass(frozen=True, slots=True)
class Rows:
    """Every row of one import, whose parts have all ended."""

    files: Files
    record: Import
    parts: tuple[Part, ...]
    plan: Plan

    def read_drop(self) -> Iterator[DropRow | SentRows]:
        """
        Read the drop again and give every row the row result of its place in the parts.

        Raises:
            MissingObjectError: The drop is gone, if it has the drop's key.
            RowResultsMismatchError: A part has not as many row results as rows.
        """
        # A release before decided nothing for good: what it sent is found out again.
        is_decided = self.plan.are_rows_decided
        kept = KeptParts(
            self.record.import_id,
            self.parts,
            self._open_if_kept if is_decided else self._open_results,
        )
        drop = Drop.of_plan(self.files, self.record.source, self.plan)
        with drop.open() as table:
            table.decide(self._read_decisions())
            if is_decided:
                for rows in table.batches():
                    yield from _joined(rows, kept)
            else:
                for row in source_rows(table, self.plan.columns):
                    yield _joined_row(row, kept)

    def _open_if_kept(self, part: Part) -> KeptPart:
        try:
            return self._open(part)
        except MissingObjectError:
            return self._open_results(part)

    def read_archives(self) -> Iterator[DropRow]:
        """Read the archives of the parts; of rows that were not sent only what the plan keeps."""
        decided = {decision.row: decision for decision in self._read_decisions()}
        not_sent = [decision for decision in decided.values() if not decision.is_sent]
        settled = [decision for decision in not_sent if decision.status]
        for part in self.parts:
            numbers = iter(numbers_of(part, self.plan.cut, not_sent))
            kept = self._open(part)
            while kept.left:
                results, because, sent = kept.take(_ROWS_AT_ONCE)
                some = islice(numbers, len(results.statuses))
                rows = zip(some, zip(*sent or (), strict=True), results.one_by_one(), strict=True)
                for number, cells, found in rows:
                    decision = None if number is None else decided.get(number)
                    yield _sent(number, cells, found, because, cells, decision)
        no_cells = ("",) * len(self.plan.columns.header)
        yield from (_settled(decision, no_cells) for decision in settled)
        known = self.plan.cut.invalid_rows
        if self.plan.are_rows_decided:
            known = tuple(InvalidRow(each.row, each.reason) for each in not_sent if each.reason)
        for invalid in known:
            yield DropRow(invalid.row, no_cells, invalid=invalid.reason)
        for _ in range(self.plan.cut.invalid - len(known)):
            yield DropRow(None, no_cells, invalid=_REASON_IS_GONE)
        for left_out in self.plan.cut.left_out:
            for number in left_out.rows:
                yield DropRow(number, no_cells, row_result=_LEFT_OUT)

    def _read_decisions(self) -> Iterator[RowDecision]:
        return read_decisions(self.files, self.record.import_id, self.plan.decisions)

    def _open(self, part: Part) -> KeptPart:
        """
        Open what is kept of *part*.

        Raises:
            MissingObjectError: What was sent is not kept any more.
        """
        entry = read_entry(BytesIO(read_archive(self.files, part)))
        lines = TextIOWrapper(entry, encoding="utf-8", newline="")
        next_columns(lines, 1)  # the header
        return self._open_results(part, lines)

    def _open_results(self, part: Part, sent: Iterator[str] | None = None) -> KeptPart:
        results = None
        if part.state is PartState.COLLECTED:
            results = RowResultReader(read_row_results_file(self.files, part))
        return KeptPart(part, results, sent)


def _joined(rows: BatchRows, kept: KeptParts) -> Iterator[DropRow | SentRows]:
    """Yield the rows of a batch with what became of them, those that were simply sent at once."""
    begin = 0
    for at in sorted(rows.left_out | rows.decided.keys()):
        yield from _sent_rows(rows, begin, at, kept)
        decision, is_left_out = rows.decided.get(at), at in rows.left_out
        is_sent = decision is not None and decision.is_sent and not is_left_out
        reason = None if is_sent else rows.faults[at]
        number, cells = rows.numbers[at], rows.row(at)
        yield _joined_row(SourceRow(number, cells, reason, is_left_out, None, decision), kept)
        begin = at + 1
    yield from _sent_rows(rows, begin, len(rows.numbers), kept)


def _sent_rows(rows: BatchRows, begin: int, end: int, kept: KeptParts) -> Iterator[SentRows]:
    """Yield the rows from *begin* to *end*, those of each part at once."""
    for results, because, sent in kept.take(end - begin):
        count = len(results.statuses)
        yield SentRows(some_of(rows, begin, begin + count), results, because, sent)
        begin += count


def _joined_row(row: SourceRow, kept: KeptParts) -> DropRow:
    if row.is_left_out:
        return DropRow(row.row, row.cells, row_result=_LEFT_OUT)
    if row.decision is not None and row.decision.status is not None:
        return _settled(row.decision, row.cells)
    if row.reason is not None:
        return DropRow(row.row, row.cells, invalid=row.reason)
    ((results, because, sent),) = kept.take(1)
    (found,) = results.one_by_one()
    record = [cell for (cell,) in sent] if sent else row.record
    return _sent(row.row, row.cells, found, because, record, row.decision)


def sent_columns(plan: Plan, *, as_dropped: bool) -> SentColumns:
    """Return what was sent; *as_dropped* if the rows that are written are those of the drop."""
    request = plan.columns.request
    find_by = {field.api_name: field.find_by for field in request.field_mappings}
    columns = (
        SentColumn(
            column.api_name,
            column.header,
            column.source if as_dropped else at,
            is_lookup=bool(find_by.get(column.api_name)) or column.data_type == "lookup",
            parent=_parent(request.module, column.api_name, find_by.get(column.api_name)),
        )
        for at, column in enumerate(plan.columns.columns)
    )
    return SentColumns(tuple(columns), request.operation, request.find_by)


def _parent(module: str, api_name: str, find_by: str | None) -> str:
    """Return what people call the module that a lookup points to; "" if it is not known."""
    standard = STANDARD_LOOKUPS.get((module, api_name))
    parent = standard or (_MODULE_OF_KEY.get(find_by, "") if find_by else "")
    return f"{_PEOPLE_SAY[parent]} ({parent})" if parent in _PEOPLE_SAY else parent


def _sent(
    number: int | None,
    cells: Sequence[str],
    found: RowResult,
    because: Mapping[RowStatus, Reason],
    record: Sequence[str] | None,
    decision: RowDecision | None,
) -> DropRow:
    """
    Return a row that was sent; whatever is known of it alone, both readers must give.

    Args:
        found: What became of it.
        because: By their status, why rows of its part were not done, or are unclear.
    """
    why = because.get(found.status)
    return DropRow(number, cells, None, found, why, record, decision)


def _settled(decision: RowDecision, cells: Sequence[str]) -> DropRow:
    """Return a row that was not sent for what an earlier import did with it."""
    result = RowResult(decision.status or RowStatus.UNPROCESSED, decision.record_id)
    because = settled_reason(result.status, decision.through)
    return DropRow(decision.row, cells, row_result=result, because=because, decision=decision)


def numbers_of(
    part: Part, cut: SplitResult, decided: Iterable[RowDecision] = ()
) -> Iterable[int | None]:
    """
    Return the row numbers of what was sent in *part*, or None for each if they are not certain.

    Between its first and its last row there may be rows that were not sent, of which plans of
    releases before keep the first hundred, and blank lines, of which none keeps any.

    Args:
        decided: Rows that are known not to be sent.
    """
    not_sent = {invalid.row for invalid in cut.invalid_rows}
    not_sent.update(decision.row for decision in decided)
    not_sent.update(row for left_out in cut.left_out for row in left_out.rows)
    numbers = [n for n in range(part.first_row, part.last_row + 1) if n not in not_sent]
    return numbers if len(numbers) == part.rows else repeat(None, part.rows)
