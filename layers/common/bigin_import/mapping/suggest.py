"""A mapping to start from, for a drop that has none or whose mapping is wrong or does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bigin_import.domain.job_request import Field, Operation
from bigin_import.mapping.fields import VOCABULARY, ModuleFields
from bigin_import.mapping.keys import RULE_KEYS, SETTING_KEYS
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.names import SYSTEM_KEYS, Headers, loose_form
from bigin_import.mapping.recognise import (
    SURE,
    Samples,
    guess_module,
    holds_ids,
    likely_fields,
)
from bigin_import.mapping.validate import DateFormats, resolve_headers
from bigin_import.splitting.dates import has_short_year, same_dates


@dataclass(frozen=True, slots=True)
class Suggested:
    """One entry of the suggestion; *column* counts in the headers, None for a constant."""

    column: int | None
    mapped: MappedField


def suggested_entries(
    mapping: Mapping | None, headers: Headers, known: ModuleFields, samples: Samples
) -> list[Suggested]:
    """Return what is kept of *mapping* and what is added to it, in the order of the columns."""
    kept = list(_kept(mapping, headers, known)) if mapping else []
    if mapping is not None and mapping.names_fields_by_header and known.are_known:
        kept += _named_by_headers(headers, known, samples)
    entries = [*kept, *_added(mapping, kept, headers, known, samples)]
    return sorted(
        entries, key=lambda entry: len(headers.names) if entry.column is None else entry.column
    )


def _kept(mapping: Mapping, headers: Headers, known: ModuleFields) -> Iterator[Suggested]:
    """Yield the entries of *mapping* that have, or most likely have, a column in the drop."""
    filled: set[str] = set()
    has_grown = any(_names_another(mapped, mapping, headers, known) for mapped in mapping.fields)
    for mapped in mapping.fields:
        column = _column(mapped, headers)
        if has_grown and mapped.column is None and mapped.index is not None:
            column = _moved(mapped, mapping, headers, known)
        header = "" if column is None else headers.names[column]
        api_name = _field_of(mapped.api_name, header, known)
        field = known.by_name.get(api_name)
        is_writable = field is None or field.writable
        has_source = column is not None or mapped.is_constant
        if has_source and is_writable and api_name and api_name not in filled:
            filled.add(api_name)
            yield Suggested(column, mapped.model_copy(update={"api_name": api_name}))


def _names_another(
    mapped: MappedField, mapping: Mapping, headers: Headers, known: ModuleFields
) -> bool:
    """Return whether the header of a column that is counted is the name of another mapped field."""
    if mapped.column is not None or mapped.index not in range(len(headers.names)):
        return False
    header = loose_form(headers.names[mapped.index or 0])
    others = {each.api_name for each in mapping.fields} - {mapped.api_name}
    names = {loose_form(name) for other in others for name in _names_of(other, known)}
    return header in names and header not in map(loose_form, _names_of(mapped.api_name, known))


def _moved(
    mapped: MappedField, mapping: Mapping, headers: Headers, known: ModuleFields
) -> int | None:
    """Return where the column of a field is now, in an export that has grown a column."""
    names = _names_of(mapped.api_name, known)
    usual = VOCABULARY.get(known.module, {}).get(mapped.api_name, ())
    if mapped.index is not None and mapped.index < len(headers.names):
        header = loose_form(headers.names[mapped.index])
        if header in map(loose_form, (*names, *usual)):
            return mapped.index
    for name in (*names, *usual):
        if len(matches := headers.matches(name)) == 1:
            return matches[0]
    return None if _names_another(mapped, mapping, headers, known) else mapped.index


def _names_of(api_name: str, known: ModuleFields) -> tuple[str, ...]:
    field = known.by_name.get(api_name)
    return (api_name, field.label) if field else (api_name,)


def _field_of(api_name: str, header: str, known: ModuleFields) -> str:
    """Return *api_name* or, if there is no such field, the one that it or *header* means."""
    if known.is_known(api_name) or not api_name:
        return api_name
    return (
        known.meant(api_name, similarity=SURE)
        or known.meant(header, similarity=1.0)
        or known.meant(api_name)
        or api_name
    )


def _named_by_headers(
    headers: Headers, known: ModuleFields, samples: Samples
) -> Iterator[Suggested]:
    """Yield the columns whose headers are names of fields, as in a drop without a mapping."""
    for entry in resolve_headers(headers, known, drop=""):
        api_name, source = entry.mapped.api_name, entry.source
        field = known.by_name.get(api_name)
        if entry.trouble is not None or source is None or (field and not field.writable):
            continue
        if api_name != "id" or holds_ids(source, samples):
            mapped = MappedField(place="", api_name=api_name, find_by=entry.mapped.find_by)
            yield Suggested(headers.sources.index(source), mapped)


def _column(mapped: MappedField, headers: Headers) -> int | None:
    if mapped.column is None:
        return mapped.index if mapped.index in range(len(headers.names)) else None
    matches = headers.matches(mapped.column)
    if not matches and (near := headers.nearest(mapped.column)):
        matches = headers.matches(near)
    return matches[0] if len(matches) == 1 else None


def _added(
    mapping: Mapping | None,
    kept: list[Suggested],
    headers: Headers,
    known: ModuleFields,
    samples: Samples,
) -> Iterator[Suggested]:
    likely = likely_fields(
        headers,
        known,
        used={entry.column for entry in kept if entry.column is not None},
        filled={entry.mapped.api_name for entry in kept},
        samples=samples,
    )
    for column, api_name in likely.items():
        if mapping is None or _is_asked_for(column, api_name, mapping, headers, known):
            yield Suggested(column, MappedField(place="", api_name=api_name))


def _is_asked_for(
    column: int, api_name: str, mapping: Mapping, headers: Headers, known: ModuleFields
) -> bool:
    """Return whether Bigin demands the field, or *mapping* means to fill it or send the column."""
    if not mapping.fields or api_name == mapping.find_by:
        return True
    return (
        any(field.api_name == api_name for field in known.mandatory())
        or any(mapped.api_name == api_name for mapped in mapping.fields)
        or any(_column(mapped, headers) == column for mapped in mapping.fields)
    )


type Misfits = Callable[[int, str], Sequence[int]]

# Nothing can be read from these: a mapping dropped unread is refused at this place.
_UNKNOWN_FORMAT = "write here how the file writes dates, such as dd.MM.yyyy"
UNKNOWN_ENCODING = "write here the encoding of the file, such as windows-1252"
UNKNOWN_COLUMN = "write here the column for"
_EITHER = " or "
MISSING = "$missing"

_LOOKUPS = ("lookup", "ownerlookup")


def suggest_mapping(
    header: tuple[str, ...],
    fields: tuple[Field, ...] | None,
    *,
    module: str | None = None,
    mapping: Mapping | None = None,
    date_formats: DateFormats | None = None,
    misfits: Misfits | None = None,
    samples: Samples = (),
    lines: Sequence[Line] = (),
) -> str:
    """
    Write a mapping from headers, labels, API names and, for dates, the formats that fit.

    It can be dropped as it is, or says at the top what is missing, and is refused without it.

    Args:
        fields: Of the module, if they could be had.
        module: As far as known; else the one whose words the headers use.
        mapping: One that is wrong or does not fit: what fits of it is kept, and mended.
        date_formats: See `validate`; asked for every date column.
        misfits: Gives the first rows of a column that are not dates of a format.
        samples: Some rows of the drop.
        lines: What the problems, for which *mapping* was refused, tell to write.

    Returns:
        JSON; without an operation in *mapping* an upsert if the module's key is a column.
    """
    headers = Headers.of(header)
    module = (mapping.module if mapping else module) or module or guess_module(header)
    known = ModuleFields.of(module or "", fields)
    entries = suggested_entries(mapping, headers, known, samples)
    settings = _settings(mapping, known, {entry.mapped.api_name for entry in entries})
    has_header = (mapping is None or mapping.header) and Line("header", False) not in lines
    written = [_written(each, headers, known, date_formats, has_header) for each in entries]
    written += _missing_fields(settings["operation"], known, written)
    to_choose = write_lines(lines, settings, written)
    settings = ({"module": module} if module else {}) | settings
    missing = [*_missing(settings, written, headers, misfits), *to_choose]
    return _as_text(({MISSING: missing} if missing else {}) | settings, written)


@dataclass(frozen=True, slots=True)
class Line:
    """A key with its value that a problem tells to write; *column*: into the entry of that one."""

    key: str
    value: Any
    column: str | None = None


def write_lines(
    lines: Sequence[Line], settings: dict[str, Any], entries: list[dict[str, Any]]
) -> list[str]:
    """Put *lines* in, and return what a person must choose: one key may have several values."""
    to_choose = []
    # With its separator a cell has no new value any more.
    separated = {line.column for line in lines if line.key == "separator"}
    lines = [each for each in lines if each.key != "new_values" or each.column not in separated]
    values: dict[tuple[str | None, str], list[Any]] = {}
    for line in lines:
        known = values.setdefault((line.column, line.key), [])
        known += [] if line.value in known else [line.value]
    for (column, key), told in values.items():
        value = told[0] if len(told) == 1 else _EITHER.join(map(str, told))
        if len(told) > 1:
            to_choose.append(f"{key}: {value}; choose the one that is meant.")
        if column is None:
            settings[key] = value
        else:
            for entry in entries:
                if entry.get("column") == column:
                    entry[key] = value
    return to_choose


def _missing_fields(
    operation: Operation, known: ModuleFields, entries: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield entries for fields that a new record needs and for which no column was recognised."""
    if operation is Operation.UPDATE:
        return
    filled = {entry["api_name"] for entry in entries}
    for api_name in known.needed():
        if api_name not in filled:
            yield {"column": f"{UNKNOWN_COLUMN} {api_name}", "api_name": api_name}


