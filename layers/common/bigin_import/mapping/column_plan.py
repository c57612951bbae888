"""
From a mapping and a header row that fit to the columns that are split, sent and joined.

Where a mapping counts columns by index: is there a header row, and are they the ones meant?
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bigin_import.domain.drop import Problem
from bigin_import.domain.job_request import FieldMapping, JobRequest, Operation
from bigin_import.domain.plan import ColumnPlan, PlannedColumn, ValueRule
from bigin_import.mapping.fields import (
    SENT_DATE,
    SENT_DATETIME,
    VOCABULARY,
    ModuleFields,
    named,
)
from bigin_import.mapping.keys import DATE_TYPES
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.names import SYSTEM_KEYS, Headers, loose_form
from bigin_import.mapping.validate import Resolved, Validated
from bigin_import.splitting.cells import MISFIT
from bigin_import.splitting.dates import (
    DatePattern,
    fitting_formats,
    has_offset,
    has_short_year,
    has_time,
    named_zone,
)
from bigin_import.splitting.numbers import NUMBER_TYPES, NumberKind


def entry_warnings(entry: Resolved, mapping: Mapping, fields: ModuleFields) -> Iterator[str]:
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
    yield from _about_years(entry)
    yield from _about_choices(entry, fields)


def _about_times(entry: Resolved, fields: ModuleFields) -> Iterator[str]:
    mapped, pattern = entry.mapped, entry.mapped.rule.date_format
    if pattern is None or not has_time(pattern):
        return
    if fields.data_type(mapped.api_name) == "date":
        yield f'{mapped.api_name} is a date: of "{entry.header}" the day is sent, not the time.'
    elif zone := named_zone(pattern):
        yield (
            f'The times of "{entry.header}" end in {zone}, which is no certain distance from UTC: '
            "they are sent as they are written."
        )


def _about_columns(validated: Validated) -> Iterator[str]:
    """Yield which optional columns are missing, and which headers were read as labels."""
    present = {entry.mapped.api_name for entry in validated.entries}
    for mapped in validated.mapping.fields:
        if mapped.optional and mapped.api_name not in present and validated.headers is not None:
            name = f'"{mapped.column}"' if mapped.column else str(mapped.index)
            yield f"The optional column {name} is not in the file: {mapped.api_name} is not filled."
    for entry in validated.entries:
        if entry.is_header and validated.fields.only_labelled(entry.mapped.column or ""):
            yield f'"{entry.header}" is the label of {entry.mapped.api_name}, and fills it.'


def _about_years(entry: Resolved) -> Iterator[str]:
    rule = entry.mapped.rule
    if rule.date_format and has_short_year(rule.date_format) and rule.century is None:
        yield (
            f'The years of "{entry.header}" have two digits: they are read as 1969 to 2068; write '
            '"century": "past", "19" or "20" if they are others.'
        )


def _about_zones(plan: ColumnPlan) -> Iterator[str]:
    for column in plan.columns:
        if column.zone:
            yield (
                f'The times of "{column.header}" say how far from UTC they are: they are sent as '
                f"clocks show them in {column.zone}."
            )


def _about_choices(entry: Resolved, fields: ModuleFields) -> Iterator[str]:
    field = fields.by_name.get(entry.mapped.api_name)
    if field is not None and field.data_type == "picklist" and field.pick_list:
        replaced = {value for _, value in entry.mapped.rule.values}
        written = replaced | {entry.mapped.default_value or ""}
        for value in sorted(written - set(field.pick_list) - {""}):
            yield f'"{value}" is not yet a value of {named(field)}; Bigin will add it.'


def mapping_warnings(
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


# Bigin's row results repeat the first three mapped columns.
RETURNED_COLUMNS = 3


def needs_zone(validated: Validated) -> bool:
    """Return whether times are to be told in the organisation's zone."""
    fields = validated.fields
    return any(
        _has_offset(entry.mapped, fields) and entry.mapped.rule.zone is None
        for entry in validated.entries
    )


