"""A mapping whose columns go by their names, so that they may be moved. Pure."""

from __future__ import annotations

from bigin_import.mapping.headers import Headers
from bigin_import.mapping.model import MappedField, Mapping


def is_counted(mapping: Mapping) -> bool:
    """Tell whether *mapping* knows a column by its number alone."""
    return any(mapped.index is not None for mapped in mapping.fields)


def by_name(mapping: Mapping, header: tuple[str, ...]) -> Mapping:
    """Return *mapping* with names for numbers, wherever a column of *header* has one of its own."""
    headers = Headers.of(header)
    fields = tuple(_named(mapped, headers) for mapped in mapping.fields)
    return mapping.model_copy(update={"fields": fields})


def _named(mapped: MappedField, headers: Headers) -> MappedField:
    at = mapped.index
    if at is None or not headers.forms[at] or headers.matches(headers.names[at]) != (at,):
        return mapped
    return mapped.model_copy(update={"column": headers.names[at], "index": None})
