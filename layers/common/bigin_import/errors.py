"""
Every error this application raises. The tree answers three questions about a failure:
whose fault is it, may the same request succeed later (retryable), and may it have worked
after all (maybe_done)?

    BiginImportError
    ├── SettingsError                 ours: the deployment lacks a setting
    │   └── SecretUnreadableError     the operator's: Secrets Manager does not give a secret out
    ├── DropRejectedError             theirs: the file or its mapping is wrong; nothing was sent
    ├── MissingObjectError            an object is not, or no longer, in the bucket
    ├── ChangedObjectError            somebody's: what we stored is not what lies there now
    ├── RowResultsMismatchError       ours: a part has not as many row results as rows
    ├── ConflictError                 nobody's: another process wrote first  retryable
    ├── UnreadableItemError           nobody's: another release wrote an item     retryable
    ├── UnderWayError                 nobody's: an earlier import must end first  retryable
    ├── UndoRefusedError              theirs: an import cannot be undone as it was asked
    ├── LeaseLostError                nobody's: another submitter took over
    ├── AwsError
    │   ├── AwsUnavailableError       throttled, 5xx, no answer: it passes    retryable, maybe_done
    │   └── AwsRefusedError           the operator's: a permission, table or key is missing
    │       └── UnreadableObjectError  an object is there, but we may not read it
    ├── NoticeFailedError             the operator's: the topic refused it   retryable
    └── BiginError
        ├── BiginUnreachableError     the request never reached Bigin            retryable
        ├── BiginOutcomeUnknownError  sent, but no readable answer                        maybe_done
        ├── BiginBusyError            429: credits or parallel calls used up     retryable
        │   └── TokenBusyError        no access token can be had for minutes     retryable
        ├── BiginAccessError          token, client or scope refused; the operator mends it
        └── BiginRefusedError         Bigin read the request and said no
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from bigin_import.domain.drop import Problem
    from bigin_import.domain.import_record import Awaited


class BiginImportError(Exception):
    """Base class: catch this and nothing of ours slips past."""

    retryable: ClassVar[bool] = False
    maybe_done: ClassVar[bool] = False


class SettingsError(BiginImportError):
    """A function was deployed without a setting it needs, or with one it cannot read."""


class SecretUnreadableError(SettingsError):
    """
    A secret is not there, holds no text, or is not ours to read or to decrypt.

    Attributes:
        code: AWS's word for it, such as "AccessDeniedException".
        resolution: What an operator does about it, in a sentence.
    """

    def __init__(self, arn: str, *, code: str, resolution: str) -> None:
        self.code = code
        self.resolution = resolution
        super().__init__(f"{arn} cannot be read: {code}. {resolution}")


class DropRejectedError(BiginImportError):
    """
    The drop cannot be imported as it is. Nothing was sent to Bigin.

    Attributes:
        problems: Everything that is wrong, not only the first thing. Never empty.
        concerns_mapping: True if correcting the mapping is the way out; the drop is then
            taken up again as soon as a corrected mapping arrives.
    """

    def __init__(self, problems: tuple[Problem, ...], *, concerns_mapping: bool = False) -> None:
        self.problems = problems
        self.concerns_mapping = concerns_mapping
        super().__init__("; ".join(str(problem) for problem in problems))


class MissingObjectError(BiginImportError):
    """
    An object, or the version of it that was asked for, is not in the bucket.

    Attributes:
        key: The decoded key of the object.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"{key} is not in the bucket")


class ChangedObjectError(BiginImportError):
    """
    An object that we stored has another SHA-256 than the ledger says.

    Attributes:
        key: The decoded key of the object.
    """

    def __init__(self, key: str, sha256: str) -> None:
        self.key = key
        super().__init__(f"{key} is not what was stored: its SHA-256 is not {sha256}")


class RowResultsMismatchError(BiginImportError):
    """
    A part has more or fewer row results than rows, so no row result is sure to be its row's.

    Attributes:
        part: Its number.
        rows, row_results: How many there are of each; *row_results* may be one more than *rows*
            where there are more still.
    """

    def __init__(self, import_id: str, part: int, *, rows: int, row_results: int) -> None:
        self.part = part
        self.rows = rows
        self.row_results = row_results
        super().__init__(
            f"part {part} of import {import_id} has {rows} rows, but {row_results} row results"
        )


class ConflictError(BiginImportError):
    """The item is not in the state that was read. Read it again and decide anew."""

    retryable = True


