"""A mapping to start from, and result files that come back corrected."""

from __future__ import annotations

import json

import pytest

from bigin_import.models import Field
from bigin_import.records import ImportState
from tests.fakes.house import MAPPING, ROWS, House, as_json

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
WITH_BIRTHDAY = b"E-mail,Surname,Birthday\nada@example.com,Lovelace,10.12.1815\n"


def suggested(house: House, prefix: str) -> dict[str, object]:
    key = next(key for key in house.files.keys(prefix) if key.endswith(".suggested.json"))
    mapping: dict[str, object] = json.loads(house.files.read(key))
    return mapping


def test_a_drop_without_a_mapping_gets_a_suggestion_at_once() -> None:
    house = House()

    source = house.drop(CSV, ROWS)
    house.settle()

    mapping = suggested(house, house.import_of(source).results or "")
    assert mapping["module"] == "Contacts"
    assert house.import_of(source).state is ImportState.WAITING_FOR_MAPPING


def test_a_suggestion_that_is_dropped_as_it_is_imports_the_file() -> None:
    house = House()
    source = house.drop(CSV, ROWS)
    house.settle()

    house.drop(SIDECAR, suggested(house, house.import_of(source).results or ""))

    assert house.import_of(source).state is ImportState.SENT


def test_a_mapping_whose_column_was_renamed_comes_back_mended() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)

    source = house.drop(CSV, ROWS.replace(b"Surname", b"Surnames"))
    house.settle()

    mended = json.dumps(suggested(house, house.import_of(source).results or ""))
    assert house.import_of(source).state is ImportState.REJECTED
    assert '"Surnames"' in mended
    assert "suggested.json" in house.notices.published[0].body


def test_a_date_column_without_its_format_is_told_the_formats_that_fit() -> None:
    house = House()
    fields = (*house.bigin.module_fields["Contacts"], Field("Date_of_Birth", "Birthday", "date"))
    house.bigin.module_fields["Contacts"] = fields
    columns = {"E-mail": "Email", "Surname": "Last_Name", "Birthday": "Date_of_Birth"}
    house.drop(SIDECAR, {**MAPPING, "columns": columns})

    source = house.drop(CSV, WITH_BIRTHDAY.replace(b"10.12", b"31.12"))
    house.settle()

    assert house.import_of(source).state is ImportState.REJECTED
    assert "dd.MM.yyyy" in house.notices.published[0].body


def failed_file(house: House) -> bytes:
    """Let one row of a drop be invalid; return the file that says so."""
    house.drop(SIDECAR, {**MAPPING, "find_by": "Email", "on_bad_rows": "50%"})
    source = house.drop(CSV, ROWS + b",007\n")
    house.tick(minutes=2)
    return house.result(source, "contacts.failed.csv")


def test_a_corrected_failed_file_needs_no_mapping_and_no_columns_removed() -> None:
    house = House()
    failed = failed_file(house)

    source = house.drop("incoming/fixed/again.csv", failed.replace(b",,007", b",x@example.com,007"))
    house.tick(minutes=2)

    assert house.import_of(source).state is ImportState.COMPLETED
    assert house.bigin.records()[-1] == ["x@example.com", "007"]


def test_a_failed_file_that_a_spreadsheet_has_damaged_is_not_sent() -> None:
    house = House()
    failed = failed_file(house)

    source = house.drop("incoming/again.csv", failed.replace(b",,007", b",x@example.com,7"))
    house.settle()

    assert house.import_of(source).state is ImportState.REJECTED
    assert "Surname" in house.notices.published[-1].body
    assert "leading zeros" in house.notices.published[-1].body
    assert len(house.bigin.made) == 1


@pytest.mark.parametrize("delimiter", [b",", b";"])
def test_a_file_that_names_an_import_we_do_not_know_waits_for_its_mapping(delimiter: bytes) -> None:
    house = House()
    rows = b"bigin__Row,bigin__Import,E-mail,Surname\n2," + b"a" * 26 + b",ada@example.com,Ada\n"

    source = house.drop(CSV, rows.replace(b",", delimiter))

    assert house.import_of(source).state is ImportState.WAITING_FOR_MAPPING


def test_a_mapping_of_its_own_goes_before_that_of_the_parent() -> None:
    house = House()
    failed = failed_file(house)
    house.files.put("incoming/again.mapping.json", as_json({**MAPPING, "operation": "insert"}))

    source = house.drop("incoming/again.csv", failed.replace(b",,007", b",x@example.com,007"))

    pin = house.import_of(source).mapping
    assert pin is not None
    assert pin.key == "incoming/again.mapping.json"
