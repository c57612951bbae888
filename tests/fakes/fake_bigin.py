"""A small Bigin that takes every row, and can be told to fail at the next call of a kind."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urlsplit

from bigin_import.domain.job_request import Field, Job, JobRequest, JobStatus
from bigin_import.errors import BiginRefusedError, OtherOrganisationError
from bigin_import.ports import ChangedRecord

CONTACT_FIELDS = (
    Field("Email", "Email", "email", length=100),
    Field("Last_Name", "Last Name", "text", length=80, mandatory=True),
    Field("First_Name", "First Name", "text", length=40),
    Field("Phone", "Phone", "phone", length=30),
)


type Verdict = tuple[str, str]
"""STATUS and ERRORS of one row."""


@dataclass(frozen=True, slots=True)
class MadeJob:
    """One job and what it was made from."""

    job: Job
    request: JobRequest
    archive: bytes
    callback_url: str


class FakeBigin:
    """
    The ports Bigin and Records.

    Attributes:
        made: Every job by its id, in order.
        failures: For each call's name, the errors that its next calls raise.
        after_effect: Errors that `create_job` raises after it has made the job.
        runs: While False, jobs stay IN_PROGRESS.
        zgid: The organisation that the access token is for.
        deletions: The ids of each call that deleted records, in order.
        gone: Ids of the records that are deleted.
        locked: Ids of records that Bigin does not delete, with the code that it gives.
        changed: When records were changed by others, by their ids.
        unanswered: Errors that `delete_records` raises after it has deleted.
    """

    def __init__(self) -> None:
        self.made: dict[str, MadeJob] = {}
        self.uploads: dict[str, bytes] = {}
        self.failures: dict[str, deque[Exception]] = {}
        self.after_effect: deque[Exception] = deque()
        self.runs = True
        self.zgid = "10358250"
        self.module_fields: dict[str, tuple[Field, ...]] = {"Contacts": CONTACT_FIELDS}
        self.calls: list[str] = []
        self.deletions: list[list[str]] = []
        self.gone: set[str] = set()
        self.locked: dict[str, str] = {}
        self.changed: dict[str, datetime] = {}
        self.unanswered: deque[Exception] = deque()

    def fail(self, call: str, *errors: Exception) -> None:
        """Let the next calls of the kind *call* fail."""
        self.failures.setdefault(call, deque()).extend(errors)

    def upload(self, archive: bytes, *, name: str, zgid: str) -> str:
        self._check_organisation(zgid)
        self._call("upload")
        file_id = str(5000 + len(self.uploads))
        self.uploads[file_id] = archive
        return file_id

    def create_job(self, request: JobRequest, *, file_id: str, callback_url: str, zgid: str) -> str:
        self._check_organisation(zgid)
        self._call("create_job")
        job_id = str(7000 + len(self.made))
        job = Job(
            job_id=job_id,
            status=JobStatus.IN_PROGRESS,
            operation=request.operation.value,
            module=request.module,
            ignore_empty=request.ignore_empty,
            mappings=frozenset(request.field_mappings),
            callback_path=urlsplit(callback_url).path,
            created_by="Patricia Boyle",
        )
        self.made[job_id] = MadeJob(job, request, self.uploads[file_id], callback_url)
        if self.after_effect:
            raise self.after_effect.popleft()
        return job_id

    def get_job(self, job_id: str) -> Job:
        self._call("job")
        made = self.made[job_id]
        if not self.runs:
            return made.job
        rows = len(self._rows(made)) - 1
        return replace(
            made.job,
            status=JobStatus.COMPLETED,
            download_url=f"/results/{job_id}.zip",
            added=rows,
            updated=0,
            skipped=0,
            total=rows,
        )

    @contextmanager
    def download_result(self, url: str) -> Iterator[BinaryIO]:
        self._call("download_result")
        made = self.made[url.removeprefix("/results/").removesuffix(".zip")]
        header, *rows = self._rows(made)
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([*header[:3], "STATUS", "RECORD_ID", "ERRORS"])
        for number, row in enumerate(rows, 1):
            status, errors = self.verdict(row)
            record_id = "" if errors else f"{made.job.job_id}{number:06d}"
            writer.writerow([*row[:3], status, record_id, errors])
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(f"{made.request.module}-{_entry_of(made)}", text.getvalue())
        packed.seek(0)
        yield packed

    def verdict(self, row: Sequence[str]) -> Verdict:
        """Say what becomes of a row, from its cells in the order in which they were sent."""
        return "ADDED", ""

    def get_fields(self, module: str) -> tuple[Field, ...]:
        self._call("fields")
        if module not in self.module_fields:
            raise BiginRefusedError(
                code="INVALID_MODULE",
                message="the module name given seems to be invalid",
                resolution="Correct the module",
                concerns_mapping=True,
            )
        return self.module_fields[module]

    def get_zgid(self) -> str:
        self._call("zgid")
        return self.zgid

    def get_time_zone(self) -> str:
        self._call("time_zone")
        return "America/Los_Angeles"

    def delete_records(self, module: str, ids: Sequence[str], *, zgid: str) -> dict[str, str]:
        self._check_organisation(zgid)
        self._call("delete_records")
        assert len(ids) <= 100, module
        self.deletions.append(list(ids))
        codes, there = {}, self.record_ids() - self.gone
        for each in ids:
            codes[each] = self.locked.get(each, "SUCCESS" if each in there else "INVALID_DATA")
        self.gone |= {each for each, code in codes.items() if code == "SUCCESS"}
        if self.unanswered:
            raise self.unanswered.popleft()
        return codes

    def list_deleted_ids(self, module: str, ids_of_interest: Collection[str]) -> set[str]:
        self._call("list_deleted_ids")
        return self.gone & set(ids_of_interest)

    def list_changed_since(self, module: str, since: datetime) -> Iterator[ChangedRecord]:
        self._call("list_changed_since")
        latest_first = sorted(self.changed.items(), key=lambda each: each[1], reverse=True)
        for record_id, moment in latest_first:
            if moment >= since and record_id not in self.gone:
                yield ChangedRecord(record_id, moment)

    def get_modified_time(self, module: str, record_id: str) -> datetime | None:
        self._call("get_modified_time")
        there = record_id in self.record_ids() - self.gone
        added_at = datetime.fromtimestamp(0, UTC)
        return self.changed.get(record_id, added_at) if there else None

    def record_ids(self) -> set[str]:
        """Return the ids of all records that jobs have added."""
        return {
            f"{made.job.job_id}{number:06d}"
            for made in self.made.values()
            for number, row in enumerate(self._rows(made)[1:], 1)
            if not self.verdict(row)[1]
        }

    def records(self) -> list[list[str]]:
        """Return every row of every job, in the order in which the jobs were made."""
        return [row for made in self.made.values() for row in self._rows(made)[1:]]

    def _rows(self, made: MadeJob) -> list[list[str]]:
        with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
            text = archive.read(archive.namelist()[0]).decode()
        return list(csv.reader(io.StringIO(text, newline="")))

    def _check_organisation(self, zgid: str) -> None:
        if zgid != self.zgid:
            raise OtherOrganisationError(wanted=zgid, found=self.zgid)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        waiting = self.failures.get(name)
        if waiting:
            raise waiting.popleft()


def _entry_of(made: MadeJob) -> str:
    with zipfile.ZipFile(io.BytesIO(made.archive)) as archive:
        return archive.namelist()[0]
