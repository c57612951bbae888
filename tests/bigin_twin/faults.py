"""Things that go wrong on order."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class FaultName(StrEnum):
    """Each fault and, in brackets, the arguments it reads."""

    TOKEN_REFUSED = "token_refused"  # (code)
    UPLOAD_REFUSED = "upload_refused"  # (code, status, message, retry_after)
    CREATE_REFUSED = "create_refused"  # (code, status, message, retry_after)
    CREATE_TIMEOUT_AFTER_EFFECT = "create_timeout_after_effect"  # (seconds)
    CREATE_TIMEOUT_BEFORE_EFFECT = "create_timeout_before_effect"  # (seconds)
    DELETE_TIMEOUT_AFTER_EFFECT = "delete_timeout_after_effect"  # (seconds, status, code)
    DELETE_TIMEOUT_BEFORE_EFFECT = "delete_timeout_before_effect"  # (seconds, status, code)
    BUSY = "busy"  # (retry_after, path)
    SERVER_ERROR = "server_error"  # (status, path)
    JOB_STUCK = "job_stuck"
    JOB_FAILED = "job_failed"  # (after_rows)
    ROWS_UNPROCESSED = "rows_unprocessed"  # (after_rows)
    RESULT_DEAD_LINK = "result_dead_link"
    CALLBACK_LOST = "callback_lost"
    CALLBACK_EARLY = "callback_early"
    INTERIM_ANSWERS = "interim_answers"  # (count, status, seconds, path)
    LATE_ANSWER = "late_answer"  # (seconds, path)
    HELD_ANSWER = "held_answer"  # (path); for as long as it stands
    FOREIGN_JOB = "foreign_job"
    FOREIGN_ROWS = "foreign_rows"


class Fault(BaseModel):
    """
    One order.

    Attributes:
        times: How often it happens; None for as long as it stands.
        until: When it ends by itself, seconds since the epoch.
        path: Only requests whose path contains this.
        code: Bigin's code in the answer.
        seconds: How long the connection hangs before it is closed, or before the answer comes.
        count: How many interim answers (1xx) come at once before the answer.
        after_rows: Rows of the job that are handled before it breaks off.
        retry_after: Value of a Retry-After header, readable or not.
    """

    model_config = ConfigDict(extra="forbid")

    name: FaultName
    times: int | None = 1
    until: float | None = None
    path: str = ""
    code: str = ""
    status: int | None = None
    message: str | None = None
    seconds: float = 0
    count: int = 1
    after_rows: int = 0
    retry_after: int | str | None = None


class Faults:
    """The orders that stand, oldest first."""

    def __init__(self) -> None:
        self._standing: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._standing.append(fault)

    def clear(self) -> None:
        self._standing.clear()

    def standing(self) -> tuple[Fault, ...]:
        return tuple(self._standing)

    def stands(self, name: FaultName, *, path: str) -> bool:
        """Return whether the fault stands; this does not count as happened."""
        return any(fault.name is name and fault.path in path for fault in self._standing)

    def take(self, name: FaultName, now: float, *, path: str = "") -> Fault | None:
        """Return the fault if it happens now, and count it as happened."""
        self._standing = [f for f in self._standing if f.until is None or f.until > now]
        for fault in self._standing:
            if fault.name is name and fault.path in path:
                self._count(fault)
                return fault
        return None

    def _count(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._standing.remove(fault)