def _has_offset(mapped: MappedField, fields: ModuleFields) -> bool:
    pattern = mapped.rule.date_format
    is_datetime = _sent_format(mapped, fields) == SENT_DATETIME
    return pattern is not None and is_datetime and has_offset(pattern)


def column_plan(validated: Validated, *, arrived: str = "", zone: str = "") -> ColumnPlan:
    """
    Return what is split, sent and joined, for a mapping in which nothing is wrong.

    Args:
        arrived: Day on which the drop arrived, as in 2026-12-31.
        zone: The organisation's time zone.
    """
    mapping, fields = validated.mapping, validated.fields
    ordered = _in_sent_order(mapping, validated.entries, fields)
    columns = tuple(
        _column(entry, entry.source, mapping, fields, zone)
        for entry in ordered
        if entry.source is not None
    )
    names = [column.api_name for column in columns]
    sources = {column.source for column in columns}
    plan = ColumnPlan(
        request=_request(mapping, ordered, fields),
        columns=columns,
        key=names.index(mapping.find_by) if mapping.find_by in names else None,
        key_is_unique=mapping.find_by in names and fields.is_unique(mapping.find_by),
        ignored=tuple(validated.headers.titles_except(sources)) if validated.headers else (),
        warnings=tuple(_warnings(validated)),
        empty_key=mapping.empty_key,
        duplicate_keys=mapping.duplicate_keys,
        max_invalid_share=mapping.max_invalid_share,
        arrived=arrived,
        about_header="" if _is_header_proven(validated) else _MAY_BE_A_RECORD,
    )
    return replace(plan, warnings=(*plan.warnings, *_about_zones(plan)))


def _warnings(validated: Validated) -> Iterator[str]:
    mapping, fields = validated.mapping, validated.fields
    yield from mapping.warnings
    yield from mapping_warnings(mapping, validated.entries, fields)
    yield from _about_columns(validated)
    for entry in validated.entries:
        yield from entry_warnings(entry, mapping, fields)


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


def _column(
    entry: Resolved, source: int, mapping: Mapping, fields: ModuleFields, zone: str
) -> PlannedColumn:
    mapped, api_name = entry.mapped, entry.mapped.api_name
    field = fields.by_name.get(api_name)
    is_needed = field in tuple(fields.mandatory()) and mapping.operation is Operation.INSERT
    return PlannedColumn(
        source=source,
        header=entry.header,
        api_name=api_name,
        data_type=field.data_type if field else None,
        rule=_rule(entry.mapped, fields),
        length=field.length if field else None,
        pick_list=field.pick_list if field else (),
        decimal_place=field.decimal_place if field else None,
        display_values=field.display_values if field else (),
        is_mandatory=is_needed and not mapped.default_value,
        proven_decimal="." if mapping.has_types and not mapped.rule.decimal else None,
        is_birth=fields.is_birth(api_name, entry.header),
        zone=(mapped.rule.zone or zone) if _has_offset(mapped, fields) else "",
    )


def _rule(mapped: MappedField, fields: ModuleFields) -> ValueRule | None:
    is_datetime = _sent_format(mapped, fields) == SENT_DATETIME
    with_time = mapped.rule.date_format is not None and is_datetime
    rule = replace(mapped.rule, with_time=with_time)
    return rule if rule != ValueRule() else None


def _sent_format(mapped: MappedField, fields: ModuleFields) -> str | None:
    """Return the format that Bigin is told; the field's type decides, else the file's format."""
    kind = fields.data_type(mapped.api_name)
    if kind in DATE_TYPES:
        return SENT_DATETIME if kind == "datetime" else SENT_DATE
    pattern = mapped.rule.date_format
    if pattern is None:
        return None
    return SENT_DATETIME if has_time(pattern) else SENT_DATE


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


_SHOWN_CELLS = 20
_SHOWN_CHARACTERS = 60


