"""Which column of the drop fills which field: a mapping meets a header row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from bigin_import.mapping.headers import Headers
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.module_fields import ModuleFields
from bigin_import.mapping.names import canonical_field, matching_form
from bigin_import.models import Problem

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
        else:
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
        return headers.matches(mapped.column)
    index = -1 if mapped.index is None else mapped.index
    return (index,) if 0 <= index < len(headers.names) else ()


def _no_column(entry: Resolved, columns: tuple[int, ...], headers: Headers, drop: str) -> Problem:
    mapped = entry.mapped
    if mapped.column is None:
        what = f"{drop} has no column {mapped.index}; it has {len(headers.names)} columns"
        return entry.problem("index", what, "The first column is 0; or name it by column")
    if columns:
        numbers = " and ".join(str(column + 1) for column in columns)
        what = f'"{mapped.column}" fits columns {numbers} of {drop} alike'
        remedy = f'Rename one in the file, or write "index": {columns[0]} (counted from 0)'
        return entry.problem("column", what, remedy)
    what = f'{drop} has no column "{mapped.column}"'
    if meant := headers.nearest(mapped.column):
        return entry.problem("column", what, f'Did you mean "{meant}"?')
    return entry.problem("column", what, f"Its columns are: {_listed(headers)}")


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
    if _API_NAME.fullmatch(" ".join(header.split())) and fields.is_known(api_name):
        return None
    what = f'"{header}" is no field of {fields.module}, and the mapping says nothing about it'
    if meant := fields.meant(header):
        return what, f'Name the column "{meant}", or {MAP_ALL}'
    return what, f"Remove the column, or {MAP_ALL}"
