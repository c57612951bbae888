"""A key that a constant fills: every row is about one record, so no job may be made twice."""

from __future__ import annotations

import pytest

from tests.fakes.harness import MAPPING, ROWS, Harness

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


@pytest.mark.parametrize("operation", ["update", "upsert"])
def test_a_part_whose_rows_share_a_constant_key_is_not_repeatable(operation: str) -> None:
    harness = Harness()
    entry = {"api_name": "Email", "default_value": "ada@example.com"}
    columns = {"Surname": "Last_Name"}
    harness.drop(
        SIDECAR,
        {
            **MAPPING,
            "operation": operation,
            "find_by": "Email",
            "columns": columns,
            "field_mappings": [entry],
        },
    )

    source = harness.drop(CSV, ROWS)

    assert [part.repeatable for part in harness.parts_of(source)] == [False]
