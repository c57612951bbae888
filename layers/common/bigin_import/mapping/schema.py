"""
The mapping as people write it, long form and short form. mapping.schema.json comes from here:

    PYTHONPATH=layers/common python -m bigin_import.mapping.written

Every key may be left out or null here, so that one wrong key does not hide the next mistake;
`rules` says what is missing.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from bigin_import.mapping.fields import date_format_flaw, date_format_remedy
from bigin_import.mapping.names import loose_form, nearest

ENCODINGS = ("UTF-8", "UTF-16", "windows-1252", "windows-1250", "ISO-8859-1", "cp850", "macroman")
_SOME_ENCODINGS = '"UTF-8", "windows-1252", "cp850" or "macroman"'
PERCENT = r"^\d{1,3}(\.\d+)?\s*%$"
IMPORT_ID = r"^[0-9a-z]{26}$"

# What programs call an encoding in their menus.
_ENCODING_ALIASES = {
    "ansi": "windows-1252",
    "windowsansi": "windows-1252",
    "westerneuropean": "windows-1252",
    "excel": "windows-1252",
    "unicode": "UTF-16",
    "dos": "cp850",
    "mac": "macroman",
    "macintosh": "macroman",
}

# Python calls these text encodings, but nobody's spreadsheet writes them.
_NOT_FOR_FILES = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"}
)


def share(percent: str) -> Decimal:
    """Return "1%" as 0.01."""
    return Decimal(percent.rstrip("% ")) / 100


def refusal(what: str, remedy: str, *, meant: str | None = None) -> PydanticCustomError:
    """Return an error that `wording` turns into a problem as it stands; *meant*: see `Said`."""
    return PydanticCustomError(
        "refused", "{what}", {"what": what, "remedy": remedy, "meant": meant}
    )


def as_text(value: object) -> object:
    """Let `true` and `5` stand for the texts that Bigin would read in a cell."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def as_plain_space(mark: str | None) -> str | None:
    """Let one space stand for all that look like it; numbers are read that way too."""
    return " " if mark is not None and mark.isspace() else mark


def as_default_value(value: object) -> object:
    """Let a bare value stand for Bigin's `{"value": ...}`."""
    return value if isinstance(value, dict) or value is None else {"value": value}


def as_module_name(value: object) -> object:
    """Let Bigin's `{"api_name": "Contacts"}` stand for the name alone."""
    if isinstance(value, dict) and value.keys() <= {"api_name", "id"}:
        return value.get("api_name")
    return value


def checked_date_format(pattern: str) -> str:
    if flaw := date_format_flaw(pattern):
        raise refusal(f'"{pattern}" is not a date format: {flaw}', date_format_remedy(pattern))
    return pattern


def codec_name(name: str) -> str:
    """Return the name of the Python codec that *name* means."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # refuses "base64", which is no text
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        codec = ""
    if not codec or codec in _NOT_FOR_FILES:
        meant = _ENCODING_ALIASES.get(loose_form(name)) or nearest(name, ENCODINGS)
        remedy = f'Did you mean "{meant}"?' if meant else f"Write for example {_SOME_ENCODINGS}"
        raise refusal(f'"{name}" is not an encoding', remedy, meant=meant)
    return codec


def checked_percentage(percent: object) -> object:
    is_share = isinstance(percent, str) and re.fullmatch(PERCENT, percent)
    if percent is not None and not (is_share and share(str(percent)) <= 1):
        raise refusal(
            f"{json.dumps(percent)} is not a percentage from 0% to 100%",
            'Write it in quotes, such as "1%"',
        )
    return percent


def checked_import_id(text: str) -> str:
    if not re.fullmatch(IMPORT_ID, text):
        raise refusal(
            f'"{text}" is not the id of an import',
            "Copy the 26 characters from the report of the import to repeat",
        )
    return text


SCHEMA_FILE = Path(__file__).with_name("mapping.schema.json")

type Name = Annotated[str, Field(min_length=1)]
type Text = Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int | bool)]


class _SchemaModel(BaseModel):
    # Built on first use: most invocations read no mapping, or only the one that was pinned.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class DefaultValue(_SchemaModel):
    """Bigin's spelling of a default value."""

    value: Text | None = None


class Entry(_SchemaModel):
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


class MappingSchema(_SchemaModel):
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
    schema: dict[str, Any] = MappingSchema.model_json_schema()
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(json_schema(), encoding="utf-8")
