"""
Every step a part takes, as a pure function from the part as it stands to the part as it should be.

A part is a state machine; `EDGES` has its ways. A step returns None where it does not apply any
more, so that late, repeated and crossing events change nothing (they are idempotent).
`ledger.update` writes what a step returns. Times in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from bigin_import.domain.part_record import NOT_SENT, Attempt, Outcome, Part, Refusal
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import OpenKind, PartState

type Step = Callable[[Part], Part | None]

FIRST_LOOK_SECONDS = 60
BACK_OFF_SECONDS = (60, 120, 300, 600, 1800)  # between questions about a job without a callback
HOUR_SECONDS = 3600
FILE_SECONDS = 24 * 3600  # how long an upload serves; Bigin says nothing about it
DAY_SECONDS = 24 * 3600
_ABANDONED = Refusal(
    code=NOT_SENT,
    message="Not sent, because the import ended before its turn",
    resolution="Drop the rows of this file again",
)
_KEPT_BACK = Refusal(
    code=NOT_SENT,
    message="Not sent, because Bigin refused another part of this file for its mapping",
    resolution="Correct the mapping; then drop the rows of this file again",
)
BEFORE_CREATE = (PartState.STORED, PartState.UPLOADED)
_UNDECIDED = (PartState.CREATING, PartState.UNKNOWN, PartState.HELD)
_AFTER_AN_ATTEMPT = frozenset({PartState.CREATED, PartState.UNKNOWN, PartState.GIVEN_UP})

EDGES: Mapping[PartState, frozenset[PartState]] = {
    # After an unanswered attempt also to CREATED: its job calls back. To UNKNOWN: it calls back
    # and does not say which. To GIVEN_UP: a hold of the whole import is given up.
    PartState.STORED: frozenset({PartState.UPLOADED, PartState.JOB_REFUSED, *_AFTER_AN_ATTEMPT}),
    # Back to STORED if the upload is so old that Bigin may have thrown it away.
    PartState.UPLOADED: frozenset(
        {PartState.STORED, PartState.CREATING, PartState.JOB_REFUSED, *_AFTER_AN_ATTEMPT}
    ),
    # Back to UPLOADED only if the create certainly did not leave.
    PartState.CREATING: frozenset(
        {
            PartState.UPLOADED,
            PartState.CREATED,
            PartState.JOB_REFUSED,
            PartState.UNKNOWN,
            PartState.GIVEN_UP,
        }
    ),
    PartState.CREATED: frozenset({PartState.SETTLED, PartState.GIVEN_UP}),
    PartState.SETTLED: frozenset({PartState.COLLECTED}),
    # Re-creation goes back to STORED: the next attempt is an upload and a create like the first.
    PartState.UNKNOWN: frozenset(
        {PartState.STORED, PartState.CREATED, PartState.HELD, PartState.GIVEN_UP}
    ),
    PartState.HELD: frozenset({PartState.STORED, PartState.CREATED, PartState.GIVEN_UP}),
    PartState.COLLECTED: frozenset(),
    PartState.JOB_REFUSED: frozenset(),
    PartState.GIVEN_UP: frozenset(),
}

FIRST_STATES = frozenset({PartState.STORED})


def edges_from(part: Part, *, attempts: tuple[Attempt, ...] = ()) -> frozenset[PartState]:
    """
    Return where *part* may go: without an attempt nothing can have made a job.

    Args:
        attempts: That it has there: those of which a restored table did not know come at once.
    """
    edges = EDGES[part.state]
    is_untried = part.state in BEFORE_CREATE and not (part.attempts or attempts)
    return edges - _AFTER_AN_ATTEMPT if is_untried else edges


def record_upload(file_id: str, now: int) -> Step:
    """The archive is at Bigin; a later upload replaces an earlier one."""

    def step(part: Part) -> Part | None:
        if part.state not in BEFORE_CREATE:
            return None
        return replace(part, state=PartState.UPLOADED, file_id=file_id, uploaded_at=now)

    return step


def begin_create(now: int, decide_after: int) -> Step:
    """The create call is about to leave; not beside an earlier one whose job may be there."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.UPLOADED or _has_unknown_job(part):
            return None
        create = part.creates + 1
        number = part.attempt.number + 1 if part.attempt else 1
        attempt = Attempt(number=number, started_at=now, decide_after=decide_after, create=create)
        attempts = (*part.attempts, attempt)
        return replace(part, state=PartState.CREATING, creates=create, attempts=attempts)

    return step