def _missing(
    settings: dict[str, Any],
    entries: list[dict[str, Any]],
    headers: Headers,
    misfits: Misfits | None,
) -> Iterator[str]:
    """Yield what a person must add, and what does not fit."""
    if not settings.get("module"):
        yield "Nothing was recognised: write the module, and which column fills which field."
    if settings.get("character_encoding") == UNKNOWN_ENCODING:
        yield "character_encoding: the file is not UTF-8, and nothing says what it is."
    for entry in entries:
        api_name, column = entry["api_name"], str(entry.get("column", ""))
        if column.startswith(UNKNOWN_COLUMN):
            yield f"{api_name}: a new record needs it, and no column was recognised for it."
        if "format" in entry:
            yield from _about_dates(entry, headers, misfits)


def _about_dates(entry: dict[str, Any], headers: Headers, misfits: Misfits | None) -> Iterator[str]:
    api_name, stated = entry["api_name"], entry["format"]
    if stated == _UNKNOWN_FORMAT:
        yield f"{api_name}: none of the usual date formats fits its column."
        return
    if _EITHER in stated:
        yield f"{api_name}: {stated} fit its column alike; choose the one that is meant."
        return
    columns = headers.matches(entry.get("column", ""))
    if misfits and columns and (rows := misfits(headers.sources[columns[0]], stated)):
        named = ", ".join(map(str, rows))
        yield f"{api_name}: row {named} is not written as {stated}, as most rows are."


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
    stated = ((key, getattr(mapping, key.place)) for key in SETTING_KEYS if key.is_kept)
    return {key.name: key.as_written(value) for key, value in stated if value != key.default}


