"""
Bigin's error codes and what to do about each, in plain words.

The first 14 are those of the Create Bulk Write Job page, in its order; then those of the upload
page, and those that the engine Bigin shares with Zoho CRM is known to give. Messages vary between
versions, codes do not: only codes are compared.
"""

from __future__ import annotations

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
