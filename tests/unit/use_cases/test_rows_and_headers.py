"""Footers, broken rows and files without a header, from the drop to the notice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from tests.fakes.harness import Harness

CSV, SIDECAR = "incoming/report.csv", "incoming/report.mapping.json"
COUNTED: dict[str, Any] = {
    "module": "Contacts",
    "operation": "insert",
    "field_mappings": [
        {"index": 0, "api_name": "Last_Name"},
        {"index": 1, "api_name": "Email"},
    ],
}
NAMED = {
    "module": "Contacts",
    "operation": "insert",
    "columns": {"Name": "Last_Name", "Mail": "Email"},
}
REPORT = (
    b"Name,City,Mail\nAda,Paris,ada@example.com\nBob,Rome,bob@example.com\n\n"
    b"Copyright (c) 2026 Example\nConfidential\n"
)


def notice(harness: Harness) -> str:
    return harness.notices.published[-1].body


def imported(harness: Harness, body: bytes, mapping: dict[str, Any]) -> ImportState:
    harness.drop(SIDECAR, mapping)
    source = harness.drop(CSV, body)
    harness.tick(minutes=2)
    return harness.import_of(source).state


def test_a_report_with_a_footer_is_imported_whole_and_there_is_nothing_to_do() -> None:
    harness = Harness()

    assert imported(harness, REPORT, NAMED) is ImportState.COMPLETED
    assert harness.bigin.records() == [["Ada", "ada@example.com"], ["Bob", "bob@example.com"]]
    assert "All 2 rows of report.csv are in Bigin: 2 added; 2 rows that are no data left out." in (
        notice(harness)
    )
    assert "Nothing to do." in notice(harness)
    assert "2 rows were left out, 5, 6: each is a footer" in notice(harness)


def test_a_footer_is_decided_while_splitting_and_read_from_the_plan_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    harness = Harness()
    harness.drop(SIDECAR, NAMED)
    source = harness.drop(CSV, REPORT)
    # Whatever a later release takes for a footer: what was sent stays what was sent.
    monkeypatch.setattr("bigin_import.reading.row_shapes.is_lonely", lambda row: False)

    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert json.loads(harness.result(source, "import.json"))["left_out"] == 2


def test_a_footer_in_a_check_is_told_there() -> None:
    harness = Harness()
    harness.drop("incoming/_check/report.mapping.json", NAMED)

    harness.drop("incoming/_check/report.csv", REPORT)
    harness.tick(minutes=2)

    assert "2 rows of 4 would be sent" in notice(harness)
    assert "each is a footer" in notice(harness)


def test_what_may_be_a_footer_is_sent_and_something_to_look_at() -> None:
    harness = Harness()
    body = b"Name,City,Mail\nAda,Paris,ada@example.com\nBob,,\n"

    assert imported(harness, body, NAMED) is ImportState.COMPLETED
    assert "Nothing to do." not in notice(harness)
    assert "Row 3, at the end of the file" in notice(harness)


@pytest.mark.parametrize(
    "first",
    [
        b"Ada,ada@example.com,1.5,x",
        b"Ada,x,12.50,x",
        b"Ada,x,USD 12,x",
        b"Ada,x,(5),x",
        b"Ada,x,x,31.12.1980",
    ],
    ids=["an e-mail address", "an amount", "with its currency", "in brackets", "a date"],
)
def test_a_first_row_that_is_a_record_is_never_lost_as_a_header(first: bytes) -> None:
    harness = Harness()
    harness.bigin.module_fields["Contacts"] += (
        Field("Revenue", "Revenue", "currency"),
        Field("Date_of_Birth", "Birthday", "date"),
    )
    more = [
        {"index": 2, "api_name": "Revenue"},
        {"index": 3, "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},
    ]
    mapping = COUNTED | {"field_mappings": COUNTED["field_mappings"] + more}
    body = first + b"\nBob,bob@example.com,2,31.12.1990\n"

    assert imported(harness, body, mapping) is ImportState.REJECTED
    assert 'write "header": false in the mapping' in notice(harness)
    assert "Ada" not in notice(harness)


NAMES = COUNTED | {
    "field_mappings": [
        {"index": 0, "api_name": "Last_Name"},
        {"index": 1, "api_name": "First_Name"},
    ]
}


def test_a_first_row_of_plain_names_under_an_index_mapping_is_told() -> None:
    harness = Harness()

    assert imported(harness, b"Lovelace,Ada\nTuring,Alan\n", NAMES) is ImportState.COMPLETED
    assert "Row 1 was taken for the header and not imported" in notice(harness)
    assert "Nothing to do." not in notice(harness)
    assert "Lovelace" not in notice(harness)


@pytest.mark.parametrize(
    ("body", "mapping"),
    [
        (b"Surname,Given\nTuring,Alan\n", NAMES),  # a usual name
        (b"Nom,Prenom\nTuring,Alan\n", NAMES | {"header": False}),
        (b"Nom,Courriel\nTuring,alan@example.com\n", COUNTED),  # no e-mail address
        (
            b"Nom,Prenom\nTuring,Alan\n",
            NAMES
            | {
                "field_mappings": [
                    {"index": 0, "column": "Nom", "api_name": "Last_Name"},
                    {"index": 1, "column": "Prenom", "api_name": "First_Name"},
                ]
            },
        ),
    ],
)
def test_a_header_that_is_proven_is_not_told(body: bytes, mapping: dict[str, Any]) -> None:
    harness = Harness()

    assert imported(harness, body, mapping) is ImportState.COMPLETED
    assert "Row 1 was taken" not in notice(harness)
    assert "Nothing to do." in notice(harness)


def test_without_a_header_every_row_is_imported_once_the_mapping_says_so() -> None:
    harness = Harness()
    body = b"Ada,ada@example.com\nBob,bob@example.com\n"

    assert imported(harness, body, COUNTED | {"header": False}) is ImportState.COMPLETED
    assert harness.bigin.records() == [["Ada", "ada@example.com"], ["Bob", "bob@example.com"]]


@pytest.mark.parametrize(
    "header",
    [b"Customer,Email", b"last name,x", b"Last_Name,E-Mail", b"Surname,Mail", b"Nachname,"],
)
def test_a_header_is_no_record_though_the_mapping_says_that_there_is_none(header: bytes) -> None:
    harness = Harness()
    body = header + b"\nAda,ada@example.com\n"

    assert imported(harness, body, COUNTED | {"header": False}) is ImportState.REJECTED
    assert "row 1: the mapping says that the file has no header, but column" in notice(harness)
    assert 'Remove "header": false' in notice(harness)


@pytest.mark.parametrize("first", [b"Surname,a@b.de", b"Name Ltd,", b"Emailer,a@b.de"])
def test_a_first_record_that_only_sounds_like_a_header_is_sent(first: bytes) -> None:
    harness = Harness()
    body = first + b"\nAda,ada@example.com\n"

    assert imported(harness, body, COUNTED | {"header": False}) is ImportState.COMPLETED
    assert len(harness.bigin.records()) == 2


@pytest.mark.parametrize("header", [b"Name,Mail", b"2024,2025", b"0,1", b"Umsatz,3", b",1"])
def test_headers_of_counted_columns_may_be_years_or_running_numbers(header: bytes) -> None:
    harness = Harness()
    harness.bigin.module_fields["Contacts"] += (Field("Revenue", "Revenue", "currency"),)
    mapping = COUNTED | {
        "field_mappings": [
            {"index": 0, "api_name": "Last_Name"},
            {"index": 1, "api_name": "Revenue"},
        ]
    }
    expected = ImportState.REJECTED if header == b"Umsatz,3" else ImportState.COMPLETED

    assert imported(harness, header + b"\n7,5.50\n", mapping) is expected


GROWN = b"Customer,Last Name,Email\n4711,Ada,ada@example.com\n"


def test_an_export_that_has_grown_a_column_is_rejected() -> None:
    harness = Harness()

    assert imported(harness, GROWN, COUNTED) is ImportState.REJECTED
    assert 'column 1 of incoming/report.csv is called "Last Name"' in notice(harness)
    assert harness.bigin.made == {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b"Nr,Nachname,E-Mail\n1,Ada,a@b.de\n",
            'column 1 of incoming/report.csv is called "Nachname"',
        ),
        (b"Title,Mail,Last Name\nDr,a@b.de,Ada\n", 'column 2 is called "Last Name" as the field'),
    ],
)
def test_columns_that_have_moved_are_asked_about(body: bytes, said: str) -> None:
    harness = Harness()

    assert imported(harness, body, COUNTED) is ImportState.REJECTED
    assert said in notice(harness)
    line = notice(harness).partition(said)[2]
    written = json.loads("{" + line.partition("{")[2].partition("}")[0] + "}")
    others = [each for each in COUNTED["field_mappings"] if each["index"] != written["index"]]
    settled = COUNTED | {"field_mappings": [written, *others]}
    assert imported(Harness(), body.replace(b",Ada,", b",b@c.de,"), settled) is (
        ImportState.COMPLETED
    )


@pytest.mark.parametrize(
    "header", [b"Kunde,Mail,Name", b"Last Name,Email,Title", b"A,B,Last Title"]
)
def test_other_headers_of_counted_columns_are_not_asked_about(header: bytes) -> None:
    assert imported(Harness(), header + b"\nAda,a@b.de,x\n", COUNTED) is ImportState.COMPLETED


def test_a_first_row_with_a_phone_is_a_record() -> None:
    harness = Harness()
    fields = [{"index": 0, "api_name": "Last_Name"}, {"index": 1, "api_name": "Phone"}]

    state = imported(harness, b"Ada,030 12345\nBob,1\n", COUNTED | {"field_mappings": fields})
    assert state is ImportState.REJECTED
    assert "column 2 of it holds a phone number" in notice(harness)


def test_a_column_beside_the_index_settles_it() -> None:
    harness = Harness()
    stated = {
        "field_mappings": [
            {"index": 0, "column": "Customer", "api_name": "Last_Name"},
            {"index": 1, "column": "Last Name", "api_name": "Email"},
        ]
    }
    moved = {"field_mappings": [{"index": 1, "column": "Customer", "api_name": "Last_Name"}]}

    assert imported(harness, GROWN.replace(b"Ada", b"a@b.de"), COUNTED | stated) is (
        ImportState.COMPLETED
    )
    assert imported(Harness(), GROWN, COUNTED | moved) is ImportState.REJECTED


def test_a_column_beside_an_index_that_is_another_is_told_with_the_right_index() -> None:
    harness = Harness()
    moved = {"field_mappings": [{"index": 1, "column": "Customer", "api_name": "Last_Name"}]}

    imported(harness, GROWN, COUNTED | moved)

    assert 'has "Last Name" at index 1, not "Customer"' in notice(harness)
    assert 'Write "index": 0' in notice(harness)


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": {"Name": "Last_Name"}},
        {"field_mappings": [{"column": "Name", "api_name": "Last_Name"}]},
        {},
    ],
)
def test_without_a_header_nothing_can_be_named_by_one(wrong: dict[str, Any]) -> None:
    harness = Harness()
    mapping = {"module": "Contacts", "operation": "insert", "header": False} | wrong

    assert imported(harness, b"Ada\n", mapping) is ImportState.REJECTED
    assert "header is false, so there are no headers to name columns by" in notice(harness)


def test_broken_rows_are_filled_only_if_the_mapping_says_so() -> None:
    body = b"Name,City,Mail\n" + b"Ada,Paris,a@example.com\n" * 400 + b"Bob,Ro\nme,b@example.com\n"
    harness, filled = Harness(), Harness()

    assert imported(harness, body, NAMED) is ImportState.COMPLETED_WITH_ERRORS
    assert '"ragged_rows": "fill"' in notice(harness)
    assert imported(filled, body, NAMED | {"ragged_rows": "fill"}) is ImportState.COMPLETED
    assert len(filled.bigin.records()) == 402


def test_a_corrected_file_of_a_drop_without_a_header_has_one() -> None:
    harness = Harness()
    mapping = COUNTED | {"header": False, "find_by": "Email", "on_bad_rows": "50%"}
    harness.drop(SIDECAR, mapping)
    source = harness.drop(CSV, b"Ada,ada@example.com\nBob,\nEve,eve@example.com\n")
    harness.tick(minutes=2)
    failed = harness.result(source, "report.failed.csv")

    again = harness.drop("incoming/again.csv", failed.replace(b"Bob,", b"Bob,bob@example.com"))
    harness.tick(minutes=2)

    assert harness.import_of(again).state is ImportState.COMPLETED
    assert harness.bigin.records()[-1] == ["Bob", "bob@example.com"]
