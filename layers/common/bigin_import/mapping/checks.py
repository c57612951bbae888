"""What is wrong with a mapping, and what is worth a warning, in the light of Bigin's metadata."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bigin_import.mapping.model import Mapping
from bigin_import.mapping.module_fields import DATE_TYPES, NUMBER_TYPES, ModuleFields
from bigin_import.mapping.names import SYSTEM_KEYS, nearest
from bigin_import.mapping.resolve import Resolved
from bigin_import.models import Field, Operation, Problem

type DateFormats = Callable[[int], tuple[str, ...]]

MAX_MAPPED_FIELDS = 200  # HEADER_LIMIT_EXCEEDED

_SENT_DATES = {
    "date": (re.compile(r"\d{4}-\d\d-\d\d"), "2026-12-31"),
    "datetime": (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "2026-12-31 23:59:00"),
}


def entry_problems(
    entry: Resolved, fields: ModuleFields, date_formats: DateFormats | None
) -> Iterator[Problem]:
    """Yield what is wrong with one entry."""
    api_name = entry.mapped.api_name
    if not fields.is_known(api_name):
        yield _unknown_field(entry, fields)
        return
    field = fields.by_name.get(api_name)
    if field is not None and not field.writable:
        what = f"{_named(field)} is read-only in Bigin"
        yield entry.problem("api_name", what, "Remove this entry")
    elif field is not None:
        yield from _type_problems(entry, field, date_formats)
        yield from _lookup_problems(entry, field)


def _unknown_field(entry: Resolved, fields: ModuleFields) -> Problem:
    name = entry.mapped.api_name
    what = f'{fields.module} has no field "{name}"'
    if field := fields.labelled(name):
        remedy = f'"{field.label}" is the label of {field.api_name}; write "{field.api_name}"'
    elif meant := fields.meant(name):
        remedy = f'Did you mean "{meant}"?'
    else:
        remedy = f"Write the API name of a field of {fields.module}"
    return entry.problem("api_name", what, remedy)


def _type_problems(
    entry: Resolved, field: Field, date_formats: DateFormats | None
) -> Iterator[Problem]:
    mapped, kind = entry.mapped, field.data_type
    if kind in DATE_TYPES:
        if entry.source is not None and mapped.format is None:
            yield _no_date_format(entry, field, entry.source, date_formats)
        pattern, example = _SENT_DATES[kind]
        if mapped.default_value and not pattern.fullmatch(mapped.default_value):
            what = f"the default for the {kind} field {field.api_name} is not written as Bigin's"
            yield entry.problem("default_value", what, f'Write it like "{example}"')
    elif mapped.format is not None:
        what = f"format is for dates, but {_named(field)} is of the type {kind}"
        yield entry.problem("format", what, "Remove format, or map the column to a date field")
    if kind not in NUMBER_TYPES:
        for key in ("decimal", "thousands"):
            if getattr(mapped, key) is not None:
                what = f"{key} is for numbers, but {_named(field)} is of the type {kind}"
                yield entry.problem(key, what, f"Remove {key}")


def _no_date_format(
    entry: Resolved, field: Field, source: int, date_formats: DateFormats | None
) -> Problem:
    what = (
        f'"{entry.header}" goes into the {field.data_type} field {field.api_name}, '
        "but nothing says how the file writes dates"
    )
    fitting = date_formats(source) if date_formats else ()
    remedy = f"Write {entry.in_field_mappings('format', ' or '.join(fitting) or 'dd.MM.yyyy')}"
    if len(fitting) > 1:
        remedy += "; these formats fit every value, choose the one that is meant"
    elif not fitting:
        remedy += ", with the format that the file has"
    return entry.problem("format", what, remedy)


def _lookup_problems(entry: Resolved, field: Field) -> Iterator[Problem]:
    find_by = entry.mapped.find_by
    if field.data_type == "lookup":
        if find_by is None and field.lookup_module not in SYSTEM_KEYS:
            what = f"{_named(field)} is a lookup, and nothing says what its cells name"
            written = entry.in_field_mappings("find_by", "id")
            remedy = f"Write {written}, or a unique field of the parent instead of id"
            yield entry.problem("find_by", what, remedy)
    elif find_by is not None and field.data_type != "ownerlookup":
        what = f"find_by is for lookups, but {_named(field)} is of the type {field.data_type}"
        yield entry.problem("find_by", what, "Remove find_by from this entry")


def overall_problems(
    mapping: Mapping, entries: tuple[Resolved, ...], fields: ModuleFields, *, name: str
) -> Iterator[Problem]:
    """Yield what is wrong with the entries taken together."""
    filled = {entry.mapped.api_name for entry in entries}
    if len(filled) > MAX_MAPPED_FIELDS:
        what = f"{len(filled)} fields are mapped; Bigin takes {MAX_MAPPED_FIELDS} at most"
        yield Problem(name, what, "Leave out columns, or import the file in two passes")
    if mapping.find_by is not None and mapping.find_by not in filled:
        yield _key_not_mapped(mapping.find_by, filled, fields, name)
    if mapping.operation is not Operation.UPDATE:
        for field in fields.mandatory():
            if field.api_name not in filled:
                what = f"{_named(field)} is mandatory in {mapping.module}, and nothing fills it"
                constant = f'{{"api_name": "{field.api_name}", "default_value": "..."}}'
                yield Problem(name, what, f"Map a column to it, or add {constant}")


def _key_not_mapped(key: str, filled: set[str], fields: ModuleFields, name: str) -> Problem:
    what = f"find_by is {key}, but nothing fills {key}"
    field = fields.labelled(key)
    meant = field.api_name if field else nearest(key, sorted(filled))
    if meant in filled:
        return Problem(f"{name}, find_by", what, f'Did you mean "{meant}"?')
    return Problem(f"{name}, find_by", what, f"Map a column to {key}, or use another find_by")


def entry_warnings(entry: Resolved, mapping: Mapping, fields: ModuleFields) -> Iterator[str]:
    """Yield what a person should know about one entry, in sentences."""
    mapped = entry.mapped
    if mapped.default_value is not None and mapping.operation is not Operation.INSERT:
        yield (
            f"{mapped.api_name} has a default_value: with {mapping.operation} it may overwrite "
            "what records in Bigin already have."
        )
    parent = fields.parent_module(mapped.api_name)
    if parent in SYSTEM_KEYS and mapped.find_by is None:
        yield f"{mapped.api_name} has no find_by; its parent is found by {SYSTEM_KEYS[parent]}."
    field = fields.by_name.get(mapped.api_name)
    if field is not None and field.data_type == "picklist" and field.pick_list:
        written = {value for _, value in mapped.values} | {mapped.default_value or ""}
        for value in sorted(written - set(field.pick_list) - {""}):
            yield f'"{value}" is not yet a value of {_named(field)}; Bigin will add it.'


def overall_warnings(mapping: Mapping, fields: ModuleFields) -> Iterator[str]:
    """Yield what a person should know about the whole mapping, in sentences."""
    if not fields.are_known:
        yield (
            f"The fields of {mapping.module} could not be asked of Bigin, so names, types and "
            "mandatory fields were not checked."
        )
    key = mapping.find_by
    if key is not None and not fields.is_unique(key):
        yield (
            f"{key} is not marked unique in Bigin: several records may share a value, "
            "and repeating an import may add records twice."
        )
    if not mapping.ignore_empty and mapping.operation is not Operation.INSERT:
        yield "ignore_empty is false: empty cells erase what Bigin has in mapped fields."


def _named(field: Field) -> str:
    """Return the name of a field with the label that people see in Bigin."""
    return (
        field.api_name if field.label == field.api_name else f'{field.api_name} ("{field.label}")'
    )
