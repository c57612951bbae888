"""
The mapping as people write it, long form and short form. mapping.schema.json comes from here:

    PYTHONPATH=layers/common python -m bigin_import.mapping.written

Every key may be left out or null here, so that one wrong key does not hide the next mistake;
`rules` says what is missing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bigin_import.mapping.spellings import (
    IMPORT_ID,
    PERCENT,
    as_default_value,
    as_module_name,
    as_text,
    checked_date_format,
    checked_import_id,
    checked_percentage,
    codec_name,
)

SCHEMA_FILE = Path(__file__).with_name("mapping.schema.json")

type Name = Annotated[str, Field(min_length=1)]
type Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int | bool)]


class _Written(BaseModel):
    # Built on first use: most invocations read no mapping, or only the one that was pinned.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class DefaultValue(_Written):
    """Bigin's spelling of a default value."""

    value: Text | None = None


class Entry(_Written):
    """One column of the CSV and the field of Bigin that it fills, or a constant."""

    model_config = ConfigDict(json_schema_extra={"required": ["api_name"]})

    column: Name | None = Field(None, description="Header in the CSV. Or use index, never both.")
    index: int | None = Field(None, ge=0, description="Column of the CSV, the first one is 0.")
    api_name: Name | None = Field(None, description="API name of the field in Bigin.")
    default_value: Annotated[
        DefaultValue | None,
        BeforeValidator(
            as_default_value, json_schema_input_type=DefaultValue | str | int | bool | None
        ),
    ] = Field(None, description="For empty cells or, without a column, for every record.")
    find_by: Name | None = Field(
        None, description="For a lookup: the field of the parent record that the cells name."
    )
    format: Annotated[str, AfterValidator(checked_date_format)] | None = Field(
        None, description="How the CSV writes dates, such as dd.MM.yyyy."
    )
    decimal: Literal[",", "."] | None = Field(None, description="Decimal mark of the CSV.")
    thousands: Literal[",", ".", " ", "'", "’", "\u00a0", "\u202f"] | None = Field(
        None, description="Thousands mark of the CSV; it is removed."
    )
    values: dict[str, Text] | None = Field(
        None, description="Cells to replace: what the CSV says, what Bigin gets."
    )


class WrittenMapping(_Written):
    """What to do with a CSV that is dropped for Bigin."""

    model_config = ConfigDict(
        title="Mapping of a CSV to Bigin",
        json_schema_extra={"required": ["module", "operation"]},
    )

    schema_: str | None = Field(None, alias="$schema", description="For editors only.")
    module: Annotated[
        Name | None,
        BeforeValidator(as_module_name, json_schema_input_type=str | dict[str, str] | None),
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
    field_mappings: list[Entry] | None = Field(
        None, description="Long form. Without columns and field_mappings headers are API names."
    )
    ignore_empty: bool | None = Field(
        None, description="true, our default: empty cells erase nothing in Bigin."
    )
    character_encoding: Annotated[str, AfterValidator(codec_name)] | None = Field(
        None, description="Encoding of the CSV if it is not UTF-8, such as windows-1252."
    )
    empty_key: Literal["invalid", "send"] | None = Field(
        None, description="Rows whose find_by cell is empty: not sent (our default), or sent."
    )
    duplicate_keys: Literal["send", "reject"] | None = Field(
        None, description="Rows with the same key: sent (our default), or the drop is rejected."
    )
    on_bad_rows: Annotated[str | None, BeforeValidator(checked_percentage)] = Field(
        None,
        description='Share of invalid rows above which the drop is rejected; our default is "1%".',
        json_schema_extra={"pattern": PERCENT},
    )
    force: Annotated[str, AfterValidator(checked_import_id)] | None = Field(
        None,
        description="Id of an earlier import that may be repeated; works once.",
        json_schema_extra={"pattern": IMPORT_ID},
    )
    dry_run: bool | None = Field(None, description="true: check everything, send nothing.")


def json_schema() -> str:
    """Return the text of mapping.schema.json."""
    schema: dict[str, Any] = WrittenMapping.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json_schema(), encoding="utf-8")
