"""From a mapping as it was understood to its one normalised form."""

from __future__ import annotations

from collections.abc import Iterator

from bigin_import.mapping.document import Document
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.names import EXCLUDED_MODULES, canonical_field, module_meant
from bigin_import.mapping.spellings import as_plain_space, share
from bigin_import.mapping.understand import Understood
from bigin_import.mapping.written import Entry
from bigin_import.models import Operation

_SETTINGS = {
    "ignore_empty",
    "character_encoding",
    "empty_key",
    "duplicate_keys",
    "force",
    "dry_run",
}
_UNDECODED = "\ufffd"


def normalised(understood: Understood, document: Document) -> Mapping:
    """Return the mapping; what could not be understood is named as unclear."""
    written = understood.written
    settings = written.model_dump(include=_SETTINGS, exclude_none=True)
    if written.on_bad_rows is not None:
        settings["max_invalid_share"] = float(share(written.on_bad_rows))
    module = written.module or ""
    module = module_meant(module) or module
    warnings = understood.flat.warnings
    if module in EXCLUDED_MODULES:
        warnings += (f"Bigin's limitations page excludes {module} from bulk write.",)
    return Mapping(
        module=module,
        operation=Operation(written.operation or Operation.INSERT),
        find_by=canonical_field(written.find_by) if written.find_by else None,
        fields=tuple(_fields(understood, document)),
        warnings=warnings,
        unclear=frozenset(_unclear(understood)),
        **settings,
    )


def _unclear(understood: Understood) -> Iterator[str]:
    written = understood.written
    if not written.module:
        yield "module"
    if not written.operation:
        yield "operation"
    # Of an entry with keys of its own the field names what is unclear.
    for kind, *inside in understood.unread:
        if kind == "columns" or (kind == "field_mappings" and len(inside) <= 1):
            yield "field_mappings"


def _fields(understood: Understood, document: Document) -> Iterator[MappedField]:
    for header, api_name in (understood.written.columns or {}).items():
        if api_name is not None:
            yield MappedField(
                place=document.place(understood.as_written(("columns", header))),
                has_keys=False,
                column=header,
                api_name=canonical_field(api_name),
                unclear=frozenset({"column"} if _UNDECODED in header else ()),
            )
    for position, entry in enumerate(understood.written.field_mappings or ()):
        path = ("field_mappings", position)
        if path not in understood.unread:
            place = document.place(understood.as_written(path))
            inside = {other[2] for other in understood.unread if other[:2] == path}
            yield _field(entry, place, unread=inside)


def _field(entry: Entry, place: str, *, unread: set[str | int]) -> MappedField:
    unclear = {str(step) for step in unread}
    if not entry.api_name:
        unclear.add("api_name")
    is_filled = not (entry.column is None and entry.index is None and entry.default_value is None)
    if not is_filled or _UNDECODED in (entry.column or ""):
        unclear.add("column")
    return MappedField(
        place=place,
        api_name=canonical_field(entry.api_name or ""),
        column=entry.column,
        index=entry.index,
        default_value=entry.default_value.value if entry.default_value else None,
        find_by=canonical_field(entry.find_by) if entry.find_by else None,
        format=entry.format,
        decimal=entry.decimal,
        thousands=as_plain_space(entry.thousands),
        values=tuple((entry.values or {}).items()),
        unclear=frozenset(unclear),
    )
