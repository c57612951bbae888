"""A bulk write job: its states over time and how Get Job Details shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.bigin_twin.create_request import CreateRequest
from tests.bigin_twin.csv_file import CsvFile
from tests.bigin_twin.mappings import Column
from tests.bigin_twin.rows import RowResult
from tests.bigin_twin.settings import Settings
from tests.bigin_twin.uploads import iso_time

FIRST_JOB_ID = 111_111_000_000_541_958
RESULT_SECONDS = 7 * 86_400


@dataclass(slots=True)
class Job:
    """
    A job with its timetable, fixed when it is made.

    Attributes:
        exists_at: From here on Get Job Details knows it.
        begins_at: From here on it is INPROGRESS.
        ends_at: Its rows are written at this moment; None if it is stuck.
        fails: It ends FAILED.
        stops_after: Rows after this many are left unprocessed; None for none.
        source: The CSV; dropped when the job has ended.
        results: What became of each row; empty before the end.
        archive: The result zip; None before the end, or if there is none.
        reported_early: A callback was planned before the end.
    """

    id: str
    request: CreateRequest
    columns: tuple[Column, ...]
    source: CsvFile | None
    exists_at: float
    begins_at: float
    ends_at: float | None
    fails: bool = False
    stops_after: int | None = None
    results: list[RowResult] = field(default_factory=list)
    archive: bytes | None = None
    file_name: str = ""
    ended: bool = False
    reported_early: bool = False

    def status(self, now: float) -> str:
        if self.ended:
            return "FAILED" if self.fails else "COMPLETED"
        return "ADDED" if now < self.begins_at else "INPROGRESS"

    def counts(self) -> dict[str, int]:
        """Return the counts of `file`; unprocessed rows are in none of them."""
        by_status = Counter(result.status for result in self.results)
        counts = {f"{name.lower()}_count": by_status[name] for name in ("ADDED", "SKIPPED")}
        counts["updated_count"] = by_status["UPDATED"]
        counts["total_count"] = sum(counts.values())
        return counts

    def result_available(self, now: float) -> bool:
        return self.archive is not None and now < (self.ends_at or now) + RESULT_SECONDS


def job_details(
    job: Job, now: float, *, module_id: str, user: dict[str, str], url: str, settings: Settings
) -> dict[str, Any]:
    """Return the answer of Get Job Details, with the keys that captured answers have."""
    status = _spelled(job.status(now), settings)
    details: dict[str, Any] = {
        "status": status,
        "character_encoding": job.request.character_encoding,
        "resource": [_resource(job, now, module_id, settings)],
        "id": job.id,
        "created_by": {"id": user["id"], "name": user["name"]},
        "ignore_empty": job.request.ignore_empty,
        "operation": job.request.operation,
        "created_time": iso_time(job.exists_at),
    }
    if job.request.callback is not None and settings.echo_callback:
        callback = job.request.callback
        details["callback"] = {"url": callback.url, "method": callback.method}
    if job.archive is not None:
        details["result"] = {"download_url": url}
    return details


def _resource(job: Job, now: float, module_id: str, settings: Settings) -> dict[str, Any]:
    status = job.status(now)
    # The resource of an ADDED job already says INPROGRESS, and only its code says ADDED.
    running = _spelled("INPROGRESS", settings)
    resource: dict[str, Any] = {
        "status": running if status == "ADDED" else _spelled(status, settings),
        "type": "data",
        "module": {"api_name": job.request.module, "id": module_id},
        "field_mappings": _echoed_mappings(job),
        "code": status,
    }
    if job.request.find_by is not None:
        resource["find_by"] = job.request.find_by
    if not job.ended:
        resource["file"] = {"status": running}
    elif job.results:
        resource["file"] = {"status": status, "name": job.file_name, **job.counts()}
    return resource


def _echoed_mappings(job: Job) -> list[dict[str, Any]]:
    """Return the mappings in an order of Bigin's own: not the order sent."""
    by_name = sorted(job.columns, key=lambda column: column.field.api_name)
    return [column.as_json() for column in by_name]


def _spelled(status: str, settings: Settings) -> str:
    return settings.in_progress if status == "INPROGRESS" else status
