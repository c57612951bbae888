"""Use case: a drop and its mapping -> stored parts and a plan, before anything is sent."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from zoneinfo import available_timezones

from bigin_import import object_keys
from bigin_import.corrections.corrections import Corrections, Inherited
from bigin_import.corrections.family import Decided, Families, KeysWritten
from bigin_import.deduplication import claims
from bigin_import.deduplication.claims import Claims, Content, KeyHistory
from bigin_import.deduplication.earlier_rows import NameHistory
from bigin_import.deduplication.repeats import Repeated, Repeats
from bigin_import.deduplication.rows_in import EarlierRows
from bigin_import.domain import import_transitions
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Import, Totals
from bigin_import.domain.job_request import MAX_ROWS, Operation
from bigin_import.domain.locks import Family
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import ColumnPlan, Plan, SplitPart, SplitResult
from bigin_import.domain.states import ImportState, OpenKind, PartState
from bigin_import.errors import DropRejectedError, OtherOrganisationError, UnderWayError
from bigin_import.importing import rejections
from bigin_import.importing.find_mapping import DropCheck, MetadataCache
from bigin_import.importing.lease import Lease
from bigin_import.importing.pauses import Pause
from bigin_import.importing.register import KeyLocks
from bigin_import.importing.send_part import StoppedError
from bigin_import.ledger import create_if_absent
from bigin_import.mapping.column_plan import column_plan, needs_zone
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.validate import Validated
from bigin_import.ports import Clock, Files, Ledger, Telemetry
from bigin_import.reading.table import Table
from bigin_import.splitting.content_log import ContentLog
from bigin_import.splitting.dates import day_of
from bigin_import.splitting.splitter import split
from bigin_import.splitting.value_checks import ReadAgainError
from bigin_import.stored_plan import (
    read_decisions,
    with_refused,
    write_archive,
    write_decisions,
    write_plan,
)

AN_HOUR_SECONDS = 3600
# Closing writes result files of every row within one invocation: 36,000 rows a second of processor
# time were measured, so that these take half of its 300 s.
MOST_ROWS = 5_000_000
FIRST_EPOCH = 1  # nobody can have planned other parts before


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparer:
    """Reads a drop once from end to end and plans its parts; *max_rows*: of one part."""

    ledger: Ledger
    files: Files
    metadata: MetadataCache
    corrections: Corrections
    clock: Clock
    telemetry: Telemetry
    default_encoding: str
    max_rows: int = MAX_ROWS

    def prepare(self, lease: Lease, record: Import, mapping: Mapping) -> Import:
        """
        Cut the drop into archives under `parts/`, then put the plan in the ledger.

        Nothing is sent. May be repeated as long as the import is PREPARING: the same drop
        and the same pinned mapping give the same parts.

        Returns:
            The import, SENDING, or FINISHING as DRY_RUN or UNCHANGED.

        Raises:
            DropRejectedError: The file or its mapping is wrong.
            MissingObjectError: The version was removed from the bucket.
            LeaseLostError: Another submitter took over.
            StoppedError: Another import must end first that has some of its rows.
            OtherOrganisationError: It was prepared before, for another organisation.
        """
        record = self._find_organisation(record)
        self.check_awaited(record)
        try:
            with ExitStack() as opened:
                plan, log, decided = self._split(lease, record, mapping, opened)
                if decided is not None:
                    return self._store_correction(lease, record, plan, log, decided)
                return self._store_and_claim(lease, record, mapping, opened, (plan, log))
        except UnderWayError as exc:
            lease.change(import_transitions.wait_for(exc.awaited))
            raise _stopped(exc) from exc

    def check_awaited(self, record: Import) -> None:
        """
        Look, before a drop is read once more, whether the import that it waits for has ended.

        Raises:
            StoppedError: It has not.
        """
        try:
            if record.awaited is not None:
                self._families.check_awaited(record.awaited)
        except UnderWayError as exc:
            raise _stopped(exc) from exc

    def _find_organisation(self, record: Import) -> Import:
        """Return *record* with the organisation that it is for: the one that we are let into."""
        found = self.metadata.get_zgid()
        if not record.is_for(found):
            raise OtherOrganisationError(wanted=record.zgid or "", found=found)
        return replace(record, zgid=found)

    def _store_correction(
        self, lease: Lease, record: Import, plan: Plan, log: ContentLog, decided: Decided
    ) -> Import:
        """Store the plan of a corrected file; it needs no claim, for each of its rows is known."""
        lease.check()
        made = write_plan(self.files, record.import_id, plan)
        lease.change(import_transitions.record_plan(made, zgid=record.zgid, claim=None))
        if record.dry_run:
            return self._record_plan(lease, plan, verdict=ImportState.DRY_RUN)
        if not decided.sends:
            unchanged = ImportState.UNCHANGED
            return self._record_plan(lease, plan, verdict=unchanged, winner=plan.parent)
        if plan.columns.request.operation is not Operation.INSERT:
            self._history.record(record, plan.columns.request, log)
        self._plan_parts(lease, record.import_id, plan)
        return self._record_plan(lease, plan)

    def _store_and_claim(
        self,
        lease: Lease,
        record: Import,
        mapping: Mapping,
        opened: ExitStack,
        split: tuple[Plan, ContentLog],
    ) -> Import:
        """Store the plan and claim its content; if that is in Bigin already, nothing is sent."""
        lease.check()
        plan, log = split
        if record.dry_run:
            made = write_plan(self.files, record.import_id, plan)
            lease.change(import_transitions.record_plan(made, zgid=record.zgid, claim=None))
            return self._record_plan(lease, plan, verdict=ImportState.DRY_RUN)
        content = claims.content_of(record, mapping, plan, log)
        used_by = self._claims.acquire_force(content, record, mapping.force)
        plan = _with_used_force(plan, record, mapping, used_by)
        made = write_plan(self.files, record.import_id, plan)
        lease.change(import_transitions.record_plan(made, zgid=record.zgid, claim=content.claim))
        if used_by == record.import_id:
            return self._store_forced(lease, record, plan, content)
        winner, repeats, is_news = self._claims.acquire(content, record.import_id)
        if winner is not None:
            return self._record_unchanged(lease, plan, winner, tells=is_news)
        repeated = self._decide_repeats(lease, plan, log, repeats)
        if repeated is not None:
            plan, log = self._split_again(lease, record, mapping, opened, (plan, log), repeated)
            content = replace(content, log=log)  # whose keys are those that are sent
            plan = _with_used_force(plan, record, mapping, used_by)
            made = write_plan(self.files, record.import_id, plan)
            lease.change(
                import_transitions.record_plan(made, zgid=record.zgid, claim=content.claim)
            )
        if repeated is not None and not plan.cut.parts:
            return self._record_unchanged(lease, plan, repeated.through, tells=True)
        return self._store_claimed(lease, record, plan, content)

    def _store_claimed(self, lease: Lease, record: Import, plan: Plan, content: Content) -> Import:
        if content.request.operation is not Operation.INSERT:
            self._history.record(record, content.request, content.log)
        self._plan_parts(lease, record.import_id, plan)
        return self._record_plan(lease, plan, claim=content.claim)

    def _store_forced(self, lease: Lease, record: Import, plan: Plan, content: Content) -> Import:
        """Let a drop repeat what is in: all of it is sent; whoever comes next finds its rows."""
        self._claims.take_over(content, record.import_id)
        if not plan.parent:
            names = NameHistory(ledger=self.ledger)
            names.register(record, plan.columns, content.log, is_forced=True)
        return self._store_claimed(lease, record, plan, content)

    def _record_unchanged(self, lease: Lease, plan: Plan, winner: str, *, tells: bool) -> Import:
        if plan.columns.request.operation is not Operation.INSERT:
            # An earlier version whose turn comes only now would write over what is in.
            KeyLocks(ledger=self.ledger).record_sending(lease.record, known=lease.key_lock)
        verdict = ImportState.UNCHANGED
        return self._record_plan(lease, plan, verdict=verdict, winner=winner, tells_unchanged=tells)

    def _split_again(
        self,
        lease: Lease,
        record: Import,
        mapping: Mapping,
        opened: ExitStack,
        split: tuple[Plan, ContentLog],
        repeated: Repeated,
    ) -> tuple[Plan, ContentLog]:
        """Cut the drop without the rows that are left out, if any are."""
        if not repeated.sha256:
            plan, log = split
            return replace(plan, cut=_with_sentences(plan.cut, repeated)), log
        plan, log, _ = self._split(lease, record, mapping, opened, repeated)
        lease.check()
        return plan, log

    def _decide_repeats(
        self, lease: Lease, plan: Plan, log: ContentLog, repeats: str | None
    ) -> Repeated | None:
        """
        Return which rows are left out because the file was dropped before, if any are.

        Raises:
            UnderWayError: An earlier import of the file, or of its family, has not ended.
        """
        if plan.parent:
            return None
        joined = set(filter(None, (lease.record.root,)))
        join = partial(self._join_family, lease, joined)
        try:
            return self._repeats.decide(lease.record, plan, log, repeats=repeats, join=join)
        except UnderWayError:
            self._families.release(lease.record, joined)
            raise

    def _join_family(self, lease: Lease, joined: set[str], seen: Family) -> Family:
        """Let a drop that was dropped before run alone in its family; of several, in each."""
        family = self._families.join(lease.record, seen)
        joined.add(seen.root)
        if lease.record.root is None:
            lease.change(import_transitions.join_family(seen.root))
        return family

    @property
    def _families(self) -> Families:
        return Families(ledger=self.ledger, files=self.files)

    @property
    def drop_check(self) -> DropCheck:
        return DropCheck(
            files=self.files,
            metadata=self.metadata,
            corrections=self.corrections,
            default_encoding=self.default_encoding,
        )

    @property
    def _claims(self) -> Claims:
        return Claims(ledger=self.ledger, history=self._history, earlier=self._earlier)

    @property
    def _repeats(self) -> Repeats:
        return Repeats(
            ledger=self.ledger, files=self.files, earlier=self._earlier, keys=self._history
        )

    @property
    def _earlier(self) -> EarlierRows:
        return EarlierRows(ledger=self.ledger, files=self.files)

    @property
    def _history(self) -> KeyHistory:
        return KeyHistory(ledger=self.ledger, files=self.files, clock=self.clock)

    def _split(
        self,
        lease: Lease,
        record: Import,
        mapping: Mapping,
        opened: ExitStack,
        repeated: Repeated | None = None,
        learned: ColumnPlan | None = None,
    ) -> tuple[Plan, ContentLog, Decided | None]:
        """Cut the drop; what its rows say can be read as long as *opened* is."""
        with self.drop_check.open(record, mapping) as (table, validated, inherited):
            columns = learned or inherited.passed_on(self._get_column_plan(record, validated))
            log = opened.enter_context(ContentLog(columns))
            decided = self._decide_rows(
                lease, record, validated.mapping, table.find_parent(), columns, inherited
            )
            found = repeated or decided
            sha256 = found.sha256 if found else ""
            table.decide(read_decisions(self.files, record.import_id, sha256))
            try:
                result = self._store_parts(lease, table, columns, log)
            except ReadAgainError as again:
                return self._split(
                    lease, record, mapping, opened, repeated=repeated, learned=again.plan
                )
        if found is not None:
            result = _with_sentences(result, found)
        plan = Plan(
            columns=columns,
            cut=result,
            dialect=table.dialect,
            header=table.header,
            parent=table.find_parent() or "",
            mapping_key=inherited.mapping.key if inherited.mapping else "",
            mapping_version=inherited.mapping.version_id if inherited.mapping else "",
            decisions=self._store_decisions(record, sha256, log),
            are_rows_decided=True,
        )
        return plan, log, decided

    def _store_decisions(self, record: Import, before: str, log: ContentLog) -> str:
        """Keep why rows are not sent with what was decided *before* the drop was split."""
        decided = read_decisions(self.files, record.import_id, before)
        decisions = with_refused(decided, log.refused_rows())
        return write_decisions(self.files, record.import_id, decisions)

    def _store_parts(
        self, lease: Lease, table: Table, columns: ColumnPlan, log: ContentLog
    ) -> SplitResult:
        result = split(
            table,
            columns,
            store=partial(self._store_archive, lease),
            entry_name=partial(object_keys.entry_name, lease.import_id),
            max_rows=self.max_rows,
            log=log,
        )
        if result.rows > MOST_ROWS:
            key = lease.record.source.key
            raise DropRejectedError((rejections.too_many_rows(key, result.rows, MOST_ROWS),))
        return result

    def _decide_rows(
        self,
        lease: Lease,
        record: Import,
        mapping: Mapping,
        parent: str | None,
        columns: ColumnPlan,
        inherited: Inherited,
    ) -> Decided | None:
        """
        Return which rows of a result file are sent; None for any other drop.

        Raises:
            UnderWayError: Another member of its family has not ended.
            DropRejectedError: What it corrects is in another organisation.
        """
        if parent is None:
            return None
        families, module = self._families, columns.request.module
        found = [families.find_roots(record, each, module) for each in (parent, *inherited.others)]
        if not found[0]:
            return None
        roots = dict.fromkeys(root for each in found for root in each)
        if not record.dry_run:
            families.acquire_all(record, roots)
            lease.change(import_transitions.join_family(found[0][0]))
        drop = self.drop_check.find_drop(record, mapping)
        healing = inherited.healing
        written = KeysWritten(
            check_over=partial(self._history.check_rows_written_over, columns.request),
            read=partial(self._history.read_keys_of, request=columns.request),
        )
        decided = families.decide(record, roots, drop, parent, columns, healing, written)
        told = (_NOT_FORCED,) if mapping.force else ()
        return replace(decided, warnings=(*decided.warnings, *told))

    def _get_column_plan(self, record: Import, validated: Validated) -> ColumnPlan:
        """Return the plan; the day of the drop's arrival is the same however often it is made."""
        zone = self.metadata.get_time_zone() if needs_zone(validated) else ""
        if needs_zone(validated) and zone not in available_timezones():
            problem = Problem(
                record.source.key,
                "it has times with an offset, and Bigin does not say in which zone it shows times",
                'Write "zone" beside each "format" in the mapping, such as "Europe/Berlin"',
            )
            raise DropRejectedError((problem,), concerns_mapping=True)
        return column_plan(validated, arrived=day_of(record.received_at), zone=zone)

    def _store_archive(self, lease: Lease, number: int, archive: bytes) -> None:
        lease.check()
        write_archive(self.files, lease.import_id, number, archive)

    def _plan_parts(self, lease: Lease, import_id: str, plan: Plan) -> None:
        """Put every part in the ledger; nothing is sent before the import is SENDING."""
        for split_part in plan.cut.parts:
            fresh = self._part(import_id, plan, split_part, lease.epoch)
            stored, is_new = create_if_absent(self.ledger, fresh)
            if not is_new:
                self._plan_again(lease, stored, fresh)
        if lease.epoch > FIRST_EPOCH:
            for part in self.ledger.load_parts(import_id)[len(plan.cut.parts) :]:
                self.ledger.delete(part)

    def _plan_again(self, lease: Lease, stored: Part, fresh: Part) -> None:
        """Put a part over the one of an earlier try at preparing, but never over a later one's."""
        lease.change_part(
            stored, lambda seen: replace(fresh, version=seen.version, creates=seen.creates)
        )

    def _part(self, import_id: str, plan: Plan, split_part: SplitPart, epoch: int) -> Part:
        now = self.clock.now()
        return Part(
            import_id=import_id,
            number=split_part.number,
            state=PartState.STORED,
            rows=split_part.rows,
            csv_bytes=split_part.csv_bytes,
            sha256=split_part.sha256,
            first_row=split_part.first_row,
            last_row=split_part.last_row,
            repeatable=_is_repeatable(plan, split_part),
            operation=plan.columns.request.operation,
            find_by=plan.columns.request.find_by,
            epoch=epoch,
            stored_at=now,
            open=OpenKind.WORK,
            due_at=now + AN_HOUR_SECONDS,
        )

    def _record_plan(
        self,
        lease: Lease,
        plan: Plan,
        *,
        verdict: ImportState | None = None,
        winner: str | None = None,
        claim: str | None = None,
        tells_unchanged: bool = False,
    ) -> Import:
        request, totals = plan.columns.request, _totals(plan.cut)
        self.telemetry.emit(
            "plan_ready",
            import_id=lease.import_id,
            rows=totals.rows,
            parts=totals.parts,
            invalid=totals.invalid,
        )
        return lease.change(
            import_transitions.record_planned(
                totals,
                module=request.module,
                operation=request.operation.value,
                claim=claim,
                verdict=verdict,
                winner=winner,
                tells_unchanged=tells_unchanged,
            )
        )


