"""What a workbook says of a sheet beside its cells: hidden rows, merged cells, totals of tables."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

# A sheet may have millions of them; what is told names the first.
_MOST_KEPT = 10_000
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_HIDDEN = re.compile(rb'<(?:\w+:)?row (?=[^>]*\bhidden="(?:1|true)")[^>]*\br="(\d+)"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*\bref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_LETTERS = 26


class Range(NamedTuple):
    """Cells of a sheet; columns and rows count from 0 and from 1, the last ones are in it."""

    name: str
    first_column: int
    first_row: int
    last_column: int
    last_row: int


class SheetParts:
    """
    Looks at the XML of one sheet as it is unpacked.

    Attributes:
        hidden: Numbers of rows that are not shown: hidden by a person, or left out by a filter.
        merged: Cells that are shown as one.
    """

    def __init__(self) -> None:
        self.has_formulas = False
        self.hidden: set[int] = set()
        self.merged: list[Range] = []
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes; a tag that is cut off waits for its end."""
        text = self._rest + chunk
        end = max(text.rfind(b"<"), 0)
        text, self._rest = text[:end], text[end:]
        self.has_formulas = self.has_formulas or _FORMULA.search(text) is not None
        if len(self.hidden) < _MOST_KEPT:
            self.hidden |= {int(found[1]) for found in _HIDDEN.finditer(text)}
        if len(self.merged) < _MOST_KEPT:
            self.merged += map(_range, _MERGED.finditer(text))


def _range(found: re.Match[bytes]) -> Range:
    first, top, last, bottom = (each.decode() for each in found.groups())
    name = f"{first}{top}:{last}{bottom}"
    return Range(name, _column(first), int(top), _column(last), int(bottom))


def _column(letters: str) -> int:
    """Return the position, from 0, of the column that is called *letters*."""
    at = 0
    for letter in letters:
        at = at * _LETTERS + ord(letter) - ord("A") + 1
    return at - 1


def read_totals_rows(container: zipfile.ZipFile, sheet: str) -> Iterator[int]:
    """
    Yield the rows of *sheet*, the path of its XML, that hold the totals of one of its tables.

    Raises:
        ParseError: What should be XML is none.
    """
    # Imported here: most drops are no workbooks, and a cold start is short of time.
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415  # see above

    folder, name = posixpath.split(sheet)
    paths = {path.lower(): path for path in container.namelist()}
    relations = paths.get(f"{folder}/_rels/{name}.rels")
    if relations is None:
        return
    for relation in fromstring(container.read(relations)):
        if not relation.get("Type", "").endswith("/table"):
            continue
        target = posixpath.normpath(posixpath.join(f"/{folder}", relation.get("Target", "")))
        path = paths.get(target.lstrip("/").lower())
        table = fromstring(container.read(path)) if path else None
        if table is not None and table.get("totalsRowCount", "0") != "0":
            yield int(re.sub(r".*\D", "", table.get("ref", "")))
