"""
Use case: the row results of one ended job -> what became of each row of its part.

Bigin's zip is kept as it came, then joined with the archive that was sent. A step of its own:
it may be repeated at will, and losing it never means sending anything again.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from typing import BinaryIO

from bigin_import import object_keys
from bigin_import.domain import part_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Operation
from bigin_import.domain.part_record import Attempt, Outcome, Part
from bigin_import.domain.row_result import JobCounts, RowStatus
from bigin_import.domain.states import PartState
from bigin_import.errors import (
    AwsUnavailableError,
    BiginAccessError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    ChangedObjectError,
    MissingObjectError,
    OtherOrganisationError,
    UnreadableItemError,
)
from bigin_import.importing.organisation import check_organisation
from bigin_import.ledger import update
from bigin_import.ports import Bigin, Clock, CollectQueue, Files, Ledger, Telemetry
from bigin_import.row_results.join import JoinedPart, join_part, write_row_results
from bigin_import.settling.close import ImportCloser
from bigin_import.splitting.archive import name_of_entry, read_entry
from bigin_import.stored_plan import read_archive, read_plan, write_row_results_file
from bigin_import.telemetry import report_aws_error, report_bigin_error, report_unreadable_item

# Zoho keeps row results for days. A link that is dead for a whole day stays dead; what cannot be
# had or read for three is not waited for. The rows are then accounted for by Bigin's counts.
DEAD_SECONDS = 24 * 3600
UNREADABLE_SECONDS = 3 * 24 * 3600
OUTAGE_SECONDS = 120  # until what an outage of AWS kept from being done is tried again
_WITHOUT_RESULTS = (
    "Bigin's row results could not be had, so its rows are told apart by Bigin's counts alone."
)


_WITHOUT_ARCHIVE = (
    "What was sent is not in the bucket any more, or something else lies in its place ({key}), so "
    "its rows are told apart by Bigin's counts alone."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """Collects parts, one at a time."""

    ledger: Ledger
    files: Files
    bigin: Bigin
    clock: Clock
    telemetry: Telemetry

    def collect(self, import_id: str, number: int) -> bool:
        """
        Collect a SETTLED part; return whether this call did it.

        Raises:
            BiginError: The results cannot be had now; the part stays SETTLED and due.
        """
        part = self.ledger.load(Part.at(import_id, number))
        attempt = part.attempt if part else None
        if part is None or part.state is not PartState.SETTLED or attempt is None:
            return False
        if attempt.outcome is None:
            return False
        joined = _certain(self._join(part, attempt, attempt.outcome), part)
        body = write_row_results(joined.results)
        sha256 = write_row_results_file(self.files, import_id, number, body)
        step = part_transitions.record_collected(
            joined.results.counts,
            disagree=joined.disagrees,
            results_sha256=sha256,
            now=self.clock.now(),
            warnings=joined.warnings,
        )
        _, changed = update(self.ledger, part.address, step, known=part)
        if changed:
            self._report(part, joined)
        return changed

    def _join(self, part: Part, attempt: Attempt, outcome: Outcome) -> JoinedPart:
        try:
            with ExitStack() as opened:
                results = self._open_results(opened, part, attempt, outcome)
                if results is not None:
                    check_part(results, part)
                return self._join_with(results, part, outcome)
        except BiginError as exc:
            # Without access nothing can be had for now, which rings an alarm and says nothing
            # about these results.
            waits = isinstance(exc, BiginAccessError | OtherOrganisationError)
            if waits or self._is_within(UNREADABLE_SECONDS, outcome):
                raise
        self.telemetry.emit("results_unreadable", import_id=part.import_id, part=part.number)
        return self._join_with(None, part, outcome)

    def _is_within(self, seconds: int, outcome: Outcome) -> bool:
        return self.clock.now() - outcome.at < seconds

    def _open_results(
        self, opened: ExitStack, part: Part, attempt: Attempt, outcome: Outcome
    ) -> BinaryIO | None:
        """Return Bigin's zip, open as long as *opened* is; None if there is none to be had."""
        if outcome.download_url is None:
            return None
        try:
            return opened.enter_context(self.bigin.download_result(outcome.download_url))
        except BiginRefusedError:
            check_organisation(self.ledger, self.bigin, part.import_id)
            self.telemetry.emit("result_link_dead", import_id=part.import_id, part=part.number)
        fresh = self.bigin.get_job(attempt.job_id or "").download_url
        try:
            return opened.enter_context(self.bigin.download_result(fresh)) if fresh else None
        except BiginRefusedError:
            if self._is_within(DEAD_SECONDS, outcome):
                raise
            return None

    def _join_with(self, results: BinaryIO | None, part: Part, outcome: Outcome) -> JoinedPart:
        archive = self._read_archive(part, outcome)
        if results is not None:
            self._keep(part, results)
        operation, find_by = self._read_request(part)
        joined = join_part(
            _unread_rows(part) if archive is None else read_entry(BytesIO(archive)),
            None if results is None or archive is None else read_entry(results),
            existing_is_asked=operation is Operation.INSERT and find_by is not None,
            counts=JobCounts(
                added=outcome.added,
                updated=outcome.updated,
                skipped=outcome.skipped,
                total=outcome.total,
            ),
            key=find_by,
        )
        is_missing = results is None and outcome.download_url is not None
        warnings = (_WITHOUT_RESULTS,) if is_missing else ()
        if archive is None:
            key, *_ = object_keys.archive(part.import_id, part.number, part.sha256)
            warnings = (_WITHOUT_ARCHIVE.format(key=key),)
        return replace(joined, warnings=(*warnings, *joined.warnings))

    def _read_archive(self, part: Part, outcome: Outcome) -> bytes | None:
        """
        Return what was sent of *part*; None if it is not kept any more.

        Raises:
            ChangedObjectError: Something else lies there; for three days the right one may come.
        """
        try:
            return read_archive(self.files, part)
        except (MissingObjectError, ChangedObjectError) as exc:
            is_changed = isinstance(exc, ChangedObjectError)
            if is_changed and self._is_within(UNREADABLE_SECONDS, outcome):
                raise
            self.telemetry.emit("parts_gone", import_id=part.import_id, key=exc.key)
            return None

    def _read_request(self, part: Part) -> tuple[Operation, str | None]:
        """Return operation and `find_by`; for a part of the release before, as its plan says."""
        if part.operation is not None:
            return part.operation, part.find_by
        record = self.ledger.load(Import.at(part.import_id))
        if record is None:
            raise MissingObjectError(object_keys.plan_file(part.import_id, "")[-1])
        try:
            request = read_plan(self.files, record).columns.request
        except (MissingObjectError, ChangedObjectError):
            return Operation(record.operation or Operation.INSERT), None
        return request.operation, request.find_by

    def _keep(self, part: Part, results: BinaryIO) -> None:
        results.seek(0)
        sha256 = hashlib.file_digest(results, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed's BinaryIO lacks readinto
        results.seek(0)
        key = object_keys.result_archive(part.import_id, part.number, sha256)
        with self.files.open_writer(key, content_type="application/zip") as kept:
            shutil.copyfileobj(results, kept)
        results.seek(0)

    def _report(self, part: Part, joined: JoinedPart) -> None:
        counts = joined.results.counts
        self.telemetry.emit(
            "part_collected",
            import_id=part.import_id,
            part=part.number,
            proof=joined.proof.value,
            added=counts.added,
            updated=counts.updated,
            existing=counts.existing,
            refused=counts.refused,
            unprocessed=counts.unprocessed,
            unclear=counts.unclear,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectMessages:
    """Does what the messages of the collect queue ask for."""

    collector: Collector
    closer: ImportCloser
    queue: CollectQueue
    telemetry: Telemetry

    def act(self, import_id: str, part: int | None) -> None:
        """
        Collect *part*, then close its import if that was the last; without a part, only close.

        What cannot be done now stays due in the ledger, and the tick comes back to it: the message
        is done. An import may be due in an hour only, so after an outage it is asked for again.
        """
        try:
            self._act(import_id, part)
        except AwsUnavailableError as exc:
            report_aws_error(self.telemetry, exc, import_id=import_id, part=part)
            self.queue.collect(import_id, part, after_seconds=OUTAGE_SECONDS)
        except BiginError as exc:
            report_bigin_error(self.telemetry, exc, import_id=import_id, part=part)
        except ChangedObjectError as exc:
            self.telemetry.emit("parts_gone", import_id=import_id, key=exc.key)
        except UnreadableItemError as exc:
            report_unreadable_item(self.telemetry, exc)

    def _act(self, import_id: str, part: int | None) -> None:
        if part is None:
            self.closer.finish(import_id)
            return
        self.collector.collect(import_id, part)
        self.closer.finish_after_part(import_id)


def check_part(results: BinaryIO, part: Part) -> None:
    """
    Refuse row results that are named after the file of another part.

    Two jobs of one part have a file of the same name and the same rows: nothing in their results
    tells them apart.

    Raises:
        BiginOutcomeUnknownError: They are another part's; the next answer may be the right one.
    """
    named = object_keys.part_of_entry(name_of_entry(results))
    if named is not None and named != (part.import_id, part.number):
        raise BiginOutcomeUnknownError(f"the row results are of part {named[1]} of {named[0]}")


def _unread_rows(part: Part) -> BytesIO:
    """Return as many rows as *part* has, no two of them equal: what is in them is not known."""
    return BytesIO(b"row\n" + b"".join(b"%d\n" % row for row in range(part.rows)))


def _certain(joined: JoinedPart, part: Part) -> JoinedPart:
    """
    Return *joined* without rows that an earlier attempt may have written.

    Where the create was repeated, its predecessor may have made a job that we never heard of:
    what the last job left unprocessed is then not certain to be missing.
    """
    if len(part.attempts) == 1 and len(part.job_ids) == 1:
        return joined
    statuses = [
        RowStatus.UNCLEAR if status is RowStatus.UNPROCESSED else status
        for status in joined.results.statuses
    ]
    return replace(joined, results=joined.results._replace(statuses=statuses))
