"""
Use case: stored parts -> bulk write jobs, the first one alone, then side by side.

What was prepared may be gone from the bucket: a person or a lifecycle rule removed it. As long as
nothing was sent it is prepared again, from the drop and its mapping. What was sent comes to its end
without it, and the rest is kept back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from bigin_import.domain import import_transitions, part_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import FieldMapping, Job, JobRequest, is_same_module
from bigin_import.domain.part_record import NOT_SENT, Attempt, Part, Refusal, Sent
from bigin_import.domain.part_transitions import BEFORE_CREATE
from bigin_import.domain.plan import Plan
from bigin_import.domain.states import PartState
from bigin_import.errors import (
    BiginAccessError,
    BiginError,
    BiginRefusedError,
    ChangedObjectError,
    DropRejectedError,
    MissingObjectError,
)
from bigin_import.importing import rejections
from bigin_import.importing.find_mapping import MappingFinder
from bigin_import.importing.lease import Lease
from bigin_import.importing.organisation import check_organisation
from bigin_import.importing.pauses import Pause, pause_after
from bigin_import.importing.send_part import PartSender, Round, StoppedError
from bigin_import.mapping.model import Mapping
from bigin_import.ports import (
    Bigin,
    CallbackUrls,
    Clock,
    CollectQueue,
    Files,
    Ledger,
    Parallel,
    Telemetry,
)
from bigin_import.stored_plan import check_archive, read_plan

MOST_PREPARED_AGAIN = 3
_PARTS_ARE_GONE = Refusal(
    code=NOT_SENT,
    message="Not sent, because what was prepared for it under parts/ was removed from the bucket",
    resolution="Drop the rows again",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LostParts:
    """Lets an import go on without what was prepared for it."""

    ledger: Ledger
    files: Files
    mappings: MappingFinder
    clock: Clock
    telemetry: Telemetry

    def read_plan(self, record: Import) -> Plan | None:
        """Return the plan; None if it is gone, or something else lies in its place."""
        try:
            return read_plan(self.files, record)
        except (MissingObjectError, ChangedObjectError) as exc:
            self.telemetry.emit("parts_gone", import_id=record.import_id, key=exc.key)
            return None

    def prepare_again(self, lease: Lease, record: Import) -> bool:
        """
        Let an import be prepared once more if no create of it was begun; return whether.

        What is gone time and again is not kept where it was written: a person must look.

        Raises:
            DropRejectedError: Its mapping is gone as well.
        """
        if record.prepared_again >= MOST_PREPARED_AGAIN:
            return False
        # Ours from here on: an earlier holder that stood still writes none of them any more.
        parts = [
            lease.change_part(part, lambda seen: seen if seen.state in BEFORE_CREATE else None)
            for part in self.ledger.load_parts(record.import_id)
        ]
        if any(part.sent is Sent.CREATE or part.state not in BEFORE_CREATE for part in parts):
            return False
        mapping = self._find_mapping(lease, record)
        lease.check()
        pinned = import_transitions.begin_preparing(
            self.mappings.pin(record, mapping),
            operation=mapping.operation.value,
            dry_run=record.dry_run or mapping.dry_run,
        )
        lease.leave(import_transitions.prepare_again(pinned, self.clock.now()))
        self.telemetry.emit("prepared_again", import_id=record.import_id)
        return True

    def keep_back_lost(self, lease: Lease) -> None:
        """Give up sending the parts whose archive is gone."""
        refuse = part_transitions.refuse(_PARTS_ARE_GONE, self.clock.now())
        for part in self.ledger.load_parts(lease.import_id):
            if part.state in BEFORE_CREATE and not check_archive(self.files, part):
                lease.change_part(part, refuse)

    def keep_back_all(self, lease: Lease) -> None:
        """Give up sending what was not sent: without the plan nobody knows how."""
        refuse = part_transitions.refuse(_PARTS_ARE_GONE, self.clock.now())
        for part in self.ledger.load_parts(lease.import_id):
            if part.state in BEFORE_CREATE:
                lease.change_part(part, refuse)

    def _find_mapping(self, lease: Lease, record: Import) -> Mapping:
        """Return the mapping that the import began with, or the one that counts now."""
        if record.mapping is not None:
            try:
                return self.mappings.read(record, record.mapping)
            except MissingObjectError as exc:
                self.telemetry.emit("parts_gone", import_id=record.import_id, key=exc.key)
        pin = self.mappings.find(record)
        if pin is None:
            waited = self.clock.now() - record.received_at
            problem = rejections.no_mapping(record.source.key, waited)
            raise DropRejectedError((problem,), concerns_mapping=True)
        record = lease.change(import_transitions.pin_mapping(pin))
        return self.mappings.read(record, pin)


def contradictions(job: Job, request: JobRequest, callback_matches: bool | None) -> tuple[str, ...]:
    """
    Return in which points *job* is not what *request* asked for.

    What Bigin did not send back is no contradiction: its answers leave keys out at will.

    Args:
        callback_matches: Whether the echoed callback is ours; None if nothing was echoed.
    """
    return tuple(_contradictions(job, request, callback_matches))


def _contradictions(job: Job, request: JobRequest, callback_matches: bool | None) -> Iterator[str]:
    if job.operation not in (None, request.operation.value):
        yield f"the operation is {job.operation}, we asked for {request.operation.value}"
    if job.module is not None and not is_same_module(job.module, request.module):
        yield f"the module is {job.module}, we asked for {request.module}"
    if job.ignore_empty not in (None, request.ignore_empty):
        yield f"ignore_empty is {job.ignore_empty}, we asked for {request.ignore_empty}"
    if callback_matches is False:
        yield "the callback is not the one we gave"
    if job.mappings is not None:
        yield from _of_mappings(job.mappings, request.field_mappings)


def _of_mappings(theirs: frozenset[FieldMapping], ours: tuple[FieldMapping, ...]) -> Iterator[str]:
    by_name = {mapping.api_name: mapping for mapping in theirs}
    for wanted in ours:
        found = by_name.pop(wanted.api_name, None)
        if found is None:
            yield f"field {wanted.api_name} is not mapped"
        else:
            yield from _of_field(found, wanted)
    yield from (f"field {name} is mapped, we did not ask for it" for name in sorted(by_name))


_BIGIN_ADDS = ("find_by", "format")  # what it does by itself where nothing was asked for


def _of_field(found: FieldMapping, wanted: FieldMapping) -> Iterator[str]:
    for key in ("index", "find_by", "format", "default_value"):
        theirs, ours = getattr(found, key), getattr(wanted, key)
        is_added = ours is None and key in _BIGIN_ADDS
        if theirs is not None and not is_added and not _is_echo(theirs, ours):
            yield f"{key} of field {wanted.api_name} is {theirs!r}, we asked for {ours!r}"


_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)([.][0-9]+)?", re.ASCII)


def _is_echo(theirs: object, ours: object) -> bool:
    """Return whether *theirs* is *ours* as Bigin sends it back: a number as it writes numbers."""
    if theirs == ours:
        return True
    both = (str(theirs), str(ours))
    return all(map(_PLAIN_NUMBER.fullmatch, both)) and Decimal(both[0]) == Decimal(both[1])


_UNANSWERED = (PartState.CREATING, PartState.UNKNOWN)
# Bigin may take a moment to know the job that it has just made.
_SHOWS_UP_SECONDS = 600


_OVERTAKEN = Refusal(
    code=NOT_SENT,
    message="Not sent, because a later version of this file was sent while this one was on hold",
    resolution="Drop the rows again that are to be written over those of the later version",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends the parts of one import, under its lease."""

    ledger: Ledger
    bigin: Bigin
    urls: CallbackUrls
    part_sender: PartSender
    clock: Clock
    parallel: Parallel
    queue: CollectQueue
    telemetry: Telemetry
    max_parallel_calls: int
    unknown_create_seconds: int

    def finish_begun(self, lease: Lease, record: Import, lost: LostParts) -> None:
        """
        Decide about creates that were begun; without its plan nothing more of an import is sent.

        Raises:
            StoppedError: It is not known yet what came of one.
        """
        self._decide_unknown(lease, self.ledger.load_parts(record.import_id))
        lost.keep_back_all(lease)
        self._check_all_sent(record.import_id)

    def send(
        self,
        lease: Lease,
        record: Import,
        request: JobRequest,
        *,
        record_sending: Callable[[], None],
        is_overtaken: bool = False,
    ) -> None:
        """
        Give every part a job, as far as that can be done now.

        Afterwards every part has a job, has ended, or waits for a person.

        Args:
            record_sending: Called before the first create is begun.
            is_overtaken: A later version was sent that it would write over, so that no create is
                begun that was not begun before.

        Raises:
            StoppedError: Some parts still have no job; it says why.
            LeaseLostError: Another submitter took over.
        """
        parts = self._decide_unknown(lease, self.ledger.load_parts(record.import_id))
        if is_overtaken:
            parts = tuple(self._keep_back_unbegun(lease, part) for part in parts)
        zgid = record.zgid or self._record_organisation(lease)
        try:
            self._send_parts(Round(lease, request, zgid, record_sending), record, parts)
        except StoppedError as stopped:
            if stopped.pause is not Pause.REFUSED:
                raise
            self._keep_back_rest(lease)
        self._check_all_sent(record.import_id)

    def _record_organisation(self, lease: Lease) -> str:
        """Take an import that the release before planned for one of the organisation of now."""
        try:
            zgid = self.bigin.get_zgid()
        except BiginError as exc:
            self._report_refused_token(exc)
            raise StoppedError(pause_after(exc), str(exc)) from exc
        lease.change(import_transitions.record_organisation(zgid))
        return zgid

    def _report_refused_token(self, exc: BiginError) -> None:
        if isinstance(exc, BiginAccessError):
            self.telemetry.emit("token_refused", code=exc.code)

    def _send_parts(self, current: Round, record: Import, parts: tuple[Part, ...]) -> None:
        if any(part.refusal and part.refusal.concerns_mapping for part in parts):
            raise StoppedError(Pause.REFUSED)  # whoever heard that did not get to tell the rest
        if record.totals is not None and record.totals.in_order:
            self._send_in_order(current, parts, is_compared=record.compared_at is not None)
            return
        if record.compared_at is None:
            parts = self._send_first(current, parts)
        self._send_rest(current, parts)

    def _check_all_sent(self, import_id: str) -> None:
        """A decision or a callback may have changed a part since it was looked at."""
        states = {part.state for part in self.ledger.load_parts(import_id)}
        if states & {*_UNANSWERED}:
            raise StoppedError(Pause.UNKNOWN)
        if states & {*BEFORE_CREATE}:
            raise StoppedError(Pause.NO_TIME)

    def _decide_unknown(self, lease: Lease, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Find creates whose outcome nobody knows; move on those that time has decided."""
        unsent = [part for part in parts if part.state in BEFORE_CREATE]
        lost = self.part_sender.marks.find_lost(unsent)
        parts = tuple(self._recall(lease, part, lost.get(part.number, ())) for part in parts)
        decided = tuple(self._decide_part(lease, part) for part in parts)
        if any(part.state is PartState.UNKNOWN for part in decided):
            raise StoppedError(Pause.UNKNOWN)
        return decided

    def _recall(self, lease: Lease, part: Part, lost: tuple[Attempt, ...]) -> Part:
        """Let no create begin beside one of which a restored table does not know."""
        if not lost:
            return part
        self.telemetry.emit("create_unknown", import_id=part.import_id, part=part.number)
        return lease.change_part(part, part_transitions.recall_attempts(lost))

    def _decide_part(self, lease: Lease, part: Part) -> Part:
        if part.attempt is None or part.state not in (*BEFORE_CREATE, *_UNANSWERED):
            return part
        if part.state in BEFORE_CREATE and not part.attempt.has_unknown_job:
            return part
        part = lease.change_part(part, part_transitions.mark_unknown())
        if part.state is PartState.CREATING:  # we hold the lease, so whoever wrote it is gone
            step = self.part_sender.marks.find_outcome(part, self.clock.now())
            part = lease.change_part(part, step)
        decided = lease.change_part(part, self._decision)
        if decided.state is PartState.HELD:
            self.telemetry.emit("part_held", import_id=part.import_id, part=part.number)
            self.queue.collect(part.import_id)  # settle_jobs tells people
        return decided

    def _decision(self, seen: Part) -> Part | None:
        """Decide by the part as it stands: a callback may have come a moment ago."""
        attempt, now = seen.attempt, self.clock.now()
        if seen.state is not PartState.UNKNOWN or attempt is None or now < attempt.decide_after:
            return None
        if not seen.repeatable or attempt.has_unknown_job:
            return part_transitions.hold(now)(seen)
        if now < attempt.started_at + self.unknown_create_seconds:
            return None
        return part_transitions.send_again(now)(seen)

    def _send_first(self, current: Round, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """
        Send parts one by one until one has a job, and read that job back before any other.

        Returns:
            The parts as they stand then.
        """
        for done, part in enumerate(parts, 1):
            sent = self._send_part(current, part)
            parts = (*parts[: done - 1], sent, *parts[done:])
            if self._compare_job(current, sent):
                break
        return parts

    def _compare_job(self, current: Round, part: Part) -> bool:
        """Compare the job of *part* with what was asked for, if it has one."""
        attempt = part.attempt
        if attempt is None or attempt.job_id is None:
            return False
        job = self._get_first_job(part, attempt)
        found = contradictions(job, current.request, self._is_ours(job, part, attempt))
        if found:
            raise StoppedError(Pause.CONTRADICTION, "; ".join(found))
        current.lease.change(import_transitions.record_compared(self.clock.now()))
        return True

    def _get_first_job(self, part: Part, attempt: Attempt) -> Job:
        try:
            return self._get_job(part.import_id, attempt.job_id or "")
        except BiginRefusedError as exc:
            if self.clock.now() > (part.created_at or 0) + _SHOWS_UP_SECONDS:
                what = f"it does not tell of the job {attempt.job_id} that it made ({exc.code})"
                raise StoppedError(Pause.CONTRADICTION, what) from exc
            raise StoppedError(Pause.UNREACHABLE, str(exc)) from exc
        except BiginError as exc:
            self._report_refused_token(exc)
            raise StoppedError(pause_after(exc), str(exc)) from exc

    def _get_job(self, import_id: str, job_id: str) -> Job:
        try:
            return self.bigin.get_job(job_id)
        except BiginRefusedError:
            check_organisation(self.ledger, self.bigin, import_id)
            raise

    def _is_ours(self, job: Job, part: Part, attempt: Attempt) -> bool | None:
        return self.urls.names(job, part.import_id, part.number, attempt.number)

    def _send_in_order(self, current: Round, parts: tuple[Part, ...], *, is_compared: bool) -> None:
        """Send each part when all before it have ended: rows with their keys may be in it."""
        for part in parts:
            sent = self._send_part(current, part)
            if sent.state is PartState.HELD:
                raise StoppedError(Pause.HELD, f"part {part.number}")
            is_compared = is_compared or self._compare_job(current, sent)
            if not sent.state.is_final:
                raise StoppedError(Pause.IN_ORDER)

    def _send_rest(self, current: Round, parts: tuple[Part, ...]) -> None:
        ready = [part for part in parts if part.state in BEFORE_CREATE]
        work = partial(self._send_part, current)
        self.parallel.each(work, ready, at_most=self.max_parallel_calls)

    def _send_part(self, current: Round, part: Part) -> Part:
        return self.part_sender.send(current, part) if part.state in BEFORE_CREATE else part

    def _keep_back_unbegun(self, lease: Lease, part: Part) -> Part:
        if part.attempts:
            return part
        return lease.change_part(part, part_transitions.refuse(_OVERTAKEN, self.clock.now()))

    def _keep_back_rest(self, lease: Lease) -> None:
        """What would be refused the same way is not sent at all."""
        keep_back = part_transitions.keep_back(self.clock.now())
        for part in self.ledger.load_parts(lease.import_id):
            if part.state in BEFORE_CREATE:
                lease.change_part(part, keep_back)
