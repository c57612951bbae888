"""A mapping to start from, for a drop that has none or whose mapping is wrong or does not fit."""

from __future__ import annotations

import json
from typing import Any

from bigin_import.mapping.checks import DateFormats
from bigin_import.mapping.date_formats import same_dates
from bigin_import.mapping.headers import Headers
from bigin_import.mapping.likeness import Samples, guess_module
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.module_fields import DATE_TYPES, NUMBER_TYPES, ModuleFields
from bigin_import.mapping.names import SYSTEM_KEYS
from bigin_import.mapping.suggested import Suggested, suggested_entries
from bigin_import.models import Field, Operation

# Nothing can be read from these: a mapping dropped unread is refused at this place.
_UNKNOWN_FORMAT = "write here how the file writes dates, such as dd.MM.yyyy"
_UNKNOWN_ENCODING = "write here the encoding of the file, such as windows-1252"
_EITHER = " or "

_DECIDED = {"module", "operation", "find_by"}
_NOT_KEPT = {"fields", "warnings", "force", "max_invalid_share"}
# Types of fields for which each of these keys is of use.
_USEFUL = {
    "format": DATE_TYPES,
    "decimal": NUMBER_TYPES,
    "thousands": NUMBER_TYPES,
    "find_by": {"lookup", "ownerlookup"},
}


def suggest_mapping(
    header: tuple[str, ...],
    fields: tuple[Field, ...] | None,
    *,
    module: str | None = None,
    mapping: Mapping | None = None,
    date_formats: DateFormats | None = None,
    samples: Samples = (),
    encoding_is_known: bool = True,
) -> str:
    """
    Write a mapping from headers, labels, API names and, for dates, the formats that fit.

    It is to be read, completed and dropped: what only a person can decide is written so that
    the mapping is refused until it is decided.

    Args:
        fields: Of the module, if they could be had.
        module: As far as known; else the one whose words the headers use.
        mapping: One that is wrong or does not fit the drop: what fits is kept, renamed columns
            are found by their likeness, and nothing is added but what Bigin demands.
        date_formats: See `examine`; asked for every date column.
        samples: Some rows of the drop.
        encoding_is_known: False if a person must find out how the drop is encoded.

    Returns:
        JSON; without an operation in *mapping* an upsert if the module's own key is among the
        columns.
    """
    headers = Headers.of(header)
    module = (mapping.module if mapping else module) or module or guess_module(header)
    known = ModuleFields.of(module or "", fields)
    entries = suggested_entries(mapping, headers, known, samples)
    settings = _settings(mapping, known, {entry.mapped.api_name for entry in entries})
    if not encoding_is_known:
        settings["character_encoding"] = _UNKNOWN_ENCODING
    written = [_written(entry, headers, known, date_formats) for entry in entries]
    return _as_text({"module": module} | settings, written)


def _settings(mapping: Mapping | None, known: ModuleFields, filled: set[str]) -> dict[str, Any]:
    keys = (SYSTEM_KEYS.get(known.module, "id"), "id")
    key = next((key for key in keys if key in filled), None)
    stated = mapping.find_by if mapping else None
    if stated is not None:
        key = stated if known.is_known(stated) else known.meant(stated) or stated
    operation = Operation.INSERT if key is None else Operation.UPSERT
    if mapping is not None and "operation" not in mapping.unclear:
        operation = mapping.operation
    settings: dict[str, Any] = {"operation": operation}
    if key is not None and (stated is not None or operation is not Operation.INSERT):
        settings["find_by"] = key
    return settings | (_kept_settings(mapping) if mapping else {})


def _kept_settings(mapping: Mapping) -> dict[str, Any]:
    kept = mapping.model_dump(mode="json", exclude_defaults=True, exclude=_DECIDED | _NOT_KEPT)
    if mapping.max_invalid_share != Mapping.model_fields["max_invalid_share"].default:
        kept["on_bad_rows"] = f"{mapping.max_invalid_share:.10%}".rstrip("%0").rstrip(".") + "%"
    return kept


def _written(
    entry: Suggested, headers: Headers, known: ModuleFields, date_formats: DateFormats | None
) -> dict[str, Any]:
    """Return an entry of field_mappings."""
    mapped = entry.mapped
    source: dict[str, Any] = {}
    rules = _useful_rules(mapped, known)
    if entry.column is not None:
        name = headers.names[entry.column]
        is_clear = headers.matches(name) == (entry.column,) and name.strip()
        source = {"column": name} if is_clear else {"index": entry.column}
        if known.is_date(mapped.api_name):
            fitting = date_formats(headers.sources[entry.column]) if date_formats else ()
            rules["format"] = _format(mapped.format, fitting)
    return source | {"api_name": mapped.api_name} | rules


def _useful_rules(mapped: MappedField, known: ModuleFields) -> dict[str, Any]:
    kind = known.data_type(mapped.api_name)
    rules = {
        key: value
        for key in ("default_value", "find_by", "format", "decimal", "thousands")
        if (value := getattr(mapped, key)) is not None
        and (kind is None or kind in _USEFUL.get(key, {kind}))
    }
    if mapped.values:
        rules["values"] = dict(mapped.values)
    parent = known.parent_module(mapped.api_name)
    if parent in SYSTEM_KEYS:
        rules.setdefault("find_by", SYSTEM_KEYS[parent])
    return rules


def _format(stated: str | None, fitting: tuple[str, ...]) -> str:
    """Return *stated* unless other formats fit; several, or none, are for a person to decide."""
    if stated and (not fitting or any(same_dates(stated, usual) for usual in fitting)):
        return stated
    return _EITHER.join(fitting) or _UNKNOWN_FORMAT


def _as_text(settings: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    """Return JSON with one line for each entry, the way people write it."""
    lines = [f"  {_json(key)}: {_json(value)},\n" for key, value in settings.items()]
    listed = ",\n".join(f"    {_json(entry)}" for entry in entries)
    return "{\n" + "".join(lines) + f'  "field_mappings": [\n{listed}\n  ]\n}}\n'


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
