"""Bigin's ERRORS cells, taken apart and said in plain words."""

from __future__ import annotations

import pytest

from bigin_import.tabular.codes import JOB_CODES, ROW_CODES
from bigin_import.tabular.reasons import RowError, job_reason, parse_errors, row_reasons

HEADERS = ("Email", "Last_Name", "VAT: no", "Price, net", "E-Mail-2", "A:INVALID_DATA-B", "E")


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", ()),
        ("NOT_APPROVED", (RowError("NOT_APPROVED"),)),
        ("DUPLICATE_DATA-Email", (RowError("DUPLICATE_DATA", ("Email",)),)),
        (
            "MANDATORY_NOT_FOUND-Email,Last_Name:DUPLICATE_DATA-Email",
            (
                RowError("MANDATORY_NOT_FOUND", ("Email", "Last_Name")),
                RowError("DUPLICATE_DATA", ("Email",)),
            ),
        ),
        (
            "INVALID_DATA-VAT: no:NOT_APPROVED",
            (RowError("INVALID_DATA", ("VAT: no",)), RowError("NOT_APPROVED")),
        ),
        ("INVALID_DATA-Price, net,E", (RowError("INVALID_DATA", ("Price, net", "E")),)),
        ("INVALID_DATA-E-Mail-2", (RowError("INVALID_DATA", ("E-Mail-2",)),)),
        ("INVALID_DATA-A:INVALID_DATA-B", (RowError("INVALID_DATA", ("A:INVALID_DATA-B",)),)),
        ("INVALID_DATA-Never sent,Email", (RowError("INVALID_DATA", ("Never sent", "Email")),)),
        (
            "INVALID_DATA-a:b:LIMIT_EXCEEDED",
            (RowError("INVALID_DATA", ("a:b",)), RowError("LIMIT_EXCEEDED")),
        ),
        ("NEW_CODE-Email", (RowError("NEW_CODE", ("Email",)),)),
        ("something went wrong", (RowError("something went wrong"),)),
        ("INVALID_DATA-Email:oops, what", (RowError("INVALID_DATA-Email:oops, what"),)),
    ],
)
def test_an_errors_cell_is_read_against_the_names_that_were_sent(
    text: str, errors: tuple[RowError, ...]
) -> None:
    assert parse_errors(text, HEADERS) == errors


def test_a_reason_names_the_column_as_the_file_does() -> None:
    (reason,) = row_reasons("MANDATORY_NOT_FOUND-Last_Name", {"Last_Name": "Surname"})

    assert reason.what == '"Surname" (Last_Name) is empty, and Bigin requires it.'
    assert reason.remedy == "Fill it in and drop the corrected file."


def test_several_errors_of_a_row_are_several_reasons() -> None:
    reasons = row_reasons("MANDATORY_NOT_FOUND-A,B:DUPLICATE_DATA-C", {"A": "A", "B": "b"})

    assert [reason.code for reason in reasons] == ["MANDATORY_NOT_FOUND", "DUPLICATE_DATA"]
    assert '"A" and "b" (B)' in reasons[0].what
    assert '"C"' in reasons[1].what


@pytest.mark.parametrize("text", ["NEW_CODE-Email", "went wrong", "a-b"])
def test_unknown_text_is_shown_as_it_is_and_marked_as_a_quotation(text: str) -> None:
    (reason,) = row_reasons(text, {})

    assert text in reason.what
    assert reason.quotes


def test_a_row_without_errors_still_has_a_reason() -> None:
    assert row_reasons(" ", {})[0].what == "Bigin refused this row and gave no reason."


@pytest.mark.parametrize("code", ROW_CODES)
def test_every_row_code_has_words_with_and_without_a_column(code: str) -> None:
    with_column, without = row_reasons(f"{code}-Email:{code}", {"Email": "E-mail"})

    assert '"E-mail" (Email)' in with_column.what
    assert "{" not in with_column.what + without.what
    assert all(r.what.endswith(".") and r.remedy.endswith(".") for r in (with_column, without))


@pytest.mark.parametrize("code", JOB_CODES)
def test_every_job_code_has_words(code: str) -> None:
    reason = job_reason(code, "", "Do it")

    assert code in reason.what
    assert reason.what.count(".") >= 2
    assert reason.remedy == "Do it."


def test_bigins_own_words_about_a_job_stand_beside_ours() -> None:
    reason = job_reason("NO_PERMISSION", "Permission denied to create", "Ask Ada.")

    assert "(Permission denied to create)" in reason.what
    assert reason.remedy == "Ask Ada."


def test_an_unknown_job_code_is_named() -> None:
    assert str(job_reason("ODD", "", "")) == "Bigin refused these rows as a whole: ODD."
