"""What the keys of a mapping demand of one another. Every rule yields all that breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bigin_import.mapping.document import Path
from bigin_import.mapping.documented import Flaw
from bigin_import.mapping.names import canonical_field, module_meant
from bigin_import.mapping.written import Entry, WrittenMapping


def broken_rules(written: WrittenMapping, body: dict[str, Any]) -> Iterator[Flaw]:
    """
    Yield what is wrong with *written* although each key in itself can be read.

    Args:
        body: What was written. Keys that cannot be read stand here, but not in *written*;
            they have been complained about and are not missing.
    """
    yield from _module_and_operation(written, _given(body))
    yield from _nothing_mapped(body)
    yield from _twice_into_one_field(written)
    for position, entry in enumerate(written.field_mappings or ()):
        raw = body["field_mappings"][position]
        if isinstance(raw, dict):
            yield from _entry(entry, raw, ("field_mappings", position))


def _given(raw: dict[str, Any]) -> set[str]:
    """Return the keys that say something; null is like leaving a key out."""
    return {key for key, value in raw.items() if value is not None}


def _module_and_operation(written: WrittenMapping, given: set[str]) -> Iterator[Flaw]:
    if "module" not in given:
        yield ("module",), "module is missing", 'Add it, such as "module": "Contacts"'
    if written.module is not None and (meant := module_meant(written.module)):
        what = f'Bigin\'s API has no module "{written.module}"'
        yield ("module",), what, f'Write "module": "{meant}"'
    if "operation" not in given:
        remedy = 'Add it: "operation": "insert", "update" or "upsert"'
        yield ("operation",), "operation is missing", remedy
    if written.operation in {"update", "upsert"} and "find_by" not in given:
        what = f"{written.operation} needs find_by, to know which record a row is about"
        yield ("find_by",), what, 'Add it, such as "find_by": "Email"'


def _nothing_mapped(body: dict[str, Any]) -> Iterator[Flaw]:
    remedy = "Map at least one column, or leave the key out if the headers are API names"
    columns = body.get("columns")
    if isinstance(columns, dict) and not _given(columns):
        yield ("columns",), "no column is mapped here", remedy
    if body.get("field_mappings") == []:
        yield ("field_mappings",), "no field is mapped here", remedy


def _twice_into_one_field(written: WrittenMapping) -> Iterator[Flaw]:
    filled: set[str] = set()
    short = (
        (("columns", header), name) for header, name in (written.columns or {}).items() if name
    )
    long = (
        (("field_mappings", position, "api_name"), entry.api_name)
        for position, entry in enumerate(written.field_mappings or ())
        if entry.api_name
    )
    for path, api_name in (*short, *long):
        field = canonical_field(api_name)
        if field in filled:
            remedy = "Keep one; a default_value may stand beside the column in the same entry"
            yield path, f"{field} is filled twice", remedy
        filled.add(field)


def _entry(entry: Entry, raw: dict[str, Any], path: Path) -> Iterator[Flaw]:
    given = _given(raw)
    sources = given & {"column", "index"}
    if "api_name" not in given:
        yield path, "api_name is missing", "Say which field of Bigin this fills"
    if len(sources) > 1:
        yield path, "column and index both say where the values come from", "Keep one of them"
    if not sources and given <= Entry.model_fields.keys() - {"default_value"}:
        remedy = "Add column, or default_value for a constant"
        yield path, "nothing says where the values come from", remedy
    if not sources and "default_value" in given:
        for key in sorted(given & {"format", "decimal", "thousands", "values"}):
            what = f"{key} is about the cells of a column, but this entry is a constant"
            yield (*path, key), what, "Remove it, or add column"
    if raw.get("default_value") in ({}, {"value": None}):
        yield (*path, "default_value"), "it has no value", 'Write it like "default_value": "Web"'
    yield from _number_marks(entry, given, path)


def _number_marks(entry: Entry, given: set[str], path: Path) -> Iterator[Flaw]:
    decimal = entry.decimal if "decimal" in given else "."
    if entry.thousands is not None and entry.thousands == decimal:
        remedy = 'Say both, such as "decimal": ",", "thousands": "."'
        yield (*path, "thousands"), f'thousands and decimal are both "{decimal}"', remedy
    if "format" in given and given & {"decimal", "thousands"}:
        yield path, "format is for dates, decimal and thousands are for numbers", "Keep one"
