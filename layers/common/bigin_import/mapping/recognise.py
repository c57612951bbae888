"""Which column of a drop fills which field: by its header, and by what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from bigin_import.mapping.fields import VOCABULARY, ModuleFields
from bigin_import.mapping.names import Headers, loose_form, similarity

type Samples = Sequence[Sequence[str]]
type Looks = Callable[[str], object]

SURE = 0.85  # similarity of a header to the name of a field from which it is suggested
_LONGEST_MISSPELLING = 2  # letters more or less

_RECORD_ID = re.compile(r"\d{18,19}", re.ASCII).fullmatch
_MAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}").fullmatch
_PHONE = re.compile(
    r"'?[+(]?\d[\d\s()./\u00a0+-]{4,}(?:\s*(?:ext|x|Durchwahl)\.?\s*\d+)?", re.IGNORECASE
).fullmatch
_SALUTATION = re.compile(
    r"(?:mr|mrs|ms|miss|mx|dr|prof|herr|frau|mme|m|mlle|sr|sra|sig|dhr|mevr)\.?", re.IGNORECASE
).fullmatch
_MOST = 0.5

# What most cells of a column must be, if it has any, to fill a field. Owner and id hold nothing
# else: other systems call theirs so too, with ids of their own and names of people.
_HOLD: Mapping[str, Looks] = {
    "Email": _MAIL,
    "Phone": _PHONE,
    "Mobile": _PHONE,
    "Title": lambda cell: not _SALUTATION(cell),
    "Owner": lambda cell: _RECORD_ID(cell) or _MAIL(cell),
    "id": _RECORD_ID,
}
_HOLD_NOTHING_ELSE = frozenset({"Owner", "id"})

# Where no header names the field: words in a header whose column holds such values.
_HINTS = (
    ("Mobile", re.compile(r"mobil|cell|handy", re.IGNORECASE)),
    ("Email", re.compile(r"mail|courriel|correo", re.IGNORECASE)),
    ("Phone", re.compile(r"phone|telef|t[ée]l\b|tel\b", re.IGNORECASE)),
)
_OF_OTHERS = re.compile(r"owner|label|type|assistant|manager|fax|besitzer", re.IGNORECASE)
_IS_AN_ID = re.compile(r"(?:^|[\s_.-])id$|(?<=[a-z])I[dD]$", re.IGNORECASE)

# One column that holds the whole name, for want of a better one.
_WHOLE_NAMES = {
    "Contacts": (
        "Last_Name",
        (
            "full name",
            "name",
            "person - name",
            "customer full name",
            "display name",
            "contact name",
        ),
    ),
}


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

    Each field is given away once, to the header that names it best and whose column does not hold
    something else.

    Args:
        used: Columns to leave out.
        filled: Fields to leave out.
        samples: Some rows of the drop.
    """
    finder = _Finder(headers, fields, set(used), set(filled), samples)
    finder.find_by_name()
    finder.find_misspelled()
    finder.find_by_values()
    finder.find_whole_name()
    return dict(sorted(finder.found.items()))


def holds_ids(source: int, samples: Samples) -> bool:
    """Return whether the column *source* of some rows holds ids of Bigin's records."""
    return _hold(_cells(source, samples), _RECORD_ID, True)


def guess_module(header: tuple[str, ...]) -> str | None:
    """Return the module whose usual words are most like *header*; None if none is."""
    headers = Headers.of(header)
    likely = {
        module: len(likely_fields(headers, ModuleFields.of(module, None))) for module in VOCABULARY
    }
    best = max(likely, key=lambda module: likely[module])
    return best if likely[best] else None


def _cells(source: int, samples: Samples) -> list[str]:
    return [cell for row in samples if source < len(row) and (cell := row[source].strip())]


def _hold(cells: Sequence[str], looks: Looks, is_strict: bool) -> bool:
    """Return whether most, or all, of *cells* look so; none do if there are none."""
    fitting = sum(map(bool, map(looks, cells)))
    return bool(cells) and (fitting == len(cells) if is_strict else fitting > _MOST * len(cells))


class _Finder:
    """Gives columns to fields, the surest first."""

    def __init__(
        self,
        headers: Headers,
        fields: ModuleFields,
        used: set[int],
        filled: set[str],
        samples: Samples,
    ) -> None:
        self.found: dict[int, str] = {}
        self._headers = headers
        self._fields = fields
        self._used = used
        self._filled = filled
        self._samples = samples
        self._names = dict(_names(fields))

    def find_by_name(self) -> None:
        """Take, for each field, the column with the first of its names."""
        forms = list(map(loose_form, self._headers.names))
        by_rank = sorted(
            (rank, field, column)
            for field, names in self._names.items()
            for rank, name in enumerate(map(loose_form, names))
            for column, form in enumerate(forms)
            if name and form == name
        )
        for _, field, column in by_rank:
            self._give(column, field)

    def find_misspelled(self) -> None:
        """Take columns whose header is nearly the name of a field that has none yet."""
        for column, header in enumerate(self._headers.names):
            for field, names in self._names.items():
                if any(_is_misspelled(header, name) for name in names):
                    self._give(column, field)

    def find_by_values(self) -> None:
        """Take a column that says what it is in a part of its header, and in its cells."""
        for field, words in _HINTS:
            for column, header in enumerate(self._headers.names):
                if words.search(header) and not _OF_OTHERS.search(header):
                    self._give(column, field, must_hold=True)

    def find_whole_name(self) -> None:
        """Take the column with the whole name of a person for the field that must be filled."""
        field, words = _WHOLE_NAMES.get(self._fields.module, ("", ()))
        forms = list(map(loose_form, words))
        for column, header in enumerate(self._headers.names):
            if field in self._names and loose_form(header) in forms:
                self._give(column, field)

    def _give(self, column: int, field: str, *, must_hold: bool = False) -> None:
        if column in self._used or field in self._filled:
            return
        cells = _cells(self._headers.sources[column], self._samples)
        looks = _HOLD.get(field)
        is_strict = field in _HOLD_NOTHING_ELSE
        if looks and (cells or must_hold or is_strict) and not _hold(cells, looks, is_strict):
            return
        self.found[column] = field
        self._used.add(column)
        self._filled.add(field)


def _is_misspelled(header: str, name: str) -> bool:
    """Return whether *header* is *name* but for a letter or two, and no id beside a name."""
    form, wanted = loose_form(header), loose_form(name)
    return (
        form[:1] == wanted[:1]
        and abs(len(form) - len(wanted)) <= _LONGEST_MISSPELLING
        and bool(_IS_AN_ID.search(header)) == bool(_IS_AN_ID.search(name))
        and similarity(header, name) >= SURE
    )


def _names(fields: ModuleFields) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the fields that can be filled, each with its names, the surest first."""
    words = VOCABULARY.get(fields.module, {})
    if not fields.are_known:
        for field, names in words.items():
            yield field, _ordered(field, (field,), names)
        return
    for known in (field for field in fields.by_name.values() if field.writable):
        own = (known.api_name, known.label)
        yield known.api_name, _ordered(known.api_name, own, words.get(known.api_name, ()))
    yield "id", ("id", *words.get("id", ()))


def _ordered(field: str, own: tuple[str, ...], words: tuple[str, ...]) -> tuple[str, ...]:
    """Return names in order; "Title" is what many call a salutation, so that it comes last."""
    return (*words, *own) if field == "Title" else (*own, *words)
