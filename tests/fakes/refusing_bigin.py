"""A Bigin that refuses some rows, and has the records of some others already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from bigin_import.domain.job_request import Job, JobStatus
from tests.fakes.fake_bigin import FakeBigin, Verdict


def takes_all(_: Sequence[str]) -> Verdict:
    return "ADDED", ""


class RefusingBigin(FakeBigin):
    """
    The Bigin port.

    Attributes:
        judge: Says what becomes of a row, from its cells in the order in which they were sent.
        failed: Jobs that Bigin gives up as a whole, with its words about it.
    """

    def __init__(self, judge: Callable[[Sequence[str]], Verdict] = takes_all) -> None:
        super().__init__()
        self.judge = judge
        self.failed: dict[str, str] = {}

    def get_job(self, job_id: str) -> Job:
        job = super().get_job(job_id)
        if job_id in self.failed:
            failed = replace(job, status=JobStatus.FAILED, message=self.failed[job_id])
            return replace(failed, download_url=None, added=0, skipped=0)
        if not job.status.is_final:
            return job
        counts = Counter(self.verdict(row)[0] for row in self._rows(self.made[job_id])[1:])
        added, updated, skipped = (counts[word] for word in ("ADDED", "UPDATED", "SKIPPED"))
        return replace(job, added=added, updated=updated, skipped=skipped)

    def verdict(self, row: Sequence[str]) -> Verdict:
        return self.judge(row)
