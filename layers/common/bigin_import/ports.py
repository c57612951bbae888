"""
What the use cases need from the world, in their own words.

Adapters do not inherit from these; mypy compares them where the functions wire them. Time,
sleep, the function's deadline and parallel work are ports too, so that a simulation can own them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from bigin_import.domain.drop import Notice, ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Field, Job, JobRequest
from bigin_import.domain.locks import FreshToken, OpenAddress, Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address, OpenKind


class Clock(Protocol):
    """Time as this invocation sees it."""

    def now(self) -> int:
        """Return whole seconds since the epoch, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; only for an answer that asked us to."""
        ...

    def remaining_seconds(self) -> float:
        """Return how long this invocation may still run before the platform ends it."""
        ...


class Parallel(Protocol):
    """Work side by side, within one invocation."""

    def each[T](self, work: Callable[[T], object], items: Iterable[T], *, at_most: int) -> None:
        """
        Call *work* for every item, at most *at_most* at a time.

        Returns only when every call has ended, whatever happened; then raises the first
        error, if there was one. After an error no further item is begun.
        """
        ...


class Ledger(Protocol):
    """
    The memory of imports and parts: a store of records, each written only as it was read.

    Reads are strongly consistent, except `due`. What another release has written and this one
    cannot read raises UnreadableItemError wherever it is loaded.
    """

    def load[R: Record](self, address: Address[R]) -> R | None:
        """Return the record as it stands now, or None."""
        ...

    def save[R: Record](self, record: R, *, over: R | None = None) -> R:
        """
        Write *record* if the stored one still has its `version` (0: if there is none).

        This is the optimistic lock that all records are changed under.

        Args:
            over: The record that it takes the place of; None for a new one, or where its kind
                has no states.

        Returns:
            The record with its new version.

        Raises:
            ConflictError: Another process wrote it first.
            ForbiddenEdgeError: It cannot follow *over*: a bug; nothing was written.
        """
        ...

    def delete[R: Record](self, record: R) -> None:
        """
        Remove *record* if the stored one still has its version; gone already is fine.

        Raises:
            ConflictError: Another process wrote it first.
        """
        ...

    def load_parts(self, import_id: str) -> tuple[Part, ...]:
        """Return all parts of an import, by number."""
        ...

    def find_due(self, kind: OpenKind, *, before: int, limit: int) -> tuple[OpenAddress, ...]:
        """
        Return addresses of open records with `due_at` <= *before*, the longest overdue first.

        Comes from an index that lags: load the record before acting on it.
        """
        ...

    def find_listed(self, heading: str, *, limit: int | None = None) -> tuple[Import, ...]:
        """
        Return imports under a heading of `domain.listing`, the newest first.

        They have what the index holds of them and no version: to look at, never to save. Those
        that this release cannot read are left out; the tick reports them.
        """
        ...

    def find_undone(self, *, limit: int) -> tuple[str, ...]:
        """Return imports that are, or are being, undone, the last confirmed first; it lags, too."""
        ...

    def leave_unreadable(self, address: Address[Any], due_at: int) -> None:
        """
        Let an open item that cannot be read be due at *due_at*; all else of it stays as it is.

        Raises:
            ConflictError: Another process wrote it first.
        """
        ...


class Files(Protocol):
    """The bucket. Keys are decoded; one bucket per deployment."""

    def find_newest(self, key: str) -> ObjectVersion | None:
        """Return the current version of *key*, or None if there is none or it was deleted."""
        ...

    def read(self, key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:
        """
        Return a small object whole.

        Raises:
            MissingObjectError: There is no such object or version.
            DropRejectedError: It is larger than *at_most* bytes.
        """
        ...

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        """
        Return the bytes of one version, read by ranges: a broken stream costs one range.

        Raises:
            MissingObjectError: The version is gone.
        """
        ...

    def write(self, key: str, body: bytes, *, content_type: str) -> None:
        """Store an object whole."""
        ...

    def open_writer(self, key: str, *, content_type: str) -> AbstractContextManager[BinaryIO]:
        """
        Return a stream that becomes the object *key* when its block ends without an error.

        Memory stays bounded whatever is written.
        """
        ...

    def mark_closed(self, source: ObjectVersion) -> None:
        """
        Let a version be deleted once files are kept no longer; nothing happens if it is gone.

        What people have tagged it with stays.
        """
        ...

    def mark_open(self, source: ObjectVersion) -> None:
        """Keep a version, however old it is: an import of it has begun."""
        ...

    def list_keys(self, prefix: str, *, since: int = 0) -> Iterator[str]:
        """
        Yield current keys that start with *prefix*, in S3's order.

        Args:
            since: Leave out what was last written before, in seconds since the epoch.
        """
        ...


class Bigin(Protocol):
    """
    Bigin's Bulk Write API and the metadata it needs.

    Raises, for every call: BiginUnreachableError, BiginBusyError, BiginAccessError,
    BiginRefusedError, BiginOutcomeUnknownError.
    """

    def upload(self, archive: bytes, *, name: str, zgid: str) -> str:
        """
        Upload a zip under the file name *name* and return its `file_id`. Safe to repeat.

        Raises:
            OtherOrganisationError: The access token is not for the organisation *zgid*.
        """
        ...

    def create_job(self, request: JobRequest, *, file_id: str, callback_url: str, zgid: str) -> str:
        """
        Create a bulk write job and return its id. 500 credits; sent once, never repeated.

        Raises:
            OtherOrganisationError: The access token is not for the organisation *zgid*.
        """
        ...

    def get_job(self, job_id: str) -> Job:
        """Return what Bigin says of a job now."""
        ...

    def download_result(self, url: str) -> AbstractContextManager[BinaryIO]:
        """
        Yield the result zip of a job, seekable; *url* as Bigin wrote it, relative or absolute.

        Raises:
            BiginRefusedError: Also if the URL's host is not one of Zoho's.
        """
        ...

    def get_fields(self, module: str) -> tuple[Field, ...]:
        """Return the fields of a module."""
        ...

    def get_zgid(self) -> str:
        """Return the id of the access token's organisation, the value of X-CRM-ORG."""
        ...

    def get_time_zone(self) -> str:
        """Return the organisation's time zone by its IANA name; "" if it has none."""
        ...


