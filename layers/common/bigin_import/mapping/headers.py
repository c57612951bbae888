"""The header row of a drop, and which of its columns a person means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bigin_import.mapping.names import is_part, likeness, matching_form, nearest
from bigin_import.tabular.rework import strip_result_columns

_NEAR = 0.85  # likeness of two names from which one is a misspelling of the other


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
        if near and likeness(column, near) >= _NEAR:
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
