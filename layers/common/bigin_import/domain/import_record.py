"""An import: the work on one drop."""

from __future__ import annotations

from dataclasses import dataclass

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import Address, HoldCause, ImportState, OpenKind


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
class Awaited:
    """
    What an import waits for before it reads its drop: the end of another one.

    Attributes:
        root: Where the family goes back to of which the other has the lock; "" if the lock does
            not matter.
        is_on_hold: The other waits for a person.
    """

    import_id: str
    root: str = ""
    is_on_hold: bool = False

    @classmethod
    def of(cls, other: Import, root: str = "") -> Awaited:
        is_on_hold = other.state is ImportState.ON_HOLD
        return cls(import_id=other.import_id, root=root, is_on_hold=is_on_hold)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPin:
    """
    The mapping an import was started with; a copy lies beside its parts.

    Attributes:
        etag: What tells it from the next mapping where the bucket keeps no versions.
    """

    key: str
    version_id: str
    etag: str = ""


def is_same_organisation(one: str | None, other: str | None) -> bool:
    """Return whether two organisations may be one; None where a release before noted none."""
    return None in (one, other) or one == other


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """
    The work on one drop.

    Attributes:
        take: 1, or 2 and more when a drop rejected for its mapping is taken up again.
        mapping_sha256, plan_sha256: Of the pinned mapping and of the plan beside the parts: a
            submitter that has lost its lease may still write there.
        epoch: Raised by every submitter that takes the lease.
        lease_until: The lease is free when this is past; 0 when it was given back.
        compared_at: When the first job was read back and found to be what was sent.
        prepared_again: How often its parts were gone before anything was sent.
        idle_resumes: Resumes in a row that moved nothing.
        pause: Name of the `Pause` that sending waits for; None once it has gone on.
        paused_at: When it began to wait for that.
        busy_waits: How often in a row it has waited for that.
        awaited: The import of its rows that it waits for, or has waited for, before it is planned.
        hold_cause, hold_reason: Why a person must decide; only while ON_HOLD.
        held_from: The state in which it was put ON_HOLD.
        held_at: When it was put ON_HOLD; a hold that nobody decides about is given up, and
            `continue` names it, so that it is never said about another hold.
        contradiction: In which points the first job was not what was asked for.
        refused_decision: Why a person's last decision was not carried out.
        reminded_at: When people were last told of the hold, of a held part, or that no mapping has
            come.
        parts_ended: Parts 1 to this one have ended, or were found to wait for a person; how far
            the looking for the last part's end has come.
        finishing_at: When a tick first found it FINISHING.
        verdict: What a FINISHING import will be closed as, if that does not depend on its parts.
        winner: The import that got the same content in, if it is UNCHANGED; that of the later
            version, if it is SUPERSEDED.
        was_unmapped: It is SUPERSEDED because the later version came while the key still waited
            for a mapping.
        zgid: The organisation that it was prepared for; nothing of it is sent to another.
        root: Of a correction, the import of the drop that its family goes back to.
        tells_unchanged: It is UNCHANGED for the first time, and people are to hear of it.
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
    mapping_sha256: str | None = None
    plan_sha256: str | None = None
    epoch: int = 0
    lease_until: int = 0
    compared_at: int | None = None
    prepared_again: int = 0
    idle_resumes: int = 0
    pause: str | None = None
    paused_at: int | None = None
    busy_waits: int = 0
    awaited: Awaited | None = None
    hold_cause: HoldCause | None = None
    hold_reason: str | None = None
    held_from: ImportState | None = None
    held_at: int | None = None
    contradiction: str | None = None
    refused_decision: str | None = None
    reminded_at: int | None = None
    parts_ended: int = 0
    finishing_at: int | None = None
    verdict: ImportState | None = None
    concerns_mapping: bool = False
    winner: str | None = None
    was_unmapped: bool = False
    tells_unchanged: bool = False
    zgid: str | None = None
    root: str | None = None
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

    def is_for(self, zgid: str | None) -> bool:
        """Return whether it is for the organisation *zgid*, as far as that is known."""
        return is_same_organisation(self.zgid, zgid)

    @property
    def awaits_held(self) -> Awaited | None:
        """Return the import on hold that it waits for, if that is what it waits for."""
        return self.awaited if self.awaited is not None and self.awaited.is_on_hold else None

    @property
    def lets_others_pass(self) -> bool:
        """Return whether it waits for a person, or for an import that does."""
        return self.state is ImportState.ON_HOLD or self.awaits_held is not None

    @property
    def is_quiet(self) -> bool:
        """Return whether it is closed without a notice."""
        return self.state.is_quiet and not self.tells_unchanged

    @property
    def address(self) -> Address[Import]:
        return Import.at(self.import_id)
