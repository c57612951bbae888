"""
Bigin's error codes: what each means, and what to do about it, in plain words.

First those of the Create Bulk Write Job page, in its order; then those of the upload page, those
that the engine Bigin shares with Zoho CRM is known to give, and those of single rows. Messages vary
between versions, codes do not: only codes are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

SCOPES = (
    "ZohoBigin.bulk.ALL,ZohoBigin.modules.ALL,ZohoBigin.settings.ALL,ZohoBigin.org.READ,"
    "ZohoFiles.files.ALL"
)

UPLOAD = "upload"  # the name of that call, in errors too

# Bigin broke while working: what it had done by then nobody can say.
SERVER_FAULTS = ("INTERNAL_ERROR", "INTERNAL_SERVER_ERROR")


class Scope(Enum):
    """What Bigin refuses with a code; the same code may mean something else of each."""

    JOB = auto()
    UPLOAD = auto()
    ROW = auto()


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """
    One code of Bigin's in plain words.

    Attributes:
        meaning: What is wrong, as a sentence; of a row, when Bigin names no column.
        remedy: What to do; of a row as a sentence, else without a full stop.
        concerns_mapping: True if every part of the import would be refused the same way.
        of_one, of_several: What is wrong with the columns that stand for `{}`; "" if the code
            is not about their values.
    """

    code: str
    scope: Scope
    meaning: str
    remedy: str
    concerns_mapping: bool
    of_one: str = ""
    of_several: str = ""

    def meaning_for(self, columns: Sequence[str]) -> str:
        """Return the sentence about *columns*, as people call them; there may be none."""
        if not columns:
            return self.meaning
        words = self.of_several if len(columns) > 1 else self.of_one
        return (words or self.of_one or self.meaning + " It names {}.").replace(
            "{}", listed(columns)
        )


def listed(names: Sequence[str]) -> str:
    """Return "a", "a and b", or "a, b and c"."""
    return ", ".join((*names[:-2], " and ".join(names[-2:])))


_ASK_ADMINISTRATOR = (
    "The user who made the refresh token may not do this: ask the administrator of Bigin to "
    "change the profile, or use another user's token"
)
_CHECK_ADDRESSES = (
    "The address of the request is wrong: check the template parameters ApiUrl and UploadUrl, "
    "which are empty in most deployments"
)

ERROR_CODES = (
    ErrorCode(
        "MANDATORY_FIELDS_NOT_MAPPED",
        Scope.JOB,
        "A field that Bigin requires is not in the mapping.",
        "Map every field that the module or its layout makes mandatory, or give it a "
        "default_value; fields mandatory in a layout are shown under Setup, not in the metadata",
        concerns_mapping=True,
    ),
    ErrorCode(
        "MANDATORY_NOT_FOUND",
        Scope.JOB,
        "The request lacks a key that Bigin requires, such as find_by.",
        "Add the key that Bigin names; update and upsert need find_by in the mapping",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_FIELD",
        Scope.JOB,
        "The mapping names a field that the module does not have.",
        "Correct the api_name in the mapping: it is the API name of the field, not its label",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_FORMAT",
        Scope.JOB,
        "Bigin does not accept the format of a date field.",
        "Correct the date format of the column in the mapping",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_FILE_ID",
        Scope.JOB,
        "Bigin no longer knows the uploaded file.",
        "Bigin does not know the uploaded file any more: drop the file again",
        concerns_mapping=False,
    ),
    ErrorCode(
        "HEADER_LIMIT_EXCEEDED",
        Scope.JOB,
        "More than 200 fields are mapped.",
        "Map at most 200 fields",
        concerns_mapping=True,
    ),
    ErrorCode(
        "COLUMN_INDEX_NOT_FOUND",
        Scope.JOB,
        "The request names a column that the file does not have.",
        "Correct the index in the mapping: columns count from 0 and must exist",
        concerns_mapping=True,
    ),
    ErrorCode(
        "MODULE_NOT_AVAILABLE",
        Scope.JOB,
        "Bigin has no such module for bulk writing.",
        "Correct the module in the mapping: Contacts, Accounts (companies), Pipelines (deals) or "
        "Products; bulk write does not support the others",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_URL_PATTERN",
        Scope.JOB,
        "Bigin does not know the address of the request.",
        _CHECK_ADDRESSES,
        concerns_mapping=True,
    ),
    ErrorCode(
        "OAUTH_SCOPE_MISMATCH",
        Scope.JOB,
        "The importer's access to Bigin lacks a scope.",
        f"Make a new refresh token with the scopes {SCOPES} and put it in the Zoho secret",
        concerns_mapping=True,
    ),
    ErrorCode(
        "NO_PERMISSION",
        Scope.JOB,
        "The Bigin user may not create records here.",
        _ASK_ADMINISTRATOR,
        concerns_mapping=True,
    ),
    ErrorCode(
        "INTERNAL_ERROR",
        Scope.JOB,
        "Bigin had an error of its own.",
        "Bigin failed; if it stays so, ask its support",
        concerns_mapping=False,
    ),
    ErrorCode(
        "INVALID_REQUEST_METHOD",
        Scope.JOB,
        "Bigin does not accept the kind of request.",
        _CHECK_ADDRESSES,
        concerns_mapping=True,
    ),
    ErrorCode(
        "AUTHORIZATION_FAILED",
        Scope.JOB,
        "The Bigin user may not create records here.",
        _ASK_ADMINISTRATOR,
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_FILE_FORMAT",
        Scope.UPLOAD,
        "Bigin does not take the archive for a zip.",
        "Bigin did not accept the archive as a zip: drop the file again",
        concerns_mapping=False,
    ),
    ErrorCode(
        "FILE_TOO_LARGE",
        Scope.UPLOAD,
        "The archive is larger than Bigin takes.",
        "The part is over 25 MB: report this, parts are made smaller",
        concerns_mapping=False,
    ),
    ErrorCode(
        "NOT_SUPPORTED_FEATURE",
        Scope.UPLOAD,
        "The host of the upload does not know bulk writing.",
        "The upload host is wrong: check the template parameters DataCenter and UploadUrl",
        concerns_mapping=True,
    ),
    ErrorCode(
        "MISSING_REQUIRED_KEY",
        Scope.JOB,
        "The request lacks a key that Bigin requires.",
        "Add the key that Bigin names to the mapping",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_CALLBACK_URL",
        Scope.JOB,
        "Bigin cannot reach the importer's address.",
        "Bigin could not reach the callback address: check that the API of this deployment "
        "answers from the internet",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_CALLBACK_METHOD",
        Scope.JOB,
        "Bigin does not accept how it is to report back.",
        "Bigin wants another callback method than POST: report this",
        concerns_mapping=True,
    ),
    ErrorCode(
        "FILE_NOT_SUPPORTED",
        Scope.JOB,
        "Bigin cannot read the uploaded file.",
        "Bigin cannot read the uploaded file: drop it again",
        concerns_mapping=False,
    ),
    ErrorCode(
        "FILE_NOT_FOUND",
        Scope.JOB,
        "Bigin no longer knows the uploaded file.",
        "Bigin does not know the uploaded file any more: drop the file again",
        concerns_mapping=False,
    ),
    ErrorCode(
        "INVALID_DATA",
        Scope.JOB,
        "A value of the request has the wrong type.",
        "Correct what Bigin names: the organisation, the size of the file, or a key of the mapping",
        concerns_mapping=True,
    ),
    ErrorCode(
        "COEXISTENCE_NOT_ALLOWED",
        Scope.JOB,
        "The mapping sets two things that exclude each other.",
        "Two keys of the mapping exclude one another",
        concerns_mapping=True,
    ),
    ErrorCode(
        "REQUEST_BODY_NOT_SUPPORTED",
        Scope.JOB,
        "Bigin cannot read the request.",
        "Bigin cannot read the request: report this",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_REQUEST",
        Scope.JOB,
        "Bigin cannot read the request.",
        "Bigin cannot read the request: check the template parameter ApiUrl",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_FIELD_NAME",
        Scope.JOB,
        "The mapping names a field that the module does not have.",
        "Correct the api_name in the mapping: it is the API name of the field, not its label",
        concerns_mapping=True,
    ),
    ErrorCode(
        "LIMIT_REACHED",
        Scope.JOB,
        "A limit of your Bigin account is reached.",
        "A limit of the Bigin edition is reached: see Setup, API Dashboard",
        concerns_mapping=True,
    ),
    ErrorCode(
        "NOT_ALLOWED",
        Scope.JOB,
        "Bigin does not allow this.",
        _ASK_ADMINISTRATOR,
        concerns_mapping=True,
    ),
    ErrorCode(
        "ALREADY_USED",
        Scope.JOB,
        "Bigin has used this upload before.",
        "The uploaded file was used before: drop the file again",
        concerns_mapping=False,
    ),
    ErrorCode(
        "BAD_REQUEST",
        Scope.JOB,
        "Bigin cannot read the request.",
        "Bigin cannot read the request: check the mapping",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INTERNAL_SERVER_ERROR",
        Scope.JOB,
        "Bigin had an error of its own.",
        "Bigin failed; if it stays so, ask its support",
        concerns_mapping=False,
    ),
    ErrorCode(
        "RESOURCE_NOT_FOUND",
        Scope.JOB,
        "Bigin does not know this job.",
        "Bigin does not know this job (any more)",
        concerns_mapping=False,
    ),
    ErrorCode(
        "INVALID_MODULE",
        Scope.JOB,
        "Bigin has no such module.",
        "Correct the module in the mapping: Contacts, Accounts (companies), Pipelines (deals) or "
        "Products",
        concerns_mapping=True,
    ),
    ErrorCode(
        "LIMIT_EXCEEDED",
        Scope.JOB,
        "A limit of your Bigin account is reached.",
        "Make room or change the Bigin plan, then drop the file again",
        concerns_mapping=False,
    ),
    ErrorCode(
        "INVALID_TOKEN",
        Scope.JOB,
        "Bigin no longer accepts the importer's access.",
        "Check that the data centre of the deployment is the account's, and that the user who "
        "made the refresh token is still active",
        concerns_mapping=False,
    ),
    ErrorCode(
        "AUTHENTICATION_FAILURE",
        Scope.JOB,
        "Bigin no longer accepts the importer's access.",
        "Check that the data centre of the deployment is the account's, and that the user who "
        "made the refresh token is still active",
        concerns_mapping=False,
    ),
    ErrorCode(
        "MANDATORY_NOT_FOUND",
        Scope.UPLOAD,
        "The upload lacks a header that Bigin requires.",
        "A header of the upload was lost on its way: check that the template parameter UploadUrl "
        "is empty or leads straight to Zoho; if it does, report this",
        concerns_mapping=True,
    ),
    ErrorCode(
        "INVALID_DATA",
        Scope.UPLOAD,
        "Bigin does not accept the organisation or the file of the upload.",
        "If Bigin names x-crm-org, the refresh token has become another organisation's within the "
        "last day: go back to the old token, or drop the file again tomorrow. If it names the "
        "size of the file, report this: parts are made smaller",
        concerns_mapping=True,
    ),
    ErrorCode(
        "MANDATORY_NOT_FOUND",
        Scope.ROW,
        "A field that Bigin requires is empty.",
        "Fill it in and drop the corrected file.",
        concerns_mapping=False,
        of_one="{} is empty, and Bigin requires it.",
        of_several="{} are empty, and Bigin requires them.",
    ),
    ErrorCode(
        "INVALID_DATA",
        Scope.ROW,
        "Bigin cannot store a value of this row.",
        "Correct the value (type, format, length) and drop the corrected file.",
        concerns_mapping=False,
        of_one="Bigin cannot store the value of {}.",
        of_several="Bigin cannot store the values of {}.",
    ),
    ErrorCode(
        "DUPLICATE_DATA",
        Scope.ROW,
        "A record with the same unique value is already in Bigin.",
        "Remove the row or correct the value; to update the record instead, find it by this field "
        'with "upsert" in the mapping.',
        concerns_mapping=False,
        of_one="A record with the same {} is already in Bigin, and the value must be unique.",
        of_several="Records with the same {} are already in Bigin, and the values must be unique.",
    ),
    ErrorCode(
        "NOT_APPROVED",
        Scope.ROW,
        "The record waits for approval in Bigin and cannot be changed.",
        "Approve the record in Bigin, then drop the row again.",
        concerns_mapping=False,
    ),
    ErrorCode(
        "BLOCKED_RECORD",
        Scope.ROW,
        "The record is locked in Bigin.",
        "Unlock the record in Bigin, then drop the row again.",
        concerns_mapping=False,
    ),
    ErrorCode(
        "CANNOT_PROCESS",
        Scope.ROW,
        "Bigin could not work on this row.",
        "Drop the row again; if it fails again, ask Bigin's support.",
        concerns_mapping=False,
        of_one="Bigin could not work on this row because of {}.",
    ),
    ErrorCode(
        "LIMIT_EXCEEDED",
        Scope.ROW,
        "A limit of your Bigin account is reached.",
        "Make room or change the Bigin plan, then drop the row again.",
        concerns_mapping=False,
        of_one="A limit of your Bigin account is reached for {}.",
    ),
    ErrorCode(
        "RESOURCE_NOT_FOUND",
        Scope.ROW,
        "Bigin has no such record.",
        "Correct the value, or create the missing record first.",
        concerns_mapping=False,
        of_one="Bigin has no record with this {}.",
        of_several="Bigin has no records with these {}.",
    ),
)

_TABLE = {(entry.code, entry.scope): entry for entry in ERROR_CODES}
ROW_CODES = {entry.code: entry for entry in ERROR_CODES if entry.scope is Scope.ROW}


def of_call(code: str, call: str = "") -> ErrorCode | None:
    """
    Return what a code means that answers a whole call, or None if it is not known.

    Args:
        call: What was refused; some codes mean something else of an UPLOAD.
    """
    scopes = (Scope.UPLOAD, Scope.JOB) if call == UPLOAD else (Scope.JOB, Scope.UPLOAD)
    return next((_TABLE[code, scope] for scope in scopes if (code, scope) in _TABLE), None)
