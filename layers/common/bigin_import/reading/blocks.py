"""
Text -> many rows at once, where counts prove that each of them is as wide as the header.

Most drops are written by one program, row for row the same way. Of such text nothing is taken
apart that nobody asks for; if somebody does, all cells are split off in one go, and a column is
every n-th of them. Text that is not proven goes row by row, and so do the beginning of a drop,
with its header, and a last line without an end. Once the quotes of a drop do not tell strictly
where its cells end, all that follows is left to `records`, which can mend or refuse it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from bigin_import.domain.plan import RowDecision
from bigin_import.reading.records import RecordBatch, record_batches, refuse_escaped_quotes
from bigin_import.reading.row_shapes import ParentRow

# A record that is still open after so much text: its quote is probably never closed.
_LONGEST_OPEN_RECORD = 4_000_000
_LEAST_WIDTH = 2  # a cell alone may be a blank line
_ALL_BYTES = bytes(range(256))
_NEEDS_QUOTES = re.compile(r'[,"\r\n]')
# What stands in a shape for a separator that is part of a cell, and while it is made for others.
_DELIMITER, _NEWLINE, _RETURN, _NEXT_CELL, _NEXT_ROW = _STAND_INS = "\1\2\3\4\5"


class Shape(NamedTuple):
    """The attributes of these names of a `Block`."""

    shape: str
    content: str | None
    is_masked: bool = False


class Block:
    """
    Rows without a fault, as wide as the header; reads like a batch of them.

    Attributes:
        text: As it stands in the drop.
        shape: The same with LF, without the quotes around cells, and with a control character for
            each delimiter and line end in a cell: what is left of these stands between cells.
        is_masked: Whether there may be such control characters.
        content: As CSV with commas, LF, and quotes only where they are needed; None if it must be
            made from the cells.
        numbers: The row number of each row.
    """

    faults: Mapping[int, str] = MappingProxyType({})
    parents: Mapping[int, ParentRow] = MappingProxyType({})
    left_out: frozenset[int] = frozenset()
    decided: Mapping[int, RowDecision] = MappingProxyType({})

    def __init__(self, first: int, width: int, delimiter: str, text: str, shape: Shape) -> None:
        self.width = width
        self.delimiter = delimiter
        self.text = text
        self.shape, self.content, self.is_masked = shape
        self.numbers = range(first, first + self.shape.count("\n"))
        self._cells: Sequence[str] | None = None
        self._columns: dict[int, Sequence[str]] = {}

    @property
    def cells(self) -> Sequence[str]:
        """All cells, one row behind the other."""
        if self._cells is None:
            self._cells = self.unmasked(self.line[1:-1].split(self.delimiter))
        return self._cells

    @property
    def rows(self) -> list[list[str]]:
        cells, width = self.cells, self.width
        return [list(cells[at : at + width]) for at in range(0, len(cells), width)]

    @property
    def line(self) -> str:
        """The shape with a delimiter before and behind each cell."""
        return self.delimiter + self.shape.replace("\n", self.delimiter)

    @property
    def lines(self) -> str:
        """The shape, with an LF before it."""
        return f"\n{self.shape}"

    def column(self, at: int) -> Sequence[str]:
        """Return the cells of a column."""
        if at not in self._columns:
            self._columns[at] = self.cells[at :: self.width]
        return self._columns[at]

    def know_column(self, at: int, cells: Sequence[str]) -> None:
        """Take the cells of a column as they are in the shape, where somebody has found them."""
        self._columns[at] = self.unmasked(cells)

    def row(self, at: int) -> list[str]:
        """Return the cells of a row, counted from 0."""
        return list(self.cells[at * self.width : (at + 1) * self.width])

    def unmasked(self, cells: Sequence[str]) -> Sequence[str]:
        """Return cells of the shape as they are."""
        if not self.is_masked:
            return cells
        marks = str.maketrans(_DELIMITER + _NEWLINE + _RETURN, f"{self.delimiter}\n\r")
        # All of them are no printable characters, which is seen soonest.
        return [cell if cell.isprintable() else cell.translate(marks) for cell in cells]


def read_blocks(
    chunks: Iterator[str], *, delimiter: str, name: str, width: int, skip: int, rows_above: int
) -> Iterator[Block | RecordBatch]:
    """
    Yield the rows of a drop, those of a chunk of text at once where that can be.

    Args:
        width: Of the header.
        chunks, skip, rows_above: As of `record_batches`.

    Raises:
        DropRejectedError: As `record_batches` does.
    """
    number, text = rows_above + 1, ""
    for chunk in chunks:
        text += chunk
        if '"' in text and "\\" in text:
            refuse_escaped_quotes(text, delimiter, name)
        found = _proven(text, delimiter, width)
        if found is None or len(text) - found.end > _LONGEST_OPEN_RECORD:
            break
        whole, text = text[: found.end], text[found.end :]
        if found.shape is not None and not skip:
            block = Block(number, width, delimiter, whole, found.shape)
            yield block
            number += len(block.numbers)
            continue
        lines = iter([whole])
        for batch in record_batches(
            lines, delimiter=delimiter, name=name, skip=skip, rows_above=number - 1
        ):
            yield batch
            number = batch.first + len(batch.rows)
            skip = 0
    rest = chain([text] if text else [], chunks)
    yield from record_batches(
        rest, delimiter=delimiter, name=name, skip=skip, rows_above=number - 1
    )


class _Proven(NamedTuple):
    """
    What is certain of some text.

    Attributes:
        end: Where the last row ends whose end is in the text.
        shape: Of all rows up to there; None if some row is not as wide as the header, or odd.
    """

    end: int
    shape: Shape | None = None


def _proven(text: str, delimiter: str, width: int) -> _Proven | None:
    """Return what is certain of *text*, which begins with a row; None if its quotes are odd."""
    if '"' in text:
        return _all_quoted(text, delimiter, width) or _some_quoted(text, delimiter, width)
    shape = text.replace("\r\n", "\n")
    is_wide = _is_of_width(shape, delimiter, width)
    return _Proven(len(text), Shape(shape, _with_commas(shape, delimiter)) if is_wide else None)


def _all_quoted(text: str, delimiter: str, width: int) -> _Proven | None:
    """
    Return what is certain of *text* if each cell is in quotes and holds none.

    If the quotes between cells are all that there are, nothing else can be meant by them.
    """
    end = '"\r\n' if text.endswith("\r\n") else '"\n'
    if not (text.startswith('"') and text.endswith(end) and len(text) > len(end)):
        return None
    cells = text[1 : -len(end)]
    shape = cells.replace(f'{end}"', "\n").replace(f'"{delimiter}"', delimiter)
    if '"' in shape:
        return None
    separators = shape.count(delimiter) + shape.count("\n")
    taken = len(cells) - len(shape) - shape.count("\n") * (len(end) - len('"\n'))
    if taken == separators * len('""') and "\r" not in shape:
        shape += "\n"
        is_wide = _is_of_width(shape, delimiter, width)
        return _Proven(len(text), Shape(shape, _with_commas(shape, delimiter)) if is_wide else None)
    if any(each in text for each in _STAND_INS):
        return _Proven(len(text))
    shape = cells.replace(f'{end}"', _NEXT_ROW).replace(f'"{delimiter}"', _NEXT_CELL)
    shape = _masked(shape, delimiter).replace(_NEXT_CELL, delimiter).replace(_NEXT_ROW, "\n") + "\n"
    is_wide = _is_of_width(shape, delimiter, width)
    return _Proven(len(text), Shape(shape, None, is_masked=True) if is_wide else None)


def _some_quoted(text: str, delimiter: str, width: int) -> _Proven | None:
    """Return what is certain of *text* if each quoted cell is so from its begin to its end."""
    pieces = text.split('"')  # every other one stands in quotes; doubled quotes make empty ones
    is_open = len(pieces) % 2 == 0
    outside = pieces[::2]
    marks = (delimiter, "\n")
    behind = set(outside[1:]) - {""}
    before = set(outside if is_open else outside[:-1]) - {""}
    is_strict = all(piece.startswith((*marks, "\r\n")) for piece in behind)
    if not (is_strict and all(piece.endswith(marks) for piece in before)):
        return None
    if is_open:
        end = _end_of_rows(pieces)
        return _proven(text[:end], delimiter, width) if end else _Proven(0)
    if any(each in text for each in _STAND_INS):
        return _Proven(len(text))
    inside = pieces[1::2]
    pieces[1::2] = _masked('"'.join(inside), delimiter).split('"')
    pieces[2:-1:2] = [piece or '"' for piece in pieces[2:-1:2]]
    shape = "".join(pieces).replace("\r\n", "\n")
    if not _is_of_width(shape, delimiter, width):
        return _Proven(len(text))
    is_sent_so = delimiter == "," and "\r" not in text and _need_quotes(inside, outside)
    return _Proven(len(text), Shape(shape, text if is_sent_so else None, is_masked=True))


def _need_quotes(inside: list[str], outside: list[str]) -> bool:
    """Return whether every quoted cell, a piece or some with doubled quotes between, needs them."""
    is_doubled = [False, *map(operator.not_, outside[1:])]
    return all(
        before or behind or _NEEDS_QUOTES.search(piece)
        for before, piece, behind in zip(is_doubled, inside, is_doubled[1:], strict=False)
    )


def _end_of_rows(pieces: list[str]) -> int:
    """Return where the last row ends in text of which the last of *pieces* is in open quotes."""
    end = sum(map(len, pieces)) + len(pieces) - 1
    for at in range(len(pieces) - 1, -1, -1):
        end -= len(pieces[at])
        if at % 2 == 0 and (line_end := pieces[at].rfind("\n")) >= 0:
            return end + line_end + 1
        end -= 1
    return 0


def _masked(cells: str, delimiter: str) -> str:
    """Return cells with a stand-in for each separator that is part of them."""
    masked = cells.replace(delimiter, _DELIMITER).replace("\n", _NEWLINE)
    return masked.replace("\r", _RETURN)


def _is_of_width(shape: str, delimiter: str, width: int) -> bool:
    """Return whether each line of *shape*, in which nothing is in quotes, has *width* cells."""
    if width < _LEAST_WIDTH or not shape.endswith("\n"):
        return False
    try:
        content = shape.encode()
    except UnicodeEncodeError:  # bytes that the encoding of the drop does not explain
        return False
    mark = delimiter.encode()
    left = content.translate(None, _ALL_BYTES.translate(None, mark + b"\n\r\0"))
    return left == (mark * (width - 1) + b"\n") * shape.count("\n")


def _with_commas(shape: str, delimiter: str) -> str | None:
    """Return lines without quotes with commas between their cells; None if quotes are needed."""
    if delimiter == ",":
        return shape
    return None if "," in shape else shape.replace(delimiter, ",")
