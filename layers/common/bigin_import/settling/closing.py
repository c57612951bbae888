"""Use case: everything that is written when an import closes: result files, report, import.json."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat
from typing import BinaryIO

from pydantic import TypeAdapter

from bigin_import import places
from bigin_import.errors import MissingObjectError
from bigin_import.importing.drops import Drop
from bigin_import.importing.plans import read_plan
from bigin_import.models import Counts, Notice, Plan, Problem, RowFate, RowStatus
from bigin_import.models.findings import Reason
from bigin_import.ports import Clock, Files
from bigin_import.records import Import, ImportState, Part, PartState
from bigin_import.report.figures import sentence
from bigin_import.report.machine import import_json
from bigin_import.report.notice import compose_notice
from bigin_import.report.page import render_report
from bigin_import.report.summary import ImportSummary
from bigin_import.settling.part_summaries import is_in_doubt, why_unclear
from bigin_import.settling.suggesting import Suggester
from bigin_import.settling.summarising import Surroundings, summarise
from bigin_import.tabular.cutter import source_rows
from bigin_import.tabular.fates import read_fates
from bigin_import.tabular.reasons import job_reason, unclear_reason
from bigin_import.tabular.results import DropRow, ResultFile, WrittenResults, write_results

PROBLEMS = TypeAdapter(tuple[Problem, ...])
FATES_BYTES = 20_000_000  # 25,000 rows with long errors, packed, are a tenth of that


@dataclass(frozen=True, slots=True)
class Closing:
    """What an import is closed as, and what people are told."""

    state: ImportState
    counts: Counts
    counts_disagree: bool
    jobs: int
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes results under keys that depend on the import alone, so writing twice is harmless."""

    files: Files
    clock: Clock
    around: Surroundings
    suggester: Suggester

    def write(self, record: Import, parts: tuple[Part, ...]) -> Closing:
        """Account for every row of a FINISHING import and write what became of it."""
        plan = read_plan(self.files, record.import_id) if record.totals else None
        summary = replace(
            summarise(record, parts, plan, self.around),
            seconds=self.clock.now() - record.received_at,
        )
        if record.verdict is None and plan is not None:
            summary = self._with_rows(summary, record, parts, plan)
        else:
            summary = self._with_problems(summary, record)
        report = self.around.link("report", f"{record.results}report.html")
        summary = replace(summary, files=(report, *summary.files))
        self._put(record, "report.html", render_report(summary).encode(), "text/html")
        self._put(record, "import.json", import_json(summary), "application/json")
        return Closing(
            state=summary.state,
            counts=summary.counts,
            counts_disagree=summary.counts_disagree,
            jobs=sum(len(part.job_ids) for part in summary.parts),
            notice=compose_notice(summary),
        )

    def hold_notice(self, record: Import, parts: tuple[Part, ...]) -> Notice:
        """Say what a person must decide, and by which commands."""
        plan = read_plan(self.files, record.import_id) if record.totals else None
        return compose_notice(summarise(record, parts, plan, self.around))

    def _with_problems(self, summary: ImportSummary, record: Import) -> ImportSummary:
        key = self.suggester.suggest(record) if record.concerns_mapping else None
        return replace(
            summary,
            problems=self._problems(record),
            files=(self.around.link("suggestion", key),) if key else (),
        )

    def _with_rows(
        self, summary: ImportSummary, record: Import, parts: tuple[Part, ...], plan: Plan
    ) -> ImportSummary:
        written = write_results(
            self._rows(record, parts, plan),
            header=plan.header,
            headers={column.api_name: column.header for column in plan.columns.columns},
            delimiter=plan.dialect.delimiter,
            import_id=record.import_id,
            open_file=partial(self._open, record),
        )
        files = tuple(
            self.around.link(file.value, self._key_of(record, file), rows)
            for file in ResultFile
            if (rows := written.rows.get(file)) is not None
        )
        disagree = any(part.counts_disagree for part in parts)
        return replace(
            summary,
            state=_state(written, in_doubt=disagree or bool(summary.doubled)),
            counts=written.counts,
            counts_disagree=disagree,
            reasons=written.reasons,
            failed_rows=written.failed_rows,
            failed_csv=written.failed_csv,
            files=files,
        )

    def _rows(self, record: Import, parts: tuple[Part, ...], plan: Plan) -> Iterator[DropRow]:
        """Read the drop again and give every row the fate of its place in the parts."""
        fates = self._fates(parts)
        drop = Drop(self.files, record.source, plan.dialect.encoding)
        with drop.opened() as table:
            for row in source_rows(table, plan.columns):
                if row.reason is not None:
                    yield DropRow(row.row, row.cells, invalid=row.reason)
                else:
                    fate, because = next(fates)
                    yield DropRow(row.row, row.cells, fate=fate, because=because)

    def _fates(self, parts: tuple[Part, ...]) -> Iterator[tuple[RowFate, Reason | None]]:
        for part in parts:
            yield from self._fates_of(part)

    def _fates_of(self, part: Part) -> Iterable[tuple[RowFate, Reason | None]]:
        doubt = unclear_reason(sentence(why)) if (why := why_unclear(part)) else None
        if part.state is PartState.COLLECTED:
            key = places.fates_file(part.import_id, part.number)
            fates = read_fates(self.files.read(key, at_most=FATES_BYTES))
            return ((fate, doubt if fate.status is RowStatus.UNCLEAR else None) for fate in fates)
        if part.refusal is not None and not is_in_doubt(part):
            refusal = part.refusal
            reason = job_reason(refusal.code, refusal.message, refusal.resolution)
            return repeat((RowFate(RowStatus.UNPROCESSED), reason), part.rows)
        return repeat((RowFate(RowStatus.UNCLEAR), doubt), part.rows)

    def _problems(self, record: Import) -> tuple[Problem, ...]:
        try:
            return PROBLEMS.validate_json(self.files.read(places.problems_file(record.import_id)))
        except MissingObjectError:
            return ()  # only a rejected drop has problems

    def _open(self, record: Import, file: ResultFile) -> AbstractContextManager[BinaryIO]:
        return self.files.writer(self._key_of(record, file), content_type="text/csv")

    def _key_of(self, record: Import, file: ResultFile) -> str:
        return f"{record.results}{places.result_name(record.source.key)}.{file.value}.csv"

    def _put(self, record: Import, name: str, body: bytes, content_type: str) -> None:
        self.files.write(f"{record.results}{name}", body, content_type=content_type)


def _state(written: WrittenResults, *, in_doubt: bool) -> ImportState:
    counts = written.counts
    if counts.succeeded == counts.total and not in_doubt:
        return ImportState.COMPLETED
    if counts.succeeded == 0 and counts.unclear == 0 and not in_doubt:
        return ImportState.FAILED
    return ImportState.COMPLETED_WITH_ERRORS
