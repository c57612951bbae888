"""A part, its attempts, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bigin_import.domain.job_request import Operation
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import Address, ClosedBy, OpenKind, PartState


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What Bigin says of a job that has ended. What Bigin left out is None."""

    status: str
    added: int | None = None
    updated: int | None = None
    skipped: int | None = None
    total: int | None = None
    download_url: str | None = None
    message: str | None = None
    created_by: str | None = None
    closed_by: ClosedBy
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    One try to create a job for a part.

    Attributes:
        decide_after: Before this moment the call's effect may still be on its way.
        create: Its number among the part's creates, as its mark beside the archive has it; 0 if a
            release without marks began it.
        callback_at: When a validly signed callback named this attempt: the job may exist.
        hint: A job id that such a callback named and that Bigin has not been asked about yet.
        written_off: A person said that it made no job.
        other_job_ids: Of jobs that Bigin made for this attempt besides; there should be none.
    """

    number: int
    started_at: int
    decide_after: int
    create: int = 0
    job_id: str | None = None
    callback_at: int | None = None
    hint: str | None = None
    written_off: bool = False
    outcome: Outcome | None = None
    other_job_ids: tuple[str, ...] = ()

    @property
    def job_ids(self) -> tuple[str, ...]:
        """Every job of this attempt that is known."""
        own = () if self.job_id is None else (self.job_id,)
        return (*own, *self.other_job_ids)

    @property
    def has_unknown_job(self) -> bool:
        """A callback named it, nobody knows its job, and no person said that there is none."""
        return self.callback_at is not None and self.job_id is None and not self.written_off


NOT_SENT: Final = "NOT_SENT"
"""Our own code of a refusal, where others are Bigin's: the part was kept back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """
    Why a part ended without a job of its own: Bigin's code and words, or NOT_SENT and ours.

    Its rows are certainly not written, unless an earlier create was never answered
    (`Part.may_have_earlier_job`).

    Attributes:
        concerns_mapping: Every part of the import would be refused the same way.
        attempt: Whose create Bigin refused; None if it refused the upload, or if the code is
            NOT_SENT.
    """

    code: str
    message: str
    resolution: str = ""
    concerns_mapping: bool = False
    attempt: int | None = None


class Sent(StrEnum):
    """
    How far the rows of a part went towards Bigin, whatever came of it.

    NOTHING: they wait, or were kept back before that: the import ended or was refused.
    UPLOAD: their file at most, which makes no record; Bigin may have refused it.
    CREATE: at least one create of a job left, or may have; it may be refused or unanswered.
    """

    NOTHING = "NOTHING"
    UPLOAD = "UPLOAD"
    CREATE = "CREATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    A slice of the drop that fits one bulk write job.

    Attributes:
        repeatable: A second job for it could not make a second record: the operation finds
            records by a proven unique key, and every row has its own.
        operation, find_by: Of its job; *operation* is None in parts of the release before.
        epoch: Of the submitter that may write it.
        creates: How many creates of it were begun, with those that certainly made no job.
        held_at: When it was HELD.
        asked_at: When Bigin was last asked about its job because of a callback.
        polls: How often Bigin was asked about its job by the tick; spaces the next time.
        results_sha256: Of the file of its row results, once collected; "" in parts that the
            release before collected.
        warnings: What was odd about Bigin's row results, in sentences.
        counts: Rows by status, once collected or given up.
        stored_at, uploaded_at, created_at, settled_at, collected_at: When it took each step; but
            for created_at only people read them.
    """

    import_id: str
    number: int
    state: PartState
    rows: int
    csv_bytes: int
    sha256: str
    first_row: int
    last_row: int
    repeatable: bool
    operation: Operation | None = None
    find_by: str | None = None
    version: int = 0
    epoch: int = 0
    file_id: str | None = None
    creates: int = 0
    attempts: tuple[Attempt, ...] = ()
    refusal: Refusal | None = None
    counts: Counts | None = None
    counts_disagree: bool = False
    results_sha256: str = ""
    warnings: tuple[str, ...] = ()
    asked_at: int = 0
    polls: int = 0
    stored_at: int = 0
    uploaded_at: int | None = None
    created_at: int | None = None
    held_at: int | None = None
    settled_at: int | None = None
    collected_at: int | None = None
    open: OpenKind | None = None
    due_at: int | None = None
    expires_at: int | None = None

    @classmethod
    def at(cls, import_id: str, number: int) -> Address[Part]:
        return Address(cls, f"IMPORT#{import_id}", f"PART#{number:04d}")

    @property
    def address(self) -> Address[Part]:
        return Part.at(self.import_id, self.number)

    @property
    def attempt(self) -> Attempt | None:
        """The current attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def job_ids(self) -> tuple[str, ...]:
        """Every job of this part that is known, of all attempts; more than one is an alarm."""
        return tuple(job_id for attempt in self.attempts for job_id in attempt.job_ids)

    @property
    def sent(self) -> Sent:
        """How far its rows went towards Bigin."""
        if self.attempts:
            return Sent.CREATE
        upload_was_refused = self.refusal is not None and self.refusal.code != NOT_SENT
        was_uploaded = self.uploaded_at is not None or upload_was_refused
        return Sent.UPLOAD if was_uploaded else Sent.NOTHING

    @property
    def may_have_earlier_job(self) -> bool:
        """It ended refused or kept back, but an earlier create of it was never answered."""
        return self.refusal is not None and self.state is PartState.GIVEN_UP

    @property
    def charged_jobs(self) -> int:
        """How many jobs Bigin made for it, or may have made: all creates but a refused one."""
        unasked = sum(len(attempt.other_job_ids) for attempt in self.attempts)
        was_refused = self.refusal is not None and self.refusal.attempt is not None
        return len(self.attempts) + unasked - was_refused

    def numbered(self, number: int) -> Attempt | None:
        """Return the attempt *number*, current or earlier."""
        return next((attempt for attempt in self.attempts if attempt.number == number), None)
