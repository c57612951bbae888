"""What tests read out of template.yaml: the one place where table, roles and settings are said."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

from samtranslator.yaml_helper import (  # type: ignore[import-untyped]  # ships no types
    yaml_parse,
)

TEMPLATE = Path(__file__).parent.parent / "template.yaml"

type Template = dict[str, Any]


class TableDefinition(TypedDict):
    """What `create_table` needs besides a name."""

    BillingMode: Any
    AttributeDefinitions: Any
    KeySchema: Any
    GlobalSecondaryIndexes: Any


@cache
def _parsed() -> Template:
    text = TEMPLATE.read_text(encoding="utf-8")
    parsed: Template = yaml_parse(text)
    return parsed


def template() -> Template:
    """Return template.yaml as written, short forms such as `!Ref` spelled out."""
    return deepcopy(_parsed())


def properties(logical_id: str) -> dict[str, Any]:
    """Return the properties of one resource as written."""
    found: dict[str, Any] = template()["Resources"][logical_id]["Properties"]
    return found


def table_definition() -> TableDefinition:
    """
    Return keys and indexes of the ledger's table.

    `client.create_table(TableName=..., **table_definition())` makes the table that is deployed.
    """
    table = properties("LedgerTable")
    return TableDefinition(
        BillingMode=table["BillingMode"],
        AttributeDefinitions=table["AttributeDefinitions"],
        KeySchema=table["KeySchema"],
        GlobalSecondaryIndexes=table["GlobalSecondaryIndexes"],
    )
