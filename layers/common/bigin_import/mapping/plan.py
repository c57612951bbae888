"""From a mapping and a header row that fit to the columns that are cut, sent and joined."""

from __future__ import annotations

from collections.abc import Iterator

from bigin_import.mapping.cautions import entry_cautions, overall_cautions
from bigin_import.mapping.date_formats import SENT_DATE, SENT_DATETIME, has_time
from bigin_import.mapping.examine import Examined
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.module_fields import DATE_TYPES, ModuleFields
from bigin_import.mapping.resolve import Resolved
from bigin_import.models import (
    ColumnPlan,
    FieldMapping,
    JobRequest,
    PlannedColumn,
    ValueRule,
)

# Bigin's row results repeat the first three mapped columns.
RETURNED_COLUMNS = 3


def column_plan(examined: Examined) -> ColumnPlan:
    """Return what is cut, sent and joined, for a mapping in which nothing is wrong."""
    mapping, fields = examined.mapping, examined.fields
    ordered = _in_sent_order(mapping, examined.entries, fields)
    columns = tuple(
        _column(entry, entry.source, fields) for entry in ordered if entry.source is not None
    )
    names = [column.api_name for column in columns]
    sources = {column.source for column in columns}
    return ColumnPlan(
        request=_request(mapping, ordered, fields),
        columns=columns,
        key=names.index(mapping.find_by) if mapping.find_by in names else None,
        key_is_unique=mapping.find_by in names and fields.is_unique(mapping.find_by),
        ignored=tuple(examined.headers.titles_except(sources)) if examined.headers else (),
        warnings=tuple(_warnings(examined)),
        empty_key=mapping.empty_key,
        duplicate_keys=mapping.duplicate_keys,
        max_invalid_share=mapping.max_invalid_share,
    )


def _warnings(examined: Examined) -> Iterator[str]:
    mapping, fields = examined.mapping, examined.fields
    yield from mapping.warnings
    yield from overall_cautions(mapping, examined.entries, fields)
    for entry in examined.entries:
        yield from entry_cautions(entry, mapping, fields)


def _in_sent_order(
    mapping: Mapping, entries: tuple[Resolved, ...], fields: ModuleFields
) -> tuple[Resolved, ...]:
    """
    Return columns before constants, and first the columns that tell rows apart.

    With up to three columns all of them come back, so they stay as the mapping has them; the
    create request then equals Bigin's documented ones.
    """
    columns = [entry for entry in entries if entry.source is not None]
    if len(columns) > RETURNED_COLUMNS:
        columns.sort(key=lambda entry: _rank(entry.mapped.api_name, mapping.find_by, fields))
    return (*columns, *(entry for entry in entries if entry.source is None))


def _rank(api_name: str, key: str | None, fields: ModuleFields) -> int:
    field = fields.by_name.get(api_name)
    if api_name == key:
        return 0
    if fields.is_unique(api_name):
        return 1
    if api_name == "Email" or (field is not None and field.data_type == "email"):
        return 2
    return 3 if field is not None and field.mandatory else 4


def _column(entry: Resolved, source: int, fields: ModuleFields) -> PlannedColumn:
    api_name = entry.mapped.api_name
    field = fields.by_name.get(api_name)
    return PlannedColumn(
        source=source,
        header=entry.header,
        api_name=api_name,
        data_type=field.data_type if field else None,
        rule=_rule(entry.mapped, fields),
        length=field.length if field else None,
        pick_list=field.pick_list if field else (),
    )


def _rule(mapped: MappedField, fields: ModuleFields) -> ValueRule | None:
    rule = ValueRule(
        values=mapped.values,
        date_format=mapped.format,
        with_time=mapped.format is not None and _sent_format(mapped, fields) == SENT_DATETIME,
        decimal=mapped.decimal,
        thousands=mapped.thousands,
    )
    return rule if rule != ValueRule() else None


def _sent_format(mapped: MappedField, fields: ModuleFields) -> str | None:
    """Return the format that Bigin is told; the field's type decides, else the file's format."""
    kind = fields.data_type(mapped.api_name)
    if kind in DATE_TYPES:
        return SENT_DATETIME if kind == "datetime" else SENT_DATE
    if mapped.format is None:
        return None
    return SENT_DATETIME if has_time(mapped.format) else SENT_DATE


def _request(mapping: Mapping, ordered: tuple[Resolved, ...], fields: ModuleFields) -> JobRequest:
    return JobRequest(
        operation=mapping.operation,
        module=mapping.module,
        find_by=mapping.find_by,
        ignore_empty=mapping.ignore_empty,
        field_mappings=tuple(
            FieldMapping(
                api_name=entry.mapped.api_name,
                index=index if entry.source is not None else None,
                default_value=entry.mapped.default_value,
                find_by=fields.parent_key(entry.mapped),
                format=_sent_format(entry.mapped, fields),
            )
            for index, entry in enumerate(ordered)
        ),
    )
