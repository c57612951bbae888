"""
Use case: a callback or the tick -> the question to Bigin -> what became of a job.

What counts is Bigin's own answer to our question, whoever made us ask. A callback is only a hint:
it may come before the create call has its answer, late, twice or never, and its body is
undocumented. It never fails for Bigin's sake: what cannot be asked now, the tick asks. Anybody
who knows the address may name a job; it is an attempt's if Bigin says that it reports to it or,
where Bigin sends no address back, has our file.
"""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import import object_keys
from bigin_import.callback_url import NOBODY, CallbackTarget
from bigin_import.domain import part_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Job, is_same_module
from bigin_import.domain.part_record import Attempt, Outcome, Part
from bigin_import.domain.states import ClosedBy, PartState
from bigin_import.errors import BiginError, BiginRefusedError, UnreadableItemError
from bigin_import.importing.organisation import check_organisation
from bigin_import.ledger import update
from bigin_import.ports import Bigin, CallbackUrls, Clock, CollectQueue, Ledger, Telemetry
from bigin_import.telemetry import report_bigin_error, report_unreadable_item


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPoller:
    """Finds out what became of jobs and writes it down, once."""

    ledger: Ledger
    bigin: Bigin
    queue: CollectQueue
    clock: Clock
    telemetry: Telemetry

    def look(self, part: Part) -> None:
        """
        Ask for the job of a CREATED part because no callback came in time.

        Raises:
            BiginError: Bigin did not answer; the part stays due.
        """
        attempt = part.attempt
        if part.state is not PartState.CREATED or attempt is None or attempt.job_id is None:
            return
        job = self.get_job(part, attempt.job_id)
        self.settle(part, attempt.number, job, ClosedBy.TICK)

    def get_job(self, part: Part, job_id: str) -> Job:
        """
        Return what Bigin says of a job that is said to be of *part*.

        Raises:
            BiginRefusedError: There is no such job, or none that we may see.
            OtherOrganisationError: Bigin was asked with another organisation's token.
        """
        try:
            return self.bigin.get_job(job_id)
        except BiginRefusedError:
            check_organisation(self.ledger, self.bigin, part.import_id)
            raise

    def settle(self, part: Part, attempt: int, job: Job, closed_by: ClosedBy) -> None:
        """Write down what *job* came to, if it has ended; *job* is Bigin's answer for *attempt*."""
        if not job.status.is_final:
            return
        outcome = Outcome(
            status=job.status.value,
            added=job.added,
            updated=job.updated,
            skipped=job.skipped,
            total=job.total,
            download_url=job.download_url,
            message=job.message,
            created_by=job.created_by,
            closed_by=closed_by,
            at=self.clock.now(),
        )
        step = part_transitions.record_outcome(attempt, outcome)
        _, changed = update(self.ledger, part.address, step, known=part)
        if changed:
            self._report(part, job, closed_by)
            self.queue.collect(part.import_id, part.number)

    def _report(self, part: Part, job: Job, closed_by: ClosedBy) -> None:
        self.telemetry.emit(
            "job_settled",
            import_id=part.import_id,
            part=part.number,
            job_id=job.job_id,
            closed_by=closed_by.value,
            status=job.status.value,
            added=job.added,
            updated=job.updated,
            skipped=job.skipped,
        )


CLOCKS_SECONDS = 300  # how far Bigin's clock and ours may be apart


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMatcher:
    """Asks Bigin about jobs that callbacks named."""

    ledger: Ledger
    urls: CallbackUrls
    poller: JobPoller
    queue: CollectQueue
    clock: Clock
    telemetry: Telemetry

    def ask(self, part: Part, attempt: Attempt, job_id: str, closed_by: ClosedBy) -> None:
        """
        Ask for *job_id*; if it is the job of *attempt*, write down what became of it.

        Raises:
            BiginError: Bigin did not answer; what was named is kept, the part stays due.
            BiginRefusedError: There is no such job, or none that we may see.
        """
        try:
            job = self.poller.get_job(part, job_id)
        except BiginRefusedError:
            self._forget(part, attempt, job_id)
            raise
        if attempt.job_id == job.job_id:
            self.poller.settle(part, attempt.number, job, closed_by)
        elif (adopted := self._adopt(part, attempt, job)) is not None:
            self.poller.settle(adopted, attempt.number, job, closed_by)
        self._forget(part, attempt, job_id)

    def ask_about_hint(self, part: Part) -> None:
        """
        Ask for the job that a callback named while Bigin could not be asked, if there is one.

        Raises:
            BiginError: As `ask` does.
        """
        for attempt in part.attempts:
            if attempt.hint is not None:
                self.ask(part, attempt, attempt.hint, ClosedBy.TICK)

    def verify(self, job: Job, part: Part, attempt: Attempt) -> bool:
        """Return whether Bigin's answer shows that *job* was made by *attempt*."""
        named = self.urls.names(job, part.import_id, part.number, attempt.number)
        return self._verify_file_name(part, attempt, job) if named is None else named

    def _forget(self, part: Part, attempt: Attempt, job_id: str) -> None:
        if attempt.hint == job_id:
            update(self.ledger, part.address, part_transitions.clear_hint(attempt.number, job_id))

    def _adopt(self, part: Part, attempt: Attempt, job: Job) -> Part | None:
        """Go on with *job*, if it is proven to be of *attempt*; return the part that does."""
        if not self.verify(job, part, attempt):
            self.telemetry.emit("adoption_unproven", import_id=part.import_id, part=part.number)
            return None
        step = part_transitions.record_job(attempt.number, job.job_id, self.clock.now())
        adopted, changed = update(self.ledger, part.address, step, known=part)
        if changed and part.state is not PartState.CREATING:
            self.queue.collect(part.import_id)  # it may have been all that the import waited for
        current = adopted.attempt if adopted else None
        if current is not None and current.job_id == job.job_id:
            return adopted
        self._note(part, attempt, job)
        return None

    def _note(self, part: Part, attempt: Attempt, job: Job) -> None:
        """Keep a job that the part does not go on with: people must look for doubled records."""
        step = part_transitions.record_extra_job(attempt.number, job.job_id)
        noted, changed = update(self.ledger, part.address, step)
        if noted is None or not changed:
            return
        facts: dict[str, str | int] = {
            "import_id": part.import_id,
            "part": part.number,
            "job_id": job.job_id,
        }
        if len(noted.job_ids) > 1:
            self.telemetry.emit("second_job", **facts)
        else:
            self.telemetry.emit("late_job", **facts)

    def _verify_file_name(self, part: Part, attempt: Attempt, job: Job) -> bool:
        """Without an echoed callback, our own file name, module and time prove a new job."""
        record = self.ledger.load(Import.at(part.import_id))
        made_at = attempt.started_at if job.created_at is None else job.created_at
        return (
            record is not None
            and job.job_id not in part.job_ids
            and job.file_name == object_keys.entry_name(part.import_id, part.number)
            and is_same_module(job.module, record.module)
            and made_at >= attempt.started_at - CLOCKS_SECONDS
        )


