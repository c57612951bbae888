"""What people may write, and the one form that it becomes."""

from __future__ import annotations

import json
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from bigin_import.domain.job_request import Operation
from bigin_import.mapping.model import MappedField, Mapping
from tests.unit.mapping.contacts import parse_mapping

SAMPLES = Path(__file__).parents[2] / "samples" / "mappings"
BASE = {"module": "Contacts", "operation": "insert"}


def parsed(mapping: dict[str, Any]) -> Mapping:
    return parse_mapping(json.dumps(mapping).encode(), name="m.mapping.json")


def only_field(entry: dict[str, Any]) -> MappedField:
    (field,) = parsed(BASE | {"field_mappings": [entry]}).fields
    return field


def test_the_long_form_says_everything_about_each_field() -> None:
    text = (SAMPLES / "long-form.mapping.json").read_bytes()

    mapping = parse_mapping(text, name="contacts.mapping.json")

    assert (mapping.module, mapping.operation, mapping.find_by) == (
        "Contacts",
        Operation.UPSERT,
        "Email",
    )
    assert [field.model_dump(exclude_defaults=True) for field in mapping.fields] == [
        {"place": "line 6, field_mappings[0]", "api_name": "Email", "column": "E-mail"},
        {"place": "line 7, field_mappings[1]", "api_name": "Last_Name", "column": "Surname"},
        {
            "place": "line 8, field_mappings[2]",
            "api_name": "Account_Name",
            "column": "Company",
            "find_by": "Account_Name",
        },
        {
            "place": "line 9, field_mappings[3]",
            "api_name": "Date_of_Birth",
            "column": "Birthday",
            "rule": {"date_format": "dd.MM.yyyy"},
        },
        {
            "place": "line 10, field_mappings[4]",
            "api_name": "Email_Opt_Out",
            "column": "Opt in",
            "rule": {"values": (("yes", "false"), ("no", "true"))},
        },
        {
            "place": "line 11, field_mappings[5]",
            "api_name": "Revenue",
            "column": "Revenue",
            "rule": {"decimal": ","},
        },
    ]


def test_the_short_form_stands_beside_the_long_one_and_null_leaves_a_column_out() -> None:
    text = (SAMPLES / "short-form.mapping.json").read_bytes()

    mapping = parse_mapping(text, name="contacts.mapping.json")

    assert [(field.column, field.api_name, field.default_value) for field in mapping.fields] == [
        ("E-mail", "Email", None),
        ("Surname", "Last_Name", None),
        (None, "Lead_Source", "Web"),
    ]


def test_without_columns_the_headers_are_left_to_speak_for_themselves() -> None:
    assert parsed(BASE).fields == ()


def test_what_is_not_said_is_ours() -> None:
    mapping = parsed(BASE)

    assert mapping.ignore_empty is True
    assert mapping.empty_key == "invalid"
    assert mapping.duplicate_keys == "send"
    assert mapping.max_invalid_share is None
    assert mapping.force is None
    assert mapping.dry_run is False
    assert mapping.character_encoding is None


@pytest.mark.parametrize(
    ("written", "attribute", "meant"),
    [
        ({"ignore_empty": False}, "ignore_empty", False),
        ({"empty_key": "send"}, "empty_key", "send"),
        ({"duplicate_keys": "reject"}, "duplicate_keys", "reject"),
        ({"on_bad_rows": "1%"}, "max_invalid_share", 0.01),
        ({"on_bad_rows": "0%"}, "max_invalid_share", 0.0),
        ({"on_bad_rows": "0.5 %"}, "max_invalid_share", 0.005),
        ({"on_bad_rows": "100%"}, "max_invalid_share", 1.0),
        ({"force": "abcdefghijklmnopqrstuvwxyz"}, "force", "abcdefghijklmnopqrstuvwxyz"),
        ({"dry_run": True}, "dry_run", True),
        ({"character_encoding": "windows-1252"}, "character_encoding", "cp1252"),
        ({"character_encoding": "UTF-8"}, "character_encoding", "utf-8"),
        ({"character_encoding": "Latin1"}, "character_encoding", "iso8859-1"),
        ({"find_by": "Email"}, "find_by", "Email"),
        ({"find_by": "Id"}, "find_by", "id"),
        ({"module": {"api_name": "Accounts"}}, "module", "Accounts"),
        ({"module": "Suppliers__c"}, "module", "Suppliers__c"),
        ({"$schema": "mapping.schema.json"}, "module", "Contacts"),
        ({"dry_run": None}, "dry_run", False),
        ({"ignore_empty": None}, "ignore_empty", True),
    ],
)
def test_a_setting_is_read_as_it_is_meant(
    written: dict[str, Any], attribute: str, meant: object
) -> None:
    assert getattr(parsed(BASE | written), attribute) == meant