@dataclass(frozen=True, slots=True)
class ChangedRecord:
    """A record in Bigin and when it was last changed, by whomever; the time has its zone."""

    id: str
    modified_time: datetime


class Records(Protocol):
    """
    Records that are in Bigin, by id. A call costs 1 credit.

    Raises, for every method: what Bigin's do.
    """

    def delete_records(self, module: str, ids: Sequence[str], *, zgid: str) -> dict[str, str]:
        """
        Delete records, 100 at most, and start no workflow; return Bigin's code for each id.

        Safe to repeat. Of a record that is gone already, Bigin says what it says of one that
        never was: INVALID_DATA; `list_deleted_ids` knows which.

        Returns:
            "SUCCESS", "INVALID_DATA", ... by id, of *ids* only; an id that the answer leaves
            out is not in it.

        Raises:
            OtherOrganisationError: The access token is not for the organisation *zgid*.
            BiginOutcomeUnknownError: Any of the records may be deleted, or none.
        """
        ...

    def list_deleted_ids(self, module: str, ids_of_interest: Collection[str]) -> set[str]:
        """
        Return which of these ids are in Bigin's list of deleted records.

        A credit for each 200 of that list, until all are found or it ends.

        Raises:
            BiginRefusedError: Also if the list is longer than Bigin gives out.
        """
        ...

    def list_changed_since(self, module: str, since: datetime) -> Iterator[ChangedRecord]:
        """
        Yield the records that were changed at *since* or later, the latest first.

        A credit for each 200 of them. Deleted records are not among them.

        Raises:
            BiginOutcomeUnknownError: Also if Bigin names no time or keeps no order, so that
                nobody can say what has changed.
            BiginRefusedError: Also if the list is longer than Bigin gives out.
        """
        ...

    def get_modified_time(self, module: str, record_id: str) -> datetime | None:
        """
        Return when a record was last changed; None if there is no such record any more.

        Raises:
            BiginOutcomeUnknownError: Also if Bigin names no time.
        """
        ...


