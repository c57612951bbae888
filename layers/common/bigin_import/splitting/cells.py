"""What one cell comes to: the value that is sent, or why its row is not, and what is to be told."""

from __future__ import annotations

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

# Words by which programs say that there is no value.
PLACEHOLDERS = frozenset(
    {
        "NULL",
        "\\N",
        "#N/A",
        "#NAME?",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "nan",
        "NaN",
        "None",
        "NaT",
        "<NA>",
    }
)


def may_hold_placeholders(text: str) -> bool:
    """Return False if no cell of *text* can be one of them; most texts are told by one search."""
    return any(mark in text for mark in ("N", "#", "nan"))


def placeholder(word: str) -> Tell:
    """Return what is told of cells that hold *word*, with the line that empties them."""
    shown = word.replace("\\", "\\\\")
    return Tell(
        f"placeholder {word}",
        f"{{count:,}} cells say {word}, which stands for no value, first in row {{rows}}. "
        f'To leave them empty, write "values": {{{{"{shown}": ""}}}} in the mapping.',
    )


REPLACEMENT_CHARACTER = Tell(
    "replacement character",
    "{count:,} cells hold the character \ufffd, first in row {rows}: a program that wrote the file "
    "could not read some letters. They are sent so; export the data again in UTF-8.",
)


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
