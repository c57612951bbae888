"""Everything that is wrong with a mapping for one drop, as far as the drop can be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bigin_import.mapping.checks import DateFormats, entry_problems
from bigin_import.mapping.coverage import coverage_problems, number_problems
from bigin_import.mapping.headers import Headers
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.module_fields import ModuleFields
from bigin_import.mapping.resolve import Resolved, resolve_headers, resolve_mapping
from bigin_import.models import Field, Problem

# More are refused as too many, and looking for what each was meant to be takes its time.
_MOST_EXAMINED = 1_000


@dataclass(frozen=True, slots=True)
class Examined:
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


def examine(
    mapping: Mapping,
    header: tuple[str, ...] | None,
    fields: tuple[Field, ...] | None,
    *,
    mapping_name: str,
    drop_name: str,
    date_formats: DateFormats | None = None,
) -> Examined:
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
        problems += coverage_problems(mapping, entries, known, name=mapping_name)
    return Examined(mapping, headers, known, entries, tuple(problems))


def _entries(
    mapping: Mapping, headers: Headers | None, fields: ModuleFields, *, name: str, drop: str
) -> Iterator[Resolved]:
    if not mapping.names_fields_by_header:
        yield from resolve_mapping(mapping, headers, name=name, drop=drop)
    elif headers is not None:
        yield from resolve_headers(headers, fields, drop=drop)