class Metadata(Protocol):
    """
    What a mapping is held against.

    Raises, for every call: BiginError if Bigin was asked and did not say.
    """

    def get_fields(self, module: str) -> tuple[Field, ...]:
        """Return the fields of a module."""
        ...

    def get_time_zone(self) -> str:
        """Return the organisation's time zone by its IANA name; "" if it has none."""
        ...


class Accounts(Protocol):
    """Zoho's token endpoint."""

    def read_version(self) -> str:
        """Return which version of the Zoho secret a refresh uses now; "" if it is unreadable."""
        ...

    def refresh(self) -> FreshToken:
        """
        Return a new access token.

        Raises:
            BiginAccessError: The refresh token or the client is refused.
            BiginBusyError: Too many refreshes; try again in some minutes.
            BiginUnreachableError, BiginOutcomeUnknownError: No answer that can be read.
        """
        ...


class TokenSecret(Protocol):
    """
    Where the access token lies: each write makes a version of its own.

    Raises, from both methods: AwsUnavailableError; AwsRefusedError where a limit, a permission
    or a key stands in the way.
    """

    def write(self, token: str) -> str:
        """Store *token* and return the id of its version."""
        ...

    def read(self, version_id: str) -> str | None:
        """Return that version, the current one where it is gone, or None if there is neither."""
        ...


class ZohoSecret(Protocol):
    """The secret that a person stores: who we are for Zoho."""

    def read_version(self) -> str:
        """Return the id of its current version; "" if it cannot be read. Never kept."""
        ...


class AccessTokens(Protocol):
    """
    The shared access token, as the HTTP client sees it.

    Raises, from both methods: BiginError or AwsError if no token can be had; whatever it says,
    the call that wants the token was not sent.
    """

    def get_token(self) -> str:
        """Return a token that is believed to be good."""
        ...

    def renew_token(self, refused: str) -> str:
        """Return a token other than *refused*: a newer one if there is one, else a fresh one."""
        ...


class CallbackUrls(Protocol):
    """Where Bigin reports a finished job, and whether a job reports there."""

    def names(self, job: Job, import_id: str, part: int, attempt: int) -> bool | None:
        """
        Return whether the callback that *job* echoes is the one of this attempt.

        Returns:
            None if the job echoes no callback.
        """
        ...

    def url(self, import_id: str, part: int, attempt: int) -> str:
        """Return the signed callback URL of one attempt. Never in a log."""
        ...


class CollectQueue(Protocol):
    """Work for settle_jobs."""

    def collect(self, import_id: str, part: int | None = None, *, after_seconds: int = 0) -> None:
        """
        Ask for one part to be collected, or, without *part*, for the import to be finished.

        Args:
            after_seconds: How long that waits, 15 minutes at most.
        """
        ...

    def go_on_undoing(self, import_id: str) -> None:
        """Ask for an import to be undone further, in an invocation of its own."""
        ...


class Resumer(Protocol):
    """A way to wake import_csv."""

    def resume(self, import_id: str) -> None:
        """Ask import_csv, asynchronously, to go on with an import."""
        ...


@dataclass(frozen=True, slots=True)
class FailedDecision:
    """A person's decision that was not carried out: about a part's attempt, or, with 0, a hold."""

    import_id: str
    part: int = 0
    attempt: int = 0
    held_at: int = 0


class Failures(Protocol):
    """Events that import_csv failed on, every retry included."""

    def drain(self) -> Iterator[tuple[ObjectVersion | FailedDecision, ...]]:
        """
        Yield the objects, or the decision, that some of them were about; none for a resume.

        An event is taken off when the next one is asked for; one that is not dealt with
        comes back.
        """
        ...


class Notices(Protocol):
    """The topic that people subscribe to."""

    def publish(self, notice: Notice) -> None:
        """
        Publish one notice.

        Raises:
            NoticeFailedError: The topic did not take it.
        """
        ...


class Telemetry(Protocol):
    """What operators see: one structured log line and, for the known events, metrics."""

    def emit(self, event: str, **facts: str | float | None) -> None:
        """
        Report that *event* happened; *facts* are ids, states, codes and counts.

        Never cell values, tokens, signatures or secrets.
        """
        ...

    def mark_lines(self, import_id: str) -> AbstractContextManager[None]:
        """Put an import's id on every line of this block, of its threads too, and on no other."""
        ...
