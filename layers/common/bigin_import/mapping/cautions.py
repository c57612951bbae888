"""What a person should know about a mapping that can be used as it is, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from bigin_import.mapping.date_formats import has_time, says_utc
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.module_fields import ModuleFields, named
from bigin_import.mapping.names import SYSTEM_KEYS
from bigin_import.mapping.resolve import Resolved
from bigin_import.models import Operation


def entry_cautions(entry: Resolved, mapping: Mapping, fields: ModuleFields) -> Iterator[str]:
    """Yield what a person should know about one entry."""
    mapped = entry.mapped
    if mapped.default_value is not None and mapping.operation is not Operation.INSERT:
        yield (
            f"{mapped.api_name} has a default_value: with {mapping.operation} it may overwrite "
            "what records in Bigin already have."
        )
    parent = fields.parent_module(mapped.api_name)
    if parent in SYSTEM_KEYS and mapped.find_by is None:
        yield f"{mapped.api_name} has no find_by; its parent is found by {SYSTEM_KEYS[parent]}."
    yield from _about_times(entry, fields)
    yield from _about_choices(entry, fields)


def _about_times(entry: Resolved, fields: ModuleFields) -> Iterator[str]:
    mapped = entry.mapped
    if mapped.format is None or not has_time(mapped.format):
        return
    if fields.data_type(mapped.api_name) == "date":
        yield f'{mapped.api_name} is a date: of "{entry.header}" the day is sent, not the time.'
    elif says_utc(mapped.format):
        yield (
            f'The times of "{entry.header}" end in Z for UTC, but Bigin takes times in the time '
            "zone of its user: they are sent as they stand."
        )


def _about_choices(entry: Resolved, fields: ModuleFields) -> Iterator[str]:
    field = fields.by_name.get(entry.mapped.api_name)
    if field is not None and field.data_type == "picklist" and field.pick_list:
        written = {value for _, value in entry.mapped.values} | {entry.mapped.default_value or ""}
        for value in sorted(written - set(field.pick_list) - {""}):
            yield f'"{value}" is not yet a value of {named(field)}; Bigin will add it.'


def overall_cautions(
    mapping: Mapping, entries: tuple[Resolved, ...], fields: ModuleFields
) -> Iterator[str]:
    """Yield what a person should know about the whole mapping."""
    if not fields.are_known:
        yield (
            f"The fields of {mapping.module} could not be asked of Bigin, so names, types and "
            "mandatory fields were not checked."
        )
    if mapping.find_by is not None:
        yield from _about_key(mapping.find_by, entries, fields)
    if not mapping.ignore_empty and mapping.operation is not Operation.INSERT:
        yield "ignore_empty is false: empty cells erase what Bigin has in mapped fields."


def _about_key(key: str, entries: tuple[Resolved, ...], fields: ModuleFields) -> Iterator[str]:
    if not fields.is_unique(key):
        yield (
            f"{key} is not marked unique in Bigin: several records may share a value, "
            "and repeating an import may add records twice."
        )
    if any(entry.mapped.api_name == key and entry.mapped.is_constant for entry in entries):
        yield f"find_by is {key}, which a constant fills: every row finds the same record."
