"""What is suggested to a person whose drop has no mapping, or one that does not fit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bigin_import.domain.job_request import Field
from bigin_import.errors import DropRejectedError
from bigin_import.mapping.parse import read_mapping
from bigin_import.mapping.recognise import guess_module
from bigin_import.mapping.suggest import UNKNOWN_ENCODING, Line, suggest_mapping
from tests.unit.mapping.contacts import CONTACTS, mapping_of, parse_mapping, planned


def entries(text: str) -> list[dict[str, Any]]:
    """Return the entries that have a column, or need none."""
    listed: list[dict[str, Any]] = json.loads(text)["field_mappings"]
    return [entry for entry in listed if not entry.get("column", "").startswith("write here")]


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
            f"suggested, line 7, column {suggestion.splitlines()[6].index('"format"') + 1}, "
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
    cell = "111111000000541958" if header[0] == "Record id" else "ada@example.com"
    samples = [[cell, "Lovelace"], ["", "Turing"]] if len(header) > 1 else [["Lovelace"]]

    suggestion = suggest_mapping(header, CONTACTS, module="Contacts", samples=samples)

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


@pytest.mark.parametrize(
    "rows", [[], [[""], [" "]], [["1"], ["2"]], [["111111000000541958"], ["4711"]]]
)
@pytest.mark.parametrize("header", ["id", "ID", "Record id"])
def test_a_column_that_is_called_id_is_not_bigin_s_unless_its_values_are(
    header: str, rows: list[list[str]]
) -> None:
    suggestion = suggest_mapping(
        (header, "Phone"),
        CONTACTS,
        module="Contacts",
        samples=[[*row, "+1 555 0100"] for row in rows],
    )

    assert entries(suggestion) == [{"column": "Phone", "api_name": "Phone"}]


@pytest.mark.parametrize(
    ("stated", "fitting", "written"),
    [
        ("dd.MM.yyyy", ("dd.MM.yyyy",), "dd.MM.yyyy"),
        ("d.M.yyyy", ("dd.MM.yyyy",), "d.M.yyyy"),
        ("M/d/yyyy", ("MM/dd/yyyy", "dd/MM/yyyy"), "M/d/yyyy"),
        ("dd.MM.yyyy", ("MM/dd/yyyy", "dd/MM/yyyy"), "MM/dd/yyyy or dd/MM/yyyy"),
        ("dd.MM.yyyy", ("yyyy-MM-dd",), "yyyy-MM-dd"),
        ("d. MMMM yyyy", (), "d. MMMM yyyy"),
    ],
)
def test_a_stated_format_gives_way_to_the_ones_that_fit_unless_it_is_among_them(
    stated: str, fitting: tuple[str, ...], written: str
) -> None:
    mapping = mapping_of(
        field_mappings=[{"column": "Born", "api_name": "Date_of_Birth", "format": stated}]
    )

    suggestion = suggest_mapping(
        ("Born",), CONTACTS, mapping=mapping, date_formats=lambda _: fitting
    )

    assert entries(suggestion)[0]["format"] == written


def test_an_encoding_that_nobody_stated_is_refused_until_it_is_found_out() -> None:
    suggestion = suggest_mapping(
        ("Surname",),
        CONTACTS,
        module="Contacts",
        lines=[Line("character_encoding", UNKNOWN_ENCODING)],
    )

    with pytest.raises(DropRejectedError) as caught:
        parse_mapping(suggestion.encode(), name="suggested")

    assert [problem.where.rpartition(", ")[2] for problem in caught.value.problems] == [
        "character_encoding"
    ]
    assert "windows-1252" in json.loads(suggestion)["character_encoding"]


def test_a_wrong_mapping_is_where_its_suggestion_starts() -> None:
    wrong = {
        "modul": "Contact",
        "operation": "Upsert",
        "find_by": "E-mail",
        "character_encoding": "ansi",
        "ignore_empty": "no",
        "empty_key": "send",
        "fieldMappings": [
            {"column": "E-Mail", "api_name": "E-mail", "decimal": ","},
            {"column": "Name", "apiname": "Last_Name"},
            {"column": "Tel"},
            {"column": "Born", "api_name": "Date_of_Birth", "format": "DD.MM.YYYY"},
            {"column": "Made", "api_name": "Created_Time", "format": "dd.MM.yyyy"},
            {"column": "E-Mail", "api_name": "Email"},
            {"api_name": "Lead_Source", "default_value": "Web"},
            "Customer No.",
        ],
    }
    mapping = read_mapping(json.dumps(wrong).encode(), name="m.json").mapping
    header = ("E-Mail", "Name", "Tel", "Born", "Made", "Customer No.")

    suggestion = suggest_mapping(
        header, CONTACTS, mapping=mapping, date_formats=lambda _: ("dd.MM.yyyy",)
    )

    assert json.loads(suggestion) == {
        "module": "Contacts",
        "operation": "upsert",
        "find_by": "Email",
        "character_encoding": "cp1252",
        "empty_key": "send",
        "field_mappings": [
            {"column": "E-Mail", "api_name": "Email"},
            {"column": "Name", "api_name": "Last_Name"},
            {"column": "Tel", "api_name": "Phone"},
            {"column": "Born", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},
            {"api_name": "Lead_Source", "default_value": "Web"},
        ],
    }


def test_a_field_that_does_not_exist_is_found_by_its_header_if_its_name_says_little() -> None:
    street = Field("Mailing_Street", "Mailing Street", "text")
    mapping = mapping_of(
        columns={"Straße": "Mailing", "Tel": "Phnoe", "Kommentar": "Xyzzy", "Handy": "Phone_No"}
    )

    suggestion = suggest_mapping(
        ("Straße", "Tel", "Kommentar", "Handy"), (*CONTACTS, street), mapping=mapping
    )

    assert [entry["api_name"] for entry in entries(suggestion)] == [
        "Mailing_Street",
        "Phone",
        "Xyzzy",
    ]


def test_a_mapping_without_module_and_operation_gets_both() -> None:
    wrong = {"dry_run": True, "columns": {"Surname": "Last_Name", "E-mail": "Email"}}
    mapping = read_mapping(json.dumps(wrong).encode(), name="m.json").mapping

    suggestion = json.loads(suggest_mapping(("Surname", "E-mail"), CONTACTS, mapping=mapping))

    assert list(suggestion) == ["module", "operation", "find_by", "dry_run", "field_mappings"]
    assert (suggestion["module"], suggestion["operation"]) == ("Contacts", "upsert")


def test_where_headers_name_the_fields_the_suggestion_maps_all_of_them() -> None:
    header = ("Last_Name", "Supplier.id", "Account_Name.Phone", "E-mail", "Created_Time", "id")

    suggestion = suggest_mapping(
        header, CONTACTS, mapping=mapping_of(), samples=[["x", "x", "x", "a@b.de", "x", "1"]]
    )

    assert entries(suggestion) == [
        {"column": "Last_Name", "api_name": "Last_Name"},
        {"column": "Supplier.id", "api_name": "Supplier", "find_by": "id"},
        {"column": "Account_Name.Phone", "api_name": "Account_Name", "find_by": "Phone"},
        {"column": "E-mail", "api_name": "Email"},
    ]
