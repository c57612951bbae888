"""Which fields the headers of a drop seem to mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from bigin_import.mapping.headers import Headers
from bigin_import.mapping.module_fields import ModuleFields
from bigin_import.mapping.names import loose_form, nearest
from bigin_import.mapping.vocabulary import VOCABULARY

type Samples = Sequence[Sequence[str]]

_RECORD_ID = re.compile(r"\d{18,19}", re.ASCII)
SURE = 0.85  # likeness of a header to a field's name from which it is suggested


def likely_fields(
    headers: Headers,
    fields: ModuleFields,
    *,
    used: Collection[int] = (),
    filled: Collection[str] = (),
    samples: Samples = (),
) -> dict[int, str]:
    """
    Return column -> API name for the headers that name a field or nearly do.

    Each field is given away once, to the header that names it best.

    Args:
        used: Columns to leave out.
        filled: Fields to leave out.
        samples: Some rows of the drop. A column is taken for record ids only if it holds such
            ids: other systems call theirs id too.
    """
    names = {
        form: field for form, field in _names(fields).items() if form and field not in set(filled)
    }
    found: dict[int, str] = {}
    for likeness in (1.0, SURE):
        for column, header in enumerate(headers.names):
            if column in used or column in found or not loose_form(header):
                continue
            name = nearest(header, names, likeness=likeness)
            field = names[name] if name is not None else None
            if field == "id" and not holds_ids(headers.sources[column], samples):
                continue
            if field is not None and field not in found.values():
                found[column] = field
    return found


def holds_ids(source: int, samples: Samples) -> bool:
    """Tell whether the column *source* of some rows holds ids of Bigin's records."""
    cells = [row[source].strip() for row in samples if source < len(row)]
    filled = list(filter(None, cells))
    return bool(filled) and all(map(_RECORD_ID.fullmatch, filled))


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
