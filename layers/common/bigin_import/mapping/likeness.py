"""Which fields the headers of a drop seem to mean."""

from __future__ import annotations

from collections.abc import Collection

from bigin_import.mapping.headers import Headers
from bigin_import.mapping.module_fields import ModuleFields
from bigin_import.mapping.names import loose_form, nearest
from bigin_import.mapping.vocabulary import VOCABULARY

_SURE = 0.85  # likeness of a header to a field's name from which it is suggested


def likely_fields(
    headers: Headers,
    fields: ModuleFields,
    *,
    used: Collection[int] = (),
    filled: Collection[str] = (),
) -> dict[int, str]:
    """
    Return column -> API name for the headers that name a field or nearly do.

    Each field is given away once, to the header that names it best.

    Args:
        used: Columns to leave out.
        filled: Fields to leave out.
    """
    names = {
        form: field for form, field in _names(fields).items() if form and field not in set(filled)
    }
    found: dict[int, str] = {}
    for likeness in (1.0, _SURE):
        for column, header in enumerate(headers.names):
            if column in used or column in found or not loose_form(header):
                continue
            name = nearest(header, names, likeness=likeness)
            if name is not None and names[name] not in found.values():
                found[column] = names[name]
    return found


def guess_module(header: tuple[str, ...]) -> str | None:
    """Return the module whose usual words are most like *header*; None if none is."""
    headers = Headers.of(header)
    likely = {
        module: len(likely_fields(headers, ModuleFields.of(module, None))) for module in VOCABULARY
    }
    best = max(likely, key=lambda module: likely[module])
    return best if likely[best] else None


def _names(fields: ModuleFields) -> dict[str, str]:
    """Return every way to name a field that can be filled: its words, its label, its API name."""
    words = VOCABULARY.get(fields.module, {})
    writable = [field for field in fields.by_name.values() if field.writable]
    targets = {field.api_name for field in writable} | {"id"} if fields.are_known else set(words)
    names = {loose_form(word): field for field in words for word in words[field]}
    names |= {loose_form(field.label): field.api_name for field in writable}
    names |= {loose_form(target): target for target in targets}
    return {name: field for name, field in names.items() if field in targets}
