"""The states that imports and parts move through; `edges` has the ways between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Address[R]:
    """Where a record lives in the table, and what kind it is."""

    kind: type[R]
    pk: str
    sk: str

    @property
    def import_id(self) -> str:
        """The import that a record is, or is a part of."""
        return self.pk.removeprefix("IMPORT#")


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
    def wrote_nothing(self) -> bool:
        """Closed, and certain that the drop wrote nothing: its content may be dropped again."""
        return self in (
            ImportState.FAILED,
            ImportState.REJECTED,
            ImportState.WITHDRAWN,
            ImportState.SUPERSEDED,
        )

    @property
    def is_quiet(self) -> bool:
        """Closed without a notice: nothing happened that a person wants to hear of."""
        return self in (ImportState.UNCHANGED, ImportState.WITHDRAWN)


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


class HoldCause(StrEnum):
    """
    Why an import is ON_HOLD, and with that what ends the hold.

    PART: a part is HELD; the hold ends when none is, whoever ended that.
    CONTRADICTION: Bigin's job is not what was sent; ends with `continue`.
    NO_PROGRESS: several tries got nowhere; ends with `continue`.
    """

    PART = "PART"
    CONTRADICTION = "CONTRADICTION"
    NO_PROGRESS = "NO_PROGRESS"


class PartState(StrEnum):
    """
    The way of a part. COLLECTED, JOB_REFUSED and GIVEN_UP are final.

    JOB_REFUSED: certain that no row of it is in Bigin through this drop. Stored as REFUSED.
    GIVEN_UP: a person or a deadline ended the waiting; what became of its rows is unclear.
    """

    STORED = "STORED"
    UPLOADED = "UPLOADED"
    CREATING = "CREATING"
    CREATED = "CREATED"
    SETTLED = "SETTLED"
    COLLECTED = "COLLECTED"
    JOB_REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    HELD = "HELD"
    GIVEN_UP = "GIVEN_UP"

    @property
    def is_final(self) -> bool:
        return self in (PartState.COLLECTED, PartState.JOB_REFUSED, PartState.GIVEN_UP)


class ClosedBy(StrEnum):
    """What told us that a job had ended."""

    CALLBACK = "callback"
    TICK = "tick"
