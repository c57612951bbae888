"""What is wrong with an entry of a mapping in the light of Bigin's metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from bigin_import.mapping.defaults import default_flaw
from bigin_import.mapping.module_fields import DATE_TYPES, NUMBER_TYPES, ModuleFields, named
from bigin_import.mapping.names import SYSTEM_KEYS
from bigin_import.mapping.resolve import MAP_ALL, Resolved
from bigin_import.models import Field, Problem

type DateFormats = Callable[[int], tuple[str, ...]]


def entry_problems(
    entry: Resolved, fields: ModuleFields, date_formats: DateFormats | None
) -> Iterator[Problem]:
    """Yield what is wrong with one entry: with its column, then with its field."""
    if entry.trouble is not None:
        yield entry.trouble
    api_name = entry.mapped.api_name
    if not api_name or (entry.is_header and entry.trouble is not None):
        return
    if not fields.is_known(api_name):
        yield _unknown_field(entry, fields)
        meant = fields.meant(api_name, likeness=1.0)
        if meant is None:
            return
        entry = replace(entry, mapped=entry.mapped.model_copy(update={"api_name": meant}))
    yield from _field_problems(entry, fields, date_formats)


def _field_problems(
    entry: Resolved, fields: ModuleFields, date_formats: DateFormats | None
) -> Iterator[Problem]:
    field = fields.by_name.get(entry.mapped.api_name)
    if field is not None and not field.writable:
        remedy = f"Remove the column, or {MAP_ALL}" if entry.is_header else "Remove this entry"
        yield entry.problem("api_name", f"{named(field)} is read-only in Bigin", remedy)
        return
    yield from _date_problems(entry, fields, date_formats)
    if flaw := default_flaw(entry.mapped, fields):
        yield entry.problem("default_value", *flaw)
    if field is not None:
        yield from _rule_problems(entry, field)
        yield from _lookup_problems(entry, field)


def _unknown_field(entry: Resolved, fields: ModuleFields) -> Problem:
    name = entry.mapped.api_name
    return entry.problem(
        "api_name", f'{fields.module} has no field "{name}"', field_remedy(name, fields)
    )


def field_remedy(name: str, fields: ModuleFields) -> str:
    """Return what to write instead of *name*, which is no field."""
    if field := fields.labelled(name):
        return f'"{field.label}" is the label of {field.api_name}; write "{field.api_name}"'
    if meant := fields.meant(name):
        return f'Did you mean "{meant}"?'
    return f"Write the API name of a field of {fields.module}"


def _date_problems(
    entry: Resolved, fields: ModuleFields, date_formats: DateFormats | None
) -> Iterator[Problem]:
    mapped = entry.mapped
    is_stated = mapped.format is not None or "format" in mapped.unclear
    if fields.is_date(mapped.api_name) and mapped.names_a_column and not is_stated:
        what = (
            f'"{entry.title}" goes into the {fields.data_type(mapped.api_name)} field '
            f"{mapped.api_name}, but nothing says how the file writes dates"
        )
        fitting: tuple[str, ...] = ()
        if date_formats is not None and entry.source is not None:
            fitting = date_formats(entry.source)
        yield entry.problem("format", what, _format_remedy(entry, fitting))


def _format_remedy(entry: Resolved, fitting: tuple[str, ...]) -> str:
    formats = " or ".join(fitting) or "dd.MM.yyyy"
    if entry.is_header:
        remedy = f'{MAP_ALL.capitalize()}, and this one with "format": "{formats}"'
    else:
        remedy = f"Write {entry.in_field_mappings('format', formats)}"
    if len(fitting) > 1:
        return f"{remedy}; each of these fits most values or all, choose the one that is meant"
    return remedy if fitting else f"{remedy}, with the format that the file has"


def _rule_problems(entry: Resolved, field: Field) -> Iterator[Problem]:
    """Yield the keys that are of no use for a field of this type."""
    mapped, kind = entry.mapped, field.data_type
    if kind not in DATE_TYPES and mapped.format is not None:
        what = f"format is for dates, but {named(field)} is of the type {kind}"
        yield entry.problem("format", what, "Remove format, or map the column to a date field")
    if kind not in NUMBER_TYPES:
        for key in ("decimal", "thousands"):
            if getattr(mapped, key) is not None:
                what = f"{key} is for numbers, but {named(field)} is of the type {kind}"
                yield entry.problem(key, what, f"Remove {key}")


def _lookup_problems(entry: Resolved, field: Field) -> Iterator[Problem]:
    find_by, name = entry.mapped.find_by, field.api_name
    is_stated = find_by is not None or "find_by" in entry.mapped.unclear
    if field.data_type == "lookup":
        if not is_stated and field.lookup_module not in SYSTEM_KEYS:
            what = f"{named(field)} is a lookup, and nothing says what its cells name"
            written = entry.in_field_mappings("find_by", "id")
            remedy = f"Write {written}, or a unique field of the parent instead of id"
            if entry.is_header:
                remedy = (
                    f'Name the column "{name}.id", or write a unique field of the parent for id'
                )
            yield entry.problem("find_by", what, remedy)
    elif find_by is not None and field.data_type != "ownerlookup":
        what = f"find_by is for lookups, but {named(field)} is of the type {field.data_type}"
        remedy = (
            f'Name the column "{name}"' if entry.is_header else "Remove find_by from this entry"
        )
        yield entry.problem("find_by", what, remedy)