@pytest.mark.parametrize(
    ("entry", "attribute", "meant"),
    [
        ({"column": "A", "api_name": "Id"}, "api_name", "id"),
        ({"column": "A", "api_name": "ID"}, "api_name", "id"),
        ({"column": "A", "api_name": "Company", "find_by": "Id"}, "find_by", "id"),
        ({"index": 0, "api_name": "Phone"}, "index", 0),
        ({"api_name": "Source", "default_value": "Web"}, "default_value", "Web"),
        ({"api_name": "Source", "default_value": {"value": "Web"}}, "default_value", "Web"),
        ({"api_name": "Opt", "default_value": True}, "default_value", "true"),
        ({"api_name": "Score", "default_value": {"value": 5}}, "default_value", "5"),
        ({"column": "A", "api_name": "Source", "default_value": "Web"}, "column", "A"),
        (
            {"column": "A", "api_name": "Opt", "values": {"ja": True}},
            "rule.values",
            (("ja", "true"),),
        ),
        ({"column": "A", "api_name": "Opt", "values": {"": "x"}}, "rule.values", (("", "x"),)),
        (
            {"column": "A", "api_name": "Sum", "thousands": ",", "decimal": "."},
            "rule.thousands",
            ",",
        ),
        ({"column": "A", "api_name": "Sum", "thousands": "\u202f"}, "rule.thousands", " "),
        (
            {"column": "A", "api_name": "Sum", "find_by": None, "format": None},
            "rule.date_format",
            None,
        ),
    ],
)
def test_an_entry_is_read_as_it_is_meant(
    entry: dict[str, Any], attribute: str, meant: object
) -> None:
    assert attrgetter(attribute)(only_field(entry)) == meant


@pytest.mark.parametrize(
    ("sample", "fields", "warnings"),
    [
        (
            "documented-insert.json",
            [(0, "Phone", None), (1, "Email", None), (None, "Last_Name", "DefaultValue")],
            ["callback", "file_id"],
        ),
        (
            "documented-update.json",
            [(0, "Last_Name", None), (1, "id", None)],
            ["callBack", "file_id"],
        ),
        (
            "documented-upsert.json",
            [
                (0, "Email", None),
                (1, "Last_Name", None),
                (2, "Account_Name", None),
                (3, "Date_of_Birth", None),
            ],
            ["callback", "file_id"],
        ),
    ],
)
def test_the_documented_request_body_is_accepted_as_it_is(
    sample: str, fields: list[tuple[int | None, str, str | None]], warnings: list[str]
) -> None:
    mapping = parse_mapping((SAMPLES / sample).read_bytes(), name=sample)

    assert [(field.index, field.api_name, field.default_value) for field in mapping.fields] == (
        fields
    )
    assert [warning.split()[0] for warning in mapping.warnings] == warnings


def test_what_a_pasted_body_says_in_vain_is_said_in_a_sentence() -> None:
    mapping = parse_mapping((SAMPLES / "documented-insert.json").read_bytes(), name="m")

    assert mapping.warnings == (
        "callback in the mapping is not used: Bigin reports to this application.",
        (
            "file_id in the mapping is not used: the dropped file gets an id of its own when it is "
            "uploaded."
        ),
    )


def test_only_the_first_resource_is_read_and_that_is_said() -> None:
    body = {"operation": "insert", "resource": [{"module": "Contacts"}, {"module": "Accounts"}]}

    mapping = parsed(body)

    assert mapping.module == "Contacts"
    assert mapping.warnings == ("Only the first of the 2 entries of resource is used.",)


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "insert", "ignore_empty": False, "resource": [{"module": "Contacts"}]},
        {"operation": "insert", "resource": [{"module": "Contacts", "ignore_empty": False}]},
    ],
)
def test_ignore_empty_is_accepted_at_both_of_the_places_where_bigin_prints_it(
    body: dict[str, Any],
) -> None:
    assert parsed(body).ignore_empty is False


@pytest.mark.parametrize("module", ["Tasks", "Events", "Calls", "Notes", "Attachments", "Users"])
def test_a_module_that_the_limitations_page_excludes_is_a_warning(module: str) -> None:
    mapping = parsed({"module": module, "operation": "insert"})

    assert mapping.warnings == (f"Bigin's limitations page excludes {module} from bulk write.",)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_mapping_is_read_however_the_editor_saved_it(encoding: str) -> None:
    text = '{"module": "Contacts", "operation": "insert", "columns": {"Straße": "Mailing_Street"}}'

    mapping = parse_mapping(text.encode(encoding), name="m.mapping.json")

    assert mapping.fields[0].column == "Straße"
