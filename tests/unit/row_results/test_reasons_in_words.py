"""Bigin's ERRORS cells, taken apart and said in plain words."""

from __future__ import annotations

import pytest

from bigin_import.bigin.error_codes import JOB_CODES, ROW_CODES, UPLOAD_CODES
from bigin_import.domain.job_request import Operation
from bigin_import.row_results.bigin_listing import RowError, parse_errors
from bigin_import.row_results.reasons import (
    SentColumn,
    SentColumns,
    any_of,
    job_reason,
    row_reasons,
    what_without_quotation,
)

HEADERS = ("Email", "Last_Name", "VAT: no", "Price, net", "E-Mail-2", "A:INVALID_DATA-B", "E")


def sent(operation: Operation | None = None, **headers: str) -> SentColumns:
    """Return columns by their API name."""
    columns = (SentColumn(name, header, at) for at, (name, header) in enumerate(headers.items()))
    return SentColumns(tuple(columns), operation)


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
        # Not documented, but understood:
        ("INVALID_DATA-Email, Last_Name", (RowError("INVALID_DATA", ("Email", "Last_Name")),)),
        (
            "INVALID_DATA-Email : NOT_APPROVED",
            (RowError("INVALID_DATA", ("Email",)), RowError("NOT_APPROVED")),
        ),
        ("INVALID_DATA: Email", (RowError("INVALID_DATA", ("Email",)),)),
        ("invalid_data-email", (RowError("INVALID_DATA", ("Email",)),)),
        ("Invalid_Data", (RowError("INVALID_DATA"),)),
        ("INVALID_DATA - Price, net , E ", (RowError("INVALID_DATA", ("Price, net", "E")),)),
        ("INVALID_DATA-", (RowError("INVALID_DATA"),)),
        ("INVALID_DATA- :not_approved:", (RowError("INVALID_DATA"), RowError("NOT_APPROVED"))),
        (
            "INVALID_DATA-a, b: LIMIT_EXCEEDED",
            (RowError("INVALID_DATA", ("a", "b")), RowError("LIMIT_EXCEEDED")),
        ),
    ],
)
def test_an_errors_cell_is_read_against_the_names_that_were_sent(
    text: str, errors: tuple[RowError, ...]
) -> None:
    assert parse_errors(text, HEADERS) == errors


def test_a_reason_names_the_column_as_the_file_does() -> None:
    (reason,) = row_reasons("MANDATORY_NOT_FOUND-Last_Name", sent(Last_Name="Surname"))

    assert reason.what == '"Surname" (Last_Name) is empty, and Bigin requires it.'
    assert reason.remedy == "Fill it in and drop the corrected file."


def test_several_errors_of_a_row_are_several_reasons() -> None:
    reasons = row_reasons("MANDATORY_NOT_FOUND-A,B:DUPLICATE_DATA-C", sent(A="A", B="b"))

    assert [reason.code for reason in reasons] == ["MANDATORY_NOT_FOUND", "DUPLICATE_DATA"]
    assert '"A" and "b" (B)' in reasons[0].what
    assert '"C"' in reasons[1].what


@pytest.mark.parametrize("text", ["NEW_CODE-Email", "went wrong", "a-b"])
def test_unknown_text_is_shown_as_it_is_and_marked_as_a_quotation(text: str) -> None:
    (reason,) = row_reasons(text, SentColumns())

    assert text in reason.what
    assert reason.quotes


def test_several_columns_of_one_error_are_many() -> None:
    (reason,) = row_reasons("MANDATORY_NOT_FOUND-A,B,C", sent(A="A", B="b", C="C"))

    assert reason.what == '"A", "b" (B) and "C" are empty, and Bigin requires them.'


