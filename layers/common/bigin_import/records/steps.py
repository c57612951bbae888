"""
Every step a part takes, as a pure function from the part as it stands to the part as it should be.

Each returns None where the step does not apply any more, so that late, repeated and crossing
events change nothing. `changes.change` writes what they return. Times in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bigin_import.models import Counts
from bigin_import.records import Attempt, OpenKind, Outcome, Part, PartState, Refusal

type Step = Callable[[Part], Part | None]

FIRST_LOOK_SECONDS = 60
BACK_OFF_SECONDS = (60, 120, 300, 600, 1800)  # between questions about a job without a callback
HOUR_SECONDS = 3600
FILE_SECONDS = 24 * 3600  # how long an upload serves; Bigin says nothing about it
DAY_SECONDS = 24 * 3600
_ABANDONED = Refusal(
    code="NOT_SENT",
    message="Not sent, because the import ended before its turn",
    resolution="Drop the rows of this file again",
)
BEFORE_CREATE = (PartState.STORED, PartState.UPLOADED)
_UNDECIDED = (PartState.CREATING, PartState.UNKNOWN, PartState.HELD)


def uploaded(file_id: str, now: int) -> Step:
    """The archive is at Bigin; a later upload replaces an earlier one."""

    def step(part: Part) -> Part | None:
        if part.state not in BEFORE_CREATE:
            return None
        return replace(part, state=PartState.UPLOADED, file_id=file_id, uploaded_at=now)

    return step


def creating(now: int, decide_after: int) -> Step:
    """The create call is about to leave; not beside an earlier one whose job may be there."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.UPLOADED or _is_in_doubt(part):
            return None
        attempt = Attempt(number=len(part.attempts) + 1, started_at=now, decide_after=decide_after)
        return replace(part, state=PartState.CREATING, attempts=(*part.attempts, attempt))

    return step


def never_sent(number: int) -> Step:
    """The create of attempt *number* certainly had no effect, so it never was an attempt."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.CREATING or current_attempt(part, number) is None:
            return None
        return replace(part, state=PartState.UPLOADED, attempts=part.attempts[:-1])

    return step


def refused(refusal: Refusal, now: int) -> Step:
    """
    No row of the part is in Bigin, and none will be through this drop.

    Unless an earlier create of it was never answered: then nobody knows, and it is given up.
    """

    def step(part: Part) -> Part | None:
        if part.state not in (*BEFORE_CREATE, PartState.CREATING):
            return None
        of = part.attempt if part.state is PartState.CREATING else None
        earlier = part.attempts if of is None else part.attempts[:-1]
        is_certain = all(attempt.written_off for attempt in earlier)
        return replace(
            _closed(part),
            state=PartState.REFUSED if is_certain else PartState.GIVEN_UP,
            refusal=replace(refusal, attempt=of.number if of else None),
            counts=Counts(unprocessed=part.rows) if is_certain else Counts(unclear=part.rows),
            collected_at=now,
        )

    return step


def created(number: int, job_id: str, now: int) -> Step:
    """Attempt *number* made job *job_id*; known from the answer, or proven by adoption."""

    def step(part: Part) -> Part | None:
        attempt = current_attempt(part, number)
        undecided = part.state in (*_UNDECIDED, *BEFORE_CREATE)
        if not undecided or attempt is None or attempt.job_id not in (None, job_id):
            return None
        return replace(
            with_attempt(part, replace(attempt, job_id=job_id, hint=None)),
            state=PartState.CREATED,
            created_at=now,
            polls=0,
            open=OpenKind.WORK,
            due_at=now + FIRST_LOOK_SECONDS,
        )

    return step


def settled(number: int, outcome: Outcome) -> Step:
    """The job of attempt *number* has ended."""

    def step(part: Part) -> Part | None:
        attempt = part.numbered(number)
        if attempt is None or attempt.outcome is not None or part.state.is_final:
            return None
        told = with_attempt(part, replace(attempt, outcome=outcome))
        if attempt is not part.attempt:
            return told
        if part.state is not PartState.CREATED:
            return None
        return replace(told, state=PartState.SETTLED, settled_at=outcome.at, due_at=outcome.at)

    return step


def asked(now: int, not_within: int) -> Step:
    """Bigin is about to be asked because of a callback, at most once in *not_within* seconds."""

    def step(part: Part) -> Part | None:
        just_asked = now - part.asked_at < not_within
        return None if just_asked else replace(part, asked_at=now)

    return step


def collected(counts: Counts, *, disagree: bool, now: int, warnings: tuple[str, ...] = ()) -> Step:
    """The row results are kept and joined."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.SETTLED:
            return None
        return replace(
            _closed(part),
            state=PartState.COLLECTED,
            counts=counts,
            counts_disagree=disagree,
            warnings=warnings,
            collected_at=now,
        )

    return step


def given_up(now: int) -> Step:
    """The waiting ends; what became of the rows stays unclear."""

    def step(part: Part) -> Part | None:
        if part.state not in (PartState.CREATED, PartState.HELD):
            return None
        counts = Counts(unclear=part.rows)
        return replace(_closed(part), state=PartState.GIVEN_UP, counts=counts, collected_at=now)

    return step


def outdated(now: int) -> Step:
    """The archive was uploaded so long ago that Bigin may have thrown it away."""

    def step(part: Part) -> Part | None:
        waited = now - (part.uploaded_at or 0)
        is_old = part.state is PartState.UPLOADED and waited > FILE_SECONDS
        return replace(part, state=PartState.STORED) if is_old else None

    return step


def abandoned(now: int) -> Step:
    """The whole import ends: what never left was not sent, what may have left is unclear."""

    def step(part: Part) -> Part | None:
        if part.state in BEFORE_CREATE:
            return refused(_ABANDONED, now)(part)
        if part.state not in _UNDECIDED:
            return None
        counts = Counts(unclear=part.rows)
        return replace(_closed(part), state=PartState.GIVEN_UP, counts=counts, collected_at=now)

    return step


def later(now: int) -> Step:
    """Look again after the next pause of the back-off; written before the work is done."""

    def step(part: Part) -> Part | None:
        if part.open is None or (part.due_at or 0) > now:
            return None
        pause = BACK_OFF_SECONDS[min(part.polls, len(BACK_OFF_SECONDS) - 1)]
        return replace(part, polls=part.polls + 1, due_at=now + pause)

    return step


def _closed(part: Part) -> Part:
    return replace(part, open=None, due_at=None)


def _is_in_doubt(part: Part) -> bool:
    return part.attempt is not None and part.attempt.is_in_doubt


def current_attempt(part: Part, number: int) -> Attempt | None:
    """Return attempt *number* if no later one has begun."""
    attempt = part.attempt
    return attempt if attempt is not None and attempt.number == number else None


def with_attempt(part: Part, attempt: Attempt) -> Part:
    """Return *part* with *attempt* in place of the one of that number."""
    others = (attempt if known.number == attempt.number else known for known in part.attempts)
    return replace(part, attempts=tuple(others))
