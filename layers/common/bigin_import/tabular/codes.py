"""
Every documented code of a row and of a job, in plain words.

Row codes: "Download Bulk Write Result" of Bigin's documentation. Job codes: the errors of
"Create Bulk Write Job" and their later names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """
    A code in plain words.

    Attributes:
        general: What is wrong when Bigin names no column.
        of_columns: What is wrong with the columns that stand for `{}`; "" if it names none.
    """

    general: str
    remedy: str
    of_columns: str = ""

    def about(self, columns: str) -> str:
        """Return the sentence; *columns* as a list for people, "" for none."""
        if not columns:
            return self.general
        return (self.of_columns or self.general + " It names {}.").replace("{}", columns)


ROW_CODES = {
    "MANDATORY_NOT_FOUND": Words(
        "A field that Bigin requires is empty.",
        "Fill it in and drop the corrected file.",
        "{} is empty, and Bigin requires it.",
    ),
    "INVALID_DATA": Words(
        "Bigin cannot store a value of this row.",
        "Correct the value (type, format, length) and drop the corrected file.",
        "Bigin cannot store the value of {}.",
    ),
    "DUPLICATE_DATA": Words(
        "A record with the same unique value is already in Bigin.",
        "Remove the row or correct the value; to update the record instead, find it by this field "
        'with "upsert" in the mapping.',
        "A record with the same {} is already in Bigin, and the value must be unique.",
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
        'Correct the value, or create the missing record first ("upsert" creates it).',
        "Bigin has no record with this {}.",
    ),
}

JOB_CODES = {
    "MANDATORY_FIELDS_NOT_MAPPED": Words(
        "A field that Bigin requires is not in the mapping.",
        "Map the field that Bigin names, or give it a default_value.",
    ),
    "MANDATORY_NOT_FOUND": Words(
        "The request lacks a key that Bigin requires, such as find_by.",
        "Add the key that Bigin names to the mapping.",
    ),
    "INVALID_FIELD": Words(
        "The mapping names a field that the module does not have.",
        "Correct the api_name in the mapping.",
    ),
    "INVALID_FIELD_NAME": Words(
        "The mapping names a field that the module does not have.",
        "Correct the api_name in the mapping.",
    ),
    "INVALID_FORMAT": Words(
        "Bigin does not accept the format of a date field.",
        "Correct the format in the mapping.",
    ),
    "INVALID_FILE_ID": Words("Bigin no longer knows the uploaded file.", "Drop the rows again."),
    "FILE_NOT_FOUND": Words("Bigin no longer knows the uploaded file.", "Drop the rows again."),
    "FILE_NOT_SUPPORTED": Words(
        "Bigin cannot read the uploaded file.", "Tell whoever runs this importer."
    ),
    "HEADER_LIMIT_EXCEEDED": Words("More than 200 fields are mapped.", "Map at most 200 fields."),
    "COLUMN_INDEX_NOT_FOUND": Words(
        "The request names a column that the file does not have.",
        "Tell whoever runs this importer.",
    ),
    "MODULE_NOT_AVAILABLE": Words(
        "Bigin has no such module for bulk writing.",
        "Correct the module in the mapping: Contacts, Accounts, Pipelines or Products.",
    ),
    "INVALID_MODULE": Words(
        "Bigin has no such module.",
        "Correct the module in the mapping: Contacts, Accounts, Pipelines or Products.",
    ),
    "MISSING_REQUIRED_KEY": Words(
        "The request lacks a key that Bigin requires.",
        "Add the key that Bigin names to the mapping.",
    ),
    "COEXISTENCE_NOT_ALLOWED": Words(
        "The mapping sets two things that exclude each other.", "Remove one of them."
    ),
    "INVALID_DATA": Words("A value of the request has the wrong type.", "Correct the mapping."),
    "LIMIT_EXCEEDED": Words(
        "A limit of your Bigin account is reached.", "Make room, then drop the rows again."
    ),
    "LIMIT_REACHED": Words(
        "A limit of your Bigin account is reached.", "Make room, then drop the rows again."
    ),
    "NOT_ALLOWED": Words(
        "Bigin does not allow this.", "Check the module and the rights of the Bigin user."
    ),
    "NO_PERMISSION": Words(
        "The Bigin user may not create records here.",
        "Give the user that the importer works as the right to import.",
    ),
    "AUTHORIZATION_FAILED": Words(
        "The Bigin user may not create records here.",
        "Give the user that the importer works as the right to import.",
    ),
    "OAUTH_SCOPE_MISMATCH": Words(
        "The importer's access to Bigin lacks a scope.",
        "Create a new refresh token with all scopes that the README names.",
    ),
    "INVALID_TOKEN": Words(
        "Bigin no longer accepts the importer's access.",
        "Check the Zoho secret, then drop the rows again.",
    ),
    "AUTHENTICATION_FAILURE": Words(
        "Bigin no longer accepts the importer's access.",
        "Check the Zoho secret, then drop the rows again.",
    ),
    "INVALID_CALLBACK_URL": Words(
        "Bigin cannot reach the importer's address.", "Tell whoever runs this importer."
    ),
    "INVALID_CALLBACK_METHOD": Words(
        "Bigin does not accept how it is to report back.", "Tell whoever runs this importer."
    ),
    "INVALID_URL_PATTERN": Words(
        "Bigin does not know the address of the request.",
        "Check the data centre that the importer is set to.",
    ),
    "INVALID_REQUEST_METHOD": Words(
        "Bigin does not accept the kind of request.", "Tell whoever runs this importer."
    ),
    "INVALID_REQUEST": Words("Bigin cannot read the request.", "Tell whoever runs this importer."),
    "REQUEST_BODY_NOT_SUPPORTED": Words(
        "Bigin cannot read the request.", "Tell whoever runs this importer."
    ),
    "BAD_REQUEST": Words("Bigin cannot read the request.", "Tell whoever runs this importer."),
    "ALREADY_USED": Words(
        "Bigin has used this upload before.", "Look in Bigin first, then drop the rows again."
    ),
    "RESOURCE_NOT_FOUND": Words(
        "Bigin does not know this job.", "Look in Bigin first, then drop the rows again."
    ),
    "INTERNAL_ERROR": Words("Bigin had an error of its own.", "Drop the rows again later."),
    "INTERNAL_SERVER_ERROR": Words("Bigin had an error of its own.", "Drop the rows again later."),
}