def counted_column_problems(validated: Validated, *, drop: str) -> Iterator[Problem]:
    """Yield that columns which are counted by index alone may not be those that were meant."""
    headers, entries, fields = validated.headers, validated.entries, validated.fields
    if headers is None or not validated.mapping.header:
        return
    counted = [entry for entry in entries if entry.is_counted]
    if counted and all(entry.mapped.column is None for entry in entries):
        proof = next(_proofs_of_record(counted, headers, fields), None)
        if proof is not None:
            yield _no_header(proof, headers, drop)
            return
    for entry in counted:
        if other := _labels_another(entry, entries, fields):
            yield _grown(entry, other, drop)
        elif (column := _column_labelled_so(entry, headers, entries, fields)) is not None:
            yield _elsewhere(entry, column, headers, drop)


_MAY_BE_A_RECORD = (
    "Row 1 was taken for the header and not imported, though it may be a record: the mapping "
    'counts its columns, and none of them is called as its field. If it is one, write "header": '
    'false and drop that row as a file of its own; else write its headers as "column" beside each '
    '"index".'
)
_OF_A_FORM = {*NUMBER_TYPES, *DATE_TYPES, "email", "phone", "website", "boolean"}


def _is_header_proven(validated: Validated) -> bool:
    """
    Return whether row 1 is certainly no record: where it is mapped by its names, or has a usual
    one, or a text where a record has a number, a date, an address.
    """
    headers, fields = validated.headers, validated.fields
    columns = [entry for entry in validated.entries if entry.source is not None]
    is_counted = columns and all(entry.is_counted for entry in columns)
    if headers is None or not validated.mapping.header or not is_counted:
        return True
    filled = [entry for entry in columns if entry.header.strip()]
    return any(
        fields.data_type(entry.mapped.api_name) in _OF_A_FORM
        or loose_form(entry.header) in _called(entry.mapped.api_name, fields)[1]
        for entry in filled
    )


def first_record_problems(
    validated: Validated, first: Sequence[str], *, drop: str
) -> Iterator[Problem]:
    """Yield that *first*, the first record of a drop without a header, is its header after all."""
    called, cells = dict[int, tuple[set[str], set[str]]](), dict[int, str]()
    for entry in validated.entries:
        at = entry.mapped.index or 0
        if entry.is_counted and at < len(first) and first[at].strip():
            called[at] = _called(entry.mapped.api_name, validated.fields)
            cells[at] = loose_form(first[at])
    certain = [at for at, cell in cells.items() if cell in called[at][0]]
    if all(cell in called[at][1] for at, cell in cells.items()):
        certain = list(cells)
    if certain:
        yield Problem(
            f"{drop}, row 1",
            f"the mapping says that the file has no header, but column {certain[0] + 1} of it is "
            "called as its field",
            'Remove "header": false from the mapping, or this row from the file',
        )


def _called(api_name: str, fields: ModuleFields) -> tuple[set[str], set[str]]:
    """Return what Bigin calls a field, and that with what it is usually called."""
    names = set(map(loose_form, _names_of(api_name, fields)))
    usual = VOCABULARY.get(fields.module, {}).get(api_name, ())
    return names, names | set(map(loose_form, usual))


def _proofs_of_record(
    counted: list[Resolved], headers: Headers, fields: ModuleFields
) -> Iterator[tuple[int, str]]:
    """Yield cells of the header that prove it to be a record: their column and what they are."""
    for column, cell in enumerate(headers.names):
        if _MAIL.fullmatch(cell):
            yield column, "an e-mail address"
    for entry in counted:
        cell, kind = entry.header, fields.data_type(entry.mapped.api_name)
        if fields.is_date(entry.mapped.api_name):
            stated = entry.mapped.rule.date_format
            if fitting_formats([cell]) or (stated and DatePattern(stated).fits(cell)):
                yield entry.mapped.index or 0, "a date"
        elif kind in NUMBER_TYPES and _is_amount(cell, kind, entry.mapped.index or 0, headers):
            yield entry.mapped.index or 0, "a number"
        elif kind == "phone" and _PHONE.fullmatch(cell):
            yield entry.mapped.index or 0, "a phone number"
        elif kind == "website" and "://" in cell:
            yield entry.mapped.index or 0, "a web address"


_MAIL = re.compile(r"\s*[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}\s*")


_PHONE = re.compile(r"\s*[+(]?\d(?:[\s()./-]*\d){5,}\s*", re.ASCII)


