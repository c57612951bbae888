"""Bigin's error codes in plain words."""

from __future__ import annotations

import pytest

from bigin_import.bigin.answers import gateway_refusal, refusal
from bigin_import.bigin.error_codes import JOB_CODES, ROW_CODES, UPLOAD, UPLOAD_CODES, of_call
from bigin_import.errors import BiginAccessError, BiginRefusedError
from tests.e2e.wrong_rows import NOT_MADE, WRONG

CREATE_PAGE = (
    "MANDATORY_FIELDS_NOT_MAPPED",
    "MANDATORY_NOT_FOUND",
    "INVALID_FIELD",
    "INVALID_FORMAT",
    "INVALID_FILE_ID",
    "HEADER_LIMIT_EXCEEDED",
    "COLUMN_INDEX_NOT_FOUND",
    "MODULE_NOT_AVAILABLE",
    "INVALID_URL_PATTERN",
    "OAUTH_SCOPE_MISMATCH",
    "NO_PERMISSION",
    "INTERNAL_ERROR",
    "INVALID_REQUEST_METHOD",
    "AUTHORIZATION_FAILED",
)
UPLOAD_PAGE = ("INVALID_FILE_FORMAT", "FILE_TOO_LARGE", "INVALID_DATA", "NOT_SUPPORTED_FEATURE")
ENGINE = (
    "MISSING_REQUIRED_KEY",
    "INVALID_CALLBACK_URL",
    "INVALID_CALLBACK_METHOD",
    "FILE_NOT_SUPPORTED",
    "FILE_NOT_FOUND",
    "COEXISTENCE_NOT_ALLOWED",
    "REQUEST_BODY_NOT_SUPPORTED",
    "INVALID_REQUEST",
    "INVALID_FIELD_NAME",
    "LIMIT_REACHED",
    "NOT_ALLOWED",
    "ALREADY_USED",
    "BAD_REQUEST",
    "INTERNAL_SERVER_ERROR",
)


@pytest.mark.parametrize("code", [*CREATE_PAGE, *UPLOAD_PAGE, *ENGINE])
def test_each_documented_code_has_its_own_resolution(code: str) -> None:
    error = refusal(code, "Bigin's words")

    assert isinstance(error, (BiginRefusedError, BiginAccessError))
    assert error.code == code
    known = of_call(code)
    assert known is not None
    assert error.resolution == known.remedy
    assert "Bigin's words" in str(error)


def test_a_missing_scope_is_the_operators_to_mend_and_names_all_scopes() -> None:
    error = refusal("OAUTH_SCOPE_MISMATCH", "unauthorised")

    assert isinstance(error, BiginAccessError)
    assert "ZohoBigin.bulk.ALL" in error.resolution
    assert "ZohoFiles.files.ALL" in error.resolution


@pytest.mark.parametrize(
    ("code", "every_part"),
    [
        ("MANDATORY_FIELDS_NOT_MAPPED", True),
        ("MODULE_NOT_AVAILABLE", True),
        ("NO_PERMISSION", True),
        ("INVALID_FILE_ID", False),
        ("INVALID_FILE_FORMAT", False),
        ("SOMETHING_NEW", False),
    ],
)
def test_it_is_known_whether_every_part_would_be_refused(code: str, every_part: bool) -> None:
    error = refusal(code, "words")

    assert isinstance(error, BiginRefusedError)
    assert error.concerns_mapping is every_part


def test_an_unknown_code_shows_bigins_own_words() -> None:
    assert "SOMETHING_NEW: as Bigin said it" in str(refusal("SOMETHING_NEW", "as Bigin said it"))


ALL_CODES = [*JOB_CODES.values(), *UPLOAD_CODES.values(), *ROW_CODES.values()]


def test_every_code_has_a_meaning_and_a_remedy() -> None:
    assert all(known.meaning and known.remedy for known in ALL_CODES)


def test_no_resolution_speaks_of_variables_that_nobody_sets() -> None:
    """People set the parameters of the template."""
    assert "BIGIN_" not in " ".join(known.remedy for known in ALL_CODES)


@pytest.mark.parametrize(
    ("code", "call", "advice"),
    [
        ("MANDATORY_NOT_FOUND", "create job", "find_by in the mapping"),
        ("MANDATORY_NOT_FOUND", UPLOAD, "UploadUrl"),
        ("INVALID_DATA", "create job", "a key of the mapping"),
        ("INVALID_DATA", UPLOAD, "another organisation's"),
        ("FILE_TOO_LARGE", UPLOAD, "report this"),
        ("SOMETHING_NEW", "create job", "ask Bigin's support"),
        ("SOMETHING_NEW", UPLOAD, "ask Bigin's support"),
    ],
)
def test_the_advice_fits_the_call_that_was_refused(code: str, call: str, advice: str) -> None:
    error = refusal(code, "words", call=call)

    assert isinstance(error, BiginRefusedError)
    assert advice in error.resolution


@pytest.mark.parametrize(
    ("call", "advice"),
    [(UPLOAD, "DataCenter and UploadUrl"), ("download of row results", "look at the job in Bigin")],
)
def test_a_refusal_of_the_gateway_says_what_to_check(call: str, advice: str) -> None:
    error = gateway_refusal(400, "Bad Request", call=call)

    assert (error.code, error.concerns_mapping) == ("HTTP 400", False)
    assert advice in error.resolution


def test_the_codes_of_rows_are_those_of_bigin_s_page() -> None:
    """One that is added, left out, or put into another table is seen here."""
    assert sorted(ROW_CODES) == [
        "BLOCKED_RECORD",
        "CANNOT_PROCESS",
        "DUPLICATE_DATA",
        "INVALID_DATA",
        "LIMIT_EXCEEDED",
        "MANDATORY_NOT_FOUND",
        "NOT_APPROVED",
        "RESOURCE_NOT_FOUND",
    ]


def test_every_row_code_is_brought_about_end_to_end_or_listed_as_one_that_is_not() -> None:
    made = {error.partition("-")[0] for _, _, error in WRONG if error}

    assert made | NOT_MADE.keys() == ROW_CODES.keys()
    assert made.isdisjoint(NOT_MADE)
    assert all(NOT_MADE.values())
