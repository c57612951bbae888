"""
Use case: a job -> its verified outcome.

What counts is Bigin's own answer to our question, whoever made us ask: a callback, which is
only a hint, or the tick, when no callback came.
"""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.domain import part_transitions
from bigin_import.domain.job_request import Job
from bigin_import.domain.part_record import Outcome, Part
from bigin_import.domain.states import ClosedBy, PartState
from bigin_import.errors import BiginRefusedError
from bigin_import.importing.metadata_cache import check_organisation
from bigin_import.ledger import update
from bigin_import.ports import Bigin, Clock, CollectQueue, Ledger, Telemetry


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