def recall_attempts(lost: tuple[Attempt, ...]) -> Step:
    """The table was restored from a backup: creates have left of which it does not know."""

    def step(part: Part) -> Part | None:
        if part.state not in BEFORE_CREATE or not lost:
            return None
        creates = max(attempt.create for attempt in lost)
        attempts = (*part.attempts, *lost)
        return replace(part, state=PartState.UNKNOWN, creates=creates, attempts=attempts)

    return step


def undo_create(number: int) -> Step:
    """The create of attempt *number* certainly had no effect, so it never was an attempt."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.CREATING or current_attempt(part, number) is None:
            return None
        return replace(part, state=PartState.UPLOADED, attempts=part.attempts[:-1])

    return step


def refuse(refusal: Refusal, now: int) -> Step:
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
            state=PartState.JOB_REFUSED if is_certain else PartState.GIVEN_UP,
            refusal=replace(refusal, attempt=of.number if of else None),
            counts=Counts(unprocessed=part.rows) if is_certain else Counts(unclear=part.rows),
            collected_at=now,
        )

    return step


def record_job(number: int, job_id: str, now: int) -> Step:
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


def record_outcome(number: int, outcome: Outcome) -> Step:
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


def record_question(now: int, not_within: int) -> Step:
    """Bigin is about to be asked because of a callback, at most once in *not_within* seconds."""

    def step(part: Part) -> Part | None:
        just_asked = now - part.asked_at < not_within
        return None if just_asked else replace(part, asked_at=now)

    return step


def record_collected(
    counts: Counts,
    *,
    disagree: bool,
    results_sha256: str,
    now: int,
    warnings: tuple[str, ...] = (),
) -> Step:
    """The row results are kept and joined."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.SETTLED:
            return None
        return replace(
            _closed(part),
            state=PartState.COLLECTED,
            counts=counts,
            counts_disagree=disagree,
            results_sha256=results_sha256,
            warnings=warnings,
            collected_at=now,
        )

    return step


def give_up(now: int) -> Step:
    """The waiting ends; what became of the rows stays unclear."""

    def step(part: Part) -> Part | None:
        if part.state not in (PartState.CREATED, PartState.HELD):
            return None
        counts = Counts(unclear=part.rows)
        return replace(_closed(part), state=PartState.GIVEN_UP, counts=counts, collected_at=now)

    return step


def expire_upload(now: int) -> Step:
    """The archive was uploaded so long ago that Bigin may have thrown it away."""

    def step(part: Part) -> Part | None:
        waited = now - (part.uploaded_at or 0)
        is_old = part.state is PartState.UPLOADED and waited > FILE_SECONDS
        return replace(part, state=PartState.STORED) if is_old else None

    return step


def keep_back(now: int) -> Step:
    """Bigin refused another part for the mapping; what would be refused likewise is not sent."""

    def step(part: Part) -> Part | None:
        return refuse(_KEPT_BACK, now)(part) if part.state in BEFORE_CREATE else None

    return step


def abandon(now: int, *, lost: tuple[Attempt, ...] = ()) -> Step:
    """
    The whole import ends: what never left was not sent, what may have left is unclear.

    Args:
        lost: Attempts that a table restored from a backup does not know.
    """

    def step(part: Part) -> Part | None:
        part = recall_attempts(lost)(part) or part
        if part.state in BEFORE_CREATE:
            return refuse(_ABANDONED, now)(part)
        if part.state not in _UNDECIDED:
            return None
        counts = Counts(unclear=part.rows)
        return replace(_closed(part), state=PartState.GIVEN_UP, counts=counts, collected_at=now)

    return step


def postpone(now: int) -> Step:
    """Look again after the next pause of the back-off; written before the work is done."""

    def step(part: Part) -> Part | None:
        if part.open is None or (part.due_at or 0) > now:
            return None
        pause = BACK_OFF_SECONDS[min(part.polls, len(BACK_OFF_SECONDS) - 1)]
        return replace(part, polls=part.polls + 1, due_at=now + pause)

    return step


def look_by(due_at: int) -> Step:
    """It is to be looked at by *due_at* at the latest: AWS was away when its turn came."""

    def step(part: Part) -> Part | None:
        if part.open is None or part.due_at is None or part.due_at <= due_at:
            return None
        return replace(part, due_at=due_at)

    return step


