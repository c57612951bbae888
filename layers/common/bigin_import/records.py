"""
What the ledger remembers, item by item, and the states that imports and parts move through.

Every record is frozen and carries the `version` it was read with; the ledger writes it only
if that is still the stored one. All times are whole seconds since the epoch, in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bigin_import.models import Counts, ObjectVersion


class OpenKind(StrEnum):
    """Partition of the `open` index: who looks at an item when it is due."""

    WAITING = "WAITING"
    WORK = "WORK"


class ImportState(StrEnum):
    """The way of an import; the last eight are closed and never change."""

    WAITING_FOR_MAPPING = "WAITING_FOR_MAPPING"
    PREPARING = "PREPARING"
    SENDING = "SENDING"
    SENT = "SENT"
    FINISHING = "FINISHING"
    ON_HOLD = "ON_HOLD"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    UNCHANGED = "UNCHANGED"
    DRY_RUN = "DRY_RUN"
    WITHDRAWN = "WITHDRAWN"
    SUPERSEDED = "SUPERSEDED"

    @property
    def is_closed(self) -> bool:
        return self in _CLOSED

    @property
    def is_quiet(self) -> bool:
        """Closed without a notice: nothing happened that a person wants to hear of."""
        return self in (ImportState.UNCHANGED, ImportState.WITHDRAWN, ImportState.SUPERSEDED)


_CLOSED = frozenset(
    {
        ImportState.COMPLETED,
        ImportState.COMPLETED_WITH_ERRORS,
        ImportState.FAILED,
        ImportState.REJECTED,
        ImportState.UNCHANGED,
        ImportState.DRY_RUN,
        ImportState.WITHDRAWN,
        ImportState.SUPERSEDED,
    }
)


class PartState(StrEnum):
    """
    The way of a part. COLLECTED, REFUSED and GIVEN_UP are final.

    REFUSED: certain that no row of it is in Bigin through this drop.
    GIVEN_UP: a person or a deadline ended the waiting; what became of its rows is unclear.
    """

    STORED = "STORED"
    UPLOADED = "UPLOADED"
    CREATING = "CREATING"
    CREATED = "CREATED"
    SETTLED = "SETTLED"
    COLLECTED = "COLLECTED"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    HELD = "HELD"
    GIVEN_UP = "GIVEN_UP"

    @property
    def is_final(self) -> bool:
        return self in (PartState.COLLECTED, PartState.REFUSED, PartState.GIVEN_UP)


class ClosedBy(StrEnum):
    """What told us that a job had ended."""

    CALLBACK = "callback"
    TICK = "tick"


@dataclass(frozen=True, slots=True)
class Address[R]:
    """Where a record lives in the table, and what kind it is."""

    kind: type[R]
    pk: str
    sk: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What Bigin says became of a job. Counts that Bigin left out are None."""

    status: str
    added: int | None = None
    updated: int | None = None
    skipped: int | None = None
    total: int | None = None
    download_url: str | None = None
    message: str | None = None
    closed_by: ClosedBy
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """
    One try to create a job for a part.

    Attributes:
        decide_after: Before this moment the call's effect may still be on its way.
        callback_at: When a validly signed callback named this attempt: the job may exist.
    """

    number: int
    started_at: int
    decide_after: int
    job_id: str | None = None
    callback_at: int | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """
    Why a part's rows were certainly not written: Bigin's code and words, or our own.

    Attributes:
        concerns_mapping: Every part of the import would be refused the same way.
    """

    code: str
    message: str
    resolution: str = ""
    concerns_mapping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the plan says, once the whole drop was read."""

    rows: int
    blank: int
    invalid: int
    parts: int
    content_sha256: str
    in_order: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPin:
    """The mapping an import was started with; a copy lies beside its parts."""

    key: str
    version_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """
    The work on one drop.

    Attributes:
        take: 1, or 2 and more when a drop rejected for its mapping is taken up again.
        epoch: Raised by every submitter that takes the lease.
        lease_until: The lease is free when this is past; 0 when it was given back.
        compared_at: When the first job was read back and found to be what was sent.
        idle_resumes: Resumes in a row that moved nothing.
        busy_waits: How often in a row Bigin had no credits or no capacity for it.
        hold_reason: In plain words, why a person must decide; only while ON_HOLD.
        held_at: When it was put ON_HOLD; a hold that nobody decides about is given up.
        reminded_at: When people were last told of the hold.
        verdict: What a FINISHING import will be closed as, if that does not depend on its parts.
        counts_disagree: Bigin's counts and the joined rows contradict each other.
        results: Prefix of the result files in the bucket.
        open, due_at: Present until the import is closed and, if it is not quiet, noticed.
    """

    import_id: str
    source: ObjectVersion
    state: ImportState
    received_at: int
    version: int = 0
    schema: int = 1
    take: int = 1
    dry_run: bool = False
    mapping: MappingPin | None = None
    module: str | None = None
    operation: str | None = None
    totals: Totals | None = None
    claim: str | None = None
    epoch: int = 0
    lease_until: int = 0
    compared_at: int | None = None
    idle_resumes: int = 0
    busy_waits: int = 0
    hold_reason: str | None = None
    held_at: int | None = None
    reminded_at: int | None = None
    verdict: ImportState | None = None
    concerns_mapping: bool = False
    winner: str | None = None
    counts: Counts | None = None
    counts_disagree: bool = False
    results: str | None = None
    sent_at: int | None = None
    closed_at: int | None = None
    noticed_at: int | None = None
    open: OpenKind | None = None
    due_at: int | None = None
    expires_at: int | None = None

    @classmethod
    def at(cls, import_id: str) -> Address[Import]:
        return Address(cls, f"IMPORT#{import_id}", "IMPORT")

    @property
    def address(self) -> Address[Import]:
        return Import.at(self.import_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    A slice of the drop that fits one bulk write job.

    Attributes:
        repeatable: A second job for it could not make a second record: the operation finds
            records by a proven unique key, and every row has its own.
        epoch: Of the submitter that may write it.
        asked_at: When Bigin was last asked about its job because of a callback.
        polls: How often Bigin was asked about its job by the tick; spaces the next time.
        counts: Rows by fate, once collected or given up.
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
    version: int = 0
    epoch: int = 0
    file_id: str | None = None
    attempts: tuple[Attempt, ...] = ()
    refusal: Refusal | None = None
    counts: Counts | None = None
    counts_disagree: bool = False
    asked_at: int = 0
    polls: int = 0
    stored_at: int = 0
    uploaded_at: int | None = None
    created_at: int | None = None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """
    Whose turn it is among the versions of one key: one import at a time, in order.

    Attributes:
        place: Hash of bucket and key.
        open_import: The import that is being prepared or sent.
        last_import: The latest import that had its turn.
        last_sequencer: S3's order of the latest version that was sent.
    """

    place: str
    open_import: str | None = None
    last_import: str | None = None
    last_sequencer: str = ""
    version: int = 0

    @classmethod
    def at(cls, place: str) -> Address[Turn]:
        return Address(cls, f"DROP#{place}", "DROP")

    @property
    def address(self) -> Address[Turn]:
        return Turn.at(self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """This content with this mapping belongs to that import."""

    digest: str
    import_id: str
    version: int = 0

    @classmethod
    def at(cls, digest: str) -> Address[Claim]:
        return Address(cls, f"CLAIM#{digest}", "CLAIM")

    @property
    def address(self) -> Address[Claim]:
        return Claim.at(self.digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedToken:
    """
    The access token that all functions share.

    Attributes:
        access_token: "" before the first refresh. Never in a log.
        valid_until: When it is refreshed, five minutes before Zoho ends it.
        refresh_until: Somebody is refreshing until then; the others use what there is or wait.
        refreshed_at: Times of the latest refreshes; Zoho allows 10 in 10 minutes.
        refused: Zoho's word if it refuses the refresh token, until a refresh works again.
    """

    access_token: str = field(default="", repr=False)
    generation: int = 0
    valid_until: int = 0
    refresh_until: int = 0
    refreshed_at: tuple[int, ...] = ()
    refused: str | None = None
    version: int = 0

    @classmethod
    def at(cls) -> Address[SharedToken]:
        return Address(cls, "TOKEN", "TOKEN")

    @property
    def address(self) -> Address[SharedToken]:
        return SharedToken.at()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """An answer of Bigin's metadata, kept for minutes; *answer* is JSON text."""

    what: str
    answer: str
    until: int
    version: int = 0

    @classmethod
    def at(cls, what: str) -> Address[Remembered]:
        return Address(cls, what, what)

    @property
    def address(self) -> Address[Remembered]:
        return Remembered.at(self.what)


type Record = Import | Part | Turn | Claim | SharedToken | Remembered
