"""
Bigin's error codes and what to do about each, in plain words.

The first 14 are those of the Create Bulk Write Job page, in its order; then those of the upload
page, and those that the engine Bigin shares with Zoho CRM is known to give. Messages vary between
versions, codes do not: only codes are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bigin_import.errors import BiginAccessError, BiginError, BiginRefusedError

SCOPES = (
    "ZohoBigin.bulk.ALL,ZohoBigin.modules.ALL,ZohoBigin.settings.ALL,ZohoBigin.org.READ,"
    "ZohoFiles.files.ALL"
)

UPLOAD = "upload"  # the name of that call, in errors too

# Bigin broke while working: what it had done by then nobody can say.
SERVER_FAULTS = ("INTERNAL_ERROR", "INTERNAL_SERVER_ERROR")


@dataclass(frozen=True, slots=True)
class KnownCode:
    """What to do about a code, and whether every part would be refused the same way."""

    resolution: str
    concerns_mapping: bool = True


_ASK_ADMINISTRATOR = (
    "The user who made the refresh token may not do this: ask the administrator of Bigin to "
    "change the profile, or use another user's token"
)
_CHECK_ADDRESSES = (
    "The address of the request is wrong: check the template parameters ApiUrl and UploadUrl, "
    "which are empty in most deployments"
)

KNOWN_CODES = {
    "MANDATORY_FIELDS_NOT_MAPPED": KnownCode(
        "Map every field that the module or its layout makes mandatory, or give it a "
        "default_value; fields mandatory in a layout are shown under Setup, not in the metadata"
    ),
    "MANDATORY_NOT_FOUND": KnownCode(
        "Add the key that Bigin names; update and upsert need find_by in the mapping"
    ),
    "INVALID_FIELD": KnownCode(
        "Correct the api_name in the mapping: it is the API name of the field, not its label"
    ),
    "INVALID_FORMAT": KnownCode("Correct the date format of the column in the mapping"),
    "INVALID_FILE_ID": KnownCode(
        "Bigin does not know the uploaded file any more: drop the file again",
        concerns_mapping=False,
    ),
    "HEADER_LIMIT_EXCEEDED": KnownCode("Map at most 200 fields"),
    "COLUMN_INDEX_NOT_FOUND": KnownCode(
        "Correct the index in the mapping: columns count from 0 and must exist"
    ),
    "MODULE_NOT_AVAILABLE": KnownCode(
        "Correct the module in the mapping: Contacts, Accounts (companies), Pipelines (deals) or "
        "Products; bulk write does not support the others"
    ),
    "INVALID_URL_PATTERN": KnownCode(_CHECK_ADDRESSES),
    "OAUTH_SCOPE_MISMATCH": KnownCode(
        f"Make a new refresh token with the scopes {SCOPES} and put it in the Zoho secret"
    ),
    "NO_PERMISSION": KnownCode(_ASK_ADMINISTRATOR),
    "INTERNAL_ERROR": KnownCode(
        "Bigin failed; if it stays so, ask its support", concerns_mapping=False
    ),
    "INVALID_REQUEST_METHOD": KnownCode(_CHECK_ADDRESSES),
    "AUTHORIZATION_FAILED": KnownCode(_ASK_ADMINISTRATOR),
    # Upload a file
    "INVALID_FILE_FORMAT": KnownCode(
        "Bigin did not accept the archive as a zip: drop the file again", concerns_mapping=False
    ),
    "FILE_TOO_LARGE": KnownCode(
        "The part is over 25 MB: report this, parts are cut smaller", concerns_mapping=False
    ),
    "NOT_SUPPORTED_FEATURE": KnownCode(
        "The upload host is wrong: check the template parameters DataCenter and UploadUrl"
    ),
    # Further codes of the engine
    "MISSING_REQUIRED_KEY": KnownCode("Add the key that Bigin names to the mapping"),
    "INVALID_CALLBACK_URL": KnownCode(
        "Bigin could not reach the callback address: check that the API of this deployment "
        "answers from the internet"
    ),
    "INVALID_CALLBACK_METHOD": KnownCode(
        "Bigin wants another callback method than POST: report this"
    ),
    "FILE_NOT_SUPPORTED": KnownCode(
        "Bigin cannot read the uploaded file: drop it again", concerns_mapping=False
    ),
    "FILE_NOT_FOUND": KnownCode(
        "Bigin does not know the uploaded file any more: drop the file again",
        concerns_mapping=False,
    ),
    "INVALID_DATA": KnownCode(
        "Correct what Bigin names: the organisation, the size of the file, or a key of the mapping"
    ),
    "COEXISTENCE_NOT_ALLOWED": KnownCode("Two keys of the mapping exclude one another"),
    "REQUEST_BODY_NOT_SUPPORTED": KnownCode("Bigin cannot read the request: report this"),
    "INVALID_REQUEST": KnownCode(
        "Bigin cannot read the request: check the template parameter ApiUrl"
    ),
    "INVALID_FIELD_NAME": KnownCode(
        "Correct the api_name in the mapping: it is the API name of the field, not its label"
    ),
    "LIMIT_REACHED": KnownCode("A limit of the Bigin edition is reached: see Setup, API Dashboard"),
    "NOT_ALLOWED": KnownCode(_ASK_ADMINISTRATOR),
    "ALREADY_USED": KnownCode(
        "The uploaded file was used before: drop the file again", concerns_mapping=False
    ),
    "BAD_REQUEST": KnownCode("Bigin cannot read the request: check the mapping"),
    "INTERNAL_SERVER_ERROR": KnownCode(
        "Bigin failed; if it stays so, ask its support", concerns_mapping=False
    ),
    # Job details and metadata
    "RESOURCE_NOT_FOUND": KnownCode(
        "Bigin does not know this job (any more)", concerns_mapping=False
    ),
    "INVALID_MODULE": KnownCode(
        "Correct the module in the mapping: Contacts, Accounts (companies), Pipelines (deals) or "
        "Products"
    ),
}

# What the same code means when it answers an upload, which the mapping has no part in.
_AT_UPLOAD = {
    "MANDATORY_NOT_FOUND": KnownCode(
        "A header of the upload was lost on its way: check that the template parameter UploadUrl "
        "is empty or leads straight to Zoho; if it does, report this"
    ),
    "INVALID_DATA": KnownCode(
        "If Bigin names x-crm-org, the refresh token has become another organisation's within "
        "the last day: go back to the old token, or drop the file again tomorrow. If it names "
        "the size of the file, report this: parts are cut smaller"
    ),
}
_GATEWAY_AT_UPLOAD = KnownCode(
    "Zoho's upload host turned the file away before Bigin saw it: check the template parameters "
    "DataCenter and UploadUrl, and that the user who made the refresh token is still a member of "
    "the organisation; then drop the file again",
    concerns_mapping=False,
)
_GATEWAY_ELSEWHERE = KnownCode(
    "Zoho's file host does not give this file out (any more): look at the job in Bigin",
    concerns_mapping=False,
)
_UNKNOWN_CODE = KnownCode(
    "Mend what Bigin's words name; if they say too little, ask Bigin's support about this code, "
    "which its documentation does not explain",
    concerns_mapping=False,
)
_ACCESS_CODES = ("OAUTH_SCOPE_MISMATCH",)


def known(code: str) -> bool:
    return code in KNOWN_CODES


def refusal(code: str, words: str, *, call: str = "") -> BiginError:
    """
    Return our error for a code: the operator's to mend, or the mapping's.

    Args:
        call: What was refused; some codes mean something else of an UPLOAD.
    """
    entry = _entry(code, call)
    if code in _ACCESS_CODES:
        return BiginAccessError(f"{code}: {words}", code=code, resolution=entry.resolution)
    return _refused(code, words, entry)


def gateway_refusal(status: int, words: str, *, call: str) -> BiginRefusedError:
    """Return our error for a 4xx of the file hosts' own gateway, which has no codes."""
    entry = _GATEWAY_AT_UPLOAD if call == UPLOAD else _GATEWAY_ELSEWHERE
    return _refused(f"HTTP {status}", words, entry)


