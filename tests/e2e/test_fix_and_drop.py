"""Rows that failed: take failed.csv, correct it, drop it, and be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bigin_import.bigin.error_codes import ROW_CODES
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from tests.e2e.desk import PLANTED, Desk, as_csv, as_json, read_csv
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.wrong_rows import FIRST, NOT_MADE, REFUSED, WRONG_EVERY, wrong_at
from tests.integration.test_saved_by_libreoffice import AS_IT_DOES, SOFFICE, opened_and_saved

# Customer numbers; unique in Bigin, so each test has its own.
MANY = range(1, 60_001)
SOME = range(100_001, 100_301)
OTHERS = range(200_001, 200_301)
SPREADSHEET = range(500_001, 500_301)
SAVED = range(300_001, 300_301)
SAVED_UNSAID = range(400_001, 400_301)
HEADER = ["No", "E-mail", "Surname", "Phone", "City", "Visits", "Company", "Born", "True number"]
MAPPING: dict[str, object] = {
    "module": "Contacts",
    "operation": "insert",
    "on_bad_rows": "5%",
    "field_mappings": [
        {"column": "No", "api_name": "Customer_Number"},
        {"column": "E-mail", "api_name": "Email"},
        {"column": "Surname", "api_name": "Last_Name"},
        {"column": "Phone", "api_name": "Phone"},
        {"column": "City", "api_name": "Mailing_City"},
        {"column": "Visits", "api_name": "Visits"},
        {"column": "Company", "api_name": "Account_Name", "find_by": "Account_Name"},
        {"column": "Born", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},
    ],
}
IN_1252 = MAPPING | {"character_encoding": "windows-1252"}


def number_of(number: int) -> str:
    return f"{number:08d}"


def good_row(desk: Desk, number: int) -> dict[str, str]:
    email = f"{PLANTED}{number}@{desk.name}.example"
    cells = [
        number_of(number),
        email,
        PLANTED,
        "+44 20 7946 0123",
        "Ambridge",
        "7",
        "",
        "01.02.1990",
    ]
    return dict(zip(HEADER, [*cells, str(number)], strict=True))


def rows_with_errors(desk: Desk, numbers: range) -> Iterator[dict[str, str]]:
    """Yield rows; every 25th is wrong, in each way in turn. The first is good."""
    for at, number in enumerate(numbers, 1):
        row = good_row(desk, number)
        if at % WRONG_EVERY == 0:
            column, value, _ = wrong_at(at)
            row[column] = value.replace(FIRST, number_of(numbers[0]))
        yield row


def csv_of(rows: list[dict[str, str]]) -> bytes:
    return as_csv([list(rows[0]), *(list(row.values()) for row in rows)])


def corrected(desk: Desk, failed: bytes) -> bytes:
    """Correct a failed file as a person would in a spreadsheet: its own columns stay in."""
    rows = read_csv(failed)
    return csv_of([row | good_row(desk, int(row["True number"])) for row in rows])


def drop_with_errors(
    desk: Desk, bigin: SeenBigin, numbers: range, mapping: Mapping[str, object] = MAPPING
) -> Import:
    """Drop rows of which every 25th fails, and wait for the result."""
    bigin.change(refused_cells=REFUSED)
    rows = list(rows_with_errors(desk, numbers))
    record = desk.closed(desk.drop("customers.csv", csv_of(rows), mapping))
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    return record


def assert_all_there_once(desk: Desk, bigin: SeenBigin, numbers: range) -> None:
    expected = {good_row(desk, number)["E-mail"]: 1 for number in numbers}
    assert bigin.emails_at(desk.name) == expected


def test_sixty_thousand_rows_with_every_kind_of_error_are_all_there_after_fix_and_drop(
    desk: Desk, bigin: SeenBigin
) -> None:
    record = drop_with_errors(desk, bigin, MANY)
    failed = desk.result(record, "failed.csv")
    rows = read_csv(failed)
    errors = Counter(row["bigin__Error"] for row in rows)
    assert errors == Counter(wrong_at(at)[2] for at in MANY if at % WRONG_EVERY == 0)
    assert {error.partition("-")[0] for error in errors} >= ROW_CODES.keys() - NOT_MADE.keys()
    assert desk.facts(record)["invalid"] == errors[""]
    assert all(row["bigin__Reason"] for row in rows)

    again = desk.put("elsewhere/corrected.csv", corrected(desk, failed))

    assert_is_child(desk, again, parent=record)
    assert_all_there_once(desk, bigin, MANY)
    assert len(bigin.jobs_of(record.import_id)) == 3


def assert_is_child(desk: Desk, source: ObjectVersion, *, parent: Import) -> None:
    record = desk.closed(source)
    assert record.state is ImportState.COMPLETED
    assert desk.facts(record)["parent"] == parent.import_id
    assert f"corrects import {parent.import_id}" in desk.notice(record).body


def test_a_corrected_file_may_have_a_mapping_of_its_own(desk: Desk, bigin: SeenBigin) -> None:
    record = drop_with_errors(desk, bigin, SOME)
    body = corrected(desk, desk.result(record, "failed.csv"))

    again = desk.drop("corrected.csv", body, MAPPING)

    assert desk.closed(again).state is ImportState.COMPLETED
    assert_all_there_once(desk, bigin, SOME)


def saved_in_1252(desk: Desk, failed: bytes) -> bytes:
    """Correct a failed file, with a city that no ASCII has, as Excel saves it on Windows."""
    rows = read_csv(corrected(desk, failed))
    return csv_of([row | {"City": "Zürich"} for row in rows]).decode().encode("cp1252")


def assert_saved_rows_are_there(desk: Desk, bigin: SeenBigin, numbers: range) -> None:
    assert_all_there_once(desk, bigin, numbers)
    saved = [
        record["Mailing_City"]
        for number in numbers[WRONG_EVERY - 1 :: WRONG_EVERY]
        for record in bigin.records(Customer_Number=number_of(number))
    ]
    assert saved == ["Zürich"] * (len(numbers) // WRONG_EVERY)


def test_a_file_saved_in_windows_1252_is_read_as_its_parent_s_mapping_says(
    desk: Desk, bigin: SeenBigin
) -> None:
    record = drop_with_errors(desk, bigin, SAVED, IN_1252)

    again = desk.put("elsewhere/saved.csv", saved_in_1252(desk, desk.result(record, "failed.csv")))

    assert_is_child(desk, again, parent=record)
    assert_saved_rows_are_there(desk, bigin, SAVED)


def test_a_file_in_an_encoding_that_its_parent_s_mapping_does_not_say_goes_on_once_it_is_said(
    desk: Desk, bigin: SeenBigin
) -> None:
    record = drop_with_errors(desk, bigin, SAVED_UNSAID)
    saved = saved_in_1252(desk, desk.result(record, "failed.csv"))
    again = desk.put("elsewhere/saved.csv", saved)
    rejected = desk.closed(again)
    assert rejected.state is ImportState.REJECTED
    assert bigin.sent_for(rejected.import_id) == []
    said = desk.notice(rejected).body
    assert f"{again.key}: the file is not UTF-8, and nothing says what it is" in said
    assert '"character_encoding": "windows-1252"' in said

    desk.put("elsewhere/saved.mapping.json", as_json(IN_1252))

    assert desk.closed(again, take=2).state is ImportState.COMPLETED
    assert_saved_rows_are_there(desk, bigin, SAVED_UNSAID)


def test_a_column_that_a_spreadsheet_has_rewritten_is_restored_and_the_notice_names_it(
    desk: Desk, bigin: SeenBigin
) -> None:
    record = drop_with_errors(desk, bigin, OTHERS)

    again = desk.put(
        "elsewhere/damaged.csv", without_zeros(desk, desk.result(record, "failed.csv"))
    )

    assert_is_child(desk, again, parent=record)
    assert_all_there_once(desk, bigin, OTHERS)
    assert_numbers_have_their_zeros(desk, bigin, OTHERS)
    said = desk.notice(desk.closed(again)).body
    assert "1 column that the spreadsheet had rewritten was restored: No." in said, said


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice is not installed: it saves no failed.csv")
def test_a_failed_file_that_libreoffice_has_saved_comes_back_as_it_was(
    desk: Desk, bigin: SeenBigin, tmp_path: Path
) -> None:
    record = drop_with_errors(desk, bigin, SPREADSHEET)
    right = corrected(desk, desk.result(record, "failed.csv"))
    saved = read_csv(opened_and_saved(b"\xef\xbb\xbf" + right, tmp_path, AS_IT_DOES))
    assert all(row["No"] == row["True number"] for row in saved)
    # A number that Bigin named is sent as it stands: who corrects it writes it as a text.
    rows = [
        row | {"No": row["No"].zfill(8)} if "Customer_Number" in row["bigin__Error"] else row
        for row in saved
    ]

    again = desk.put("elsewhere/saved_by_libreoffice.csv", csv_of(rows))

    assert_is_child(desk, again, parent=record)
    assert_all_there_once(desk, bigin, SPREADSHEET)
    assert_numbers_have_their_zeros(desk, bigin, SPREADSHEET)


def without_zeros(desk: Desk, failed: bytes) -> bytes:
    """
    Correct a failed file in a spreadsheet that takes leading zeros from each number that it reads.

    A number that a person types, because Bigin named it, has them: it is sent as it is typed.
    """
    before = read_csv(failed)
    rows = read_csv(corrected(desk, failed))
    untouched = [row["No"] == was["No"] for row, was in zip(rows, before, strict=True)]
    assert set(untouched) == {True, False}
    return csv_of(
        [
            row | {"No": row["No"].lstrip("0")} if is_untouched else row
            for row, is_untouched in zip(rows, untouched, strict=True)
        ]
    )


def assert_numbers_have_their_zeros(desk: Desk, bigin: SeenBigin, numbers: range) -> None:
    seen = {
        record["Email"]: record["Customer_Number"]
        for record in bigin.records()
        if str(record.get("Email", "")).endswith(f"@{desk.name}.example")
    }
    assert seen == {good_row(desk, each)["E-mail"]: number_of(each) for each in numbers}
