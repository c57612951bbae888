"""Which columns and constants a suggested mapping has, and what they fill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bigin_import.mapping.headers import Headers
from bigin_import.mapping.likeness import SURE, Samples, holds_ids, likely_fields
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.module_fields import ModuleFields
from bigin_import.mapping.resolve import resolve_headers


@dataclass(frozen=True, slots=True)
class Suggested:
    """One entry of the suggestion; *column* counts in the headers, None for a constant."""

    column: int | None
    mapped: MappedField


def suggested_entries(
    mapping: Mapping | None, headers: Headers, known: ModuleFields, samples: Samples
) -> list[Suggested]:
    """Return what is kept of *mapping* and what is added to it, in the order of the columns."""
    kept = list(_kept(mapping, headers, known)) if mapping else []
    if mapping is not None and mapping.names_fields_by_header and known.are_known:
        kept += _named_by_headers(headers, known, samples)
    entries = [*kept, *_added(mapping, kept, headers, known, samples)]
    return sorted(
        entries, key=lambda entry: len(headers.names) if entry.column is None else entry.column
    )


def _kept(mapping: Mapping, headers: Headers, known: ModuleFields) -> Iterator[Suggested]:
    """Yield the entries of *mapping* that have, or most likely have, a column in the drop."""
    filled: set[str] = set()
    for mapped in mapping.fields:
        column = _column(mapped, headers)
        header = "" if column is None else headers.names[column]
        api_name = _field_of(mapped.api_name, header, known)
        field = known.by_name.get(api_name)
        is_writable = field is None or field.writable
        has_source = column is not None or mapped.is_constant
        if has_source and is_writable and api_name and api_name not in filled:
            filled.add(api_name)
            yield Suggested(column, mapped.model_copy(update={"api_name": api_name}))


def _field_of(api_name: str, header: str, known: ModuleFields) -> str:
    """Return *api_name* or, if there is no such field, the one that it or *header* means."""
    if known.is_known(api_name) or not api_name:
        return api_name
    return (
        known.meant(api_name, likeness=SURE)
        or known.meant(header, likeness=1.0)
        or known.meant(api_name)
        or api_name
    )


def _named_by_headers(
    headers: Headers, known: ModuleFields, samples: Samples
) -> Iterator[Suggested]:
    """Yield the columns whose headers are names of fields, as in a drop without a mapping."""
    for entry in resolve_headers(headers, known, drop=""):
        api_name, source = entry.mapped.api_name, entry.source
        field = known.by_name.get(api_name)
        if entry.trouble is not None or source is None or (field and not field.writable):
            continue
        if api_name != "id" or holds_ids(source, samples):
            mapped = MappedField(place="", api_name=api_name, find_by=entry.mapped.find_by)
            yield Suggested(headers.sources.index(source), mapped)


def _column(mapped: MappedField, headers: Headers) -> int | None:
    if mapped.column is None:
        return mapped.index if mapped.index in range(len(headers.names)) else None
    matches = headers.matches(mapped.column)
    if not matches and (near := headers.nearest(mapped.column)):
        matches = headers.matches(near)
    return matches[0] if len(matches) == 1 else None


def _added(
    mapping: Mapping | None,
    kept: list[Suggested],
    headers: Headers,
    known: ModuleFields,
    samples: Samples,
) -> Iterator[Suggested]:
    likely = likely_fields(
        headers,
        known,
        used={entry.column for entry in kept if entry.column is not None},
        filled={entry.mapped.api_name for entry in kept},
        samples=samples,
    )
    for column, api_name in likely.items():
        if mapping is None or _is_asked_for(column, api_name, mapping, headers, known):
            yield Suggested(column, MappedField(place="", api_name=api_name))


def _is_asked_for(
    column: int, api_name: str, mapping: Mapping, headers: Headers, known: ModuleFields
) -> bool:
    """Tell whether Bigin demands the field, or *mapping* means to fill it or to send the column."""
    if not mapping.fields or api_name == mapping.find_by:
        return True
    return (
        any(field.api_name == api_name for field in known.mandatory())
        or any(mapped.api_name == api_name for mapped in mapping.fields)
        or any(_column(mapped, headers) == column for mapped in mapping.fields)
    )
