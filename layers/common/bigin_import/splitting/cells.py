"""What one cell comes to: the value that is sent, or why its row is not, and what is to be told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

ROWS_NAMED = 10
SPACES = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " "))


class Tell(NamedTuple):
    """
    Something that is true of some cells of a column.

    Attributes:
        words: A sentence behind the column's name, with {count} and {rows}; "" if it only leads
            to a conclusion on the whole column.
        is_note: It asks for nothing: a value was restored, or converted for certain.
    """

    name: str
    words: str = ""
    is_note: bool = False


class Cell(NamedTuple):
    """
    Attributes:
        refusal: Why its row is not sent; it names the column and not the value.
        is_certain: Bigin would refuse the row too.
    """

    value: str
    tells: tuple[Tell, ...] = ()
    refusal: str = ""
    is_certain: bool = False


class CellKind(Protocol):
    """How the cells of one column are read, by the type of its field and by its rule."""

    @property
    def is_plain(self) -> Callable[[Sequence[str]], bool]:
        """Whether cells are sent as they are; asked for a whole batch, so it must be fast."""
        ...

    @property
    def read(self) -> Callable[[str], Cell]:
        """Read one cell."""
        ...


MISFIT = Tell("misfit")

# Words by which programs say that there is no value: databases, pandas, JavaScript, Bigin's own
# picklists, and the errors of spreadsheets in the languages that they write.
PLACEHOLDERS = frozenset({
    "NULL", "null", "(null)", "[NULL]", "<null>", "\\N",
    "nan", "NaN", "NAN", "-nan", "None", "NaT", "<NA>", "N/A", "n/a", "undefined",
    "-None-", "(blank)",
    "#N/A", "#NA", "#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!",
    "#NV", "#N/V", "#BEZUG!", "#WERT!", "#ZAHL!", "#N/D", "#NOM?", "#VALEUR!", "#NOMBRE?",
    "#\u00a1REF!", "#\u00a1VALOR!", "#\u00a1DIV/0!", "#\u00a1NUM!", "#VALOR!", "#NOME?", "#RIF!",
    "#VALORE!", "#N/B", "#NAAM?", "#VERW!", "#WAARDE!",
    "Err:502", "Err:504", "Err:508", "Err:509", "Err:511", "Err:522",
})  # fmt: skip
_MARKS_OF_PLACEHOLDERS = ("N", "#", "n/a", "nan", "null", "undefined", "(blank)", "Err:")
_NO_DATE = re.compile(r"(?=.*0)[0\s./:T-]+")


def may_hold_placeholders(text: str) -> bool:
    """Return False if no cell of *text* can be one of them; most texts are told by one search."""
    return any(mark in text for mark in _MARKS_OF_PLACEHOLDERS)


def how_to_empty(word: str) -> str:
    """Return the end of a reason: the line that empties a cell of *word*; "" if it is no such."""
    if word not in PLACEHOLDERS and not _NO_DATE.fullmatch(word):
        return ""
    return f'; to leave it empty, write "values": {_emptied(word)} in the mapping'


def _emptied(word: str) -> str:
    return json.dumps({word: ""}, ensure_ascii=False)


def placeholder(word: str) -> Tell:
    """Return what is told of cells that hold *word*, with the line that empties them."""
    line = f"{{{_emptied(word)}}}"  # braces twice, for str.format
    return Tell(
        f"placeholder {word}",
        f"{{count:,}} cells say {word}, which stands for no value, first in row {{rows}}. "
        f'To leave them empty, write "values": {line} in the mapping.',
    )


REPLACEMENT_CHARACTER = Tell(
    "replacement character",
    "{count:,} cells hold the character \ufffd, first in row {rows}: a program that wrote the file "
    "could not read some letters. They are sent so; export the data again in UTF-8.",
)


DECODED_TWICE = Tell(
    "decoded twice",
    "{count:,} cells look as if they were decoded twice (\u00c3\u00a9 for \u00e9), first in row "
    "{rows}. They are sent so; export the data again in UTF-8.",
)
_BEGINS_AS_UTF8 = re.compile("[\u00c2-\u00f4][^\\x00-\\x7f]")


def is_decoded_twice(cell: str) -> bool:
    """Return whether the whole of *cell* is UTF-8 that was read as windows-1252."""
    if cell.isascii() or not _BEGINS_AS_UTF8.search(cell):
        return False
    try:
        cell.encode("windows-1252").decode("utf-8")
    except UnicodeError:
        return False
    return True


FORMULA_LIKE = Tell(
    "like a formula",
    "{count:,} cells begin with =, @, a tab, + or - and are neither number nor phone, first in row "
    "{rows}; sent as they are. A spreadsheet takes such cells for formulas.",
    is_note=True,
)
_STARTS = frozenset("=@\t+-")
_STARTS_IN_TEXT = tuple(before + mark for before in '\n,"' for mark in sorted(_STARTS))
_NUMBER_OR_PHONE = re.compile(
    r"[+-][ \u00a0]*(?:[A-Z]{3}|[€$£¥])?[ \u00a0]*[\d.,(][\d \u00a0\u202f()./,'’+-]*"
    r"(?:[A-Z]{3}|[€$£¥%])?(?:(?:ext|x|durchwahl)[. ]*\d+)?",
    re.IGNORECASE,
)


def may_begin_as_formula(text: str) -> bool:
    """Return False if no cell in *text*, lines of CSV, begins as a formula does."""
    return text[:1] in _STARTS or any(start in text for start in _STARTS_IN_TEXT)


def begins_as_formula(cell: str) -> bool:
    """Return whether *cell* begins as a formula, and is neither a number nor a phone."""
    is_meant_so = cell in PLACEHOLDERS or _NUMBER_OR_PHONE.fullmatch(cell)
    return cell[:1] in _STARTS and not is_meant_so


class RowNames:
    """
    Counts rows and keeps the numbers of the first.

    Attributes:
        first: At most ROWS_NAMED.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: list[int] = []

    def add(self, numbers: Sequence[int]) -> None:
        """Count some rows, in order."""
        self.count += len(numbers)
        self.first += numbers[: ROWS_NAMED - len(self.first)]

    def __str__(self) -> str:
        return ", ".join(map(str, self.first))
