"""The rows of an import with what became of them: from the drop, or from what was sent of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain, islice, repeat
from typing import NoReturn

from bigin_import import object_keys
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import InvalidRow, Plan, RowDecision, SourceRow, SplitResult
from bigin_import.domain.row_result import Reason, RowResult, RowStatus
from bigin_import.domain.states import PartState
from bigin_import.errors import MissingObjectError, RowResultsMismatchError
from bigin_import.mapping.names import STANDARD_LOOKUPS, SYSTEM_KEYS
from bigin_import.ports import Files
from bigin_import.reading.table import Drop, Table
from bigin_import.report.summary import sentence
from bigin_import.row_results.bigin_listing import csv_rows
from bigin_import.row_results.join import read_row_results
from bigin_import.row_results.reasons import (
    SentColumn,
    SentColumns,
    job_reason,
    settled_reason,
    unclear_reason,
)
from bigin_import.row_results.result_files import DropRow
from bigin_import.settling.summarize import why_unclear
from bigin_import.splitting.archive import read_entry
from bigin_import.splitting.splitter import source_rows
from bigin_import.stored_plan import read_archive, read_decisions

_PEOPLE_SAY = {"Accounts": "Companies", "Pipelines": "Deals"}
_MODULE_OF_KEY = {key: module for module, key in SYSTEM_KEYS.items()}
_LEFT_OUT = RowResult(RowStatus.LEFT_OUT)
_REASON_IS_GONE = "it is not valid, and why is not known any more without the original file"


@dataclass(frozen=True, slots=True)
class Rows:
    """Every row of one import, whose parts have all ended."""

    files: Files
    record: Import
    parts: tuple[Part, ...]
    plan: Plan

    def read_drop(self) -> Iterator[DropRow]:
        """
        Read the drop again and give every row the row result of its place in the parts.

        Raises:
            MissingObjectError: The drop is gone, if it has the drop's key.
            RowResultsMismatchError: A part has not as many row results as rows.
        """
        row_results = chain.from_iterable(map(self._read_row_results, self.parts))
        drop = Drop.of_plan(self.files, self.record.source, self.plan)
        with drop.open() as table:
            table.decide(self._read_decisions())
            for row in self._read_source_rows(table):
                if row.is_left_out:
                    yield DropRow(row.row, row.cells, row_result=_LEFT_OUT)
                elif row.decision is not None and row.decision.status is not None:
                    yield _settled(row.decision, row.cells)
                elif row.reason is not None:
                    yield DropRow(row.row, row.cells, invalid=row.reason)
                else:
                    found = next(row_results, None) or self._raise_too_short()
                    yield _sent(row.row, row.cells, found, row.record, row.decision)

    def _read_source_rows(self, table: Table) -> Iterator[SourceRow]:
        """Read what was decided of each row while splitting; before a release, decide it again."""
        if not self.plan.are_rows_decided:
            yield from source_rows(table, self.plan.columns)
            return
        sent = chain.from_iterable(map(self._read_sent_if_kept, self.parts))
        for batch in table.batches():
            for at, (number, cells) in enumerate(zip(batch.numbers, batch.rows, strict=True)):
                decision, is_left_out = batch.decided.get(at), at in batch.left_out
                is_sent = not is_left_out and (decision is None or decision.is_sent)
                reason = None if is_sent else batch.faults[at]
                record = next(sent, None) if is_sent else None
                yield SourceRow(number, cells, reason, is_left_out, record, decision)

    def _read_sent_if_kept(self, part: Part) -> Iterator[list[str] | None]:
        try:
            yield from self._read_sent(part)
        except MissingObjectError:
            yield from repeat(None, part.rows)

    def read_archives(self) -> Iterator[DropRow]:
        """Read the archives of the parts; of rows that were not sent only what the plan keeps."""
        decided = {decision.row: decision for decision in self._read_decisions()}
        not_sent = [decision for decision in decided.values() if not decision.is_sent]
        settled = [decision for decision in not_sent if decision.status]
        for part in self.parts:
            numbers = numbers_of(part, self.plan.cut, not_sent)
            sent = zip(numbers, self._read_sent(part), self._read_row_results(part), strict=True)
            for number, cells, found in sent:
                decision = None if number is None else decided.get(number)
                yield _sent(number, cells, found, cells, decision)
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

    def _read_sent(self, part: Part) -> Iterator[list[str]]:
        archive = read_archive(self.files, part)
        with read_entry(BytesIO(archive)) as entry, csv_rows(entry) as rows:
            yield from islice(rows, 1, None)

    def _raise_too_short(self) -> NoReturn:
        """The drop has more rows to send than its parts together."""
        last = self.parts[-1].number if self.parts else 0
        rows = sum(part.rows for part in self.parts)
        raise RowResultsMismatchError(self.record.import_id, last, rows=rows + 1, row_results=rows)

    def _read_row_results(self, part: Part) -> Iterator[tuple[RowResult, Reason | None]]:
        """Yield exactly as many row results as *part* has rows."""
        found = 0
        for found, row_result in enumerate(islice(self._read_found(part), part.rows + 1), 1):
            if found <= part.rows:
                yield row_result
        if found != part.rows:
            raise RowResultsMismatchError(
                part.import_id, part.number, rows=part.rows, row_results=found
            )

    def _read_found(self, part: Part) -> Iterable[tuple[RowResult, Reason | None]]:
        unclear = unclear_reason(sentence(why)) if (why := why_unclear(part)) else None
        if part.state is PartState.COLLECTED:
            key = object_keys.row_results_file(part.import_id, part.number)
            # What was written is read again, whatever its size.
            row_results = read_row_results(self.files.read(key, at_most=sys.maxsize))
            return (
                (row_result, unclear if row_result.status is RowStatus.UNCLEAR else None)
                for row_result in row_results
            )
        if part.refusal is not None and not part.may_have_earlier_job:
            refusal = part.refusal
            reason = job_reason(refusal.code, refusal.message, refusal.resolution)
            return repeat((RowResult(RowStatus.UNPROCESSED), reason), part.rows)
        return repeat((RowResult(RowStatus.UNCLEAR), unclear), part.rows)


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
    found: tuple[RowResult, Reason | None],
    record: Sequence[str] | None,
    decision: RowDecision | None,
) -> DropRow:
    """
    Return a row that was sent; whatever is known of it alone, both readers must give.

    Args:
        found: What became of it, and why if its whole part has the same reason.
    """
    row_result, because = found
    return DropRow(
        number, cells, row_result=row_result, because=because, record=record, decision=decision
    )


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
