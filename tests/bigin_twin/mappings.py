"""From `field_mappings`, or from a header of API names, to columns that feed fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.bigin_twin.answers import RefusedError
from tests.bigin_twin.catalogue import Field, Module
from tests.bigin_twin.create_request import CreateRequest, missing_key, wrong_type
from tests.bigin_twin.dates import directives
from tests.bigin_twin.settings import Settings

MOST_MAPPED_FIELDS = 200
AUTO_FORMATS = {"date": "yyyy-MM-dd", "datetime": "yyyy-MM-dd HH:mm:ss"}


@dataclass(frozen=True, slots=True)
class Column:
    """
    One field and where its value comes from.

    Attributes:
        index: Column of the CSV, 0-based; None for a default value alone.
        find_by: For a lookup: the parent's field that identifies it.
        format: Date pattern as sent, for the echo.
        date_format: Date pattern in force.
    """

    field: Field
    index: int | None
    default: str | None = None
    find_by: str | None = None
    format: str | None = None
    date_format: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the entry as Get Job Details shows it."""
        return {
            "api_name": self.field.api_name,
            "index": self.index,
            "format": self.format,
            "find_by": self.find_by,
            "module": None,
            "default_value": None if self.default is None else {"value": self.default},
        }


def columns_of(
    request: CreateRequest, module: Module, header: tuple[str, ...], settings: Settings
) -> tuple[Column, ...]:
    """
    Resolve what *request* maps, explicitly or by header.

    Raises:
        RefusedError: HEADER_LIMIT_EXCEEDED, INVALID_FIELD, COLUMN_INDEX_NOT_FOUND,
            INVALID_FORMAT, MANDATORY_NOT_FOUND (a lookup without find_by), INVALID_DATA,
            MISSING_REQUIRED_KEY, MANDATORY_FIELDS_NOT_MAPPED.
    """
    if request.mappings is None:
        columns = tuple(_by_header(name, at, module) for at, name in enumerate(header))
    else:
        if len(request.mappings) > MOST_MAPPED_FIELDS:
            raise RefusedError("HEADER_LIMIT_EXCEEDED")
        columns = tuple(
            _by_entry(entry, position, module, len(header), settings)
            for position, entry in enumerate(request.mappings)
        )
    _check_together(columns, request, module, settings)
    return columns


def _by_header(name: str, index: int, module: Module) -> Column:
    """Read a header such as `Last_Name`, or `Account_Name.id` for a lookup."""
    api_name, _, parent_field = name.partition(".")
    field = _field(module, api_name)
    find_by = (parent_field or "id") if field.data_type == "lookup" else None
    date_format = AUTO_FORMATS.get(field.data_type, "")
    return Column(field, index, find_by=find_by, date_format=date_format)


def _by_entry(
    entry: dict[str, Any], position: int, module: Module, width: int, settings: Settings
) -> Column:
    place = f"$.resource[0].field_mappings[{position}]"
    if "api_name" not in entry:
        raise missing_key("required key api_name is not found in request body.", place)
    field = _field(module, entry["api_name"])
    index = _index(entry, width, place)
    default = _default(entry, place)
    if index is None and default is None:
        message = f"required key index for field {field.api_name} is not found in request body."
        raise missing_key(message, f"{place}.index")
    if field.data_type == "lookup" and not entry.get("find_by"):
        raise RefusedError("MANDATORY_NOT_FOUND", "Required key find_by is not available")
    pattern = _pattern(entry, field, settings)
    return Column(field, index, default, entry.get("find_by"), entry.get("format"), pattern)


def _field(module: Module, api_name: object) -> Field:
    field = module.field(api_name) if isinstance(api_name, str) else None
    if field is None:
        raise RefusedError("INVALID_FIELD", f"invalid mapping. invalid api_name {api_name}.")
    return field


def _index(entry: dict[str, Any], width: int, place: str) -> int | None:
    index = entry.get("index")
    if index is None:
        return None
    if not isinstance(index, int) or isinstance(index, bool):
        raise wrong_type("index", f"{place}.index")
    if not 0 <= index < width:
        raise RefusedError("COLUMN_INDEX_NOT_FOUND", details={"json_path": f"{place}.index"})
    return index


def _default(entry: dict[str, Any], place: str) -> str | None:
    sent = entry.get("default_value")
    if sent is None:
        return None
    if not isinstance(sent, dict) or not isinstance(sent.get("value"), str | int | float):
        raise wrong_type("default_value", f"{place}.default_value")
    value = sent["value"]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pattern(entry: dict[str, Any], field: Field, settings: Settings) -> str:
    defaults = {"date": settings.default_date_format, "datetime": settings.default_datetime_format}
    if field.data_type not in defaults:
        return ""
    sent = entry.get("format")
    if sent is not None:
        directives(str(sent))
    return str(sent) if sent and settings.honour_format else defaults[field.data_type]


def _check_together(
    columns: tuple[Column, ...], request: CreateRequest, module: Module, settings: Settings
) -> None:
    names = [column.field.api_name for column in columns]
    if len(set(names)) < len(names):
        raise wrong_type("field_mappings", "$.resource[0].field_mappings")
    if request.find_by is not None and module.field(request.find_by) is None:
        raise RefusedError("INVALID_FIELD", f"invalid mapping. invalid api_name {request.find_by}.")
    if request.operation != "update":
        _check_mandatory(names, module, settings)
    if request.find_by is not None and request.find_by not in names:
        raise wrong_type("find_by", "$.resource[0].find_by")


def mandatory_fields(module: Module, settings: Settings) -> tuple[str, ...]:
    """Return the fields a new record must have: the system's, then the layout's."""
    system = (name for name, field in module.fields.items() if field.mandatory)
    return tuple(dict.fromkeys((*system, *settings.layout_mandatory.get(module.name, ()))))


def _check_mandatory(names: list[str], module: Module, settings: Settings) -> None:
    missing = [name for name in mandatory_fields(module, settings) if name not in names]
    if missing:
        listed = ", ".join(missing)
        message = f"All mandatory fields are not mapped for the layout [{listed}]"
        raise RefusedError("MANDATORY_FIELDS_NOT_MAPPED", message)
