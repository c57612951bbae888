"""
Use case: a job -> its verified outcome.

A callback is only a hint and may come early, late, twice or never; what counts is Bigin's own
answer to our question. The tick asks the same question when no callback comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import import places, steps
from bigin_import.callback import CallbackTarget
from bigin_import.changes import change
from bigin_import.errors import BiginError
from bigin_import.models import Job
from bigin_import.ports import Bigin, CallbackUrls, Clock, CollectQueue, Ledger, Observer
from bigin_import.records import Attempt, ClosedBy, Import, Outcome, Part, PartState

ASK_AGAIN_SECONDS = 10  # callbacks of one part make us ask Bigin at most this often
_DONE = (PartState.SETTLED, PartState.COLLECTED, PartState.REFUSED, PartState.GIVEN_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settler:
    """Finds out what became of jobs and writes it down, once."""

    ledger: Ledger
    bigin: Bigin
    urls: CallbackUrls
    queue: CollectQueue
    clock: Clock
    observer: Observer

    def called_back(self, target: CallbackTarget, hint: str | None) -> None:
        """
        Act on a callback whose signature is valid.

        Never fails for Bigin's sake: if Bigin cannot be asked now, the part is due at once
        and the next tick asks.

        Args:
            hint: The job id that the body named, if it named one.
        """
        address = Part.at(target.import_id, target.part)
        part = self.ledger.load(address)
        if part is None or part.state in _DONE:
            self._saw("callback_stale", target)
            return
        self._saw("callback_accepted", target)
        now = self.clock.now()
        part, _ = change(self.ledger, address, steps.called_back(target.attempt, now, hint))
        if part is None or part.attempt is None or part.attempt.number != target.attempt:
            return
        job_id = part.attempt.job_id or hint
        if job_id is None:
            return
        _, first = change(self.ledger, address, steps.asked(now, ASK_AGAIN_SECONDS))
        if first:
            self._ask(part, part.attempt, job_id)

    def _ask(self, part: Part, attempt: Attempt, job_id: str) -> None:
        try:
            job = self.bigin.job(job_id)
        except BiginError as exc:
            self._bigin_failed(part, exc)
            return
        if attempt.job_id is None and not self._adopt(part, attempt, job):
            return
        self._settle(part, attempt.number, job, ClosedBy.CALLBACK)

    def look(self, part: Part) -> None:
        """
        Ask for the job of a CREATED part because no callback came in time.

        Raises:
            BiginError: Bigin did not answer; the part stays due.
        """
        attempt = part.attempt
        if part.state is not PartState.CREATED or attempt is None or attempt.job_id is None:
            return
        job = self.bigin.job(attempt.job_id)
        self._settle(part, attempt.number, job, ClosedBy.TICK)

    def _adopt(self, part: Part, attempt: Attempt, job: Job) -> bool:
        """Take *job* for the one of an unanswered create, if Bigin's own answer proves it."""
        proven = self.urls.names(job, part.import_id, part.number, attempt.number)
        if proven is None:
            proven = self._fits(part, job)
        if not proven:
            self.observer.saw("adoption_unproven", import_id=part.import_id, part=part.number)
            return False
        step = steps.created(attempt.number, job.job_id, self.clock.now())
        adopted, _ = change(self.ledger, part.address, step)
        current = adopted.attempt if adopted else None
        return current is not None and current.job_id == job.job_id

    def _fits(self, part: Part, job: Job) -> bool:
        """Without an echoed callback, our own file name and the module prove the job."""
        record = self.ledger.load(Import.at(part.import_id))
        return (
            record is not None
            and job.file_name == places.entry_name(part.import_id, part.number)
            and job.module == record.module
        )

    def _settle(self, part: Part, number: int, job: Job, closed_by: ClosedBy) -> None:
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
            closed_by=closed_by,
            at=self.clock.now(),
        )
        _, changed = change(self.ledger, part.address, steps.settled(number, outcome))
        if changed:
            self._report(part, job, closed_by)
            self.queue.collect(part.import_id, part.number)

    def _report(self, part: Part, job: Job, closed_by: ClosedBy) -> None:
        self.observer.saw(
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

    def _bigin_failed(self, part: Part, exc: BiginError) -> None:
        self.observer.saw(
            "bigin_failed",
            import_id=part.import_id,
            part=part.number,
            code=getattr(exc, "code", type(exc).__name__),
        )

    def _saw(self, event: str, target: CallbackTarget) -> None:
        self.observer.saw(
            event, import_id=target.import_id, part=target.part, attempt=target.attempt
        )