def _written(
    entry: Suggested,
    headers: Headers,
    known: ModuleFields,
    date_formats: DateFormats | None,
    has_header: bool,
) -> dict[str, Any]:
    """Return an entry of field_mappings."""
    mapped = entry.mapped
    source: dict[str, Any] = {}
    rules = _useful_rules(mapped, known)
    if entry.column is not None:
        name = headers.names[entry.column]
        is_clear = headers.matches(name) == (entry.column,) and name.strip()
        source = {"column": name} if is_clear and has_header else {"index": entry.column}
        if known.is_date(mapped.api_name):
            fitting = date_formats(headers.sources[entry.column]) if date_formats else ()
            rules["format"] = _format(mapped.rule.date_format, fitting)
            if has_short_year(rules["format"]) and known.is_birth(mapped.api_name, name):
                rules.setdefault("century", "past")
    return source | {"api_name": mapped.api_name} | rules


def _useful_rules(mapped: MappedField, known: ModuleFields) -> dict[str, Any]:
    kind = known.data_type(mapped.api_name)
    rules: dict[str, Any] = {}
    if mapped.default_value is not None:
        rules["default_value"] = mapped.default_value
    if mapped.find_by is not None and (kind is None or kind in _LOOKUPS):
        rules["find_by"] = mapped.find_by
    if mapped.optional:
        rules["optional"] = True
    for key in RULE_KEYS:
        if kind is None or key.suits(kind):
            rules |= {key.name: value} if (value := key.of(mapped.rule)) is not None else {}
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
