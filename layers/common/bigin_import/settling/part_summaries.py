"""What is told of one part and its job: what it cost, what became of it, why. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from bigin_import.models import Counts, JobStatus
from bigin_import.models.findings import JobCounts
from bigin_import.records import Part, PartState
from bigin_import.report.figures import sentence
from bigin_import.report.summary import PartSummary

FAILED = JobStatus.FAILED.value
CREDITS_PER_JOB = 500  # Bigin's API limits page: "Bulk Write initialise"


def part_summary(part: Part) -> PartSummary:
    attempt = part.attempt
    outcome = attempt.outcome if attempt else None
    return PartSummary(
        number=part.number,
        state=part.state.value,
        rows=part.rows,
        first_row=part.first_row,
        last_row=part.last_row,
        job_ids=part.job_ids,
        closed_by=outcome.closed_by.value if outcome else "",
        seconds=outcome.at - part.created_at if outcome and part.created_at else None,
        credits=CREDITS_PER_JOB * _charged(part),
        counts=_counts(part),
        reported=JobCounts(outcome.added, outcome.updated, outcome.skipped, outcome.total)
        if outcome
        else None,
        disagrees=part.counts_disagree,
        note=_note(part),
    )


def _charged(part: Part) -> int:
    """Count the jobs that Bigin made, or may have made, for *part*."""
    unasked = sum(len(attempt.other_job_ids) for attempt in part.attempts)
    was_refused = part.refusal is not None and part.refusal.attempt is not None
    return len(part.attempts) + unasked - (1 if was_refused else 0)


def is_in_doubt(part: Part) -> bool:
    """Tell whether a refused part has an earlier attempt that may have made a job after all."""
    return part.refusal is not None and part.state is PartState.GIVEN_UP


def _counts(part: Part) -> Counts | None:
    return Counts(unclear=part.rows) if is_in_doubt(part) else part.counts


def why_unclear(part: Part) -> str:
    """Say why it is not certain what became of a part's rows; "" if Bigin's results say it."""
    attempt = part.attempt
    if is_in_doubt(part):
        return "Bigin never said whether it made an earlier job for these rows"
    if part.state in (PartState.HELD, PartState.UNKNOWN):
        return "Bigin never said whether it made the job"
    if part.state is PartState.GIVEN_UP and attempt is not None:
        return (
            "The job never ended, and the waiting was ended"
            if attempt.job_id
            else "Bigin never said whether it made the job, and the waiting was ended"
        )
    if attempt is not None and attempt.outcome is not None and attempt.outcome.status == FAILED:
        words = f": {attempt.outcome.message}" if attempt.outcome.message else ""
        return f"Bigin says that the job failed{words}"
    return ""


def _note(part: Part) -> str:
    return " ".join(sentence(each) for each in _remarks(part) if each)


def _remarks(part: Part) -> Iterator[str]:
    if part.refusal is not None:
        yield f"{part.refusal.code}: {part.refusal.message}"
        yield part.refusal.resolution
    yield why_unclear(part)
    jobs = part.job_ids
    if len(jobs) > 1:
        yield f"Bigin made {len(jobs)} jobs for it, {_listed(jobs)}; look for doubled records"
    elif len(part.attempts) > 1 and part.state is PartState.COLLECTED:
        yield (
            "Bigin did not answer the first create, so it was repeated; "
            "added and updated may be those of the repetition"
        )


def _listed(names: tuple[str, ...]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
