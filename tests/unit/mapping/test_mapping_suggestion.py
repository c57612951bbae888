"""What is suggested to a person whose drop has no mapping, or one that does not fit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bigin_import.errors import DropRejectedError
from bigin_import.mapping.likeness import guess_module
from bigin_import.mapping.suggest import suggest_mapping
from tests.unit.mapping.contacts import CONTACTS, mapping_of, parse_mapping, planned


def entries(text: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(text)["field_mappings"]
    return listed


def test_a_suggestion_is_made_from_labels_api_names_usual_words_and_formats() -> None:
    header = ("Nachname", "e-mail", "Company Name", "Geburtstag", "customer no", "Shoe size")

    suggestion = suggest_mapping(
        header, CONTACTS, module="Contacts", date_formats=lambda _: ("dd.MM.yyyy",)
    )

    assert suggestion == (
        "{\n"
        '  "module": "Contacts",\n'
        '  "operation": "upsert",\n'
        '  "find_by": "Email",\n'
        '  "field_mappings": [\n'
        '    {"column": "Nachname", "api_name": "Last_Name"},\n'
        '    {"column": "e-mail", "api_name": "Email"},\n'
        '    {"column": "Company Name", "api_name": "Account_Name", "find_by": "Account_Name"},\n'
        '    {"column": "Geburtstag", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},\n'
        '    {"column": "customer no", "api_name": "Customer_No"}\n'
        "  ]\n"
        "}\n"
    )


def test_a_suggestion_can_be_dropped_as_it_is() -> None:
    header = ("Surname", "E-mail", "Firma", "Birthday")
    suggestion = suggest_mapping(header, CONTACTS, date_formats=lambda _: ("dd.MM.yyyy",))

    mapping = parse_mapping(suggestion.encode(), name="suggested")

    assert set(planned(mapping, *header, fields=CONTACTS).header) == {
        "Email",
        "Last_Name",
        "Account_Name",
        "Date_of_Birth",
    }


@pytest.mark.parametrize(
    ("formats", "written"),
    [
        (("MM/dd/yyyy", "dd/MM/yyyy"), "MM/dd/yyyy or dd/MM/yyyy"),
        ((), "write here how the file writes dates, such as dd.MM.yyyy"),
    ],
)
def test_a_date_format_is_never_guessed_so_the_suggestion_is_refused_until_it_is_chosen(
    formats: tuple[str, ...], written: str
) -> None:
    suggestion = suggest_mapping(
        ("Surname", "Birthday"), CONTACTS, module="Contacts", date_formats=lambda _: formats
    )

    with pytest.raises(DropRejectedError) as caught:
        parse_mapping(suggestion.encode(), name="suggested")

    assert entries(suggestion)[1]["format"] == written
    assert [problem.where for problem in caught.value.problems] == [
        (
            f"suggested, line 6, column {suggestion.splitlines()[5].index('"format"') + 1}, "
            "field_mappings[1].format"
        )
    ]


@pytest.mark.parametrize(
    ("header", "module"),
    [
        (("First name", "Last name", "E-mail", "Firma"), "Contacts"),
        (("Company", "Website", "Billing city", "Billing country"), "Accounts"),
        (("Deal name", "Stage", "Closing date", "Amount"), "Pipelines"),
        (("Product name", "SKU", "Unit price"), "Products"),
        (("Foo", "Bar"), None),
    ],
)
def test_the_module_is_the_one_whose_words_the_headers_use(
    header: tuple[str, ...], module: str | None
) -> None:
    assert guess_module(header) == module


def test_what_only_a_person_can_know_is_left_open_and_refused() -> None:
    suggestion = suggest_mapping(("Foo", "Bar"), None)

    with pytest.raises(DropRejectedError) as caught:
        parse_mapping(suggestion.encode(), name="suggested")

    assert [problem.what for problem in caught.value.problems] == [
        "module is missing",
        "no field is mapped here",
    ]


@pytest.mark.parametrize(
    ("header", "settings"),
    [
        (("E-mail", "Surname"), {"operation": "upsert", "find_by": "Email"}),
        (("Record id", "Surname"), {"operation": "upsert", "find_by": "id"}),
        (("Surname",), {"operation": "insert"}),
    ],
)
def test_the_operation_is_what_adds_nobody_twice_if_there_is_a_key(
    header: tuple[str, ...], settings: dict[str, str]
) -> None:
    suggestion = suggest_mapping(header, CONTACTS, module="Contacts")

    written = json.loads(suggestion)
    del written["field_mappings"]
    assert written == {"module": "Contacts"} | settings


def test_each_field_goes_to_one_column_and_the_clearest_header_gets_it() -> None:
    suggestion = suggest_mapping(("Lead Sorce", "Lead Source", "lead_source"), CONTACTS)

    assert entries(suggestion) == [{"column": "Lead Source", "api_name": "Lead_Source"}]


def test_read_only_fields_and_columns_without_a_header_are_left_out() -> None:
    suggestion = suggest_mapping(("Created Time", "", "Phone"), CONTACTS, module="Contacts")

    assert entries(suggestion) == [{"column": "Phone", "api_name": "Phone"}]


def test_a_drifted_mapping_keeps_what_fits_and_follows_renamed_columns() -> None:
    mapping = mapping_of(
        operation="upsert",
        find_by="Email",
        on_bad_rows="2.5%",
        columns={"E-Mail": "Email", "Surname": "Last Name", "Firma": "Account_Name"},
        field_mappings=[
            {"column": "Umsatz", "api_name": "Revenue", "decimal": ","},
            {"column": "Gone", "api_name": "Phone"},
            {"api_name": "Lead_Source", "default_value": "Web"},
        ],
    )
    header = ("Surnames", "Remark", "e-mail", "Company", "Umsatz ", "Customer No.")

    suggestion = suggest_mapping(header, CONTACTS, mapping=mapping)

    assert json.loads(suggestion) == {
        "module": "Contacts",
        "operation": "upsert",
        "find_by": "Email",
        "on_bad_rows": "2.5%",
        "field_mappings": [
            {"column": "Surnames", "api_name": "Last_Name"},
            {"column": "e-mail", "api_name": "Email"},
            {"column": "Company", "api_name": "Account_Name", "find_by": "Account_Name"},
            {"column": "Umsatz ", "api_name": "Revenue", "decimal": ","},
            {"api_name": "Lead_Source", "default_value": "Web"},
        ],
    }


def test_two_headers_that_are_alike_are_told_apart_by_their_index() -> None:
    suggestion = suggest_mapping(("Phone", "Phone"), CONTACTS, module="Contacts")

    assert entries(suggestion) == [{"index": 0, "api_name": "Phone"}]
