"""A mapping to start from, for a drop that has none or whose mapping does not fit it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bigin_import.mapping.checks import DateFormats
from bigin_import.mapping.headers import Headers
from bigin_import.mapping.likeness import guess_module, likely_fields
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.module_fields import ModuleFields
from bigin_import.mapping.names import SYSTEM_KEYS
from bigin_import.models import Field, Operation

# No date format can be read from either: a mapping dropped unread is refused at this place.
_UNKNOWN_FORMAT = "write here how the file writes dates, such as dd.MM.yyyy"
_EITHER = " or "


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of the suggestion; *column* counts in the headers, None for a constant."""

    column: int | None
    mapped: MappedField


def suggest_mapping(
    header: tuple[str, ...],
    fields: tuple[Field, ...] | None,
    *,
    module: str | None = None,
    mapping: Mapping | None = None,
    date_formats: DateFormats | None = None,
) -> str:
    """
    Write a mapping from headers, labels, API names and, for dates, the formats that fit.

    It is to be read, completed and dropped: what only a person can decide is written so that
    the mapping is refused until it is decided.

    Args:
        fields: Of the module, if they could be had.
        module: As far as known; else the one whose words the headers use.
        mapping: One that does not fit the drop: what fits is kept, renamed columns are found
            by their likeness, and nothing is added but what Bigin demands.
        date_formats: See `plan_columns`.

    Returns:
        JSON; without *mapping* an upsert if the module's own key is among the columns.
    """
    headers = Headers.of(header)
    module = mapping.module if mapping else module or guess_module(header)
    known = ModuleFields.of(module or "", fields)
    entries = list(_kept(mapping, headers, known)) if mapping else []
    entries += _added(mapping, entries, headers, known)
    entries.sort(key=lambda entry: len(headers.names) if entry.column is None else entry.column)

    filled = [entry.mapped.api_name for entry in entries]
    settings = _settings(mapping, module, filled)
    written = [_written(entry, headers, known, date_formats) for entry in entries]
    return _as_text(settings, written)


def _kept(mapping: Mapping, headers: Headers, known: ModuleFields) -> Iterator[_Entry]:
    """Yield the entries of *mapping* that have, or most likely have, a column in the drop."""
    for mapped in mapping.fields:
        column = None if mapped.is_constant else _column(mapped, headers)
        if column is None and not mapped.is_constant:
            continue
        api_name = mapped.api_name
        if not known.is_known(api_name):
            api_name = known.meant(api_name) or api_name
        yield _Entry(column, mapped.model_copy(update={"api_name": api_name}))


def _column(mapped: MappedField, headers: Headers) -> int | None:
    if mapped.column is None:
        return mapped.index if mapped.index in range(len(headers.names)) else None
    matches = headers.matches(mapped.column)
    if not matches and (near := headers.nearest(mapped.column)):
        matches = headers.matches(near)
    return matches[0] if len(matches) == 1 else None


def _added(
    mapping: Mapping | None, kept: list[_Entry], headers: Headers, known: ModuleFields
) -> Iterator[_Entry]:
    likely = likely_fields(
        headers,
        known,
        used={entry.column for entry in kept if entry.column is not None},
        filled={entry.mapped.api_name for entry in kept},
    )
    demanded = {field.api_name for field in known.mandatory()}
    if mapping:
        demanded |= {mapped.api_name for mapped in mapping.fields} | {mapping.find_by or ""}
    for column, api_name in likely.items():
        if api_name in demanded or not (mapping and mapping.fields):
            yield _Entry(column, MappedField(place="", api_name=api_name))


def _settings(mapping: Mapping | None, module: str | None, filled: list[str]) -> dict[str, object]:
    if mapping:
        given = mapping.model_dump(
            mode="json",
            exclude_defaults=True,
            exclude={"fields", "warnings", "force", "max_invalid_share"},
        )
        if mapping.max_invalid_share != Mapping.model_fields["max_invalid_share"].default:
            given["on_bad_rows"] = (
                f"{mapping.max_invalid_share:.10%}".rstrip("%0").rstrip(".") + "%"
            )
        return given
    keys = (SYSTEM_KEYS.get(module or "", "id"), "id")
    key = next((key for key in keys if key in filled), None)
    if key is None:
        return {"module": module, "operation": Operation.INSERT}
    return {"module": module, "operation": Operation.UPSERT, "find_by": key}


def _written(
    entry: _Entry, headers: Headers, known: ModuleFields, date_formats: DateFormats | None
) -> dict[str, Any]:
    """Return an entry of field_mappings."""
    mapped = entry.mapped
    source: dict[str, Any] = {}
    if entry.column is not None:
        name = headers.names[entry.column]
        is_clear = headers.matches(name) == (entry.column,) and name.strip()
        source = {"column": name} if is_clear else {"index": entry.column}
    rules = mapped.model_dump(
        include={"default_value", "find_by", "format", "decimal", "thousands"}, exclude_none=True
    )
    if mapped.values:
        rules["values"] = dict(mapped.values)
    parent = known.parent_module(mapped.api_name)
    if parent in SYSTEM_KEYS:
        rules.setdefault("find_by", SYSTEM_KEYS[parent])
    if entry.column is not None and known.is_date(mapped.api_name):
        fitting = date_formats(headers.sources[entry.column]) if date_formats else ()
        rules.setdefault("format", _EITHER.join(fitting) or _UNKNOWN_FORMAT)
    return source | {"api_name": mapped.api_name} | rules


def _as_text(settings: dict[str, object], entries: list[dict[str, Any]]) -> str:
    """Return JSON with one line for each entry, the way people write it."""
    lines = [f"  {_json(key)}: {_json(value)},\n" for key, value in settings.items()]
    listed = ",\n".join(f"    {_json(entry)}" for entry in entries)
    return "{\n" + "".join(lines) + f'  "field_mappings": [\n{listed}\n  ]\n}}\n'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