def _is_amount(cell: str, kind: str | None, column: int, headers: Headers) -> bool:
    """Return whether *cell* is a number, and none that may name a column: a year, 3 beside 2."""
    if not cell.strip().isdecimal():
        read = NumberKind(PlannedColumn(0, "", "", data_type=kind)).read(cell)
        return bool(read.value) and not read.refusal and MISFIT not in read.remarks
    number = int(cell)
    beside = (headers.names[at] for at in (column - 1, column + 1) if 0 <= at < len(headers.names))
    near = {int(name) for name in beside if name.strip().isdecimal()}
    is_year = len(cell.strip()) == 4 and cell.strip()[:2] in ("19", "20")  # noqa: PLR2004
    is_running = number in (column, column + 1) or bool(near & {number - 1, number + 1})
    return not (is_year or is_running)


def _no_header(proof: tuple[int, str], headers: Headers, drop: str) -> Problem:
    column, found = proof
    cells = " · ".join(name[:_SHOWN_CHARACTERS] for name in headers.names[:_SHOWN_CELLS])
    return Problem(
        f"{drop}, row 1",
        f"this row is taken for the header, but column {column + 1} of it holds {found}",
        'If the file has no header row, write "header": false in the mapping; else give its '
        "columns names",
        cells=(f"as a header, not imported: {cells}", f"as the first record: {cells}"),
    )


def _labels_another(
    entry: Resolved, entries: tuple[Resolved, ...], fields: ModuleFields
) -> str | None:
    """Return the field, filled by another entry, that the header of *entry* is the label of."""
    own = map(loose_form, _names_of(entry.mapped.api_name, fields))
    header = loose_form(entry.header)
    if header in own:
        return None
    named = (
        other.mapped.api_name for other in entries if header in _forms_of(other, fields, header)
    )
    return next(named, None)


def _forms_of(entry: Resolved, fields: ModuleFields, header: str) -> set[str]:
    """
    Return how the field of *entry* may be called; by its usual names too, unless its own column is
    called so already, or *header* is that column's.
    """
    api_name = entry.mapped.api_name
    names, all_names = _called(api_name, fields)
    column = loose_form(entry.header)
    return names if column in all_names or column == header else all_names


def _column_labelled_so(
    entry: Resolved, headers: Headers, entries: tuple[Resolved, ...], fields: ModuleFields
) -> int | None:
    """Return the one column that fills nothing and is called as the field of *entry*."""
    api_name = entry.mapped.api_name
    names, all_names = _called(api_name, fields)
    if loose_form(entry.header) in all_names or not headers.names[entry.mapped.index or 0].strip():
        return None
    used = {headers.sources.index(each.source) for each in entries if each.source is not None}
    forms = list(map(loose_form, headers.names))
    found = [at for at, form in enumerate(forms) if form in names and at not in used]
    return found[0] if len(found) == 1 else None


def _names_of(api_name: str, fields: ModuleFields) -> tuple[str, ...]:
    field = fields.by_name.get(api_name)
    return (api_name, field.label) if field else (api_name,)


def _grown(entry: Resolved, other: str, drop: str) -> Problem:
    index = entry.mapped.index
    written = {"column": entry.header, "index": index, "api_name": entry.mapped.api_name}
    return entry.problem(
        "index",
        f'column {index} of {drop} is called "{entry.header}", as the field {other}, which another '
        "column fills: the export may have grown a column",
        f"Correct the index; if it is right, write {json.dumps(written, ensure_ascii=False)}",
    )


def _elsewhere(entry: Resolved, column: int, headers: Headers, drop: str) -> Problem:
    index, api_name = entry.mapped.index, entry.mapped.api_name
    written = {"column": entry.header, "index": index, "api_name": api_name}
    return entry.problem(
        "index",
        f'column {index} of {drop} is called "{entry.header}", and column {column} is called '
        f'"{headers.title(column)}" as the field {api_name}: the export may have grown a column',
        f'Write "index": {column}; or, if it is right, {json.dumps(written, ensure_ascii=False)}',
    )
