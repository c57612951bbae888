"""A Bigin that refuses some rows, and has the records of some others already."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from bigin_import.models import Job, JobStatus
from tests.fakes.fake_bigin import FakeBigin

type Verdict = tuple[str, str]
"""STATUS and ERRORS of one row."""


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

    def job(self, job_id: str) -> Job:
        job = super().job(job_id)
        if job_id in self.failed:
            failed = replace(job, status=JobStatus.FAILED, message=self.failed[job_id])
            return replace(failed, download_url=None, added=0, skipped=0)
        if not job.status.is_final:
            return job
        counts = Counter(self.judge(row)[0] for row in self._rows(self.made[job_id])[1:])
        added, updated, skipped = (counts[word] for word in ("ADDED", "UPDATED", "SKIPPED"))
        return replace(job, added=added, updated=updated, skipped=skipped)

    @contextmanager
    def download_result(self, url: str) -> Iterator[BinaryIO]:
        self._call("download_result")
        made = self.made[url.removeprefix("/results/").removesuffix(".zip")]
        header, *rows = self._rows(made)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([*header[:3], "STATUS", "RECORD_ID", "ERRORS"])
        for number, row in enumerate(rows, 1):
            status, errors = self.judge(row)
            record_id = "" if errors else f"{made.job.job_id}{number:06d}"
            writer.writerow([*row[:3], status, record_id, errors])
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("Contacts-bulkwrite.csv", text.getvalue())
        packed.seek(0)
        yield packed
