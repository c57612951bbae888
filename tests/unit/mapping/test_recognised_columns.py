"""Suggestions that can be dropped as they are, or say at the top what they lack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.errors import DropRejectedError
from bigin_import.mapping.parse import read_mapping
from bigin_import.mapping.suggest import suggest_mapping
from tests.fakes.harness import Harness
from tests.unit.mapping.contacts import CONTACTS, mapping_of, planned

ADDRESS = tuple(
    Field(f"Mailing_{part}", f"Mailing {part}", "text")
    for part in ("Street", "City", "State", "Zip", "Country")
)
FIELDS = (
    *CONTACTS,
    *ADDRESS,
    Field("First_Name", "First Name", "text"),
    Field("Mobile", "Mobile", "phone"),
    Field("Title", "Title", "text"),
    Field("Description", "Description", "textarea"),
)


def recognised(
    *columns: tuple[str, str], fields: tuple[Field, ...] | None = FIELDS
) -> dict[str, str]:
    """Return field -> header of the suggestion for columns, each with a cell."""
    header, cells = tuple(name for name, _ in columns), [cell for _, cell in columns]
    text = suggest_mapping(header, fields, module="Contacts", samples=[cells])
    return {
        entry["api_name"]: entry["column"]
        for entry in json.loads(text)["field_mappings"]
        if not entry["column"].startswith("write here")
    }


@pytest.mark.parametrize("fields", [FIELDS, None], ids=["as Bigin says", "by the usual names"])
@pytest.mark.parametrize(
    "header", ["Zip", "ZIP Code", "Postcode", "PLZ", "Mailing Zip/Postal Code"]
)
def test_the_postcode_of_a_contact_is_its_mailing_zip(
    header: str, fields: tuple[Field, ...] | None
) -> None:
    assert recognised((header, "10115"), fields=fields) == {"Mailing_Zip": header}


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("IP Address", "192.0.2.1"),
        ("IMAddress", "ada"),
        ("Account ID", "4711"),
        ("Company ID", "4711"),
        ("Contact owner", "Ada Lovelace"),
        ("Owner", "Ada Lovelace"),
        ("Record ID", "51"),
        ("E-mail 1 - Label", "* Work"),
        ("Phone type", "Mobile"),
        ("Title", "Mrs."),
    ],
)
def test_what_only_sounds_like_a_field_is_not_taken_for_it(header: str, cell: str) -> None:
    assert recognised((header, cell)) == {}


@pytest.mark.parametrize(
    ("header", "cell", "field"),
    [
        ("Street Address", "1 Main St", "Mailing_Street"),
        ("Account Name", "Acme", "Account_Name"),
        ("Contact owner", "ada@example.com", "Owner"),
        ("Owner", "111111000000541958", "Owner"),
        ("Record ID", "111111000000541958", "id"),
        ("Title", "Head of Sales", "Title"),
        ("Surnames", "Lovelace", "Last_Name"),
        ("Full name", "Ada Lovelace", "Last_Name"),
        ("E-mail 1 - Value", "ada@example.com", "Email"),
        ("Person - Email - Home", "ada@example.com", "Email"),
        ("Main Phone", "(555) 555-0100", "Phone"),
        ("Phone 2 - Value", "+44 20 7946 0018", "Phone"),
        ("Telefon geschäftlich", "030 123456", "Phone"),
        ("Mobile No.", "+49 151 12345678", "Mobile"),
    ],
)
def test_what_a_column_is_called_and_holds_tells_its_field(
    header: str, cell: str, field: str
) -> None:
    assert recognised((header, cell)) == {field: header}


def test_a_job_title_goes_before_a_salutation() -> None:
    assert recognised(("Title", "Dr."), ("Job Title", "Engineer"))["Title"] == "Job Title"
    assert recognised(("Title", "Engineer"), ("Job Title", "Engineer"))["Title"] == "Job Title"


def test_a_whole_name_is_for_want_of_a_surname() -> None:
    found = recognised(("Name", "Ada Lovelace"), ("Last Name", "Lovelace"))

    assert found == {"Last_Name": "Last Name"}


def test_of_several_addresses_the_first_that_is_one_is_taken() -> None:
    found = recognised(
        ("E-mail 1 - Label", "* Work"),
        ("E-mail 1 - Value", "ada@example.com"),
        ("E-mail 2 - Value", "ada@home.example"),
    )

    assert found["Email"] == "E-mail 1 - Value"


def top(text: str) -> list[str]:
    missing: list[str] = json.loads(text).get("$missing", [])
    assert not missing or text.startswith('{\n  "$missing"')
    return missing


def test_a_mandatory_field_without_a_column_is_always_there_and_told_at_the_top() -> None:
    text = suggest_mapping(("E-mail",), CONTACTS, module="Contacts")
    mapping = read_mapping(text.encode(), name="m.json")

    assert top(text) == ["Last_Name: a new record needs it, and no column was recognised for it."]
    assert json.loads(text)["field_mappings"][-1]["api_name"] == "Last_Name"
    assert mapping.problems == ()
    assert mapping.mapping is not None
    with pytest.raises(DropRejectedError, match='no column "write here the column for Last_Name"'):
        planned(mapping.mapping, "E-mail", fields=CONTACTS)


def test_what_is_missing_may_stay_when_it_was_added() -> None:
    mapping = read_mapping(
        b'{"$missing": ["Last_Name: ..."], "module": "Contacts", "operation": "insert", '
        b'"columns": {"Name": "Last_Name"}}',
        name="m.json",
    )

    assert mapping.problems == ()


def test_nothing_recognised_is_said_instead_of_an_empty_module() -> None:
    text = suggest_mapping(("Foo", "Bar"), None)

    assert top(text)[0].startswith("Nothing was recognised: write the module")
    assert "module" not in json.loads(text)


def test_the_format_that_fits_most_rows_is_suggested_with_the_row_that_does_not() -> None:
    harness = Harness()
    harness.bigin.module_fields["Contacts"] += (Field("Date_of_Birth", "Birthday", "date"),)
    rows = "".join(f"P{n},{n}.12.1980\n" for n in range(13, 29))

    text = suggestion(harness, f"Surname,Birthday\n{rows}Q,1980-12-01\n".encode())

    assert json.loads(text)["field_mappings"][1]["format"] == "dd.MM.yyyy"
    assert top(text) == ["Date_of_Birth: row 18 is not written as dd.MM.yyyy, as most rows are."]


def suggestion(harness: Harness, body: bytes, mapping: dict[str, Any] | None = None) -> str:
    """Drop a file; return its suggested mapping, "" if there is none."""
    if mapping is not None:
        harness.drop("incoming/a.mapping.json", mapping)
    source = harness.drop("incoming/a.csv", body)
    harness.settle()
    key = f"{harness.import_of(source).results}a.mapping.suggested.json"
    return harness.files.read(key).decode() if harness.files.find_newest(key) else ""


def test_the_mapping_that_was_refused_is_never_suggested() -> None:
    mapping = {
        "module": "Contacts",
        "operation": "insert",
        "on_bad_rows": "0%",
        "columns": {"Mail": "Email", "Name": "Last_Name"},
    }
    harness = Harness()

    text = suggestion(harness, b'Mail,Name\na@b.de,Ada\n"x"y,Bob\n', mapping)

    source = harness.files.find_newest("incoming/a.csv")
    assert source is not None
    assert harness.import_of(source).state is ImportState.REJECTED
    assert text == ""


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"Ada,ada@example.com\nBob,bob@example.com\n", {"header": False}),
        (b"Name,Mail,C\nAda,a@b.de,\nBob,b@c\nd,e\nEve,e@f.de,,\n", {"ragged_rows": "fill"}),
    ],
    ids=["header", "ragged_rows"],
)
def test_a_suggestion_has_the_line_that_the_rejection_tells_to_write(
    body: bytes, line: dict[str, Any]
) -> None:
    harness = Harness()
    mapping = {
        "module": "Contacts",
        "operation": "insert",
        "on_bad_rows": "0%",
        "field_mappings": [
            {"index": 0, "api_name": "Last_Name"},
            {"index": 1, "api_name": "Email"},
        ],
    }

    text = json.loads(suggestion(harness, body, mapping))
    harness.drop("incoming/a.mapping.json", text)

    assert line.items() <= text.items()
    source = harness.files.find_newest("incoming/a.csv")
    assert source is not None
    assert harness.import_of(source, take=2).state is ImportState.SENT


def test_no_sentence_has_an_empty_name() -> None:
    mapping = read_mapping(b'{"operation": "insert"}', name="m.json")
    harness = Harness()

    harness.drop("incoming/a.mapping.json", b'{"operation": "insert"}')
    harness.drop("incoming/a.csv", b"Full Name!,Mail\nAda,a@b.de\n")
    harness.settle()

    body = harness.notices.published[-1].body
    assert mapping.problems
    assert "is no field of any module, and" in body
    assert " of , " not in body


def test_a_field_that_an_update_needs_not_is_not_missed() -> None:
    text = suggest_mapping(
        ("id", "Phone"),
        CONTACTS,
        mapping=mapping_of(operation="update", find_by="id", columns={"Phone": "Phone"}),
    )

    assert top(text) == []
