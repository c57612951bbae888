"""Bigin's names, and how the names that people write are matched with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache
from itertools import accumulate

from bigin_import.reading.dialect import matching_form
from bigin_import.reading.table import strip_result_columns

# The field that Bigin itself uses to find duplicates, by module.
SYSTEM_KEYS = {
    "Contacts": "Email",
    "Accounts": "Account_Name",
    "Pipelines": "Deal_Name",
    "Products": "Product_Name",
}

# Parent modules of Bigin's own lookups, for the time when its metadata cannot be had.
STANDARD_LOOKUPS = {
    ("Contacts", "Account_Name"): "Accounts",
    ("Pipelines", "Account_Name"): "Accounts",
    ("Pipelines", "Contact_Name"): "Contacts",
}

# Bigin's own date fields, for the same time.
STANDARD_DATES = frozenset({"Closing_Date", "Date_of_Birth"})

# What a new record of a module needs, for the same time.
STANDARD_MANDATORY = {
    "Contacts": ("Last_Name",),
    "Accounts": ("Account_Name",),
    "Pipelines": ("Deal_Name", "Sub_Pipeline", "Stage"),
    "Products": ("Product_Name",),
}

# Fields that every module takes although its metadata may not list them.
ALWAYS_KNOWN = frozenset({"id", "Layout", "Owner"})

# The limitations page of the Bulk Write API excludes these; its create page names some of them.
EXCLUDED_MODULES = frozenset({"Attachments", "Calls", "Events", "Notes", "Tasks", "Users"})

_MODULES = (*SYSTEM_KEYS, *sorted(EXCLUDED_MODULES))
_MODULE_ALIASES = {
    "account": "Accounts",
    "companies": "Accounts",
    "company": "Accounts",
    "contact": "Contacts",
    "deal": "Pipelines",
    "deals": "Pipelines",
    "pipeline": "Pipelines",
    "product": "Products",
} | {module.casefold(): module for module in _MODULES}

_NO_LETTERS = re.compile(r"[\W_]+")
_LEAST_PART = 3  # letters: shorter words say nothing


@lru_cache(1024)  # each header is compared with each name of a field
def loose_form(name: str) -> str:
    """Return only the letters and digits of *name*: "E-mail" and "Email" are alike."""
    return "".join(filter(str.isalnum, matching_form(name)))


def nearest(name: str, known: Iterable[str], *, similarity: float = 0.6) -> str | None:
    """Return the name in *known* that *name* was most likely meant to be, if there is one."""
    by_form = {loose_form(candidate): candidate for candidate in reversed(tuple(known))}
    form = loose_form(name)
    close = get_close_matches(form, by_form, n=1, cutoff=similarity) if form else []
    return by_form[close[0]] if close else None


def similarity(name: str, other: str) -> float:
    """Return how much of two names is alike, from 0 to 1."""
    return SequenceMatcher(None, loose_form(name), loose_form(other)).ratio()


def is_part(name: str, whole: str) -> bool:
    """Return whether *name* is some of the words of *whole*: "E-Mail" of "E-Mail (privat)"."""
    part, words = "".join(_words(name)), _words(whole)
    joined = "".join(words)
    if len(part) < _LEAST_PART or part not in joined or part == joined:
        return False
    bounds = tuple(accumulate(map(len, words), initial=0))
    return any(joined.startswith(part, start) and start + len(part) in bounds for start in bounds)


@lru_cache(1024)  # each header is looked at for each column that is not found
def _words(name: str) -> tuple[str, ...]:
    return tuple(filter(None, _NO_LETTERS.split(matching_form(name))))


def module_meant(name: str) -> str | None:
    """Return the API name of the module if *name* is another word for it, else None."""
    meant = _MODULE_ALIASES.get(matching_form(name))
    return None if meant == name else meant


def canonical_field(api_name: str) -> str:
    """Return *api_name* as Bigin wants it: its documentation also prints `Id`."""
    return "id" if api_name.casefold() == "id" else api_name


_NEAR = 0.85  # similarity of two names from which one is a misspelling of the other


@dataclass(frozen=True, slots=True)
class Headers:
    """
    The columns of a drop as a person counts them: those of our result files are left out.

    Attributes:
        names: Headers as they stand in the file.
        forms: Their matching forms.
        sources: For each of them its position in the rows of the file.
    """

    names: tuple[str, ...]
    forms: tuple[str, ...]
    sources: tuple[int, ...]

    @classmethod
    def of(cls, header: tuple[str, ...]) -> Headers:
        sources = strip_result_columns(header)
        names = tuple(header[position] for position in sources)
        return cls(names, tuple(map(matching_form, names)), sources)

    def matches(self, column: str) -> tuple[int, ...]:
        """
        Return the columns that *column* names; more than one means that it is ambiguous.

        Headers are compared in their matching form; where several are alike, an exact match
        decides.
        """
        wanted = matching_form(column)
        alike = [at for at, form in enumerate(self.forms) if form == wanted]
        exact = [at for at in alike if self.names[at] == column]
        return tuple(exact if len(alike) > 1 and len(exact) == 1 else alike)

    def nearest(self, column: str) -> str | None:
        """
        Return the header that *column* was most likely meant to be, if one clearly is.

        One that says more ("E-Mail Adresse") or less than *column*, in whole words, counts
        unless several do.
        """
        names = tuple(filter(str.strip, self.names))
        near = nearest(column, names)
        if near and similarity(column, near) >= _NEAR:
            return near
        around = [name for name in names if is_part(column, name) or is_part(name, column)]
        if len(around) > 1:
            return None
        return around[0] if around else near

    def title(self, column: int) -> str:
        """Return the header of *column*, or its number if it has none."""
        return self.names[column].strip() or f"column {column + 1} (no header)"

    def titles_except(self, sources: set[int]) -> Iterator[str]:
        """Yield the titles of all columns whose source is not in *sources*."""
        for column, source in enumerate(self.sources):
            if source not in sources:
                yield self.title(column)