def expire(expires_at: int) -> Step:
    """The import is closed and told: the table may forget the part then."""
    return lambda part: replace(part, expires_at=expires_at)


def _closed(part: Part) -> Part:
    return replace(part, open=None, due_at=None)


def _has_unknown_job(part: Part) -> bool:
    return part.attempt is not None and part.attempt.has_unknown_job


def current_attempt(part: Part, number: int) -> Attempt | None:
    """Return attempt *number* if no later one has begun."""
    attempt = part.attempt
    return attempt if attempt is not None and attempt.number == number else None


def with_attempt(part: Part, attempt: Attempt) -> Part:
    """Return *part* with *attempt* in place of the one of that number."""
    others = (attempt if known.number == attempt.number else known for known in part.attempts)
    return replace(part, attempts=tuple(others))


def mark_unanswered(number: int) -> Step:
    """Nobody knows whether attempt *number* made a job."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.CREATING or current_attempt(part, number) is None:
            return None
        return replace(part, state=PartState.UNKNOWN)

    return step


def record_callback(number: int, now: int, hint: str | None = None) -> Step:
    """
    A validly signed callback named attempt *number*: its job may exist, and is asked for soon.

    Every callback makes the part due, also where an earlier one was a probe of Zoho's: whoever
    acts on it may fail to ask Bigin.

    Args:
        hint: The job id that it named, if that is news: kept until Bigin was asked about it.
    """

    def step(part: Part) -> Part | None:
        attempt = part.numbered(number)
        if part.state.is_final or attempt is None:
            return None
        told = replace(attempt, callback_at=attempt.callback_at or now, hint=hint or attempt.hint)
        due_at = None if part.due_at is None else min(part.due_at, now)
        if told == attempt and due_at == part.due_at:
            return None
        return replace(with_attempt(part, told), due_at=due_at)

    return step


def clear_hint(number: int, hint: str) -> Step:
    """Bigin has answered about the job that a callback named, whatever it said."""

    def step(part: Part) -> Part | None:
        attempt = part.numbered(number)
        if attempt is None or attempt.hint != hint:
            return None
        return with_attempt(part, replace(attempt, hint=None))

    return step


def mark_unknown() -> Step:
    """
    The part waits for another create, and a callback has told of the attempt before.

    Whether that attempt made a job is to be decided anew.
    """

    def step(part: Part) -> Part | None:
        waits = part.state in BEFORE_CREATE and _has_unknown_job(part)
        return replace(part, state=PartState.UNKNOWN) if waits else None

    return step


def record_extra_job(number: int, job_id: str) -> Step:
    """
    Job *job_id* was proven to be of attempt *number*, and the part does not go on with it.

    Written down whatever has become of the part: it may be the second job for its rows.
    """

    def step(part: Part) -> Part | None:
        attempt = part.numbered(number)
        if attempt is None or job_id in part.job_ids:
            return None
        if attempt.job_id is None:
            return with_attempt(part, replace(attempt, job_id=job_id))
        others = (*attempt.other_job_ids, job_id)
        return with_attempt(part, replace(attempt, other_job_ids=others))

    return step


def hold(now: int) -> Step:
    """Only a person can decide now; they are reminded every day."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.UNKNOWN:
            return None
        return replace(
            part,
            state=PartState.HELD,
            held_at=now,
            open=OpenKind.WORK,
            due_at=now + DAY_SECONDS,
        )

    return step


def send_again(now: int) -> Step:
    """
    An unanswered create may be repeated; its archive is uploaded again.

    How long Bigin keeps a file, and whether it serves twice, is documented nowhere.
    """

    def step(part: Part) -> Part | None:
        if part.state is not PartState.UNKNOWN or _has_unknown_job(part):
            return None
        return _to_send(part, now)

    return step


def confirm_not_created(now: int) -> Step:
    """A person has seen that the unanswered create made no job, and wants another one."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.HELD or part.attempt is None:
            return None
        said = replace(part.attempt, written_off=True)
        return _to_send(with_attempt(part, said), now)

    return step


def _to_send(part: Part, now: int) -> Part:
    return replace(part, state=PartState.STORED, held_at=None, due_at=now + HOUR_SECONDS)
