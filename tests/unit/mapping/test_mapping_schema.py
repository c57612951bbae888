"""The JSON schema that lets editors complete and check a mapping."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from bigin_import.mapping.schema import SCHEMA_FILE, json_schema

SAMPLES = Path(__file__).parents[2] / "samples" / "mappings"


def is_valid(mapping: dict[str, Any]) -> bool:
    return bool(jsonschema.Draft202012Validator(json.loads(json_schema())).is_valid(mapping))


def test_the_schema_in_the_repository_is_the_one_that_the_model_gives() -> None:
    regenerate = "run: PYTHONPATH=layers/common python -m bigin_import.mapping.schema"

    assert SCHEMA_FILE.read_text(encoding="utf-8") == json_schema(), regenerate


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(json_schema()))


@pytest.mark.parametrize("sample", ["long-form.mapping.json", "short-form.mapping.json"])
def test_what_is_accepted_is_valid(sample: str) -> None:
    assert is_valid(json.loads((SAMPLES / sample).read_bytes()))


@pytest.mark.parametrize(
    "flaw",
    [
        {"operation": "Upsert"},
        {"modul": "Contacts"},
        {"ignore_empty": "yes"},
        {"on_bad_rows": "1"},
        {"on_bad_rows": 1},
        {"force": "x"},
        {"columns": ["E-mail"]},
        {"columns": {"E-mail": 5}},
        {"field_mappings": [{"column": "A"}]},
        {"field_mappings": [{"api_name": "A", "index": -1}]},
        {"field_mappings": [{"api_name": "A", "column": "B", "decimal": ";"}]},
        {"field_mappings": [{"api_name": "A", "default_value": {"text": "Web"}}]},
    ],
)
def test_what_is_refused_is_underlined_in_the_editor(flaw: dict[str, Any]) -> None:
    assert is_valid({"module": "Contacts", "operation": "insert"})
    assert not is_valid({"module": "Contacts", "operation": "insert"} | flaw)


@pytest.mark.parametrize("missing", ["module", "operation"])
def test_module_and_operation_are_required(missing: str) -> None:
    mapping = {"module": "Contacts", "operation": "insert"}
    del mapping[missing]

    assert not is_valid(mapping)