class UnreadableItemError(BiginImportError):
    """
    An item of the table has a state or a value that this release does not know: another release
    wrote it, and this one was rolled back to. It is left as it is.

    Attributes:
        pk, sk: Its keys.
    """

    retryable = True

    def __init__(self, pk: str, sk: str) -> None:
        self.pk = pk
        self.sk = sk
        super().__init__(f"{pk} {sk} was written by another release and cannot be read by this one")


class UnderWayError(BiginImportError):
    """
    Another import must end first: it may get in what this one would send. Try again then.

    Attributes:
        awaited: Which one, if it is known.
    """

    retryable = True

    def __init__(self, what: str, awaited: Awaited | None = None) -> None:
        self.awaited = awaited
        super().__init__(what)


class UndoRefusedError(BiginImportError):
    """
    An import cannot be undone, or not as it was asked for; nothing was deleted.

    Attributes:
        remedy: What to do about it, in a sentence without its full stop.
    """

    def __init__(self, what: str, remedy: str) -> None:
        self.remedy = remedy
        super().__init__(what)


class LeaseLostError(BiginImportError):
    """This submitter's lease has ended or was taken over; it must not write or send any more."""


class NoticeFailedError(BiginImportError):
    """A notice could not be published. Its import stays open until it is."""

    retryable = True


class AwsError(BiginImportError):
    """
    AWS did not do what it was asked for.

    Attributes:
        service, operation: Such as "s3" and "PutObject".
        code: AWS's word for it, or the kind of a lost connection.
    """

    def __init__(self, service: str, operation: str, code: str) -> None:
        self.service = service
        self.operation = operation
        self.code = code
        super().__init__(f"{service} {operation}: {code}")


class AwsUnavailableError(AwsError):
    """Throttling, a fault of AWS's, a time-out or a lost connection: back off and try again."""

    retryable = True
    maybe_done = True


class AwsRefusedError(AwsError):
    """A permission, a limit, the table, a queue, a key is in the way: a person mends it."""


class UnreadableObjectError(AwsRefusedError):
    """
    An object is there, but S3 does not let us read it: encrypted with a key that our roles may
    not use, archived, or forbidden by a policy. The operator mends it.

    Attributes:
        key: The decoded key of the object.
    """

    def __init__(self, key: str, code: str = "AccessDenied") -> None:
        super().__init__("s3", "GetObject", code)
        self.key = key
        self.args = (f"{key} is in the bucket, but S3 does not let this application read it",)


NOT_TO_BE_READ = (MissingObjectError, ChangedObjectError, UnreadableObjectError)
"""What an object may raise that was removed, replaced, archived or forbidden meanwhile."""


class BiginError(BiginImportError):
    """Anything that went wrong between us and Bigin."""


class BiginUnreachableError(BiginError):
    """No connection was made, so the request certainly had no effect."""

    retryable = True


class BiginOutcomeUnknownError(BiginError):
    """The request may have left, and no answer that can be read came back."""

    maybe_done = True


class BiginBusyError(BiginError):
    """
    HTTP 429. Credits of the day and parallel calls are used up alike by this answer.

    Attributes:
        retry_after_seconds: What a Retry-After header or the body asked for, if either did.
    """

    retryable = True

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)


class TokenBusyError(BiginBusyError):
    """All the access tokens that Zoho gives in some minutes were asked for; nothing was sent."""


class BiginAccessError(BiginError):
    """
    Zoho does not let us in: refresh token, client, data centre or scope.

    Attributes:
        code: Zoho's word for it, such as "invalid_code" or "OAUTH_SCOPE_MISMATCH".
        resolution: What an operator does about it, in a sentence.
    """

    def __init__(self, message: str, *, code: str, resolution: str) -> None:
        self.code = code
        self.resolution = resolution
        super().__init__(message)


class OtherOrganisationError(BiginError):
    """
    The access token is for another organisation than the work; nothing was sent.

    Attributes:
        wanted, found: Ids of the work's organisation and of the token's.
    """

    def __init__(self, *, wanted: str, found: str) -> None:
        self.wanted = wanted
        self.found = found
        super().__init__(f"the access token is for organisation {found}, not for {wanted}")


class BiginRefusedError(BiginError):
    """
    Bigin understood the request and refused it; certainly nothing was done.

    Attributes:
        code: Bigin's code, such as "MANDATORY_FIELDS_NOT_MAPPED".
        message: Bigin's own words.
        resolution: The documented resolution in plain words.
        concerns_mapping: True if every part of the import would be refused the same way.
    """

    def __init__(
        self, *, code: str, message: str, resolution: str, concerns_mapping: bool = False
    ) -> None:
        self.code = code
        self.message = message
        self.resolution = resolution
        self.concerns_mapping = concerns_mapping
        super().__init__(f"{code}: {message}. {resolution}")
