"""
Bigin's error codes: what each means, and what to do about it, in plain words.

In three tables by what Bigin refuses with them, for the same code may mean something else of a job,
of an upload and of a row. Those of jobs are the codes of the Create Bulk Write Job page, in its
order, and then those that the engine Bigin shares with Zoho CRM is known to give. Messages vary
between versions, codes do not: only codes are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SCOPES = (
    "ZohoBigin.bulk.ALL,ZohoBigin.modules.ALL,ZohoBigin.settings.ALL,ZohoBigin.org.READ,"
    "ZohoFiles.files.ALL"
)

UPLOAD = "upload"  # the name of that call, in errors too

# Bigin broke while working: what it had done by then nobody can say.
SERVER_FAULTS = ("INTERNAL_ERROR", "INTERNAL_SERVER_ERROR")


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """
    What one code of Bigin's says, in plain words.

    Attributes:
        meaning: What is wrong, as a sentence; of a row, when Bigin names no column.
        remedy: What to do; of a row as a sentence, else without a full stop.
        concerns_mapping: True if every part of the import would be refused the same way; of rows
            always False.
        of_one, of_several: What is wrong with the columns that stand for `{}`; "" if the code
            is not about their values.
    """

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

JOB_CODES = {
    "MANDATORY_FIELDS_NOT_MAPPED": ErrorCode(
        "A field that Bigin requires is not in the mapping.",
        "Map every field that the module or its layout makes mandatory, or give it a "
        "default_value; fields mandatory in a layout are shown under Setup, not in the metadata",
        concerns_mapping=True,
    ),
    "MANDATORY_NOT_FOUND": ErrorCode(
        "The request lacks a key that Bigin requires, such as find_by.",
        "Add the key that Bigin names; update and upsert need find_by in the mapping",
        concerns_mapping=True,
    ),
    "INVALID_FIELD": ErrorCode(
        "The mapping names a field that the module does not have.",
        "Correct the api_name in the mapping: it is the API name of the field, not its label",
        concerns_mapping=True,
    ),
    "INVALID_FORMAT": ErrorCode(
        "Bigin does not accept the format of a date field.",
        "Correct the date format of the column in the mapping",
        concerns_mapping=True,
    ),
    "INVALID_FILE_ID": ErrorCode(
        "Bigin no longer knows the uploaded file.",
        "Bigin does not know the uploaded file any more: drop the file again",
        concerns_mapping=False,
    ),
    "HEADER_LIMIT_EXCEEDED": ErrorCode(
        "More than 200 fields are mapped.",
        "Map at most 200 fields",
        concerns_mapping=True,
    ),
    "COLUMN_INDEX_NOT_FOUND": ErrorCode(
        "The request names a column that the file does not have.",
        "Correct the index in the mapping: columns count from 0 and must exist",
        concerns_mapping=True,
    ),
    "MODULE_NOT_AVAILABLE": ErrorCode(
        "Bigin has no such module for bulk writing.",
        "Correct the module in the mapping: Contacts, Accounts (companies), Pipelines (deals) or "
        "Products; bulk write does not support the others",
        concerns_mapping=True,
    ),
    "INVALID_URL_PATTERN": ErrorCode(
        "Bigin does not know the address of the request.",
        _CHECK_ADDRESSES,
        concerns_mapping=True,
    ),
    "OAUTH_SCOPE_MISMATCH": ErrorCode(
        "The importer's access to Bigin lacks a scope.",
        f"Make a new refresh token with the scopes {SCOPES} and put it in the Zoho secret",
        concerns_mapping=True,
    ),
    "NO_PERMISSION": ErrorCode(
        "The Bigin user may not create records here.",
        _ASK_ADMINISTRATOR,
        concerns_mapping=True,
    ),
    "INTERNAL_ERROR": ErrorCode(
        "Bigin had an error of its own.",
        "Bigin failed; if it stays so, ask its support",
        concerns_mapping=False,
    ),
    "INVALID_REQUEST_METHOD": ErrorCode(
        "Bigin does not accept the kind of request.",
        _CHECK_ADDRESSES,
        concerns_mapping=True,
    ),
    "AUTHORIZATION_FAILED": ErrorCode(
        "The Bigin user may not create records here.",
        _ASK_ADMINISTRATOR,
        concerns_mapping=True,
    ),
    "MISSING_REQUIRED_KEY": ErrorCode(
        "The request lacks a key that Bigin requires.",
        "Add the key that Bigin names to the mapping",
        concerns_mapping=True,
    ),
    "INVALID_CALLBACK_URL": ErrorCode(
        "Bigin cannot reach the importer's address.",
        "Bigin could not reach the callback address: check that the API of this deployment "
        "answers from the internet",
        concerns_mapping=True,
    ),
    "INVALID_CALLBACK_METHOD": ErrorCode(
        "Bigin does not accept how it is to report back.",
        "Bigin wants another callback method than POST: report this",
        concerns_mapping=True,
    ),
    "FILE_NOT_SUPPORTED": ErrorCode(
        "Bigin cannot read the uploaded file.",
        "Bigin cannot read the uploaded file: drop it again",
        concerns_mapping=False,
    ),
    "FILE_NOT_FOUND": ErrorCode(
        "Bigin no longer knows the uploaded file.",
        "Bigin does not know the uploaded file any more: drop the file again",
        concerns_mapping=False,
    ),
    "INVALID_DATA": ErrorCode(
        "A value of the request has the wrong type.",
        "Correct what Bigin names: the organisation, the size of the file, or a key of the mapping",
        concerns_mapping=True,
    ),
    "COEXISTENCE_NOT_ALLOWED": ErrorCode(
        "The mapping sets two things that exclude each other.",
        "Two keys of the mapping exclude one another",
        concerns_mapping=True,
    ),
    "REQUEST_BODY_NOT_SUPPORTED": ErrorCode(
        "Bigin cannot read the request.",
        "Bigin cannot read the request: report this",
        concerns_mapping=True,
    ),
    "INVALID_REQUEST": ErrorCode(
        "Bigin cannot read the request.",
        "Bigin cannot read the request: check the template parameter ApiUrl",
        concerns_mapping=True,
    ),
    "INVALID_FIELD_NAME": ErrorCode(
        "The mapping names a field that the module does not have.",
        "Correct the api_name in the mapping: it is the API name of the field, not its label",
        concerns_mapping=True,
    ),
    "LIMIT_REACHED": ErrorCode(
        "A limit of your Bigin account is reached.",
        "A limit of the Bigin edition is reached: see Setup, API Dashboard",
        concerns_mapping=True,
    ),
    "NOT_ALLOWED": ErrorCode(
        "Bigin does not allow this.",
        _ASK_ADMINISTRATOR,
        concerns_mapping=True,
    ),
    "ALREADY_USED": ErrorCode(
        "Bigin has used this upload before.",
        "The uploaded file was used before: drop the file again",
        concerns_mapping=False,
    ),
    "BAD_REQUEST": ErrorCode(
        "Bigin cannot read the request.",
        "Bigin cannot read the request: check the mapping",
        concerns_mapping=True,
    ),
    "INTERNAL_SERVER_ERROR": ErrorCode(
        "Bigin had an error of its own.",
        "Bigin failed; if it stays so, ask its support",
        concerns_mapping=False,
    ),
    "RESOURCE_NOT_FOUND": ErrorCode(
        "Bigin does not know this job.",
        "Bigin does not know this job (any more)",
        concerns_mapping=False,
    ),
    "INVALID_MODULE": ErrorCode(
        "Bigin has no such module.",
        "Correct the module in the mapping: Contacts, Accounts (companies), Pipelines (deals) or "
        "Products",
        concerns_mapping=True,
    ),
    "LIMIT_EXCEEDED": ErrorCode(
        "A limit of your Bigin account is reached.",
        "Make room or change the Bigin plan, then drop the file again",
        concerns_mapping=False,
    ),
    "INVALID_TOKEN": ErrorCode(
        "Bigin no longer accepts the importer's access.",
        "Check that the data centre of the deployment is the account's, and that the user who "
        "made the refresh token is still active",
        concerns_mapping=False,
    ),
    "AUTHENTICATION_FAILURE": ErrorCode(
        "Bigin no longer accepts the importer's access.",
        "Check that the data centre of the deployment is the account's, and that the user who "
        "made the refresh token is still active",
        concerns_mapping=False,
    ),
}

UPLOAD_CODES = {
    "INVALID_FILE_FORMAT": ErrorCode(
        "Bigin does not take the archive for a zip.",
        "Bigin did not accept the archive as a zip: drop the file again",
        concerns_mapping=False,
    ),
    "FILE_TOO_LARGE": ErrorCode(
        "The archive is larger than Bigin takes.",
        "The part is over 25 MB: report this, parts are made smaller",
        concerns_mapping=False,
    ),
    "NOT_SUPPORTED_FEATURE": ErrorCode(
        "The host of the upload does not know bulk writing.",
        "The upload host is wrong: check the template parameters DataCenter and UploadUrl",
        concerns_mapping=True,
    ),
    "MANDATORY_NOT_FOUND": ErrorCode(
        "The upload lacks a header that Bigin requires.",
        "A header of the upload was lost on its way: check that the template parameter UploadUrl "
        "is empty or leads straight to Zoho; if it does, report this",
        concerns_mapping=True,
    ),
    "INVALID_DATA": ErrorCode(
        "Bigin does not accept the organisation or the file of the upload.",
        "If Bigin names x-crm-org, the refresh token has become another organisation's within the "
        "last day: go back to the old token, or drop the file again tomorrow. If it names the "
        "size of the file, report this: parts are made smaller",
        concerns_mapping=True,
    ),
}

ROW_CODES = {
    "MANDATORY_NOT_FOUND": ErrorCode(
        "A field that Bigin requires is empty.",
        "Fill it in and drop the corrected file.",
        concerns_mapping=False,
        of_one="{} is empty, and Bigin requires it.",
        of_several="{} are empty, and Bigin requires them.",
    ),
    "INVALID_DATA": ErrorCode(
        "Bigin cannot store a value of this row.",
        "Correct the value (type, format, length) and drop the corrected file.",
        concerns_mapping=False,
        of_one="Bigin cannot store the value of {}.",
        of_several="Bigin cannot store the values of {}.",
    ),
    "DUPLICATE_DATA": ErrorCode(
        "A record with the same unique value is already in Bigin.",
        "Remove the row or correct the value; to update the record instead, find it by this field "
        'with "upsert" in the mapping.',
        concerns_mapping=False,
        of_one="A record with the same {} is already in Bigin, and the value must be unique.",
        of_several="Records with the same {} are already in Bigin, and the values must be unique.",
    ),
    "NOT_APPROVED": ErrorCode(
        "The record waits for approval in Bigin and cannot be changed.",
        "Approve the record in Bigin, then drop the row again.",
        concerns_mapping=False,
    ),
    "BLOCKED_RECORD": ErrorCode(
        "The record is locked in Bigin.",
        "Unlock the record in Bigin, then drop the row again.",
        concerns_mapping=False,
    ),
    "CANNOT_PROCESS": ErrorCode(
        "Bigin could not work on this row.",
        "Drop the row again; if it fails again, ask Bigin's support.",
        concerns_mapping=False,
        of_one="Bigin could not work on this row because of {}.",
    ),
    "LIMIT_EXCEEDED": ErrorCode(
        "A limit of your Bigin account is reached.",
        "Make room or change the Bigin plan, then drop the row again.",
        concerns_mapping=False,
        of_one="A limit of your Bigin account is reached for {}.",
    ),
    "RESOURCE_NOT_FOUND": ErrorCode(
        "Bigin has no such record.",
        "Correct the value, or create the missing record first.",
        concerns_mapping=False,
        of_one="Bigin has no record with this {}.",
        of_several="Bigin has no records with these {}.",
    ),
}


def of_call(code: str, call: str = "") -> ErrorCode | None:
    """
    Return what a code means that answers a whole call, or None if it is not known.

    Args:
        call: What was refused; some codes mean something else of an UPLOAD.
    """
    first, then = (UPLOAD_CODES, JOB_CODES) if call == UPLOAD else (JOB_CODES, UPLOAD_CODES)
    return first.get(code) or then.get(code)