def _stopped(exc: UnderWayError) -> StoppedError:
    waits_for_person = exc.awaited is not None and exc.awaited.is_on_hold
    return StoppedError(Pause.HELD_FILE if waits_for_person else Pause.TURN, str(exc))


def _with_sentences(result: SplitResult, found: Decided | Repeated) -> SplitResult:
    notes, warnings = (*found.notes, *result.notes), (*found.warnings, *result.warnings)
    return replace(result, notes=notes, warnings=warnings)


_NOT_FORCED = (
    '"force" in the mapping does not count for a result file: rows of it that are in are not sent '
    "again. If they are meant for something new, delete the columns that begin with bigin__."
)


def _with_used_force(plan: Plan, record: Import, mapping: Mapping, used_by: str | None) -> Plan:
    """Return *plan* with the warning that `force` does not count, where another has used it."""
    if used_by in (None, record.import_id):
        return plan
    told = (
        f'"force": "{mapping.force}" is still in the mapping and did not count: it works once, and '
        f"import {used_by} has used it. Take it out; or, if everything is really to be sent once "
        f'more, write "force": "{used_by}".'
    )
    return replace(plan, cut=replace(plan.cut, warnings=(told, *plan.cut.warnings)))


def _totals(found: SplitResult) -> Totals:
    return Totals(
        rows=found.rows,
        blank=found.blank,
        invalid=found.invalid,
        parts=len(found.parts),
        content_sha256=found.content_sha256,
        in_order=found.repeated_keys_across_parts,
    )


def _is_repeatable(plan: Plan, part: SplitPart) -> bool:
    """
    Return whether a second job for *part* could not make a second record.

    `update` never makes records; the others find them by a key that is proven unique. Either
    way every row must have a key of its own, or the second job could undo what the first did;
    where a constant fills the key, all rows share it.
    """
    if plan.columns.key is None or part.empty_keys or part.repeated_keys:
        return False
    return plan.columns.request.operation is Operation.UPDATE or plan.columns.key_is_unique
