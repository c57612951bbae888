"""
Every documented code of a row and of a job, in plain words.

Row codes: "Download Bulk Write Result" of Bigin's documentation. Job codes: the errors of
"Create Bulk Write Job" and their later names; what to do about them came with the refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
