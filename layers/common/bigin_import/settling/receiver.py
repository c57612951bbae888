"""
Use case: a callback with a valid signature -> the question to Bigin that it is a reason for.

A callback may come before the create call has its answer, late, twice or never, and its body
is undocumented. It never fails for Bigin's sake: what cannot be asked now, the tick asks.
"""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import import places
from bigin_import.callback import CallbackTarget
from bigin_import.changes import change
from bigin_import.errors import BiginError
from bigin_import.models import Job
from bigin_import.ports import Bigin, CallbackUrls, Clock, Ledger, Observer
from bigin_import.records import Attempt, ClosedBy, Import, Part, PartState, steps
from bigin_import.settling.settler import Settler

ASK_AGAIN_SECONDS = 10  # callbacks of one part make us ask Bigin at most this often
_DONE = (PartState.SETTLED, PartState.COLLECTED, PartState.REFUSED, PartState.GIVEN_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Everything job_callback does once the signature is verified."""

    ledger: Ledger
    bigin: Bigin
    urls: CallbackUrls
    settler: Settler
    clock: Clock
    observer: Observer

    def receive(self, target: CallbackTarget, hint: str | None) -> None:
        """
        Act on a callback.

        Args:
            hint: The job id that the body named, if it named one; not to be believed.
        """
        address = Part.at(target.import_id, target.part)
        part = self.ledger.load(address)
        if part is None or (part.state in _DONE and not _is_news(part, hint)):
            self._saw("callback_stale", target)
            return
        self._saw("callback_accepted", target)
        step = steps.called_back(target.attempt, self.clock.now())
        part, _ = change(self.ledger, address, step)
        attempt = part.numbered(target.attempt) if part else None
        if part is None or attempt is None:
            return
        job_id = hint if _is_news(part, hint) else attempt.job_id
        if job_id is not None and self._is_first(part):
            self._ask(part, attempt, job_id)

    def _is_first(self, part: Part) -> bool:
        """Tell whether no other callback has made us ask for this part just now."""
        step = steps.asked(self.clock.now(), ASK_AGAIN_SECONDS)
        _, first = change(self.ledger, part.address, step)
        return first

    def _ask(self, part: Part, attempt: Attempt, job_id: str) -> None:
        try:
            job = self.bigin.job(job_id)
        except BiginError as exc:
            # The callback made the part due at once, so the tick asks within a minute.
            code = getattr(exc, "code", type(exc).__name__)
            self.observer.saw("bigin_failed", import_id=part.import_id, code=code)
            return
        if attempt.job_id == job.job_id or self._adopt(part, attempt, job):
            self.settler.settle(part, attempt.number, job, ClosedBy.CALLBACK)

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
        if current is not None and current.job_id == job.job_id:
            return True
        self._note(part, attempt, job)
        return False

    def _note(self, part: Part, attempt: Attempt, job: Job) -> None:
        """Keep a job that the part does not go on with: people must look for doubled records."""
        step = steps.turned_up(attempt.number, job.job_id)
        noted, changed = change(self.ledger, part.address, step)
        if noted is None or not changed:
            return
        if len(noted.job_ids) > 1:
            self.observer.saw(
                "second_job", import_id=part.import_id, part=part.number, job_id=job.job_id
            )
        else:
            self.observer.saw(
                "late_job", import_id=part.import_id, part=part.number, job_id=job.job_id
            )

    def _fits(self, part: Part, job: Job) -> bool:
        """Without an echoed callback, our own file name and the module prove a new job."""
        record = self.ledger.load(Import.at(part.import_id))
        return (
            record is not None
            and job.job_id not in part.job_ids
            and job.file_name == places.entry_name(part.import_id, part.number)
            and job.module == record.module
        )

    def _saw(self, event: str, target: CallbackTarget) -> None:
        self.observer.saw(
            event, import_id=target.import_id, part=target.part, attempt=target.attempt
        )


def _is_news(part: Part, hint: str | None) -> bool:
    """Tell whether a callback names a job that we do not know: perhaps a second one."""
    return hint is not None and hint not in part.job_ids