ASK_AGAIN_SECONDS = 10  # callbacks of one part make us ask Bigin at most this often
REPORT_REFUSED_EVERY_SECONDS = 10
_DONE = (PartState.SETTLED, PartState.COLLECTED, PartState.JOB_REFUSED, PartState.GIVEN_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRecorder:
    """Everything job_callback does once the signature is verified."""

    ledger: Ledger
    job_matcher: JobMatcher
    clock: Clock
    telemetry: Telemetry

    def receive(self, target: CallbackTarget, hint: str | None) -> None:
        """
        Act on a callback.

        Args:
            hint: The job id that the body named, if it named one; not to be believed.
        """
        try:
            self._record(target, hint)
        except UnreadableItemError as exc:  # asked for when a release that knows it is back
            report_unreadable_item(self.telemetry, exc)

    def _record(self, target: CallbackTarget, hint: str | None) -> None:
        address = Part.at(target.import_id, target.part)
        part = self.ledger.load(address)
        if part is None or (part.state in _DONE and not _is_news(part, hint)):
            self._emit("callback_stale", target)
            return
        self._emit("callback_accepted", target)
        news = hint if _is_news(part, hint) else None
        step = part_transitions.record_callback(target.attempt, self.clock.now(), news)
        part, _ = update(self.ledger, address, step, known=part)
        attempt = part.numbered(target.attempt) if part else None
        if part is None or attempt is None:
            return
        job_id = news or attempt.job_id
        if job_id is None:
            return
        step = part_transitions.record_question(self.clock.now(), ASK_AGAIN_SECONDS)
        part, is_first = update(self.ledger, address, step, known=part)
        if part is not None and is_first:
            self._ask(part, attempt, job_id)

    def _ask(self, part: Part, attempt: Attempt, job_id: str) -> None:
        try:
            self.job_matcher.ask(part, attempt, job_id, ClosedBy.CALLBACK)
        except BiginError as exc:
            # The callback made the part due at once, so the tick asks within a minute.
            report_bigin_error(self.telemetry, exc, import_id=part.import_id, part=part.number)

    def _emit(self, event: str, target: CallbackTarget) -> None:
        self.telemetry.emit(
            event, import_id=target.import_id, part=target.part, attempt=target.attempt
        )


def _is_news(part: Part, hint: str | None) -> bool:
    """Return whether a callback names a job that we do not know: perhaps a second one."""
    return hint is not None and hint not in part.job_ids


@dataclass(slots=True, kw_only=True)
class RefusedCallbacks:
    """
    Counts what strangers send, and reports it in samples: they shall not fill our log.

    Attributes:
        waiting: Refused since the last report; a container that ends takes them with it.
        probes: How many of them name nobody's import, as the doctor's do.
        reported_at: When that was.
    """

    telemetry: Telemetry
    waiting: int = 0
    probes: int = 0
    reported_at: int = 0

    def record(self, import_id: str, address: str | None, now: int) -> None:
        """Count one, and report all that wait if the last report is old enough."""
        self.waiting += 1
        self.probes += import_id == NOBODY
        if now - self.reported_at < REPORT_REFUSED_EVERY_SECONDS:
            return
        if self.probes == self.waiting:
            self.telemetry.emit("callback_probed", address=address, refused=self.waiting)
        else:
            self.telemetry.emit("callback_refused", address=address, refused=self.waiting)
        self.waiting, self.probes, self.reported_at = 0, 0, now
