"""The sentences that people read when their mapping cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bigin_import.mapping.parse import read_mapping

DROP_AGAIN = "Correct it there and drop the mapping again; the CSV may stay where it is"
TOO_DEEP = "m.json: lists or objects are nested more than 50 deep. Take out what is not a mapping"
SAMPLES = Path(__file__).parents[2] / "samples" / "mappings"


def sentences(text: bytes | str) -> list[str]:
    raw = text.encode() if isinstance(text, str) else text
    return list(map(str, read_mapping(raw, name="m.json").problems))


def in_a_contacts_mapping(**keys: object) -> list[str]:
    return sentences(json.dumps({"module": "Contacts", "operation": "insert"} | keys))


def in_an_entry(**keys: object) -> list[str]:
    return in_a_contacts_mapping(field_mappings=[{"column": "A", "api_name": "Phone"} | keys])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "m.json: the mapping is empty. Write at least module and operation"),
        (" \n", "m.json: the mapping is empty. Write at least module and operation"),
        (
            '{"module": "Contacts"\n "operation": "insert"}',
            "m.json, line 2, column 2: a comma is missing before this place. " + DROP_AGAIN,
        ),
        (
            '{"operation": "insert", "module": "Contacts",}',
            "m.json, line 1, column 45: there is a comma after the last entry. " + DROP_AGAIN,
        ),
        (
            '{"operation": "insert", "module" "Contacts"}',
            "m.json, line 1, column 34: a colon is missing between a key and its value. "
            + DROP_AGAIN,
        ),
        (
            '{"module": Contacts}',
            "m.json, line 1, column 12: a value is expected here. " + DROP_AGAIN,
        ),
        (
            '{"module": "Contacts}',
            "m.json, line 1, column 12: the text that begins here has no closing quote. "
            + DROP_AGAIN,
        ),
        (
            '{"module": "Contacts"} {}',
            "m.json, line 1, column 24: the mapping has ended, but more text follows. "
            + DROP_AGAIN,
        ),
        (
            '{“module”: “Contacts”,\n "operation": “insert”}',
            (
                "m.json, line 1, column 2: there are curly quotes (line 1, 2); JSON knows only "
                'straight ones. Replace them with " in a plain text editor'
            ),
        ),
        (
            "{'module': 'Contacts', 'operation': 'insert'}",
            'm.json, line 1, column 2: single quotes are not JSON. Replace them with "',
        ),
        (
            '{"module": "Contacts", // ours\n "operation": "insert"}',
            "m.json, line 1, column 24: JSON has no comments. Remove the comment",
        ),
        (
            '["module"]',
            "m.json: a mapping is an object, written in { }. " + DROP_AGAIN,
        ),
        (
            '{"module": NaN}',
            "m.json: a number cannot be read. Write it in quotes, as it should arrive in Bigin",
        ),
        (
            '{"module": ' + "1" * 5000 + "}",
            "m.json: a number cannot be read. Write it in quotes, as it should arrive in Bigin",
        ),
        ("[" * 100_000, TOO_DEEP),
        ('{"x": ' + "[" * 600 + "]" * 600 + "}", TOO_DEEP),
        ('{"x": ' + "[" * 50 + "]" * 50 + "}", TOO_DEEP),
        (
            r'{"module": "\ud800"}',
            r"m.json: a \u escape is half a character. Write the character itself",
        ),
        (
            (
                b'{"module": "Contacts", "operation": "insert",\n'
                b' "columns": {"Stra\xdfe": "Mailing_Street"}}'
            ),
            "m.json, line 2: byte 65 is not UTF-8 text. Save the mapping with the encoding UTF-8",
        ),
    ],
)
def test_a_file_that_is_not_json_is_refused_with_the_place(
    text: bytes | str, sentence: str
) -> None:
    assert sentences(text) == [sentence]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"modul": "Contacts"},
            'modul: "modul" is not a known key. Did you mean "module"?',
        ),
        (
            {"fieldMappings": [{"column": "A", "api_name": "Phone"}]},
            ('fieldMappings: "fieldMappings" is not a known key. Did you mean "field_mappings"?'),
        ),
        (
            {"xyzzy": 1},
            (
                'xyzzy: "xyzzy" is not a known key. Remove it; known are '
                "module, operation, find_by, columns, field_mappings, ignore_empty, "
                "character_encoding, header, ragged_rows, sheet, empty_key, duplicate_keys, "
                "on_bad_rows, force, dry_run"
            ),
        ),
        (
            {"module": "Companies"},
            'module: Bigin\'s API has no module "Companies". Write "module": "Accounts"',
        ),
        (
            {"module": "Deals"},
            'module: Bigin\'s API has no module "Deals". Write "module": "Pipelines"',
        ),
        (
            {"module": "contacts"},
            'module: Bigin\'s API has no module "contacts". Write "module": "Contacts"',
        ),
        ({"module": None}, 'module: module is missing. Add it, such as "module": "Contacts"'),
        ({"module": ""}, "module: it is empty. Write a name, or leave the key out"),
        (
            {"module": 5},
            'module: this must be text in quotes, not a number. Write it in quotes: "..."',
        ),
        (
            {"operation": None},
            'operation: operation is missing. Add it: "operation": "insert", "update" or "upsert"',
        ),
        (
            {"operation": "Upsert", "find_by": "Email"},
            (
                "operation: \"Upsert\" is not one of 'insert', 'update' or 'upsert'. "
                'Did you mean "upsert"?'
            ),
        ),
        (
            {"operation": "merge"},
            "operation: \"merge\" is not one of 'insert', 'update' or 'upsert'. Write one of these",
        ),
        (
            {"operation": True},
            (
                "operation: this must be 'insert', 'update' or 'upsert', not true or false. "
                "Write one of these"
            ),
        ),
        (
            {"operation": "update"},
            (
                "find_by: update needs find_by, to know which record a row is about. "
                'Add it, such as "find_by": "Email"'
            ),
        ),
        (
            {"operation": "upsert"},
            (
                "find_by: upsert needs find_by, to know which record a row is about. "
                'Add it, such as "find_by": "Email"'
            ),
        ),
        (
            {"ignore_empty": "yes"},
            (
                "ignore_empty: this must be true or false, not text. "
                "Write true or false, without quotes"
            ),
        ),
        (
            {"dry_run": 1},
            (
                "dry_run: this must be true or false, not a number. "
                "Write true or false, without quotes"
            ),
        ),
        (
            {"character_encoding": "win1252"},
            'character_encoding: "win1252" is not an encoding. Did you mean "windows-1252"?',
        ),
        (
            {"character_encoding": "base64"},
            (
                'character_encoding: "base64" is not an encoding. '
                'Write for example "UTF-8", "windows-1252", "cp850" or "macroman"'
            ),
        ),
        (
            {"character_encoding": "ansi"},
            'character_encoding: "ansi" is not an encoding. Did you mean "windows-1252"?',
        ),
        (
            {"character_encoding": "Western European"},
            (
                'character_encoding: "Western European" is not an encoding. '
                'Did you mean "windows-1252"?'
            ),
        ),
        (
            {"empty_key": "skip"},
            "empty_key: \"skip\" is not one of 'invalid' or 'send'. Write one of these",
        ),
        (
            {"duplicate_keys": "rejected"},
            (
                "duplicate_keys: \"rejected\" is not one of 'send' or 'reject'. "
                'Did you mean "reject"?'
            ),
        ),
        (
            {"on_bad_rows": 1},
            'on_bad_rows: 1 is not a percentage from 0% to 100%. Write it in quotes, such as "1%"',
        ),
        (
            {"on_bad_rows": "150%"},
            (
                'on_bad_rows: "150%" is not a percentage from 0% to 100%. '
                'Write it in quotes, such as "1%"'
            ),
        ),
        (
            {"force": "yes"},
            (
                'force: "yes" is not the id of an import. '
                "Copy the 26 characters from the report of the import to repeat"
            ),
        ),
        (
            {"columns": ["E-mail"]},
            "columns: this must be an object, not a list. Write it in { }",
        ),
        (
            {"columns": {}},
            (
                "columns: no column is mapped here. "
                "Map at least one column, or leave the key out if the headers are API names"
            ),
        ),
        (
            {"columns": {"E-mail": 3}},
            (
                'columns["E-mail"]: this must be text in quotes, not a number. '
                'Write it in quotes: "..."'
            ),
        ),
        (
            {"columns": {"Geburtstag": {"api_name": "Date_of_Birth", "format": "dd.MM.yyyy"}}},
            (
                'columns["Geburtstag"]: this must be the name of a field: columns says no more '
                "than that. Write it as an entry of field_mappings: "
                '{"column": "Geburtstag", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"}'
            ),
        ),
        (
            {"columns": {"A": "Phone", "B": "Phone"}},
            (
                'columns["B"]: Phone is filled twice. '
                "Keep one; a default_value may stand beside the column in the same entry"
            ),
        ),
        (
            {"columns": {"A": "Id", "B": "id"}},
            (
                'columns["B"]: id is filled twice. '
                "Keep one; a default_value may stand beside the column in the same entry"
            ),
        ),
        (
            {"field_mappings": {}},
            "field_mappings: this must be a list, not an object. Write it in [ ]",
        ),
        (
            {"field_mappings": []},
            (
                "field_mappings: no field is mapped here. "
                "Map at least one column, or leave the key out if the headers are API names"
            ),
        ),
        (
            {"field_mappings": ["Email"]},
            "field_mappings[0]: this must be an object, not text. Write it in { }",
        ),
        (
            {"resource": {}},
            (
                "resource: this must be a list with one object in it. "
                'Write it as Bigin does: "resource": [{"module": ..., "field_mappings": [...]}]'
            ),
        ),
        (
            {"resource": []},
            (
                "resource: this must be a list with one object in it. "
                'Write it as Bigin does: "resource": [{"module": ..., "field_mappings": [...]}]'
            ),
        ),
        (
            {"resource": [{"type": "file"}]},
            'resource[0].type: the only type there is to import is data. Write "type": "data"',
        ),
        (
            {"resource": [{"module": "Accounts"}]},
            (
                "resource[0].module: module also stands outside of resource, with another value. "
                "Remove one of the two"
            ),
        ),
        (
            {"resource": [{"field_mapping": [{"column": "A", "api_name": "Phone"}]}]},
            (
                'resource[0].field_mapping: "field_mapping" is not a known key. '
                'Did you mean "field_mappings"?'
            ),
        ),
    ],
)
def test_a_wrong_setting_is_refused_with_place_and_remedy(
    keys: dict[str, Any], sentence: str
) -> None:
    (found,) = in_a_contacts_mapping(**keys)

    assert found.split(", ", 3)[-1] == sentence


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        (
            {"colum": "B"},
            '.colum: "colum" is not a known key. Did you mean "column"?',
        ),
        ({"api_name": None}, ": api_name is missing. Say which field of Bigin this fills"),
        (
            {"column": None},
            (
                ": nothing says where the values come from. "
                "Add column, or default_value for a constant"
            ),
        ),
        ({"column": ""}, ".column: it is empty. Write a name, or leave the key out"),
        (
            {"column": None, "index": -1},
            ".index: columns are counted from 0. Write 0 for the first column",
        ),
        (
            {"column": None, "index": "0"},
            (
                ".index: this must be a whole number, not text. "
                "Write it without quotes and without a fraction"
            ),
        ),
        (
            {"default_value": {"text": "Web"}},
            ('.default_value.text: "text" is not a known key. Remove it; known are value'),
        ),
        (
            {"default_value": {}},
            '.default_value: it has no value. Write it like "default_value": "Web"',
        ),
        (
            {"default_value": ["Web"]},
            (
                ".default_value.value: this must be text in quotes, not a list. "
                'Write it in quotes: "..."'
            ),
        ),
        (
            {"default_value": 1.5},
            (
                ".default_value.value: this must be text in quotes, not a number. "
                'Write it in quotes: "..."'
            ),
        ),
        (
            {"column": None, "default_value": "x", "format": "dd.MM.yyyy"},
            (
                ".format: format is about the cells of a column, but this entry is a constant. "
                "Remove it, or add column"
            ),
        ),
        (
            {"format": "DD.MM.YYYY"},
            (
                '.format: "DD.MM.YYYY" is not a date format: "DD" has no meaning in it '
                '(the day is dd). Write it like "dd.MM.yyyy"'
            ),
        ),
        (
            {"format": "yyyy-MM-dd'T'HH:mm:ssVV"},
            (
                '.format: "yyyy-MM-dd\'T\'HH:mm:ssVV" is not a date format: "VV" has no meaning '
                'in it. Write it like "yyyy-MM-dd HH:mm:ss XXX"'
            ),
        ),
        (
            {"zone": "Berlin", "format": "yyyy-MM-dd HH:mm XXX"},
            '.zone: "Berlin" is not a time zone. Write it like "Europe/Berlin"',
        ),
        (
            {"format": "dd.mm.yyyy"},
            (
                '.format: "dd.mm.yyyy" is not a date format: it does not name the month. '
                'Write it like "dd.MM.yyyy"'
            ),
        ),
        (
            {"decimal": ";"},
            ".decimal: \";\" is not one of ',' or '.'. Write one of these",
        ),
        (
            {"decimal": ",", "thousands": ","},
            (
                '.thousands: thousands and decimal are both ",". '
                'Say both, such as "decimal": ",", "thousands": "."'
            ),
        ),
        (
            {"thousands": "."},
            (
                '.thousands: thousands and decimal are both ".". '
                'Say both, such as "decimal": ",", "thousands": "."'
            ),
        ),
        (
            {"format": "dd.MM.yyyy", "decimal": ","},
            ": format is for dates and cannot stand beside decimal. Keep one",
        ),
        (
            {"values": ["yes", "no"]},
            ".values: this must be an object, not a list. Write it in { }",
        ),
        (
            {"values": {"yes": None}},
            '.values["yes"]: this must be text in quotes, not null. Write it in quotes: "..."',
        ),
    ],
)
def test_a_wrong_entry_is_refused_with_place_and_remedy(
    keys: dict[str, Any], sentence: str
) -> None:
    (found,) = in_an_entry(**keys)

    assert found.split("field_mappings[0]", 1)[1] == sentence


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = (SAMPLES / "wrong-in-many-ways.mapping.json").read_bytes()

    found = sentences(text)

    expected = (SAMPLES / "wrong-in-many-ways.problems.txt").read_text(encoding="utf-8")
    assert found == expected.splitlines()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"module": "A",\n"module": "B"}', "m.json, line 2, column 1, module"),
        (r'{"module": "A", "\u006dodule": "B"}', "m.json, line 1, column 17, module"),
        (
            '{"columns": {"E-mail": "Email",\n "E-mail": "Secondary_Email"}}',
            'm.json, line 2, column 2, columns["E-mail"]',
        ),
        (
            '{"resource": [{"find_by": "a", "find_by": "b"}]}',
            "m.json, line 1, column 32, resource[0].find_by",
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused_at_its_second_place(text: str, place: str) -> None:
    assert f"{place}: this key was already given in line 1. Keep one of them" in sentences(text)


def test_what_is_nested_50_deep_is_still_read() -> None:
    found = in_a_contacts_mapping(xyzzy=json.loads("[" * 49 + "]" * 49))

    assert [sentence.partition(". ")[0] for sentence in found] == [
        'm.json, line 1, column 47, xyzzy: "xyzzy" is not a known key'
    ]
