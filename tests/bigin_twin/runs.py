"""The life of jobs: when each begins and ends, what it writes, when it is reported."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.bigin_twin.callbacks import CallbackQueue
from tests.bigin_twin.catalogue import Catalogue
from tests.bigin_twin.create_request import CreateRequest
from tests.bigin_twin.csv_file import CsvFile
from tests.bigin_twin.faults import FaultName, Faults
from tests.bigin_twin.jobs import FIRST_JOB_ID, Job
from tests.bigin_twin.mappings import Column
from tests.bigin_twin.records import Tables
from tests.bigin_twin.results import result_archive
from tests.bigin_twin.rows import RowResult, RowWriter
from tests.bigin_twin.settings import Settings


@dataclass(frozen=True, slots=True)
class Order:
    """A create request that was found good, with its file and its columns."""

    request: CreateRequest
    source: CsvFile
    columns: tuple[Column, ...]


class Runs:
    """All jobs; *tables_of*: the records that one writes."""

    def __init__(
        self,
        catalogue: Catalogue,
        tables_of: Callable[[Job], Tables],
        faults: Faults,
        rng: random.Random,
    ) -> None:
        self._catalogue = catalogue
        self._tables_of = tables_of
        self._faults = faults
        self._rng = rng
        self.jobs: dict[str, Job] = {}
        self.callbacks = CallbackQueue()
        #: (end, number, job id): jobs that end at the same moment end in the order made.
        self._running: list[tuple[float, int, str]] = []

    def start(self, order: Order, now: float, settings: Settings) -> Job:
        """Make a job; the faults that stand decide now what will become of it."""
        exists_at = now + settings.create_late_seconds
        begins_at = exists_at + settings.added_seconds
        work = settings.job_seconds + settings.row_seconds * len(order.source.rows)
        stuck = self._faults.take(FaultName.JOB_STUCK, now) is not None
        job = Job(
            id=str(FIRST_JOB_ID + len(self.jobs)),
            request=order.request,
            columns=order.columns,
            source=order.source,
            file_name=order.source.name,
            exists_at=exists_at,
            begins_at=begins_at,
            ends_at=None if stuck else begins_at + work,
        )
        self._plan_failure(job, now)
        self.jobs[job.id] = job
        if job.ends_at is not None:
            heapq.heappush(self._running, (job.ends_at, len(self.jobs), job.id))
        self._plan_early_callback(job, now, settings)
        return job

    def advance(self, now: float, settings: Settings) -> None:
        """Let every job end whose time has come, in the order of their ends."""
        while self._running and self._running[0][0] <= now:
            ends_at, _, job_id = heapq.heappop(self._running)
            job = self.jobs[job_id]
            self._end(job, ends_at, settings)
            self._plan_callbacks(job, ends_at, settings)

    def next_end(self) -> float | None:
        return self._running[0][0] if self._running else None

    def _plan_failure(self, job: Job, now: float) -> None:
        failed = self._faults.take(FaultName.JOB_FAILED, now)
        broken_off = failed or self._faults.take(FaultName.ROWS_UNPROCESSED, now)
        if broken_off:
            job.stops_after = broken_off.after_rows
        job.fails = failed is not None

    def _end(self, job: Job, ends_at: float, settings: Settings) -> None:
        """Write the rows and the result file. A job that fails at once has neither."""
        source, job.source, job.ended = job.source, None, True
        if source is None or (job.fails and not job.stops_after):
            return
        job.results = self._write_rows(job, source, ends_at, settings)
        job.archive = result_archive(
            job.request.module,
            source,
            job.columns,
            job.results,
            settings=settings,
            rng=self._rng,
        )

    def _write_rows(
        self, job: Job, source: CsvFile, now: float, settings: Settings
    ) -> list[RowResult]:
        writer = RowWriter(
            job.id,
            job.request,
            job.columns,
            catalogue=self._catalogue,
            tables=self._tables_of(job),
            settings=settings,
            now=now,
        )
        handled = len(source.rows) if job.stops_after is None else job.stops_after
        results = [writer.write(row) for row in source.rows[:handled]]
        return results + [RowResult("UNPROCESSED")] * (len(source.rows) - len(results))

    def _plan_early_callback(self, job: Job, now: float, settings: Settings) -> None:
        if job.request.callback is None:
            return
        if settings.callback_when == "before_answer":
            self._report_early(job, job.exists_at)
        elif settings.callback_when == "before_completed" or (
            self._faults.take(FaultName.CALLBACK_EARLY, now)
        ):
            self._report_early(job, (job.begins_at + (job.ends_at or job.begins_at)) / 2)

    def _report_early(self, job: Job, due: float) -> None:
        job.reported_early = True
        self.callbacks.add(job.id, due)

    def _plan_callbacks(self, job: Job, ends_at: float, settings: Settings) -> None:
        """Report the end; an early report was the first of `callback_times`."""
        if job.request.callback is None or settings.callback_when == "never":
            return
        if self._faults.take(FaultName.CALLBACK_LOST, ends_at):
            return
        for _ in range(settings.callback_times - job.reported_early):
            self.callbacks.add(job.id, ends_at + settings.callback_delay_seconds)
