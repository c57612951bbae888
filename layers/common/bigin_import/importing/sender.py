"""Use case: stored parts -> bulk write jobs, the first one alone, then side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from bigin_import.errors import BiginError
from bigin_import.importing.comparison import contradictions
from bigin_import.importing.lease import Lease
from bigin_import.importing.part_sender import PartSender, StoppedError
from bigin_import.importing.pauses import Pause
from bigin_import.models import Job, JobRequest
from bigin_import.ports import Bigin, CallbackUrls, Clock, Ledger, Observer, Parallel
from bigin_import.records import Attempt, Import, Part, PartState, Refusal, steps

_NO_JOB_YET = (PartState.STORED, PartState.UPLOADED)
_NOT_SENT = Refusal(
    code="NOT_SENT",
    message="Not sent, because Bigin refused another part of this file for its mapping",
    resolution="Correct the mapping; then drop the rows of this file again",
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
    observer: Observer
    max_parallel_calls: int
    unknown_create_seconds: int

    def send(self, lease: Lease, record: Import, request: JobRequest) -> None:
        """
        Give every part a job, as far as that can be done now.

        Raises:
            StoppedError: Some parts still have no job; it says why.
            LeaseLostError: Another submitter took over.
        """
        self._decide_unknown(lease, record.import_id)
        try:
            if record.compared_at is None:
                self._send_first(lease, request)
            if record.totals is not None and record.totals.in_order:
                self._send_in_order(lease, request)
            else:
                self._send_rest(lease, request)
        except StoppedError as stopped:
            if stopped.pause is not Pause.REFUSED:
                raise
            self._refuse_rest(lease)

    def _decide_unknown(self, lease: Lease, import_id: str) -> None:
        """Find creates whose outcome nobody knows; move on those that time has decided."""
        decided = [self._decided(lease, part) for part in self.ledger.parts(import_id)]
        if any(part.state is PartState.UNKNOWN for part in decided):
            raise StoppedError(Pause.UNKNOWN)

    def _decided(self, lease: Lease, part: Part) -> Part:
        attempt = part.attempt
        if attempt is None or part.state not in (PartState.CREATING, PartState.UNKNOWN):
            return part
        # Found in CREATING: we hold the lease, so whoever wrote it is gone.
        lease.change_part(part.number, steps.unanswered(attempt.number))
        decided = lease.change_part(part.number, self._decision(part, attempt))
        if decided.state is PartState.HELD:
            self.observer.saw("part_held", import_id=part.import_id, part=part.number)
        return decided

    def _decision(self, part: Part, attempt: Attempt) -> steps.Step:
        now = self.clock.now()
        if now < attempt.decide_after:
            return _nothing
        if not part.repeatable or attempt.callback_at is not None:
            return steps.held(now)
        if now < attempt.started_at + self.unknown_create_seconds:
            return _nothing
        return steps.sent_again(now)

    def _send_first(self, lease: Lease, request: JobRequest) -> None:
        """Send parts one by one until one has a job, and read that job back before any other."""
        for part in self.ledger.parts(lease.import_id):
            sent = self._sent(lease, request, part)
            attempt = sent.attempt
            if attempt is not None and attempt.job_id is not None:
                self._compare(lease, request, sent, attempt)
                return

    def _compare(self, lease: Lease, request: JobRequest, part: Part, attempt: Attempt) -> None:
        try:
            job = self.bigin.job(attempt.job_id or "")
        except BiginError as exc:
            raise StoppedError(Pause.UNREACHABLE, str(exc)) from exc
        found = contradictions(job, request, self._is_ours(job, part, attempt))
        if found:
            raise StoppedError(Pause.CONTRADICTION, "; ".join(found))
        now = self.clock.now()
        lease.change(lambda seen: replace(seen, compared_at=now))

    def _is_ours(self, job: Job, part: Part, attempt: Attempt) -> bool | None:
        return self.urls.names(job, part.import_id, part.number, attempt.number)

    def _send_in_order(self, lease: Lease, request: JobRequest) -> None:
        for part in self.ledger.parts(lease.import_id):
            sent = self._sent(lease, request, part)
            if sent.state is PartState.HELD:
                raise StoppedError(Pause.HELD, f"part {part.number}")
            if not sent.state.is_final:
                raise StoppedError(Pause.IN_ORDER)

    def _send_rest(self, lease: Lease, request: JobRequest) -> None:
        parts = self.ledger.parts(lease.import_id)
        ready = [part for part in parts if part.state in _NO_JOB_YET]
        work = partial(self._sent, lease, request)
        self.parallel.each(work, ready, at_most=self.max_parallel_calls)

    def _sent(self, lease: Lease, request: JobRequest, part: Part) -> Part:
        if part.state not in _NO_JOB_YET:
            return part
        return self.part_sender.send(lease, request, part)

    def _refuse_rest(self, lease: Lease) -> None:
        """What would be refused the same way is not sent at all."""
        refuse = steps.refused(_NOT_SENT, self.clock.now())
        for part in self.ledger.parts(lease.import_id):
            if part.state in _NO_JOB_YET:
                lease.change_part(part.number, refuse)


def _nothing(_: Part) -> None:
    return None