def test_an_error_that_is_said_twice_is_one_reason() -> None:
    assert len(row_reasons("INVALID_DATA-A:INVALID_DATA-A", sent(A="A"))) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("INVALID_DATA-ada@example.com", "Bigin cannot store a value of this row."),
        ("INVALID_DATA-Email,ada@example.com", "Bigin cannot store a value of this row."),
        ("ada@example.com is odd", "Bigin's own words for it are in the report."),
        ("ODD_CODE-ada@example.com", "Bigin's own words for it are in the report."),
        (
            "INVALID_DATA-ada@example.com or NOT_APPROVED",
            "Bigin's own words for it are in the report.",
        ),
        ("INVALID_DATA-Email", 'Bigin cannot store the value of "E-mail" (Email).'),
    ],
)
def test_what_may_be_a_cell_is_told_in_the_report_alone(text: str, told: str) -> None:
    (reason,) = row_reasons(text, sent(Email="E-mail"))

    assert what_without_quotation(reason) == told
    assert ("ada@example.com" in reason.what) == ("ada" in text)


def test_a_cell_of_megabytes_is_told_in_a_line() -> None:
    for text in ("x" * 3_000_000, "INVALID_DATA-" + "x" * 9_000, "INVALID_DATA-" + "x," * 4_000):
        reasons = row_reasons(text, SentColumns())

        assert len(" ".join(map(str, reasons))) < 3_000


@pytest.mark.parametrize(
    ("column", "operation", "remedy"),
    [
        (
            SentColumn("Account_Name", "Company", 0, is_lookup=True, parent="Companies (Accounts)"),
            Operation.UPSERT,
            (
                "The record that it belongs to must be in Bigin first: create it in Companies "
                "(Accounts) or correct the value, then drop the corrected file."
            ),
        ),
        (
            SentColumn("Boss", "Boss", 0, is_lookup=True),
            Operation.INSERT,
            (
                "The record that it belongs to must be in Bigin first: create it or correct the "
                "value, then drop the corrected file."
            ),
        ),
        (
            SentColumn("Email", "E-mail", 0),
            Operation.UPDATE,
            'Correct the value, or create the missing record first ("upsert" creates it).',
        ),
        (
            SentColumn("id", "Id", 0),
            Operation.UPSERT,
            "Correct the value, or create the missing record first.",
        ),
    ],
    ids=["a lookup", "a lookup to who knows what", "the key of an update", "an id"],
)
def test_a_record_that_is_not_found_has_its_own_remedy(
    column: SentColumn, operation: Operation, remedy: str
) -> None:
    error = f"RESOURCE_NOT_FOUND-{column.api_name}"

    (reason,) = row_reasons(error, SentColumns((column,), operation))

    assert reason.remedy == remedy


def test_rows_that_look_alike_are_told_all_that_may_be_wrong() -> None:
    errors = any_of(["INVALID_DATA-Email", "", "INVALID_DATA-Email"])

    (reason,) = row_reasons(errors, sent(Email="E-mail"))

    assert reason.what == (
        "Bigin refused this row and others that look the same in its results. Bigin cannot store "
        'the value of "E-mail" (Email). Or: Bigin refused this row and gave no reason.'
    )
    assert any_of(["NOT_APPROVED", "NOT_APPROVED"]) == "NOT_APPROVED"
    assert any_of([]) == ""


def test_a_row_without_errors_still_has_a_reason() -> None:
    assert row_reasons(" ", SentColumns())[0].what == "Bigin refused this row and gave no reason."


@pytest.mark.parametrize("code", ROW_CODES)
def test_every_row_code_has_words_for_no_column_for_one_and_for_several(code: str) -> None:
    columns = sent(Email="E-mail", Phone="Tel")
    several, one, none = row_reasons(f"{code}-Email,Phone:{code}-Email:{code}", columns)

    assert '"E-mail" (Email) and "Tel" (Phone)' in several.what
    assert '"E-mail" (Email)' in one.what
    assert "Tel" not in one.what
    assert "{" not in several.what + one.what + none.what
    assert all(r.what.endswith(".") and r.remedy.endswith(".") for r in (several, one, none))


@pytest.mark.parametrize("code", [*JOB_CODES, *UPLOAD_CODES])
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
