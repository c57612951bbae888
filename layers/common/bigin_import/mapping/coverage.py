"""Whether the entries of a mapping, taken together, fill what Bigin and the mapping demand."""

from __future__ import annotations

from collections.abc import Iterator

from bigin_import.mapping.checks import field_remedy
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.module_fields import ModuleFields, named
from bigin_import.mapping.names import nearest
from bigin_import.mapping.resolve import MAP_ALL, Resolved
from bigin_import.models import Operation, Problem

MAX_MAPPED_FIELDS = 200  # HEADER_LIMIT_EXCEEDED


def number_problems(
    mapping: Mapping, entries: tuple[Resolved, ...], *, name: str
) -> Iterator[Problem]:
    """Yield whether the mapping fills more fields than Bigin takes."""
    written = _written(mapping, entries)
    if len(written) > MAX_MAPPED_FIELDS:
        what = f"{len(written)} fields are mapped; Bigin takes {MAX_MAPPED_FIELDS} at most"
        yield Problem(name, what, "Leave out columns, or import the file in two passes")


def _written(mapping: Mapping, entries: tuple[Resolved, ...]) -> set[str]:
    mapped = mapping.fields or tuple(entry.mapped for entry in entries)
    return {field.api_name for field in mapped if field.api_name}


def coverage_problems(
    mapping: Mapping, entries: tuple[Resolved, ...], fields: ModuleFields, *, name: str
) -> Iterator[Problem]:
    """
    Yield what is wrong with the entries taken together.

    A field that a wrong entry was meant for counts as filled: the entry has been told of.
    """
    filled = _written(mapping, entries) | {
        meant for entry in entries if (meant := _meant_by(entry, fields))
    }
    if mapping.find_by is not None:
        yield from _key_problems(mapping, mapping.find_by, filled, fields, name)
    if mapping.operation is not Operation.UPDATE and not mapping.may_fill_more:
        for field in fields.mandatory():
            if field.api_name not in filled and "operation" not in mapping.unclear:
                what = f"{named(field)} is mandatory in {mapping.module}, and nothing fills it"
                yield Problem(name, what, _how_to_fill(field.api_name, mapping))


def _meant_by(entry: Resolved, fields: ModuleFields) -> str | None:
    api_name = entry.mapped.api_name
    if entry.trouble is not None and entry.is_header:
        return fields.meant(entry.mapped.column or "")
    return None if fields.is_known(api_name) else fields.meant(api_name)


def _how_to_fill(api_name: str, mapping: Mapping) -> str:
    if mapping.names_fields_by_header:
        return f'Name a column of the file "{api_name}", or {MAP_ALL}'
    constant = f'{{"api_name": "{api_name}", "default_value": "..."}}'
    return f"Map a column to it, or add {constant}"


def _key_problems(
    mapping: Mapping, key: str, filled: set[str], fields: ModuleFields, name: str
) -> Iterator[Problem]:
    where = f"{name}, find_by"
    if key in filled:
        if not fields.is_known(key):
            what = f'{fields.module} has no field "{key}"'
            yield Problem(where, what, field_remedy(key, fields))
    elif not mapping.may_fill_more:
        what = f"find_by is {key}, but nothing fills {key}"
        yield Problem(where, what, _key_remedy(mapping, key, filled, fields))


def _key_remedy(mapping: Mapping, key: str, filled: set[str], fields: ModuleFields) -> str:
    field = fields.labelled(key)
    meant = field.api_name if field else nearest(key, sorted(filled))
    if meant in filled:
        return f'Did you mean "{meant}"?'
    if mapping.names_fields_by_header:
        return f'Name a column of the file "{key}", or use another find_by'
    return f"Map a column to {key}, or use another find_by"
