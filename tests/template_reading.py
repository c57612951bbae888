"""What tests read out of template.yaml: the one place where table, roles and settings are said."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, TypedDict

import pytest
from samtranslator.translator.transform import (  # type: ignore[import-untyped]  # ships no types
    transform,
)
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


class _NoManagedPolicies:
    """Every permission is written out, so SAM has no managed policy to look up by its name."""

    def load(self) -> dict[str, str]:
        return {}


@cache
def _transformed() -> Template:
    built = template()
    for resource in built["Resources"].values():
        for code in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            resource["Properties"][code] = "s3://artifacts/built"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        answer: Template = transform(built, {}, _NoManagedPolicies())
    return answer


def transformed() -> Template:
    """Return the CloudFormation that SAM makes of template.yaml, implicit resources included."""
    return deepcopy(_transformed())


def resources_of_type(kind: str) -> dict[str, Any]:
    """Return resources as written, by logical id."""
    return {name: r for name, r in template()["Resources"].items() if r["Type"] == kind}


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
