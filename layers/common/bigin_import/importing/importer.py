"""
Use case: a drop -> parts -> jobs, from any point at which an earlier invocation stopped.

An event registers its drop; whoever holds the lease brings the import as far as it can be
brought now, and leaves in the ledger when to look again. Nothing here is lost by dying.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bigin_import import object_keys
from bigin_import.corrections.corrections import Corrections
from bigin_import.domain import import_transitions
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Operation
from bigin_import.domain.part_record import Sent
from bigin_import.domain.plan import Plan
from bigin_import.domain.states import HoldCause, ImportState
from bigin_import.errors import (
    AwsError,
    AwsUnavailableError,
    BiginAccessError,
    BiginError,
    ChangedObjectError,
    DropRejectedError,
    LeaseLostError,
    MissingObjectError,
    UnreadableItemError,
    UnreadableObjectError,
)
from bigin_import.importing import rejections
from bigin_import.importing.find_mapping import MappingFinder
from bigin_import.importing.lease import Lease, take_lease
from bigin_import.importing.pauses import (
    LONGEST_LOOK_SECONDS,
    Pause,
    look_again_seconds,
    pause_after,
    pause_seconds,
)
from bigin_import.importing.prepare import Preparer
from bigin_import.importing.register import Acquired, KeyLocks, Registrar
from bigin_import.importing.send import LostParts, Sender
from bigin_import.importing.send_part import StoppedError
from bigin_import.mapping.model import Mapping
from bigin_import.object_keys import KeyKind
from bigin_import.ports import Clock, CollectQueue, Files, Ledger, Telemetry
from bigin_import.stored_plan import write_problems
from bigin_import.telemetry import report_aws_error, report_if_refused, report_unreadable_item

MOST_IDLE_RESUMES = 5
UNREADABLE_SECONDS = 3600  # a role or a key of the stack may be mended within it
ENOUGH_SECONDS = 120  # below that, what a new mapping woke is left to the tick
_HOLDS = {Pause.CONTRADICTION: HoldCause.CONTRADICTION, Pause.HELD: HoldCause.PART}


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Everything import_csv does."""

    ledger: Ledger
    files: Files
    registrar: Registrar
    corrections: Corrections
    preparer: Preparer
    sender: Sender
    queue: CollectQueue
    clock: Clock
    telemetry: Telemetry
    mapping_wait_seconds: int

    @property
    def key_locks(self) -> KeyLocks:
        return KeyLocks(ledger=self.ledger)

    @property
    def mappings(self) -> MappingFinder:
        return MappingFinder(
            files=self.files,
            registrar=self.registrar,
            corrections=self.corrections,
            drop_check=self.preparer.drop_check,
        )

    @property
    def _lost_parts(self) -> LostParts:
        return LostParts(
            ledger=self.ledger,
            files=self.files,
            mappings=self.mappings,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    def receive(self, source: ObjectVersion) -> None:
        """Act on one object that was created under `incoming/`; repeated events do no harm."""
        try:
            self._receive(source)
        except UnreadableItemError as exc:  # it is in the table, so the tick looks after it
            report_unreadable_item(self.telemetry, exc)

    def _receive(self, source: ObjectVersion) -> None:
        match object_keys.kind_of(source.key):
            case KeyKind.IGNORED:
                self.telemetry.emit("drop_ignored", key=source.key)
            case KeyKind.MAPPING:
                for import_id in self.registrar.wake_imports(source):
                    if self.clock.remaining_seconds() > ENOUGH_SECONDS:
                        self.resume(import_id)
            case KeyKind.DROP | KeyKind.UNSUPPORTED | KeyKind.REFUSED:
                record = self.registrar.register(self.registrar.find_version(source))
                self.resume(record.import_id, known=record)

    def resume(self, import_id: str, *, known: Import | None = None) -> None:
        """
        Bring an import as far as it can be brought now, if nobody else is at it.

        Args:
            known: The import as it has just been registered.
        """
        with self.telemetry.mark_lines(import_id):
            self._resume(import_id, known)

    def _resume(self, import_id: str, known: Import | None) -> None:
        try:
            lease = take_lease(self.ledger, self.clock, import_id, known=known)
            if lease is not None:
                self._advance_under(lease)
            elif self.ledger.load(Import.at(import_id)) is None:
                self.telemetry.emit("import_unknown", import_id=import_id)
        except AwsUnavailableError as exc:  # the ledger is away: it is due, or its lease's end
            report_aws_error(self.telemetry, exc, import_id=import_id)
        except UnreadableItemError as exc:
            report_unreadable_item(self.telemetry, exc)

    def _advance_under(self, lease: Lease) -> None:
        in_good_order = False
        try:
            self._advance(lease, lease.record)
            in_good_order = True
        except LeaseLostError:
            self.telemetry.emit("conflict", import_id=lease.import_id)
        except AwsError as exc:
            report_aws_error(self.telemetry, exc, import_id=lease.import_id)
            self._wait(lease, Pause.AWS)
        except UnreadableItemError as exc:
            report_unreadable_item(self.telemetry, exc)
            self._wait(lease, Pause.RELEASE)
        finally:
            lease.give_back(moved=in_good_order)

    def _wait(self, lease: Lease, pause: Pause) -> None:
        """
        Back off from what passes by itself, which is no lack of progress.

        Where the ledger itself is away, the lease's end makes the import due.
        """
        try:
            self._pause(lease, StoppedError(pause))
        except LeaseLostError:
            self.telemetry.emit("conflict", import_id=lease.import_id)

    def _advance(self, lease: Lease, record: Import) -> None:
        if record.idle_resumes > MOST_IDLE_RESUMES:
            reason = f"{MOST_IDLE_RESUMES} tries got nowhere; see the log of import_csv"
            self._hold(lease, HoldCause.NO_PROGRESS, reason)
            return
        let_pass = record.lets_others_pass
        try:
            if record.awaits_held is not None:  # its turn is for others meanwhile
                self.preparer.check_awaited(record)
            record, is_overtaken = self._acquire_again(lease, record)
            record = self._prepare(lease, record)
            if record.state is ImportState.SENDING:
                self._send(lease, record, is_overtaken=is_overtaken)
        except StoppedError as stopped:
            if stopped.pause in (Pause.TURN, Pause.HELD_FILE):
                keeps_place = stopped.pause is Pause.TURN
                self.key_locks.release(lease.record, keeps_place=keeps_place)
            self._pause(lease, stopped)
            if lease.record.lets_others_pass and not let_pass:  # settle_jobs wakes the next one
                self.queue.collect(record.import_id)
        if record.state is ImportState.FINISHING:
            self.queue.collect(record.import_id)

    def _acquire_again(self, lease: Lease, record: Import) -> tuple[Import, bool]:
        """
        Return an import that has begun if it may go on: a hold lets other versions go before.

        Returns:
            Also whether a later version was sent meanwhile that it would write over: then only
            creates that were begun are brought to their end.

        Raises:
            StoppedError: Another version is under way.
        """
        if record.state is ImportState.WAITING_FOR_MAPPING or record.dry_run:
            return record, False
        writes_over = self._load_operation(record) != Operation.INSERT
        acquired = self.key_locks.acquire(record, writes_over=writes_over)
        lease.key_lock = acquired.lock
        is_overtaken = acquired.later is not None
        if is_overtaken:
            parts = self.ledger.load_parts(record.import_id)
            if not any(part.sent is Sent.CREATE for part in parts):
                return self._conclude_superseded(lease, acquired), True
            acquired = self.key_locks.acquire(record, writes_over=False)
        if not acquired.is_ours:
            raise StoppedError(Pause.TURN)
        return record, is_overtaken

    def _load_operation(self, record: Import) -> str | None:
        """Return what an import does; the release before wrote it down only with the plan."""
        if record.operation is not None or record.mapping_sha256 is None:
            return record.operation
        return self.mappings.read_pinned(record).operation

    def _conclude_superseded(self, lease: Lease, acquired: Acquired) -> Import:
        """A later version counts: settle_jobs tells people, and how to import this one as well."""
        later, now = acquired.later or "", self.clock.now()
        step = import_transitions.supersede(later, now, was_unmapped=acquired.was_unmapped)
        return lease.leave(step)

    def _prepare(self, lease: Lease, record: Import) -> Import:
        """Bring an import that has no plan yet to one, or to its end, as far as it goes."""
        try:
            if record.state is ImportState.WAITING_FOR_MAPPING:
                record = self._match_mapping(lease, record)
            if record.state is ImportState.PREPARING:
                record = self.preparer.prepare(lease, record, self.mappings.read_pinned(record))
        except DropRejectedError as exc:
            return self._reject(lease, exc)
        except UnreadableObjectError as exc:
            return self._conclude_unreadable(lease, lease.record, exc)
        except (MissingObjectError, ChangedObjectError) as exc:
            return self._conclude_missing(lease, record, exc)
        except BiginError as exc:  # without its metadata nothing is checked, so nothing is sent
            if isinstance(exc, BiginAccessError):
                self.telemetry.emit("token_refused", code=exc.code)
            raise StoppedError(pause_after(exc), str(exc)) from exc
        return record

    def _conclude_missing(
        self, lease: Lease, record: Import, exc: MissingObjectError | ChangedObjectError
    ) -> Import:
        """A drop that is deleted before it was read is withdrawn; another mapping may be there."""
        if exc.key == record.source.key:
            return self._conclude(lease, ImportState.WITHDRAWN)
        if object_keys.is_of_import(exc.key, record.import_id):
            if self._prepare_again(lease, record):
                return lease.record
            raise exc
        if object_keys.is_ours(exc.key):
            raise exc
        return self._look_again(lease)

    def _conclude_unreadable(
        self, lease: Lease, record: Import, exc: UnreadableObjectError
    ) -> Import:
        """
        S3 may also refuse what is not there any more.

        What a person dropped is waited for as after any refusal, but not for ever: only who
        encrypted it can mend that, and is told.
        """
        if object_keys.is_ours(exc.key):
            raise exc
        if self.files.find_newest(record.source.key) is None:
            return self._conclude(lease, ImportState.WITHDRAWN)
        now = self.clock.now()
        since = (record.pause == Pause.AWS.name and record.paused_at) or now
        if now - since < UNREADABLE_SECONDS:
            raise exc
        return self._reject(lease, DropRejectedError((rejections.unreadable(exc.key),)))

    def _match_mapping(self, lease: Lease, record: Import) -> Import:
        """Find the mapping and pin it."""
        key = record.source.key
        if object_keys.kind_of(key) is not KeyKind.DROP:
            raise DropRejectedError((rejections.not_a_drop(key),))
        pin = self.mappings.find(record)
        if pin is None:
            return self._wait_for_mapping(lease, record)
        record = lease.change(import_transitions.pin_mapping(pin))
        return self._pin_mapping(lease, record, self.mappings.read(record, pin))

    def _pin_mapping(self, lease: Lease, record: Import, mapping: Mapping) -> Import:
        """Keep the mapping beside the parts, once the lock of the key is ours."""
        dry_run = record.dry_run or mapping.dry_run
        if not dry_run:
            writes_over = mapping.operation is not Operation.INSERT
            acquired = self.key_locks.acquire(record, writes_over=writes_over)
            lease.key_lock = acquired.lock
            if acquired.later is not None:
                return self._conclude_superseded(lease, acquired)
            if not acquired.is_ours:
                waited = self.clock.now() - record.received_at
                return self._look_again(lease, waited=waited, pause=Pause.TURN.name)
        lease.check()
        with report_if_refused(self.telemetry, import_id=record.import_id):
            self.files.mark_open(record.source)  # a copy has the tags of what it was copied from
        sha256 = self.mappings.pin(record, mapping)
        operation = mapping.operation.value
        return lease.change(
            import_transitions.begin_preparing(sha256, operation=operation, dry_run=dry_run)
        )

    def _wait_for_mapping(self, lease: Lease, record: Import) -> Import:
        if self.files.find_newest(record.source.key) is None:
            return self._conclude(lease, ImportState.WITHDRAWN)
        waited = self.clock.now() - record.received_at
        if waited >= self.mapping_wait_seconds:
            problem = rejections.no_mapping(record.source.key, waited)
            raise DropRejectedError((problem,), concerns_mapping=True)
        self.telemetry.emit("waiting_for_mapping", import_id=record.import_id)
        if not record.dry_run:
            self.key_locks.record_unmapped(record)
        self.queue.collect(record.import_id)  # settle_jobs writes a suggestion at once
        return self._look_again(lease, waited=waited, left=self.mapping_wait_seconds - waited)

    def _look_again(
        self,
        lease: Lease,
        *,
        waited: int = 0,
        left: int = LONGEST_LOOK_SECONDS,
        pause: str | None = None,
    ) -> Import:
        due_at = self.clock.now() + look_again_seconds(waited, left=left)
        return lease.leave(import_transitions.look_again(due_at, pause=pause))

    def _send(self, lease: Lease, record: Import, *, is_overtaken: bool) -> None:
        plan = self._lost_parts.read_plan(record)
        if plan is None and self._prepare_again(lease, record):
            return
        if plan is None:
            self.sender.finish_begun(lease, record, self._lost_parts)
        elif not self._send_parts(lease, record, plan, is_overtaken=is_overtaken):
            return
        lease.leave(import_transitions.record_sent(self.clock.now()))
        self.queue.collect(record.import_id)

    def _send_parts(self, lease: Lease, record: Import, plan: Plan, *, is_overtaken: bool) -> bool:
        """Send all parts; return False if they must be prepared again."""
        try:
            request = plan.columns.request
            self.sender.send(
                lease,
                record,
                request,
                record_sending=partial(self.key_locks.record_sending, record, known=lease.key_lock),
                is_overtaken=is_overtaken,
            )
        except MissingObjectError as exc:
            self.telemetry.emit("parts_gone", import_id=record.import_id, key=exc.key)
            if self._prepare_again(lease, record):
                return False
            self._lost_parts.keep_back_lost(lease)
            raise StoppedError(Pause.NO_TIME) from exc
        return True

    def _prepare_again(self, lease: Lease, record: Import) -> bool:
        try:
            return self._lost_parts.prepare_again(lease, record)
        except DropRejectedError as exc:
            self._reject(lease, exc)
            return True

    def _pause(self, lease: Lease, stopped: StoppedError) -> None:
        self.telemetry.emit("sending_paused", import_id=lease.import_id, pause=stopped.pause.name)
        if stopped.pause in _HOLDS:
            self._hold(lease, _HOLDS[stopped.pause], str(stopped))
            return
        seconds = partial(pause_seconds, stopped.pause)
        lease.leave(import_transitions.pause(stopped.pause.name, seconds, self.clock.now()))

    def _hold(self, lease: Lease, cause: HoldCause, reason: str) -> None:
        lease.leave(import_transitions.put_on_hold(cause, reason, self.clock.now()))
        self.queue.collect(lease.import_id)  # settle_jobs tells people

    def _reject(self, lease: Lease, exc: DropRejectedError) -> Import:
        write_problems(self.files, lease.import_id, exc.problems)
        self.telemetry.emit("drop_rejected", import_id=lease.import_id, problems=len(exc.problems))
        return self._conclude(lease, ImportState.REJECTED, concerns_mapping=exc.concerns_mapping)

    def _conclude(
        self, lease: Lease, verdict: ImportState, *, concerns_mapping: bool = False
    ) -> Import:
        """Nothing was sent and nothing will be: settle_jobs writes the results and closes."""
        now = self.clock.now()
        return lease.leave(
            import_transitions.conclude(verdict, now, concerns_mapping=concerns_mapping)
        )
