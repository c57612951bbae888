"""Which column of the drop fills which field: a mapping meets a header row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bigin_import.mapping.headers import Headers
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.module_fields import ModuleFields
from bigin_import.mapping.names import canonical_field, matching_form, nearest
from bigin_import.models import Problem

_API_NAME = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Resolved:
    """
    A field and the column that fills it.

    Attributes:
        file: The file that *mapped* was written in: the mapping or, for headers, the drop.
        source: Position in the rows of the drop; None for a constant.
        header: Title of that column.
    """

    mapped: MappedField
    file: str
    source: int | None = None
    header: str = ""

    def problem(self, key: str, what: str, remedy: str) -> Problem:
        return Problem(f"{self.file}, {self.mapped.at(key)}", what, remedy)

    def in_field_mappings(self, key: str, value: str) -> str:
        """Return how this entry is written with one key more; the short form has no keys."""
        written = {"column": self.header, "api_name": self.mapped.api_name, key: value}
        return f"{json.dumps(written, ensure_ascii=False)} in field_mappings"


def resolve_mapping(
    mapping: Mapping, headers: Headers, *, name: str, drop: str, problems: list[Problem]
) -> Iterator[Resolved]:
    """
    Yield every entry of *mapping*, with its column.

    An entry whose column cannot be told goes to *problems* too, and is yielded without one, so
    that everything else about it is still checked.
    """
    for mapped in mapping.fields:
        entry = Resolved(mapped, name)
        columns = () if mapped.is_constant else _columns(mapped, headers)
        if len(columns) == 1:
            column = columns[0]
            entry = Resolved(mapped, name, headers.sources[column], headers.title(column))
        elif not mapped.is_constant:
            problems.append(_no_column(entry, columns, headers, drop))
        yield entry


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
    if meant := nearest(mapped.column, filter(str.strip, headers.names)):
        return entry.problem("column", what, f'Did you mean "{meant}"?')
    present = ", ".join(headers.titles_except(set()))
    return entry.problem("column", what, f"Its columns are: {present}")


def resolve_headers(
    headers: Headers, fields: ModuleFields, *, drop: str, problems: list[Problem]
) -> Iterator[Resolved]:
    """
    Yield every column as the field that its header names: Bigin's rule without a mapping.

    A header is an API name, for lookups also `field.parent_field`. Columns without a header
    are not imported; any other header goes to *problems*.
    """
    taken: dict[str, int] = {}
    for column, header in enumerate(headers.names):
        if not matching_form(header):
            continue
        api_name, _, find_by = " ".join(header.split()).partition(".")
        field = fields.spelled(canonical_field(api_name))
        mapped = MappedField(
            place=f"column {column + 1}",
            has_keys=False,
            api_name=field or api_name,
            find_by=canonical_field(find_by) or None,
        )
        entry = Resolved(mapped, drop, headers.sources[column], headers.title(column))
        if flaw := _header_flaw(header, field, fields):
            problems.append(entry.problem("column", *flaw))
        elif mapped.api_name in taken:
            what = f"{mapped.api_name} is filled by column {taken[mapped.api_name]} already"
            problems.append(entry.problem("column", what, "Remove one of the two columns"))
        else:
            taken[mapped.api_name] = column + 1
            yield entry


def _header_flaw(header: str, field: str | None, fields: ModuleFields) -> tuple[str, str] | None:
    """Return what is wrong with *header* as the name of a field, and the remedy."""
    is_name = _API_NAME.fullmatch(" ".join(header.split())) is not None
    if is_name and field is not None and fields.is_known(field):
        return None
    what = f'"{header}" is no field of {fields.module}, and the mapping says nothing about it'
    meant = fields.meant(header)
    instead = f'"{header}": "{meant}"' if meant else f'"{header}": "API name of the field"'
    return what, f'Map the columns to import, such as "columns": {{{instead}}}'
