"""What a bulk write job asks for, and the fields it may fill."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

# Of one job. Bigin takes 25,000 records and 25 MB; the million between is our margin.
MAX_ROWS = 25_000
MAX_BYTES = 24_000_000
CREDITS_PER_JOB = 500  # Bigin's API limits page: "Bulk Write initialise"


class Operation(StrEnum):
    """What a bulk write job does with its rows; Bigin's words."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"


_OTHER_MODULE_NAMES = {"Deals": "Pipelines"}


def is_same_module(one: str | None, other: str | None) -> bool:
    """Return whether both name one module: the engine below Bigin has a name of its own."""
    names = [_OTHER_MODULE_NAMES.get(name, name) for name in (one or "", other or "")]
    return names[0] == names[1]


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """One entry of `field_mappings` as Bigin reads it; *index* counts in what we send, from 0."""

    api_name: str
    index: int | None = None
    default_value: str | None = None
    find_by: str | None = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What one Create Bulk Write Job call asks for, without its file and its callback."""

    operation: Operation
    module: str
    find_by: str | None
    ignore_empty: bool
    field_mappings: tuple[FieldMapping, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field of a Bigin module, from its metadata.

    Attributes:
        data_type: Bigin's word: "text", "email", "date", "lookup", "picklist", ...
        length: Longest value in characters, if Bigin says so.
        writable: False for read-only fields and for types that bulk write cannot fill.
        lookup_module: API name of the parent module of a lookup field.
        pick_list: Values of a picklist field as they are stored.
        display_values: Of a picklist: what people see -> what is stored, where they differ.
        decimal_place: Digits behind the point, if Bigin says so.
    """

    api_name: str
    label: str
    data_type: str
    length: int | None = None
    mandatory: bool = False
    writable: bool = True
    unique: bool = False
    lookup_module: str | None = None
    pick_list: tuple[str, ...] = ()
    display_values: tuple[tuple[str, str], ...] = ()
    decimal_place: int | None = None


class JobStatus(StrEnum):
    """States of a Bigin job, normalised: "IN PROGRESS" and "INPROGRESS" are one."""

    ADDED = "ADDED"
    IN_PROGRESS = "INPROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class Job:
    """
    Bigin's own answer for one job (Get Bulk Write Job Details). What it left out is None.

    Attributes:
        mappings: `field_mappings` as sent back, as a set: their order is not the order sent.
        callback_path: Path of the echoed callback URL; it holds our signature, so it has no
            place in a log.
        download_url: Where the row results are, as Bigin wrote it (it may be relative).
        created_at: When Bigin made it, in seconds since the epoch.
        created_by: Name of the user of Bigin whose token made it.
        message: Bigin's words about a failure, if it gave any.
    """

    job_id: str
    status: JobStatus
    operation: str | None = None
    module: str | None = None
    file_name: str | None = None
    ignore_empty: bool | None = None
    mappings: frozenset[FieldMapping] | None = None
    callback_path: str | None = field(default=None, repr=False)
    download_url: str | None = None
    added: int | None = None
    updated: int | None = None
    skipped: int | None = None
    total: int | None = None
    message: str | None = None
    created_at: int | None = None
    created_by: str | None = None
