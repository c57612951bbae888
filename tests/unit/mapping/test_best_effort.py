"""What is understood of a mapping that is wrong, and that each mistake is told once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bigin_import.domain.job_request import Operation
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.parse import Reading, read_mapping
from bigin_import.mapping.validate import validate
from tests.unit.mapping.contacts import CONTACTS

WHOLE = {"module": "Contacts", "operation": "insert", "columns": {"Name": "Last_Name"}}


def reading_of(text: str | bytes | dict[str, Any]) -> Reading:
    raw = json.dumps(text) if isinstance(text, dict) else text
    return read_mapping(raw.encode() if isinstance(raw, str) else raw, name="m.json")


def understood(text: str | bytes | dict[str, Any]) -> Mapping:
    reading = reading_of(text)
    assert reading.problems
    assert reading.mapping is not None
    return reading.mapping


def told(written: dict[str, Any], *header: str) -> list[str]:
    """Return all that is wrong with a mapping and a drop, in short: the places."""
    reading = reading_of(written)
    assert reading.mapping is not None
    fields = CONTACTS if reading.mapping.module else None
    examined = validate(
        reading.mapping, header or None, fields, mapping_name="m.json", drop_name="d.csv"
    )
    problems = (*reading.problems, *examined.problems)
    return [problem.where.rpartition(", ")[2] for problem in problems]


@pytest.mark.parametrize(
    ("keys", "attribute", "meant"),
    [
        ({"module": "Contact"}, "module", "Contacts"),
        ({"module": "deals"}, "module", "Pipelines"),
        ({"operation": "Upsert", "find_by": "Email"}, "operation", Operation.UPSERT),
        ({"character_encoding": "ansi"}, "character_encoding", "cp1252"),
        ({"character_encoding": "win1252"}, "character_encoding", "cp1252"),
        ({"characterEncoding": "cp850"}, "character_encoding", "cp850"),
        ({"encoding": "cp850"}, "character_encoding", "cp850"),
        ({"ignoreEmpty": False}, "ignore_empty", False),
        ({"empty_keys": "Send"}, "empty_key", "send"),
    ],
)
def test_what_was_most_likely_meant_takes_the_place_of_a_mistake(
    keys: dict[str, Any], attribute: str, meant: object
) -> None:
    assert getattr(understood(WHOLE | keys), attribute) == meant


@pytest.mark.parametrize(
    ("keys", "attribute"),
    [
        ({"character_encoding": "base64"}, "character_encoding"),
        ({"dry_run": "yes"}, "dry_run"),
        ({"on_bad_rows": 5}, "max_invalid_share"),
        ({"empty_key": "drop"}, "empty_key"),
    ],
)
def test_what_nobody_can_have_meant_is_as_if_it_were_not_said(
    keys: dict[str, Any], attribute: str
) -> None:
    as_if_not_said = reading_of(WHOLE).mapping

    assert getattr(understood(WHOLE | keys), attribute) == getattr(as_if_not_said, attribute)


@pytest.mark.parametrize(
    ("written", "unclear"),
    [
        ({"operation": "insert"}, {"module"}),
        ({"module": 5, "operation": "insert"}, {"module"}),
        ({"module": "Contacts"}, {"operation"}),
        ({"module": "Contacts", "operation": "merge"}, {"operation"}),
        (WHOLE | {"columns": ["Name"]}, {"field_mappings"}),
        (WHOLE | {"columns": {"Name": 5}}, {"field_mappings"}),
        (WHOLE | {"field_mappings": ["Email"]}, {"field_mappings"}),
        ({"module": "Contacts", "operation": "insert", "spalten": {"a": "b"}}, {"field_mappings"}),
        (WHOLE | {"spalten": {"a": "b"}}, set()),
    ],
)
def test_what_cannot_be_understood_is_named_as_unclear(
    written: dict[str, Any], unclear: set[str]
) -> None:
    assert understood(written).unclear == unclear


def test_a_key_that_was_misspelt_is_read_with_everything_in_it() -> None:
    mapping = understood(
        {
            "module": "Contacts",
            "operation": "insert",
            "fieldMappings": [{"Column": "Name", "apiName": "Last_Name", "formatt": "dd.MM.yyyy"}],
        }
    )

    (field,) = mapping.fields
    assert (field.column, field.api_name, field.rule.date_format) == (
        "Name",
        "Last_Name",
        "dd.MM.yyyy",
    )


def test_what_is_wrong_inside_of_a_misspelt_key_is_told_with_its_place_as_written() -> None:
    reading = reading_of(
        '{"module": "Contacts", "operation": "insert",\n'
        ' "fieldMappings": [\n'
        '  {"column": "A", "api_name": "Phone", "formatt": "DD.MM.YYYY"}]}'
    )

    assert [problem.where for problem in reading.problems] == [
        "m.json, line 2, column 2, fieldMappings",
        "m.json, line 3, column 40, fieldMappings[0].formatt",
    ]
    assert reading.mapping is not None
    assert reading.mapping.fields[0].place == "line 3, fieldMappings[0]"


def test_a_wrong_guess_about_a_key_is_not_told_as_a_mistake() -> None:
    reading = reading_of({"module": "Contacts", "operation": "insert", "fields": {"A": "Phone"}})

    assert [problem.what for problem in reading.problems] == ['"fields" is not a known key']
    assert reading.mapping is not None
    assert reading.mapping.unclear == {"field_mappings"}


@pytest.mark.parametrize(
    ("entry", "problems"),
    [
        ({"column": "Born", "api_name": "Date_of_Birth", "format": "DD"}, ["format"]),
        ({"column": "Tax", "api_name": "Supplier", "find_by": 5}, ["find_by"]),
        ({"column": 5, "api_name": "Date_of_Birth"}, ["column"]),
        ({"api_name": "Phone", "default_value": 1.5}, ["value"]),
        ({"column": "Nope", "apiname": "Phone"}, ["apiname", "column"]),
        ({"column": "Nope", "ziel": "Phone"}, ["", "ziel", "column"]),
        ({"colum": "Nope", "api_name": "Phoen"}, ["colum", "column", "api_name"]),
    ],
)
def test_what_was_told_of_a_key_is_not_told_again(
    entry: dict[str, Any], problems: list[str]
) -> None:
    found = told(WHOLE | {"field_mappings": [entry]}, "Name", "Born", "Tax")

    assert [place.removeprefix("field_mappings[0]").lstrip(".") for place in found] == [
        problem if problem != "value" else "default_value.value" for problem in problems
    ]


@pytest.mark.parametrize(
    "columns",
    [{"fieldMappings": 5}, {"columns": [1]}, {"columns": {"Name": 5}}, {"spalten": {"a": "b"}}],
)
def test_where_what_fills_the_fields_is_unclear_none_is_called_missing(
    columns: dict[str, Any],
) -> None:
    written = {"module": "Contacts", "operation": "upsert", "find_by": "Email"} | columns

    assert len(told(written, "Name", "Surname")) == 1


def test_an_operation_that_is_unclear_demands_nothing() -> None:
    assert told({"module": "Contacts", "operation": "merge", "columns": {"A": "Phone"}}, "A") == [
        "operation"
    ]


def test_a_module_that_is_unclear_hides_no_column_that_the_drop_lacks() -> None:
    assert told({"operation": "insert", "columns": {"B": "Phone"}}, "A") == [
        "module",
        'columns["B"]',
    ]


def test_without_a_header_everything_is_told_that_needs_none() -> None:
    written = {
        "module": "Contacts",
        "operation": "upsert",
        "find_by": "Email",
        "columns": {"A": "Phnoe", "B": "Date_of_Birth"},
    }

    assert told(written) == ['columns["A"]', 'columns["B"]', "find_by", "m.json"]
    assert told({"module": "Contacts", "operation": "insert"}) == []


@pytest.mark.parametrize(
    "text",
    [
        '{"module": "Contacts", "operation": "insert", "columns": {"A": "Phone",},}',
        "{“module”: “Contacts”, ”operation”: „insert“, “columns”: {“A”: “Phone”}}",
        '{“module”: "Contacts", "operation": "insert", "columns": {"A": "Phone",}}',
    ],
)
def test_a_mapping_is_read_behind_a_mistake_in_its_syntax(text: str) -> None:
    mapping = understood(text)

    assert (mapping.module, mapping.operation) == ("Contacts", Operation.INSERT)
    assert [(field.column, field.api_name) for field in mapping.fields] == [("A", "Phone")]


def test_every_mistake_in_the_syntax_is_told_with_what_follows_it_at_its_own_place() -> None:
    text = (
        "{“module”: “Contacts”,\n"
        '  "operation": "insert",\n'
        '  "dry_rum": true,\n'
        '  "columns": {"A": "Phone",},\n'
        "}"
    )
    comma = (
        "there is a comma after the last entry. Correct it there and drop the mapping again; "
        "the CSV may stay where it is"
    )

    assert list(map(str, reading_of(text).problems)) == [
        (
            "m.json, line 1, column 2: there are curly quotes (line 1); JSON knows only straight "
            'ones. Replace them with " in a plain text editor'
        ),
        f"m.json, line 4, column 27: {comma}",
        f"m.json, line 4, column 29: {comma}",
        (
            'm.json, line 3, column 3, dry_rum: "dry_rum" is not a known key. '
            'Did you mean "dry_run"?'
        ),
    ]


def test_curly_quotes_in_a_text_are_no_mistake() -> None:
    reading = reading_of('{"module": "Contacts", "operation": "insert", "columns": {"„A“": "B",}}')

    assert [problem.what for problem in reading.problems] == [
        "there is a comma after the last entry"
    ]
    assert reading.mapping is not None
    assert reading.mapping.fields[0].column == "„A“"


@pytest.mark.parametrize(
    "text",
    [
        '{"module": Contacts}',
        '{"module": "Contacts',
        '{"module": "Contacts", "operation":',
        '{"a": "say "hi" to him"}',
        "{'module': 'Contacts', 'operation': 'insert'}",
        '{"module": "Contacts" "operation": "insert"}',
        '{"module": "Contacts", "operation": "insert"} // ours',
        "{“”“”",
        "{/",
        "",
        "[]",
    ],
)
def test_where_a_mend_would_be_a_guess_only_the_first_mistake_is_told(text: str) -> None:
    reading = reading_of(text)

    assert reading.mapping is None
    assert len(reading.problems) == 1


def test_a_mapping_in_another_encoding_is_read_but_for_the_headers_that_suffered() -> None:
    text = '{"module": "Contacts", "operation": "insert", "columns": {"Straße": "A", "B": "Phone"}}'

    reading = reading_of(text.encode("cp1252"))

    assert [problem.what for problem in reading.problems] == ["byte 64 is not UTF-8 text"]
    assert reading.mapping is not None
    assert [field.unclear for field in reading.mapping.fields] == [{"column"}, set()]
