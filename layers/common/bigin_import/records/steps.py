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
DAY_SECONDS = 24 * 3600
_ABANDONED = Refusal(
    code="NOT_SENT",
    message="Not sent, because the import ended before its turn",
    resolution="Drop the rows of this file again",
)
_BEFORE_CREATE = (PartState.STORED, PartState.UPLOADED)
_UNDECIDED = (PartState.CREATING, PartState.UNKNOWN, PartState.HELD)


def uploaded(file_id: str, now: int) -> Step:
    """The archive is at Bigin; a later upload replaces an earlier one."""

    def step(part: Part) -> Part | None:
        if part.state not in _BEFORE_CREATE:
            return None
        return replace(part, state=PartState.UPLOADED, file_id=file_id, uploaded_at=now)

    return step


def creating(now: int, decide_after: int) -> Step:
    """The create call is about to leave."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.UPLOADED:
            return None
        attempt = Attempt(number=len(part.attempts) + 1, started_at=now, decide_after=decide_after)
        return replace(part, state=PartState.CREATING, attempts=(*part.attempts, attempt))

    return step


def never_sent(number: int) -> Step:
    """The create of attempt *number* certainly had no effect, so it never was an attempt."""

    def step(part: Part) -> Part | None:
        attempt = _current(part, number)
        if part.state is not PartState.CREATING or attempt is None or _may_exist(attempt):
            return None
        return replace(part, state=PartState.UPLOADED, attempts=part.attempts[:-1])

    return step


def unanswered(number: int) -> Step:
    """Nobody knows whether attempt *number* made a job."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.CREATING or _current(part, number) is None:
            return None
        return replace(part, state=PartState.UNKNOWN)

    return step


def refused(refusal: Refusal, now: int) -> Step:
    """No row of the part is in Bigin, and none will be through this drop."""

    def step(part: Part) -> Part | None:
        attempt = part.attempt
        if part.state is PartState.CREATING and attempt is not None and _may_exist(attempt):
            return None
        if part.state not in (*_BEFORE_CREATE, PartState.CREATING):
            return None
        counts = Counts(unprocessed=part.rows)
        return replace(
            _closed(part), state=PartState.REFUSED, refusal=refusal, counts=counts, collected_at=now
        )

    return step


def created(number: int, job_id: str, now: int) -> Step:
    """Attempt *number* made job *job_id*; known from the answer, or proven by adoption."""

    def step(part: Part) -> Part | None:
        attempt = _current(part, number)
        undecided = part.state in (*_UNDECIDED, PartState.UPLOADED)
        if not undecided or attempt is None or attempt.job_id not in (None, job_id):
            return None
        return replace(
            _with_attempt(part, replace(attempt, job_id=job_id)),
            state=PartState.CREATED,
            created_at=now,
            polls=0,
            open=OpenKind.WORK,
            due_at=now + FIRST_LOOK_SECONDS,
        )

    return step


def called_back(number: int, now: int) -> Step:
    """A validly signed callback named attempt *number*: its job may exist."""

    def step(part: Part) -> Part | None:
        attempt = part.numbered(number)
        if part.state.is_final or attempt is None or attempt.callback_at is not None:
            return None
        due_at = None if part.due_at is None else min(part.due_at, now)
        return replace(_with_attempt(part, replace(attempt, callback_at=now)), due_at=due_at)

    return step


def turned_up(number: int, job_id: str) -> Step:
    """
    Job *job_id* was proven to be of attempt *number*, and the part does not go on with it.

    Written down whatever has become of the part: it may be the second job for its rows.
    """

    def step(part: Part) -> Part | None:
        attempt = part.numbered(number)
        if attempt is None or job_id in part.job_ids:
            return None
        if attempt.job_id is None:
            return _with_attempt(part, replace(attempt, job_id=job_id))
        others = (*attempt.other_job_ids, job_id)
        return _with_attempt(part, replace(attempt, other_job_ids=others))

    return step


def settled(number: int, outcome: Outcome) -> Step:
    """The job of attempt *number* has ended."""

    def step(part: Part) -> Part | None:
        attempt = part.numbered(number)
        if attempt is None or attempt.outcome is not None or part.state.is_final:
            return None
        told = _with_attempt(part, replace(attempt, outcome=outcome))
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


def held(now: int) -> Step:
    """Only a person can decide now; they are reminded every day."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.UNKNOWN:
            return None
        return replace(part, state=PartState.HELD, open=OpenKind.WORK, due_at=now + DAY_SECONDS)

    return step


def sent_again(now: int) -> Step:
    """An unanswered create may be repeated: the next attempt starts from the upload."""

    def step(part: Part) -> Part | None:
        if part.state not in (PartState.UNKNOWN, PartState.HELD):
            return None
        return replace(part, state=PartState.UPLOADED, due_at=now + HOUR_SECONDS)

    return step


def given_up(now: int) -> Step:
    """The waiting ends; what became of the rows stays unclear."""

    def step(part: Part) -> Part | None:
        if part.state not in (PartState.CREATED, PartState.HELD):
            return None
        counts = Counts(unclear=part.rows)
        return replace(_closed(part), state=PartState.GIVEN_UP, counts=counts, collected_at=now)

    return step


def abandoned(now: int) -> Step:
    """The whole import ends: what never left was not sent, what may have left is unclear."""

    def step(part: Part) -> Part | None:
        if part.state in _BEFORE_CREATE and not part.attempts:
            return refused(_ABANDONED, now)(part)
        if part.state not in (PartState.UPLOADED, *_UNDECIDED):
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


def _may_exist(attempt: Attempt) -> bool:
    return attempt.callback_at is not None or attempt.job_id is not None


def _current(part: Part, number: int) -> Attempt | None:
    attempt = part.attempt
    return attempt if attempt is not None and attempt.number == number else None


def _with_attempt(part: Part, attempt: Attempt) -> Part:
    others = (attempt if known.number == attempt.number else known for known in part.attempts)
    return replace(part, attempts=tuple(others))