def _entry(code: str, call: str) -> KnownCode:
    if call == UPLOAD and code in _AT_UPLOAD:
        return _AT_UPLOAD[code]
    return KNOWN_CODES.get(code, _UNKNOWN_CODE)


def _refused(code: str, words: str, entry: KnownCode) -> BiginRefusedError:
    return BiginRefusedError(
        code=code,
        message=words,
        resolution=entry.resolution,
        concerns_mapping=entry.concerns_mapping,
    )


@dataclass(frozen=True, slots=True)
class Words:
    """
    The code of a row in plain words.

    Attributes:
        general: What is wrong when Bigin names no column.
        of_one, of_several: What is wrong with the columns that stand for `{}`; "" if the code
            is not about their values.
    """

    general: str
    remedy: str
    of_one: str = ""
    of_several: str = ""

    def about(self, columns: Sequence[str]) -> str:
        """Return the sentence about *columns*, as people call them; there may be none."""
        if not columns:
            return self.general
        words = self.of_several if len(columns) > 1 else self.of_one
        return (words or self.of_one or self.general + " It names {}.").replace(
            "{}", listed(columns)
        )


def listed(names: Sequence[str]) -> str:
    """Return "a", "a and b", or "a, b and c"."""
    return ", ".join((*names[:-2], " and ".join(names[-2:])))


