"""
Use case: an import whose parts have all ended -> results, closed, and people told. In that order.

Every step may be repeated: results lie under keys that do not change, the closing is written
once, and `open` goes only after the notice was published, so a notice is never lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

from bigin_import import object_keys
from bigin_import.domain import import_transitions, part_transitions
from bigin_import.domain.drop import NO_VERSION, Notice
from bigin_import.domain.import_record import Import, Totals
from bigin_import.domain.locks import ContentClaim, LastNotice
from bigin_import.domain.part_record import Part, Sent
from bigin_import.domain.plan import Plan
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import ChangedObjectError, DropRejectedError, MissingObjectError
from bigin_import.importing.register import KeyLocks, Registrar
from bigin_import.importing.send_part import CreateMarks
from bigin_import.ledger import create_if_absent, update
from bigin_import.plain_values import Stored, UnreadableValueError
from bigin_import.ports import Clock, Files, Ledger, Notices, Resumer, Telemetry
from bigin_import.reading.table import Rows as BatchRows
from bigin_import.report.notice import compose_notice
from bigin_import.report.page import import_json, render_report
from bigin_import.report.summary import FileLink, ImportSummary
from bigin_import.row_results.kept_rows import write_kept_rows
from bigin_import.row_results.result_files import ResultFile, WrittenResults, write_results
from bigin_import.settling.row_files import Rows, sent_columns
from bigin_import.settling.summarize import ConsoleLinks, next_steps, summarize
from bigin_import.settling.waiting import Suggest, WaitingNotice, publish
from bigin_import.settling.write_overview import FamilyPages, RowsAlsoIn
from bigin_import.splitting.content_log import Fingerprints
from bigin_import.stored_plan import MOST_BYTES, problems_not_kept, read_plan, read_problems
from bigin_import.telemetry import report_if_refused

_NOTICES = Stored[Notice](Notice)


def abandon_parts(ledger: Ledger, files: Files, import_id: str, now: int) -> None:
    """
    Let every part of an import end that is not under way at Bigin.

    A table that was restored from a backup has parts as unsent whose creates have left since.
    """
    parts = ledger.load_parts(import_id)
    unsent = (part for part in parts if part.state in part_transitions.BEFORE_CREATE)
    lost = CreateMarks(files=files).find_lost(unsent)
    for part in parts:
        step = part_transitions.abandon(now, lost=lost.get(part.number, ()))
        update(ledger, part.address, step)


_DROP_IS_GONE = (
    "The original file was removed before its results were written. The result files hold what "
    "was sent, under Bigin's names for the fields; columns that were not mapped, and the cells of "
    "rows that were not sent, are only in your own copy. To drop one of these files again, put a "
    "mapping beside it that uses those names."
)


_PARTS_ARE_GONE = (
    "There are no files of rows: what was kept of this import under parts/ was removed or replaced "
    "before its results were written. How many rows went in is counted; which ones, only Bigin can "
    "say. Look there before you drop rows of this file again."
)


_UNVERSIONED_NOTICE = "UNVERSIONED"
_UNVERSIONED = LastNotice.at(_UNVERSIONED_NOTICE)
_KEEPS_NO_VERSIONS = (
    "The versioning of the bucket is off or suspended. A file that is overwritten before it was "
    "read is not imported, and results are then written from what was sent. Turn versioning on: "
    "aws s3api put-bucket-versioning --bucket {0.bucket} --versioning-configuration Status=Enabled "
    "--region {0.region}; {doctor} says whether it is. You are told this once."
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
class ResultWriter:
    """
    Writes results under keys that depend on the import alone, so writing twice is harmless.

    Attributes:
        suggest: Stores a mapping to start from for a drop, if it can.
    """

    ledger: Ledger
    files: Files
    clock: Clock
    around: ConsoleLinks
    suggest: Suggest

    @property
    def family_pages(self) -> FamilyPages:
        return FamilyPages(ledger=self.ledger, files=self.files, around=self.around)

    def write(
        self, record: Import, parts: tuple[Part, ...], *, notes: tuple[str, ...] = ()
    ) -> Closing:
        """
        Account for every row of a FINISHING import and write what became of it.

        Args:
            notes: What is good to know besides, in sentences.
        """
        plan = self._read_plan(record)
        summary = replace(
            summarize(record, parts, plan, self.around),
            seconds=self.clock.now() - record.received_at,
        )
        summary = replace(summary, notes=(*notes, *summary.notes))
        if record.verdict is None and plan is not None:
            summary = self._write_rows_if_kept(summary, record, parts, plan)
        elif record.verdict is None and record.totals is not None:
            summary = _without_rows(summary, record.totals, parts)
        else:
            summary = self._write_problems(summary, record)
        family = self.family_pages.read(record, summary)
        summary = replace(summary, family=family)
        report = self.around.link("report", f"{record.results}report.html")
        steps = tuple(next_steps(summary, record, self.around))
        summary = replace(
            summary, files=(report, *summary.files), choices=(*summary.choices, *steps)
        )
        self._put(record, "report.html", render_report(summary).encode(), "text/html")
        self._put(record, "import.json", import_json(summary), "application/json")
        if family is not None:
            self.family_pages.write_links(family)
        return Closing(
            state=summary.state,
            counts=summary.counts,
            counts_disagree=summary.counts_disagree,
            jobs=sum(len(part.job_ids) for part in summary.parts),
            notice=compose_notice(summary),
        )

    def compose_hold_notice(self, record: Import, parts: tuple[Part, ...]) -> Notice:
        """Return what a person must decide, and by which commands."""
        return compose_notice(summarize(record, parts, self._read_plan(record), self.around))

    def compose_closing_notice(self, record: Import, parts: tuple[Part, ...]) -> Notice:
        """Return again what an import was closed as, where the notice that was written is gone."""
        summary = summarize(record, parts, self._read_plan(record), self.around)
        return compose_notice(replace(summary, counts=record.counts or summary.counts))

    def _read_plan(self, record: Import) -> Plan | None:
        """Return the plan; None if there is none yet, or if it is not kept any more."""
        try:
            return read_plan(self.files, record) if record.totals else None
        except (MissingObjectError, ChangedObjectError):
            return None

    def _write_rows_if_kept(
        self, summary: ImportSummary, record: Import, parts: tuple[Part, ...], plan: Plan
    ) -> ImportSummary:
        """Write the result files, if what became of each row is kept beside the parts."""
        try:
            summary = self._write_rows_of_drop(summary, record, parts, plan)
        except (MissingObjectError, ChangedObjectError) as exc:
            if record.totals is None or not object_keys.is_of_import(exc.key, record.import_id):
                raise
            return _without_rows(summary, record.totals, parts)
        also_in = RowsAlsoIn(ledger=self.ledger, files=self.files)
        warnings = also_in.find(record, self.clock.now())
        return replace(summary, warnings=(*warnings, *summary.warnings))

    def _write_problems(self, summary: ImportSummary, record: Import) -> ImportSummary:
        key = self.suggest(record).key if record.concerns_mapping else None
        problems = read_problems(self.files, record.import_id)
        if record.verdict is ImportState.REJECTED and not problems:
            problems = (problems_not_kept(record.import_id),)
        return replace(
            summary,
            problems=problems,
            files=(self.around.link("suggestion", key),) if key else (),
        )

    def _write_rows_of_drop(
        self, summary: ImportSummary, record: Import, parts: tuple[Part, ...], plan: Plan
    ) -> ImportSummary:
        """Write the result files from the drop; if it was removed, from what was sent of it."""
        rows = Rows(self.files, record, parts, plan)
        try:
            return self._write_rows(summary, rows, as_dropped=True)
        except MissingObjectError as exc:
            if exc.key != record.source.key:
                raise
        warnings = (_DROP_IS_GONE, *summary.warnings)
        summary = replace(summary, header=plan.columns.header, warnings=warnings)
        return self._write_rows(summary, rows, as_dropped=False)

    def _write_rows(self, summary: ImportSummary, rows: Rows, *, as_dropped: bool) -> ImportSummary:
        record, plan = rows.record, rows.plan
        found = rows.read_drop() if as_dropped else rows.read_archives()
        cells_of = partial(_fingerprints, Fingerprints(plan.columns)) if as_dropped else _no_cells
        key = object_keys.kept_rows_file(record.results or "")
        with self.files.open_writer(key, content_type="application/gzip") as kept:
            written = write_results(
                write_kept_rows(kept, found, plan.columns, cells_of=cells_of),
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
            state=_state(written.counts, is_unclear=disagree or summary.is_critical),
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
        return self.files.open_writer(self._key_of(record, file), content_type="text/csv")

    def _key_of(self, record: Import, file: ResultFile) -> str:
        return object_keys.rows_file(record.results or "", record.source.key, file.value)

    def _put(self, record: Import, name: str, body: bytes, content_type: str) -> None:
        self.files.write(f"{record.results}{name}", body, content_type=content_type)


def _without_rows(summary: ImportSummary, totals: Totals, parts: tuple[Part, ...]) -> ImportSummary:
    """Account for the rows by what the ledger counts: which is which is not known any more."""
    counts = sum((part.counts or Counts(unclear=part.rows) for part in parts), Counts())
    counts += Counts(invalid=totals.invalid)
    counts += Counts(unclear=max(0, totals.rows - counts.total))
    disagree = any(part.disagrees for part in summary.parts) or counts.total != summary.rows
    return replace(
        summary,
        state=_state(counts, is_unclear=disagree or summary.is_critical),
        counts=counts,
        counts_disagree=disagree,
        warnings=(_PARTS_ARE_GONE, *summary.warnings),
    )


def _fingerprints(fingerprints: Fingerprints, batch: BatchRows) -> list[str]:
    return list(map(bytes.hex, fingerprints.of_batch(batch)))


def _no_cells(batch: BatchRows) -> list[str]:
    return [""] * len(batch.numbers)  # they are under other columns, as they were sent


def _state(counts: Counts, *, is_unclear: bool) -> ImportState:
    if counts.succeeded == counts.data and not is_unclear:
        return ImportState.COMPLETED
    if counts.succeeded == 0 and counts.unclear == 0 and not is_unclear:
        return ImportState.FAILED
    return ImportState.COMPLETED_WITH_ERRORS


def _is_answer(record: Import) -> bool:
    """Return whether a person waits to hear that every row of a corrected file was in already."""
    return record.state is ImportState.UNCHANGED and record.root is not None


DAY_SECONDS = 24 * 3600
_WITH_JOB = (PartState.CREATED, PartState.SETTLED, PartState.COLLECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCloser:
    """
    Closes imports.

    Attributes:
        keep_seconds: How long the table remembers them afterwards.
        notice_wait_seconds: How long a drop waits for a mapping before people are told.
    """

    ledger: Ledger
    files: Files
    writer: ResultWriter
    registrar: Registrar
    notices: Notices
    resumer: Resumer
    clock: Clock
    telemetry: Telemetry
    keep_seconds: int
    notice_wait_seconds: int

    @property
    def key_locks(self) -> KeyLocks:
        return KeyLocks(ledger=self.ledger)

    @property
    def waiting_notice(self) -> WaitingNotice:
        return WaitingNotice(
            ledger=self.ledger,
            registrar=self.registrar,
            notices=self.notices,
            clock=self.clock,
            telemetry=self.telemetry,
            suggest=self.writer.suggest,
            around=self.writer.around,
            wait_seconds=self.notice_wait_seconds,
        )

    def finish(self, import_id: str) -> None:
        """Bring an import towards its end, as far as its parts allow."""
        record = self.ledger.load(Import.at(import_id))
        if record is None or record.open is None:
            return
        parts = self.ledger.load_parts(import_id)
        self.waiting_notice.notify_if_due(record)
        if record.state is ImportState.SENDING:
            self._wake(record, parts)
        if record.state in (ImportState.SENT, ImportState.ON_HOLD):
            record = self._follow_parts(record, parts)
        if record.lets_others_pass:
            self._wake_next(record)
        self._remind(record, parts)
        if record.state is ImportState.FINISHING:
            self._close(record)

    def finish_after_part(self, import_id: str) -> None:
        """
        Bring an import on after one of its parts was collected, without reading all of them.

        Parts are looked at in their order, from where the last look ended. Whatever else an
        import may wait for is told by a message of its own, or found when it is due.
        """
        record = self.ledger.load(Import.at(import_id))
        if record is None or record.open is None:
            return
        if record.state is ImportState.SENDING:
            if record.totals is not None and record.totals.in_order:
                self.resumer.resume(import_id)
        elif record.totals is None or self._look_for_open_part(record) == record.totals.parts:
            self.finish(import_id)

    def _look_for_open_part(self, record: Import) -> int:
        """Return up to which part all have ended, or wait for a person; remember it."""
        number = record.parts_ended
        most = record.totals.parts if record.totals else 0
        while number < most:
            part = self.ledger.load(Part.at(record.import_id, number + 1))
            if part is None or not (part.state.is_final or part.state is PartState.HELD):
                break
            number += 1
        if record.parts_ended < number < most:
            step = import_transitions.record_parts_ended(number)
            update(self.ledger, record.address, step, known=record)
        return number

    def notify(self, record: Import, parts: tuple[Part, ...] | None = None) -> None:
        """
        Tell people of a closed import, once; call it only for one who closed or claimed it.

        Args:
            parts: As they were when it was closed, if the caller has read them.

        Whoever closed the import tells of it. If that process dies, the import is still open and
        due, and the tick claims it.
        """
        if record.open is None:
            return
        with report_if_refused(self.telemetry, import_id=record.import_id):
            self.files.mark_closed(record.source)
        self._release(record)
        again = self.registrar.take_up(record)
        if again is not None:
            self.resumer.resume(again.import_id)
        self._wake_next(record)
        if not record.is_quiet or _is_answer(record):
            self._publish(record, self._read_notice(record, parts))
            if record.source.version_id == NO_VERSION:
                told = LastNotice(what=_UNVERSIONED_NOTICE, told_at=self.clock.now())
                create_if_absent(self.ledger, told)
        self._forget_in_time(record, parts)

    def _read_notice(self, record: Import, parts: tuple[Part, ...] | None) -> Notice:
        try:
            key = object_keys.notice_file(record.import_id)
            return _NOTICES.read_json(self.files.read(key, at_most=MOST_BYTES))
        except (MissingObjectError, DropRejectedError, UnreadableValueError):  # gone or replaced
            parts = self.ledger.load_parts(record.import_id) if parts is None else parts
            return self.writer.compose_closing_notice(record, parts)

    def _wake(self, record: Import, parts: tuple[Part, ...]) -> None:
        """
        Let a paused import go on when what it waits for is there.

        That is the end of the part before, where parts run one after another; and a job for every
        part, when a callback told of the one whose create had no answer.
        """
        under_way = any(part.sent is Sent.CREATE and not part.state.is_final for part in parts)
        in_order = record.totals is not None and record.totals.in_order
        all_have_jobs = all(part.state in _WITH_JOB for part in parts)
        if (in_order and not under_way) or all_have_jobs:
            self.resumer.resume(record.import_id)

    def _wake_next(self, record: Import) -> None:
        """Let the next version of a key go on that waits for this one; it would look by itself."""
        following = None if record.dry_run else self.key_locks.find_next(record)
        if following is not None:
            self.resumer.resume(following)

    def _follow_parts(self, record: Import, parts: tuple[Part, ...]) -> Import:
        """Let the import follow its parts: to its end, back to sending, or to a hold."""
        step = import_transitions.follow_parts(parts, self.clock.now())
        changed, ours = update(self.ledger, record.address, step, known=record)
        if changed is not None and ours and changed.state is ImportState.SENDING:
            self.resumer.resume(changed.import_id)
        return changed or record

    def _close(self, record: Import) -> None:
        """Write the results, close, and tell people if it was this call that closed."""
        if record.verdict is not None:
            abandon_parts(self.ledger, self.files, record.import_id, self.clock.now())
        # Read again: what was read before another process moved the import on may be older.
        parts = self.ledger.load_parts(record.import_id)
        is_news = record.source.version_id == NO_VERSION and not self.ledger.load(_UNVERSIONED)
        around = self.writer.around
        told = _KEEPS_NO_VERSIONS.format(around, doctor=around.examine().command)
        closing = self.writer.write(record, parts, notes=(told,) if is_news else ())
        notice = _NOTICES.as_json(closing.notice)
        key = object_keys.notice_file(record.import_id)
        self.files.write(key, notice, content_type="application/json")
        step = import_transitions.close(
            closing.state,
            closing.counts,
            disagree=closing.counts_disagree,
            now=self.clock.now(),
        )
        closed, ours = update(self.ledger, record.address, step, known=record)
        if closed is not None and ours:
            self._report(closed, closing)
            self.notify(closed, parts)

    def _release(self, record: Import) -> None:
        """Let the same content be dropped again."""
        if record.claim is None or not record.state.wrote_nothing:
            return
        claim = self.ledger.load(ContentClaim.at(record.claim))
        if claim is None or claim.import_id != record.import_id:
            return
        if claim.repeats is None:
            self.ledger.delete(claim)
        else:
            update(self.ledger, claim.address, lambda seen: seen.given_back(record.import_id))

    def _forget_in_time(self, record: Import, parts: tuple[Part, ...] | None) -> None:
        """Everything is said and done: take the import out of the index, then out of the table."""
        now = self.clock.now()
        expires_at = now + self.keep_seconds
        for part in self.ledger.load_parts(record.import_id) if parts is None else parts:
            step = part_transitions.expire(expires_at)
            update(self.ledger, part.address, step, known=part)
        noticed = import_transitions.record_noticed(now, expires_at)
        update(self.ledger, record.address, noticed, known=record)

    def _remind(self, record: Import, parts: tuple[Part, ...]) -> None:
        """Tell people of a hold at once, then every day; also of a part while others go on."""
        now, since = self.clock.now(), import_transitions.held_since(record, parts)
        if record.state not in import_transitions.REMINDED_STATES or since is None:
            return
        told_at = record.reminded_at
        if told_at is not None and told_at >= since and now - told_at < DAY_SECONDS:
            return
        told = (
            import_transitions.told_as_held(record, parts)
            if import_transitions.held_parts(parts)
            else record
        )
        self._publish(record, self.writer.compose_hold_notice(told, parts))
        self.telemetry.emit("on_hold", import_id=record.import_id)
        update(self.ledger, record.address, import_transitions.record_reminded(now))

    def _publish(self, record: Import, notice: Notice) -> None:
        publish(self.notices, self.telemetry, notice, import_id=record.import_id)

    def _report(self, record: Import, closing: Closing) -> None:
        counts = closing.counts
        self.telemetry.emit(
            "import_closed",
            import_id=record.import_id,
            file=record.source.key,
            bigin_module=record.module,
            state=record.state.value,
            rows=counts.total,
            added=counts.added,
            updated=counts.updated,
            existing=counts.existing,
            refused=counts.refused,
            unprocessed=counts.unprocessed,
            invalid=counts.invalid,
            unclear=counts.unclear,
            jobs=closing.jobs,
            seconds=(record.closed_at or 0) - record.received_at,
        )
