"""What makes the work on one content the same work, and what makes it other work."""

from __future__ import annotations

from typing import Any

import pytest

from bigin_import.deduplication.claims import normalised_mapping
from bigin_import.domain.job_request import Field
from tests.unit.mapping.contacts import CONTACTS, mapping_of, planned

HEADER = ("Mail", "Name", "Firma", "Born", "Sum")
BASE: dict[str, Any] = {
    "operation": "upsert",
    "find_by": "Email",
    "field_mappings": [
        {"column": "Mail", "api_name": "Email"},
        {"column": "Name", "api_name": "Last_Name"},
        {"column": "Firma", "api_name": "Account_Name"},
        {"column": "Born", "api_name": "Last_Call", "format": "dd.MM.yyyy"},
        {"column": "Sum", "api_name": "Revenue", "values": {"a": "1", "b": "2"}},
    ],
}


def identity(changes: dict[str, Any], fields: tuple[Field, ...] | None = CONTACTS) -> str:
    return normalised_mapping(planned(mapping_of(**(BASE | changes)), *HEADER, fields=fields))


def with_entry(position: int, **keys: object) -> dict[str, Any]:
    entries = list(BASE["field_mappings"])
    entries[position] = entries[position] | keys
    return {"field_mappings": entries}


@pytest.mark.parametrize(
    "changes",
    [
        {"field_mappings": BASE["field_mappings"][::-1]},
        with_entry(0, column=None, index=0),
        with_entry(1, column=" NAME "),
        with_entry(2, find_by="Account_Name"),
        with_entry(4, values={"b": "2", "a": "1"}),
        {"on_bad_rows": "50%"},
        {"force": "abcdefghijklmnopqrstuvwxyz"},
        {"dry_run": True},
        {"ignore_empty": True},
    ],
)
def test_another_way_to_write_the_same_is_the_same_work(changes: dict[str, Any]) -> None:
    assert identity(changes) == identity({})


def test_the_same_work_is_known_without_bigin_s_metadata() -> None:
    assert identity({}, fields=None) == identity({})


@pytest.mark.parametrize(
    "changes",
    [
        {"module": "Leads"},
        {"operation": "update"},
        {"find_by": "Last_Name"},
        {"ignore_empty": False},
        {"field_mappings": BASE["field_mappings"][:4]},
        with_entry(1, column="Firma"),
        with_entry(1, default_value="?"),
        with_entry(1, values={"a": "b"}),
        with_entry(2, find_by="id"),
        with_entry(3, format="MM.dd.yyyy"),
        with_entry(4, decimal=","),
        with_entry(4, thousands=","),
    ],
)
def test_what_changes_the_records_is_other_work(changes: dict[str, Any]) -> None:
    assert identity(changes) != identity({})


def test_for_an_insert_empty_cells_erase_nothing_so_ignore_empty_does_not_matter() -> None:
    insert = {"operation": "insert", "find_by": None}

    assert identity(insert | {"ignore_empty": False}) == identity(insert)


# As the release before claimed them, byte by byte: a file that it imported is not let in twice.
CLAIMED = (
    '{"fields":['
    '{"api_name":"Account_Name","default_value":null,"find_by":"Account_Name",'
    '"rule":{"values":[]},"source":2},'
    '{"api_name":"Email","default_value":null,"find_by":null,"rule":{"values":[]},"source":0},'
    '{"api_name":"Last_Call","default_value":null,"find_by":null,'
    '"rule":{"date_format":"dd.MM.yyyy","decimal":null,"thousands":null,"values":[]},"source":3},'
    '{"api_name":"Last_Name","default_value":null,"find_by":null,"rule":{"values":[]},"source":1},'
    '{"api_name":"Lead_Source","default_value":"Web","find_by":null,"rule":{"values":[]},'
    '"source":null},'
    '{"api_name":"Revenue","default_value":null,"find_by":null,'
    '"rule":{"date_format":null,"decimal":",","thousands":".","values":[["a","1"],["b","2"]]},'
    '"source":4}],'
    '"find_by":"Email","ignore_empty":true,"module":"Contacts","operation":"upsert"}'
)


def test_what_was_claimed_by_the_release_before_is_still_the_same_work() -> None:
    marks = {"values": {"b": "2", "a": "1"}, "decimal": ",", "thousands": "."}
    entries = [*with_entry(4, **marks)["field_mappings"]]
    entries.append({"api_name": "Lead_Source", "default_value": "Web"})

    assert identity({"field_mappings": entries}) == CLAIMED