ROW_CODES = {
    "MANDATORY_NOT_FOUND": Words(
        "A field that Bigin requires is empty.",
        "Fill it in and drop the corrected file.",
        "{} is empty, and Bigin requires it.",
        "{} are empty, and Bigin requires them.",
    ),
    "INVALID_DATA": Words(
        "Bigin cannot store a value of this row.",
        "Correct the value (type, format, length) and drop the corrected file.",
        "Bigin cannot store the value of {}.",
        "Bigin cannot store the values of {}.",
    ),
    "DUPLICATE_DATA": Words(
        "A record with the same unique value is already in Bigin.",
        "Remove the row or correct the value; to update the record instead, find it by this field "
        'with "upsert" in the mapping.',
        "A record with the same {} is already in Bigin, and the value must be unique.",
        "Records with the same {} are already in Bigin, and the values must be unique.",
    ),
    "NOT_APPROVED": Words(
        "The record waits for approval in Bigin and cannot be changed.",
        "Approve the record in Bigin, then drop the row again.",
    ),
    "BLOCKED_RECORD": Words(
        "The record is locked in Bigin.",
        "Unlock the record in Bigin, then drop the row again.",
    ),
    "CANNOT_PROCESS": Words(
        "Bigin could not work on this row.",
        "Drop the row again; if it fails again, ask Bigin's support.",
        "Bigin could not work on this row because of {}.",
    ),
    "LIMIT_EXCEEDED": Words(
        "A limit of your Bigin account is reached.",
        "Make room or change the Bigin plan, then drop the row again.",
        "A limit of your Bigin account is reached for {}.",
    ),
    "RESOURCE_NOT_FOUND": Words(
        "Bigin has no such record.",
        "Correct the value, or create the missing record first.",
        "Bigin has no record with this {}.",
        "Bigin has no records with these {}.",
    ),
}

JOB_CODES = {
    "MANDATORY_FIELDS_NOT_MAPPED": "A field that Bigin requires is not in the mapping.",
    "MANDATORY_NOT_FOUND": "The request lacks a key that Bigin requires, such as find_by.",
    "INVALID_FIELD": "The mapping names a field that the module does not have.",
    "INVALID_FIELD_NAME": "The mapping names a field that the module does not have.",
    "INVALID_FORMAT": "Bigin does not accept the format of a date field.",
    "INVALID_FILE_ID": "Bigin no longer knows the uploaded file.",
    "FILE_NOT_FOUND": "Bigin no longer knows the uploaded file.",
    "FILE_NOT_SUPPORTED": "Bigin cannot read the uploaded file.",
    "HEADER_LIMIT_EXCEEDED": "More than 200 fields are mapped.",
    "COLUMN_INDEX_NOT_FOUND": "The request names a column that the file does not have.",
    "MODULE_NOT_AVAILABLE": "Bigin has no such module for bulk writing.",
    "INVALID_MODULE": "Bigin has no such module.",
    "MISSING_REQUIRED_KEY": "The request lacks a key that Bigin requires.",
    "COEXISTENCE_NOT_ALLOWED": "The mapping sets two things that exclude each other.",
    "INVALID_DATA": "A value of the request has the wrong type.",
    "LIMIT_EXCEEDED": "A limit of your Bigin account is reached.",
    "LIMIT_REACHED": "A limit of your Bigin account is reached.",
    "NOT_ALLOWED": "Bigin does not allow this.",
    "NO_PERMISSION": "The Bigin user may not create records here.",
    "AUTHORIZATION_FAILED": "The Bigin user may not create records here.",
    "OAUTH_SCOPE_MISMATCH": "The importer's access to Bigin lacks a scope.",
    "INVALID_TOKEN": "Bigin no longer accepts the importer's access.",
    "AUTHENTICATION_FAILURE": "Bigin no longer accepts the importer's access.",
    "INVALID_CALLBACK_URL": "Bigin cannot reach the importer's address.",
    "INVALID_CALLBACK_METHOD": "Bigin does not accept how it is to report back.",
    "INVALID_URL_PATTERN": "Bigin does not know the address of the request.",
    "INVALID_REQUEST_METHOD": "Bigin does not accept the kind of request.",
    "INVALID_REQUEST": "Bigin cannot read the request.",
    "REQUEST_BODY_NOT_SUPPORTED": "Bigin cannot read the request.",
    "BAD_REQUEST": "Bigin cannot read the request.",
    "ALREADY_USED": "Bigin has used this upload before.",
    "RESOURCE_NOT_FOUND": "Bigin does not know this job.",
    "INTERNAL_ERROR": "Bigin had an error of its own.",
    "INTERNAL_SERVER_ERROR": "Bigin had an error of its own.",
}
