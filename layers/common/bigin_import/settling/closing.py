"""Use case: everything that is written when an import closes: result files, report, import.json."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

from bigin_import import places
from bigin_import.errors import MissingObjectError
from bigin_import.importing.plans import read_plan, read_problems
from bigin_import.models import Counts, Notice, Plan
from bigin_import.ports import Clock, Files
from bigin_import.records import Import, ImportState, Part
from bigin_import.report.machine import import_json
from bigin_import.report.notice import compose_notice
from bigin_import.report.page import render_report
from bigin_import.report.summary import FileLink, ImportSummary
from bigin_import.settling.rows import Rows, sent_columns
from bigin_import.settling.summarising import Surroundings, summarise
from bigin_import.tabular.results import ResultFile, WrittenResults, write_results

_DROP_IS_GONE = (
    "The original file was removed before its results were written. The result files hold what "
    "was sent, under Bigin's names for the fields; columns that were not mapped, and the cells of "
    "rows that were not sent, are only in your own copy. To drop one of these files again, put a "
    "mapping beside it that uses those names."
)


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
    """
    Writes results under keys that depend on the import alone, so writing twice is harmless.

    Attributes:
        suggest: Stores a mapping to start from for a drop, and returns its key; None if it cannot.
    """

    files: Files
    clock: Clock
    around: Surroundings
    suggest: Callable[[Import], str | None]

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
        key = self.suggest(record) if record.concerns_mapping else None
        return replace(
            summary,
            problems=read_problems(self.files, record.import_id),
            files=(self.around.link("suggestion", key),) if key else (),
        )

    def _with_rows(
        self, summary: ImportSummary, record: Import, parts: tuple[Part, ...], plan: Plan
    ) -> ImportSummary:
        """Write the result files from the drop; if it was removed, from what was sent of it."""
        rows = Rows(self.files, record, parts, plan)
        try:
            return self._accounted(summary, rows, as_dropped=True)
        except MissingObjectError as exc:
            if exc.key != record.source.key:
                raise
        warnings = (_DROP_IS_GONE, *summary.warnings)
        summary = replace(summary, header=plan.columns.header, warnings=warnings)
        return self._accounted(summary, rows, as_dropped=False)

    def _accounted(self, summary: ImportSummary, rows: Rows, *, as_dropped: bool) -> ImportSummary:
        record, plan = rows.record, rows.plan
        written = write_results(
            rows.as_dropped() if as_dropped else rows.as_sent(),
            header=summary.header,
            sent=sent_columns(plan, as_dropped=as_dropped),
            delimiter=plan.dialect.delimiter,
            import_id=record.import_id,
            open_file=partial(self._open, record),
        )
        disagree = (
            any(part.disagrees for part in summary.parts) or written.counts.total != summary.rows
        )
        return replace(
            summary,
            state=_state(written, in_doubt=disagree or summary.is_critical),
            counts=written.counts,
            counts_disagree=disagree,
            reasons=written.reasons,
            mend_first=written.unprocessed_for_a_cause,
            failed_rows=written.failed_rows,
            failed_csv=written.failed_csv,
            files=tuple(self._links(record, written)),
        )

    def _links(self, record: Import, written: WrittenResults) -> Iterator[FileLink]:
        for file in ResultFile:
            if (count := written.rows.get(file)) is not None:
                yield self.around.link(file.value, self._key_of(record, file), count)

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
