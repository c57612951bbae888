"""Bigin's answer for one job."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bigin_import.models.request import FieldMapping


class JobStatus(StrEnum):
    """States of a Bigin job, normalised: "IN PROGRESS" and "INPROGRESS" are one."""

    ADDED = "ADDED"
    IN_PROGRESS = "INPROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class Job:
    """
    Bigin's own answer for one job (Get Bulk Write Job Details). What it left out is None.

    Attributes:
        mappings: `field_mappings` as sent back, as a set: their order is not the order sent.
        callback_path: Path of the echoed callback URL; it holds our signature, so it has no
            place in a log.
        download_url: Where the row results are, as Bigin wrote it (it may be relative).
        created_at: When Bigin made it, in seconds since the epoch.
        message: Bigin's words about a failure, if it gave any.
    """

    job_id: str
    status: JobStatus
    operation: str | None = None
    module: str | None = None
    file_name: str | None = None
    ignore_empty: bool | None = None
    mappings: frozenset[FieldMapping] | None = None
    callback_path: str | None = field(default=None, repr=False)
    download_url: str | None = None
    added: int | None = None
    updated: int | None = None
    skipped: int | None = None
    total: int | None = None
    message: str | None = None
    created_at: int | None = None
