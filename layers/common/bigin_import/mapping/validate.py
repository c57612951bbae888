"""Everything that is wrong with a mapping for one drop, as far as the drop can be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from bigin_import.domain.drop import Problem
from bigin_import.domain.job_request import Field, Operation
from bigin_import.domain.plan import PlannedColumn
from bigin_import.mapping.fields import (
    SENT_DATE,
    SENT_DATETIME,
    ModuleFields,
    named,
)
from bigin_import.mapping.keys import DATE_TYPES, RULE_KEYS
from bigin_import.mapping.model import MappedField, Mapping, format_of_type
from bigin_import.mapping.names import (
    SYSTEM_KEYS,
    Headers,
    canonical_field,
    nearest,
)
from bigin_import.reading.dialect import matching_form
from bigin_import.splitting.cells import field_type
from bigin_import.splitting.dates import DatePattern, has_offset, has_short_year
from bigin_import.splitting.numbers import NUMBER_TYPES

_DATES = {
    "date": (SENT_DATE, re.compile(r"\d{4}-\d\d-\d\d"), "2026-12-31"),
    "datetime": (
        SENT_DATETIME,
        re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
        "2026-12-31 23:59:00",
    ),
}
_A_NUMBER = 'Write digits with a point, such as "1234.5"'
_REMEDIES = dict.fromkeys(NUMBER_TYPES, _A_NUMBER) | {
    "integer": 'Write a whole number, such as "5"',
    "bigint": 'Write a whole number, such as "5"',
    "boolean": "Write true or false",
    "email": 'Write an address, such as "info@example.com"',
    "ownerlookup": "Write the id of a user of Bigin",
    "lookup": "Write the id of a record, or say by find_by what the value names",
    "id": "Write the id of a record",
}
# Of fields that every module has, whether or not its metadata lists them.
_ALWAYS = {"id": "id", "Owner": "ownerlookup"}


def default_flaw(mapped: MappedField, fields: ModuleFields) -> tuple[str, str] | None:
    """Return what is wrong with the default value of *mapped* and what to do, if anything is."""
    value, api_name = mapped.default_value, mapped.api_name
    kind = _ALWAYS.get(api_name) or fields.data_type(api_name)
    if not value or kind is None:
        return None
    if kind in DATE_TYPES:
        return _date_flaw(value, kind, api_name)
    if kind == "lookup" and fields.parent_key(mapped) != "id":
        return None  # it is text that Bigin looks for in the parent
    field = fields.by_name.get(api_name)
    length = field.length if field else None
    fits = field_type(PlannedColumn(0, "", api_name, length=length), kind)
    if fits is None or fits.one(value):
        return None
    what = f"the default for the {kind} field {api_name} is not one that Bigin takes"
    return what, _REMEDIES.get(kind, fits.remedy)


def _date_flaw(value: str, kind: str, api_name: str) -> tuple[str, str] | None:
    pattern, shape, example = _DATES[kind]
    if not shape.fullmatch(value):
        what = f"the default for the {kind} field {api_name} is not written as Bigin's"
        return what, f'Write it like "{example}"'
    try:
        DatePattern(pattern).read(value)
    except ValueError:
        what = f"the default for the {kind} field {api_name} is no day of the calendar"
        return what, f'Write it like "{example}"'
    return None


# What remains where the headers name the fields: one entry alone would unmap all other columns.
MAP_ALL = (
    "map all columns to import in field_mappings, as the suggested mapping in the results does"
)

_API_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)?", re.ASCII)
_MOST_LISTED = 20
_LONGEST_LISTED = 60


@dataclass(frozen=True, slots=True)
class Resolved:
    """
    A field and the column that fills it.

    Attributes:
        file: The file that *mapped* was written in: the mapping or, for headers, the drop.
        source: Position in the rows of the drop; None for a constant, or if it cannot be told.
        header: Title of that column.
        is_header: There is no entry in the mapping: the header itself names the field.
        trouble: Why the column cannot be told, or cannot fill a field of its own.
    """

    mapped: MappedField
    file: str
    source: int | None = None
    header: str = ""
    is_header: bool = False
    trouble: Problem | None = None

    def problem(self, key: str, what: str, remedy: str) -> Problem:
        return Problem(f"{self.file}, {self.mapped.at(key)}", what, remedy)

    def in_field_mappings(self, key: str, value: str) -> str:
        """Return how this entry is written with one key more; the short form has no keys."""
        source = {"column": self.title} if self.mapped.index is None else {}
        index = {} if source else {"index": self.mapped.index}
        written = source | index | {"api_name": self.mapped.api_name, key: value}
        return f"{json.dumps(written, ensure_ascii=False)} in field_mappings"

    @property
    def is_counted(self) -> bool:
        """Return whether its column is told by its number alone."""
        is_by_index = self.mapped.index is not None and self.mapped.column is None
        return is_by_index and self.source is not None

    @property
    def title(self) -> str:
        """The header of its column or, if that cannot be told, the one that was written."""
        return self.header or self.mapped.column or f"column {(self.mapped.index or 0) + 1}"


def resolve_mapping(
    mapping: Mapping, headers: Headers | None, *, name: str, drop: str
) -> Iterator[Resolved]:
    """
    Yield every entry of *mapping*, with its column.

    An entry whose column cannot be told is yielded without one, so that everything else about
    it is still checked. Without *headers* no column can be told, and that is no trouble.
    """
    for mapped in mapping.fields:
        entry = Resolved(mapped, name)
        if headers is None or mapped.is_constant or "column" in mapped.unclear:
            yield entry
        elif not (mapped.optional and not _columns(mapped, headers)):
            yield _with_column(entry, headers, drop)


def _with_column(entry: Resolved, headers: Headers, drop: str) -> Resolved:
    columns = _columns(entry.mapped, headers)
    if len(columns) != 1:
        trouble = _no_column(entry, columns, headers, drop)
        return Resolved(entry.mapped, entry.file, trouble=trouble)
    (column,) = columns
    return Resolved(entry.mapped, entry.file, headers.sources[column], headers.title(column))


def _columns(mapped: MappedField, headers: Headers) -> tuple[int, ...]:
    if mapped.column is not None:
        matches = headers.matches(mapped.column)
        return matches if mapped.index is None else tuple({*matches} & {mapped.index})
    index = -1 if mapped.index is None else mapped.index
    return (index,) if 0 <= index < len(headers.names) else ()


def _no_column(entry: Resolved, columns: tuple[int, ...], headers: Headers, drop: str) -> Problem:
    mapped = entry.mapped
    if mapped.column is None:
        what = f"{drop} has no column {mapped.index}; it has {len(headers.names)} columns"
        return entry.problem("index", what, "The first column is 0; or name it by column")
    if mapped.index is not None:
        return _moved(entry, mapped.index, headers, drop)
    if columns:
        numbers = " and ".join(str(column + 1) for column in columns)
        what = f'"{mapped.column}" fits columns {numbers} of {drop} alike'
        remedy = f'Rename one in the file, or write "index": {columns[0]} (counted from 0)'
        return entry.problem("column", what, remedy)
    what = f'{drop} has no column "{mapped.column}"'
    if meant := headers.nearest(mapped.column):
        return entry.problem("column", what, f'Did you mean "{meant}"?')
    return entry.problem("column", what, f"Its columns are: {_listed(headers)}")


def _moved(entry: Resolved, index: int, headers: Headers, drop: str) -> Problem:
    """Return that the column *index* is another than the mapping says."""
    wanted = entry.mapped.column or ""
    found = f'"{headers.title(index)}"' if index < len(headers.names) else "no column"
    what = f'{drop} has {found} at index {index}, not "{wanted}"'
    at = " or ".join(map(str, headers.matches(wanted)))
    remedy = f'Write "index": {at}' if at else f"Its columns are: {_listed(headers)}"
    return entry.problem("index", what, remedy)


def _listed(headers: Headers) -> str:
    titles = islice(headers.titles_except(set()), _MOST_LISTED)
    listed = ", ".join(
        title if len(title) <= _LONGEST_LISTED else title[:_LONGEST_LISTED] + "…"
        for title in titles
    )
    more = len(headers.names) - _MOST_LISTED
    return f"{listed}, … and {more} more" if more > 0 else listed


def resolve_headers(headers: Headers, fields: ModuleFields, *, drop: str) -> Iterator[Resolved]:
    """
    Yield every column as the field that its header names: Bigin's rule without a mapping.

    A header is an API name, for lookups also `field.parent_field`; one that is none is yielded
    as it stands. Columns without a header are not imported.
    """
    taken: dict[str, int] = {}
    for column, header in enumerate(headers.names):
        if not matching_form(header):
            continue
        entry = _named_by(header, column, headers, fields, drop)
        api_name = entry.mapped.api_name
        if flaw := _header_flaw(header, api_name, fields):
            yield replace(entry, trouble=entry.problem("column", *flaw))
        elif api_name in taken:
            what = f"{api_name} is filled by column {taken[api_name]} already"
            trouble = entry.problem("column", what, "Remove one of the two columns")
            yield replace(entry, trouble=trouble)
        else:
            taken[api_name] = column + 1
            yield entry


def _named_by(
    header: str, column: int, headers: Headers, fields: ModuleFields, drop: str
) -> Resolved:
    name, _, find_by = " ".join(header.split()).partition(".")
    if label := fields.only_labelled(header):
        name, find_by = label.api_name, ""
    mapped = MappedField(
        place=f"column {column + 1}",
        has_keys=False,
        api_name=fields.spelled(canonical_field(name)) or name,
        column=header,
        find_by=canonical_field(find_by) or None,
    )
    return Resolved(mapped, drop, headers.sources[column], headers.title(column), is_header=True)


def _header_flaw(header: str, api_name: str, fields: ModuleFields) -> tuple[str, str] | None:
    """Return what is wrong with *header* as the name of a field, and the remedy."""
    is_name = _API_NAME.fullmatch(" ".join(header.split())) or fields.only_labelled(header)
    if is_name and fields.is_known(api_name):
        return None
    module = fields.module or "any module"
    what = f'"{header}" is no field of {module}, and the mapping says nothing about it'
    if meant := fields.meant(header):
        return what, f'Name the column "{meant}", or {MAP_ALL}'
    if found := fields.labelled(header):
        names = " and ".join(field.api_name for field in found)
        return what, f"It is the label of {names}: name the column as the one meant, or {MAP_ALL}"
    return what, f"Remove the column, or {MAP_ALL}"


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
        meant = fields.meant(api_name, similarity=1.0)
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
    if found := fields.labelled(name):
        names = " and ".join(field.api_name for field in found)
        written = f'"{names}"' if len(found) == 1 else "the one that is meant"
        return f'"{found[0].label}" is the label of {names}; write {written}'
    if meant := fields.meant(name):
        return f'Did you mean "{meant}"?'
    return f"Write the API name of a field of {fields.module}"


def _date_problems(
    entry: Resolved, fields: ModuleFields, date_formats: DateFormats | None
) -> Iterator[Problem]:
    mapped = entry.mapped
    is_stated = mapped.rule.date_format is not None or "format" in mapped.unclear
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
    for key in RULE_KEYS:
        if key.of(entry.mapped.rule) is not None and not key.suits(field.data_type):
            kind = f"{named(field)} is of the type {field.data_type}"
            what = f"{key.name} is for {key.subject}, but {kind}"
            remedy = f"Remove {key.name}, or map the column to a field for {key.subject}"
            yield entry.problem(key.name, what, remedy)
    yield from _useless_rules(entry)


def _useless_rules(entry: Resolved) -> Iterator[Problem]:
    rule, pattern = entry.mapped.rule, entry.mapped.rule.date_format or ""
    if rule.zone and not has_offset(pattern):
        what = "zone is for times that say how far from UTC they are, and the format reads none"
        remedy = 'Remove zone, or write the format with XXX, such as "yyyy-MM-dd HH:mm:ss XXX"'
        yield entry.problem("zone", what, remedy)
    if rule.century and not has_short_year(pattern):
        what = "century is for years of two digits, and the format reads none"
        yield entry.problem("century", what, "Remove century, or write the format with yy")


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
    present = {entry.mapped.api_name for entry in entries}
    mapped = mapping.fields or tuple(entry.mapped for entry in entries)
    return {
        field.api_name
        for field in mapped
        if field.api_name and (not field.optional or field.api_name in present)
    }


def required_field_problems(
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
    found = fields.labelled(key)
    meant = found[0].api_name if len(found) == 1 else nearest(key, sorted(filled))
    if meant in filled:
        return f'Did you mean "{meant}"?'
    if mapping.names_fields_by_header:
        return f'Name a column of the file "{key}", or use another find_by'
    return f"Map a column to {key}, or use another find_by"


# More are refused as too many, and looking for what each was meant to be takes its time.
_MOST_EXAMINED = 1_000


@dataclass(frozen=True, slots=True)
class Validated:
    """
    A mapping beside the header row of a drop and the fields of its module.

    Attributes:
        headers: None if the header row could not be read.
        entries: Of the mapping or, where it maps nothing, of the headers.
        problems: Whether they are too many, which would be lost behind all of their own; then
            those of the entries in their order, then those of the whole.
    """

    mapping: Mapping
    headers: Headers | None
    fields: ModuleFields
    entries: tuple[Resolved, ...]
    problems: tuple[Problem, ...]


def validate(
    mapping: Mapping,
    header: tuple[str, ...] | None,
    fields: tuple[Field, ...] | None,
    *,
    mapping_name: str,
    drop_name: str,
    date_formats: DateFormats | None = None,
) -> Validated:
    """
    Hold *mapping* against the header row of a drop and the fields of its module.

    Args:
        header: Of the drop as it is; columns of our own result files are passed over. None if
            it cannot be read: then what needs no header is found.
        fields: None if Bigin's metadata could not be had: go on, and say so.
        mapping_name, drop_name: What people call the two files; they begin the problems.
        date_formats: Gives, for a position in *header*, the formats that fit all values of that
            column or nearly all; asked only for date columns without a format.
    """
    headers = None if header is None else Headers.of(header)
    known = ModuleFields.of(mapping.module, fields)
    resolved = _entries(mapping, headers, known, name=mapping_name, drop=drop_name)
    entries = tuple(islice(resolved, _MOST_EXAMINED))
    problems = list(number_problems(mapping, entries, name=mapping_name))
    for entry in entries:
        problems += entry_problems(entry, known, date_formats)
    if headers is not None or not mapping.names_fields_by_header:
        problems += required_field_problems(mapping, entries, known, name=mapping_name)
    return Validated(mapping, headers, known, entries, tuple(problems))


def _entries(
    mapping: Mapping, headers: Headers | None, fields: ModuleFields, *, name: str, drop: str
) -> Iterator[Resolved]:
    if not mapping.names_fields_by_header:
        yield from resolve_mapping(mapping, headers, name=name, drop=drop)
    elif headers is not None:
        for entry in resolve_headers(headers, fields, drop=drop):
            yield _as_typed(entry, fields) if mapping.has_types else entry


def _as_typed(entry: Resolved, fields: ModuleFields) -> Resolved:
    """Return an entry for a workbook, in which dates need no words on how they are written."""
    date_format = format_of_type(fields.data_type(entry.mapped.api_name))
    if date_format is None:
        return entry
    rule = replace(entry.mapped.rule, date_format=date_format)
    return replace(entry, mapped=entry.mapped.model_copy(update={"rule": rule}))
