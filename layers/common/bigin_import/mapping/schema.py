"""
The mapping as people write it, long form and short form. mapping.schema.json comes from here:

    PYTHONPATH=layers/common python -m bigin_import.mapping.schema

Every key may be left out or null here, so that one wrong key does not hide the next mistake;
`parse.broken_rules` finds what is missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from bigin_import.mapping.keys import RULE_KEYS, SETTING_KEYS, RuleKey, SettingKey, Text


def _as_default_value(value: object) -> object:
    """Let a bare value stand for Bigin's `{"value": ...}`."""
    return value if isinstance(value, dict) or value is None else {"value": value}


def _as_module_name(value: object) -> object:
    """Let Bigin's `{"api_name": "Contacts"}` stand for the name alone."""
    if isinstance(value, dict) and value.keys() <= {"api_name", "id"}:
        return value.get("api_name")
    return value


SCHEMA_FILE = Path(__file__).with_name("mapping.schema.json")

type Name = Annotated[str, Field(min_length=1)]


class _SchemaModel(BaseModel):
    # Built on first use: most invocations read no mapping, or only the one that was pinned.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class DefaultValue(_SchemaModel):
    """Bigin's spelling of a default value."""

    value: Text | None = None


class EntryKeys(_SchemaModel):
    """The keys of an entry that are not about its cells."""

    column: Name | None = Field(
        None, description="Header in the CSV; beside index the header that must stand there."
    )
    index: int | None = Field(None, ge=0, description="Column of the CSV, the first one is 0.")
    api_name: Name | None = Field(None, description="API name of the field in Bigin.")
    default_value: Annotated[
        DefaultValue | None,
        BeforeValidator(
            _as_default_value, json_schema_input_type=DefaultValue | str | int | bool | None
        ),
    ] = Field(None, description="For empty cells or, without a column, for every record.")
    find_by: Name | None = Field(
        None, description="For a lookup: the field of the parent record that the cells name."
    )
    optional: bool | None = Field(
        None, description="true: the column may be missing, and its field is then left as it is."
    )


class MappingKeys(_SchemaModel):
    """The keys of a mapping that have no default."""

    schema_: str | None = Field(None, alias="$schema", description="For editors only.")
    missing_: list[str] | None = Field(
        None, alias="$missing", description="For people only: what a suggested mapping lacks."
    )
    module: Annotated[
        Name | None,
        BeforeValidator(_as_module_name, json_schema_input_type=str | dict[str, str] | None),
    ] = Field(None, description="API name of the module, such as Contacts, Accounts, Pipelines.")
    operation: Literal["insert", "update", "upsert"] | None = Field(
        None, description="insert adds, update changes what is there, upsert does either."
    )
    find_by: Name | None = Field(
        None, description="The field that tells whether a record exists; update and upsert need it."
    )
    columns: dict[str, Name | None] | None = Field(
        None, description="Short form: header in the CSV, API name in Bigin."
    )


def _with_keys(keys: tuple[RuleKey | SettingKey, ...], base: type[BaseModel]) -> Any:  # noqa: ANN401  # a base class, which mypy cannot follow
    written: dict[str, Any] = {
        key.name: (
            key.written | None,
            Field(
                None,
                description=key.description,
                json_schema_extra=key.schema if isinstance(key, SettingKey) else None,
            ),
        )
        for key in keys
    }
    return create_model(base.__name__, __base__=base, **written)


class Entry(_with_keys(RULE_KEYS, EntryKeys)):  # type: ignore[misc]  # made from the table
    """One column of the CSV and the field of Bigin that it fills, or a constant."""

    model_config = ConfigDict(json_schema_extra={"required": ["api_name"]})


class _WithEntries(MappingKeys):
    field_mappings: list[Entry] | None = Field(
        None, description="Long form. Without columns and field_mappings headers are API names."
    )


class MappingSchema(_with_keys(SETTING_KEYS, _WithEntries)):  # type: ignore[misc]  # likewise
    """What to do with a CSV that is dropped for Bigin."""

    model_config = ConfigDict(
        title="Mapping of a CSV to Bigin",
        json_schema_extra={"required": ["module", "operation"]},
    )


def json_schema() -> str:
    """Return the text of mapping.schema.json."""
    schema: dict[str, Any] = MappingSchema.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json_schema(), encoding="utf-8")
