"""
Steps of a part whose create had no answer: what is found out about it, and what is decided.

They are steps as those in `steps`, and kept apart only because doubt has so many ways out.
"""

from __future__ import annotations

from dataclasses import replace

from bigin_import.records import OpenKind, Part, PartState
from bigin_import.records.steps import (
    BEFORE_CREATE,
    DAY_SECONDS,
    HOUR_SECONDS,
    Step,
    current_attempt,
    with_attempt,
)


def unanswered(number: int) -> Step:
    """Nobody knows whether attempt *number* made a job."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.CREATING or current_attempt(part, number) is None:
            return None
        return replace(part, state=PartState.UNKNOWN)

    return step


def called_back(number: int, now: int, hint: str | None = None) -> Step:
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


def asked_about(number: int, hint: str) -> Step:
    """Bigin has answered about the job that a callback named, whatever it said."""

    def step(part: Part) -> Part | None:
        attempt = part.numbered(number)
        if attempt is None or attempt.hint != hint:
            return None
        return with_attempt(part, replace(attempt, hint=None))

    return step


def doubted() -> Step:
    """
    The part waits for another create, and a callback has told of the attempt before.

    Whether that attempt made a job is to be decided anew.
    """

    def step(part: Part) -> Part | None:
        waits = part.state in BEFORE_CREATE and _is_in_doubt(part)
        return replace(part, state=PartState.UNKNOWN) if waits else None

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
            return with_attempt(part, replace(attempt, job_id=job_id))
        others = (*attempt.other_job_ids, job_id)
        return with_attempt(part, replace(attempt, other_job_ids=others))

    return step


def held(now: int) -> Step:
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


def sent_again(now: int) -> Step:
    """
    An unanswered create may be repeated; its archive is uploaded again.

    How long Bigin keeps a file, and whether it serves twice, is documented nowhere.
    """

    def step(part: Part) -> Part | None:
        if part.state is not PartState.UNKNOWN or _is_in_doubt(part):
            return None
        return _to_send(part, now)

    return step


def written_off(now: int) -> Step:
    """A person has seen that the unanswered create made no job, and wants another one."""

    def step(part: Part) -> Part | None:
        if part.state is not PartState.HELD or part.attempt is None:
            return None
        said = replace(part.attempt, written_off=True)
        return _to_send(with_attempt(part, said), now)

    return step


def _to_send(part: Part, now: int) -> Part:
    return replace(part, state=PartState.STORED, held_at=None, due_at=now + HOUR_SECONDS)


def _is_in_doubt(part: Part) -> bool:
    return part.attempt is not None and part.attempt.is_in_doubt
