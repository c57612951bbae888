"""From a mapping and a header row to the plan of columns that are cut, sent and joined."""

from __future__ import annotations

from bigin_import.errors import DropRejectedError
from bigin_import.mapping.checks import (
    DateFormats,
    entry_problems,
    entry_warnings,
    overall_problems,
    overall_warnings,
)
from bigin_import.mapping.date_formats import SENT_DATE, SENT_DATETIME, has_time
from bigin_import.mapping.headers import Headers
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.module_fields import DATE_TYPES, ModuleFields
from bigin_import.mapping.names import SYSTEM_KEYS
from bigin_import.mapping.resolve import Resolved, resolve_headers, resolve_mapping
from bigin_import.models import (
    ColumnPlan,
    Field,
    FieldMapping,
    JobRequest,
    PlannedColumn,
    Problem,
    ValueRule,
)

# Bigin's row results repeat the first three mapped columns.
RETURNED_COLUMNS = 3


def plan_columns(
    mapping: Mapping,
    header: tuple[str, ...],
    fields: tuple[Field, ...] | None,
    *,
    mapping_name: str,
    drop_name: str,
    date_formats: DateFormats | None = None,
) -> ColumnPlan:
    """
    Resolve *mapping* against the header row of a drop and the fields of its module.

    Args:
        header: Of the drop as it is; columns of our own result files are passed over.
        fields: None if Bigin's metadata could not be had: go on, and say so.
        mapping_name, drop_name: What people call the two files; they begin the problems.
        date_formats: Gives, for a position in *header*, the formats that fit every value of
            that column; asked only for date columns without a format.

    Raises:
        DropRejectedError: With everything that is wrong.
    """
    headers, module_fields = Headers.of(header), ModuleFields.of(mapping.module, fields)
    problems: list[Problem] = []
    if mapping.fields:
        resolved = resolve_mapping(
            mapping, headers, name=mapping_name, drop=drop_name, problems=problems
        )
    else:
        resolved = resolve_headers(headers, module_fields, drop=drop_name, problems=problems)
    entries = tuple(resolved)
    for entry in entries:
        problems += entry_problems(entry, module_fields, date_formats)
    problems += overall_problems(mapping, entries, module_fields, name=mapping_name)
    if problems:
        raise DropRejectedError(tuple(problems), concerns_mapping=True)
    return _plan(mapping, headers, entries, module_fields)


def _plan(
    mapping: Mapping, headers: Headers, entries: tuple[Resolved, ...], fields: ModuleFields
) -> ColumnPlan:
    ordered = _in_sent_order(mapping, entries, fields)
    columns = tuple(
        _column(entry, entry.source, fields) for entry in ordered if entry.source is not None
    )
    names = [column.api_name for column in columns]
    warnings = [*mapping.warnings, *overall_warnings(mapping, fields)]
    for entry in entries:
        warnings += entry_warnings(entry, mapping, fields)
    return ColumnPlan(
        request=_request(mapping, ordered, fields),
        columns=columns,
        key=names.index(mapping.find_by) if mapping.find_by in names else None,
        key_is_unique=mapping.find_by is not None and fields.is_unique(mapping.find_by),
        ignored=tuple(headers.titles_except({column.source for column in columns})),
        warnings=tuple(warnings),
        empty_key=mapping.empty_key,
        duplicate_keys=mapping.duplicate_keys,
        max_invalid_share=mapping.max_invalid_share,
    )


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
                find_by=entry.mapped.find_by or _parent_key(entry.mapped, fields),
                format=_sent_format(entry.mapped, fields),
            )
            for index, entry in enumerate(ordered)
        ),
    )


def _parent_key(mapped: MappedField, fields: ModuleFields) -> str | None:
    parent = fields.parent_module(mapped.api_name)
    return SYSTEM_KEYS.get(parent) if parent else None
