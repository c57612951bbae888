"""
What the shape of a row tells: a record, a broken one, or no record at all.

A row is held against the width of the header and against the first hundred rows, which show what
the program that wrote the drop does with empty cells at the end. Rows at the end may be a footer
or a total, which is proven by adding up its columns; they are held back until nothing else follows
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, Protocol

from bigin_import.reading.dialect import bare_header, filled, width
from bigin_import.reading.totals import (
    BEGINS_AS_TOTAL,
    NUMBER_MARKS,
    TOTAL_BEGINS,
    is_called_total,
    number_in,
)

_ROWS_OF_HABIT = 100
_LEAST_WIDTH_OF_FOOTERS = 3
_LEAST_SHORT = 3
_ROWS_NAMED = 10

# Why a row is left out; "it" goes before.
IS_HEADER = "repeats the header row"
IS_RULE = "is a line of dashes"
IS_FOOTER = "is a footer: below a blank line, and filled only in its first cell as no row above is"
IS_TOTAL = "holds the totals of the rows above"
FILL = '"ragged_rows": "fill"'

# What the last row may hold that is no sum, and nobody is called.
_STATISTIC = re.compile(
    r"\s*(?:average|avg\.?|mean|median|count|minimum|maximum|balance|saldo|durchschnitt|"
    r"mittelwert|anzahl|moyenne|promedio|gemiddelde|aantal|genomsnitt|średnia|среднее|平均)\s*:?\s*",
    re.IGNORECASE,
)
# What database tools, psql and Markdown draw below a header.
_DASHES = re.compile(r"\s*(?::?-{2,}:?|={2,})\s*")
_CROSSED_DASHES = re.compile(r"\s*-{2,}(?:\+-{2,})+\s*")


def _in_any_case(*words: str) -> str:
    """Match words of ASCII; a set in front, not a flag, lets most lines be passed over at once."""
    letters = "".join(sorted({letter for word in words for letter in (word[0], word[0].upper())}))
    return f"[{re.escape(letters)}](?i:{'|'.join(re.escape(word[1:]) for word in words)})"


@cache
def _odd_row(header: str | None, delimiter: str) -> re.Pattern[str]:
    """
    Match the begin of a line that needs a closer look, by its first cell and the one behind it.

    Args:
        header: What the header row begins with, folded.
    """
    mark = re.escape(delimiter)
    # Only of printable ASCII it is certain what another letter case may be.
    first = rf"[^{mark}\n\x00-\x1f\x7f-\U0010ffff]*+(?:[^{mark}\n]|{mark}[{mark}\n])"
    words = [word for word in TOTAL_BEGINS if word.isascii() and len(word) > 1]
    begins = [rf"[\s{mark}*]", first, ':?--|==|="', _in_any_case(*words)]
    if header and header.isascii():
        begins.append(rf"{_in_any_case(header)}\s*{mark}")
    return re.compile(rf"\n(?:{'|'.join(begins)})")


class ParentRow(NamedTuple):
    """
    What a row of a result file says of itself in our columns.

    Attributes:
        row: Its number in the drop that the file is a result of; None if it does not say.
        status: Its `bigin__Status` as it stands; "" if that is empty.
        record_id: Its `bigin__Id`.
        reason: Its `bigin__Reason`.
        import_id: The import that it names; "" if none.
        is_released: The file has a column `bigin__Status`, and it is empty here.
    """

    row: int | None
    status: str = ""
    record_id: str = ""
    reason: str = ""
    import_id: str = ""
    is_released: bool = False


class Row(NamedTuple):
    """
    One row that is not blank.

    Attributes:
        parent: Which row it was in the drop that this one is a result file of.
        fault: Why it cannot be used, if so.
        is_left_out: It is no record at all, and *fault* says why.
    """

    number: int
    cells: list[str]
    parent: ParentRow | None = None
    fault: str | None = None
    is_left_out: bool = False

    def broken(self, why: str) -> Row:
        return self._replace(fault=why)

    def left_out(self, why: str) -> Row:
        return self._replace(fault=why, is_left_out=True)


class WideRows(Protocol):
    """Some rows, all as wide as the header."""

    @property
    def numbers(self) -> Sequence[int]: ...

    @property
    def lines(self) -> str | None:
        """The rows as text without quotes, each behind an LF; None if that is not at hand."""
        ...

    @property
    def delimiter(self) -> str:
        """What stands between the cells in *lines*."""
        ...

    def column(self, at: int) -> Sequence[str]:
        """Return the cells of a column."""
        ...

    def row(self, at: int) -> Sequence[str]:
        """Return the cells of a row, counted from 0."""
        ...


def is_lonely(row: Sequence[str]) -> bool:
    """Return whether *row* is filled in its first cell only."""
    return bool(row[0].strip()) and filled(row) == 1


def _begin(row: Sequence[str]) -> int:
    """Return the position of the first cell that is filled; 0 if none is."""
    return next((at for at, cell in enumerate(row) if cell.strip()), 0)


class Habit(NamedTuple):
    """
    How the first rows of a drop are shaped.

    Attributes:
        surplus: How many empty cells too many a row may have at its end.
        breaks: Two short rows that make a full one together are one broken row.
        is_short: Most rows lack cells at their end, so that one more is nothing special.
    """

    surplus: int = 0
    breaks: bool = False
    is_short: bool = False


def habit(rows: Sequence[Sequence[str]], width: int, named: int) -> Habit:
    """
    Return how *rows*, the first hundred that are not blank, are shaped under a header.

    Args:
        named: Width of the header without columns at its end that have no name.
    """
    first, and_next = rows[:_ROWS_OF_HABIT], rows[: _ROWS_OF_HABIT + 1]
    if _pairs(and_next, named) > _pairs(first, named):
        first = and_next  # the second half of the last row stands just behind
    surplus = [len(row) - width for row in first]
    short = [len(row) < named for row in first]
    pairs = _pairs(first, named)
    return Habit(
        surplus=max(surplus) if surplus and min(surplus) > 0 else 0,
        breaks=sum(short) in (0, 2 * pairs) and (pairs < 2 or len(first) - sum(short) > sum(short)),  # noqa: PLR2004
        is_short=sum(short) >= max(len(first) / 2, _LEAST_SHORT),
    )


def _pairs(rows: Sequence[Sequence[str]], width: int) -> int:
    """Count the neighbours that make one full row together."""
    count = at = 0
    while at + 1 < len(rows):
        is_pair = is_broken_in_two(rows[at], rows[at + 1], width)
        count += is_pair
        at += 1 + is_pair
    return count


def is_broken_in_two(row: Sequence[str], below: Sequence[str], width: int) -> bool:
    """Return whether two short rows are one full row with a line break in one of its cells."""
    return max(len(row), len(below)) < width and len(row) + len(below) == width + 1


class BrokenRows:
    """Finds rows that a line break without quotes has broken in two; holds back a short row."""

    def __init__(self, width: int, *, is_on: bool) -> None:
        self._width = width
        self._is_on = is_on
        self._held: Row | None = None

    @property
    def is_holding(self) -> bool:
        return self._held is not None

    def feed(self, row: Row) -> Iterator[Row]:
        """Take the next row; yield those that are decided."""
        held, self._held = self._held, None
        if held and is_broken_in_two(held.cells, row.cells, self._width) and not row.fault:
            why = (
                f"rows {held.number} and {row.number} seem to be one that is broken in two: put "
                f"the cell with the line break in quotes; if they are two, write {FILL} in the "
                "mapping"
            )
            yield held.broken(why)
            yield row.broken(why)
            return
        if held:
            yield held
        if self._is_on and not row.fault and len(row.cells) < self._width:
            self._held = row
        else:
            yield row

    def finish(self) -> Iterator[Row]:
        if self._held:
            yield self._held
        self._held = None


class _RowsAtEnd:
    """
    Rows of one kind that nothing of another kind follows.

    Attributes:
        are_above: Whether there are such with others below.
    """

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.are_above = False

    def end(self) -> None:
        """Take a row of another kind."""
        self.are_above = self.are_above or bool(self.numbers)
        self.numbers = []


class Tail:
    """
    Tells footers and totals at the end of a drop from its records; holds back what may be one.

    Attributes:
        is_below_blank: The next row stands below a blank line.
    """

    def __init__(self, width: int, is_total: Callable[[Row], bool]) -> None:
        self.is_below_blank = False
        self._width = width
        self._is_total = is_total
        self._total: list[Row] = []  # at most one
        self._footer: list[Row] = []
        self._lonely, self._lonely_elsewhere = _RowsAtEnd(), _RowsAtEnd()
        self._lonely.are_above = width < 2  # noqa: PLR2004  # of one cell every row is
        self._lonely_elsewhere.are_above = width < _LEAST_WIDTH_OF_FOOTERS
        self._called_total: list[int] = []
        self._last: Row | WideRows | None = None

    @property
    def is_holding(self) -> bool:
        return bool(self._total or self._footer) or self.is_below_blank

    def note_records(self, rows: WideRows, *, are_ordinary: bool) -> None:
        """Take rows that are records; *are_ordinary*: none of them is lonely."""
        self._last = rows
        self._lonely_elsewhere.end()  # the first cell of each is filled
        if self._lonely.are_above:
            return
        if are_ordinary:
            self._lonely.end()
            return
        count, lonely = len(rows.numbers), list[int]()
        if not all(second := rows.column(1)):
            empty = (at for at, cell in enumerate(second) if not cell)
            lonely = [at for at in empty if is_lonely(rows.row(at))]
        first_of_run = count - len(lonely)
        if len(lonely) < count:
            self._lonely.end()
        if lonely and lonely[0] < first_of_run:
            self._lonely.are_above = True
        self._lonely.numbers += [rows.numbers[at] for at in lonely]

    def feed(self, row: Row) -> Iterator[Row]:
        """Take the next row; yield those that are decided."""
        is_record = not row.is_left_out
        if is_record and is_lonely(row.cells) and self._may_be_footer():
            self._footer.append(row)
            return
        yield from self._records([*self._total, *self._footer])
        self.is_below_blank, self._total, self._footer = False, [], []
        if is_record and not row.fault and is_called_total(row.cells[_begin(row.cells)]):
            self._total.append(row)
        else:
            yield from self._records([row])

    def _may_be_footer(self) -> bool:
        is_first = not (self._lonely.are_above or self._lonely.numbers)
        return is_first and self.is_below_blank and self._width >= _LEAST_WIDTH_OF_FOOTERS

    def _records(self, rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            if row.is_left_out:
                continue
            self._last = row
            kind = self._lonely if row.cells[0].strip() else self._lonely_elsewhere
            for each in (self._lonely, self._lonely_elsewhere):
                if each is kind and filled(row.cells) == 1:
                    each.numbers.append(row.number)
                else:
                    each.end()
            if is_called_total(row.cells[_begin(row.cells)]):
                self._called_total.append(row.number)

    def finish(self) -> Iterator[Row]:
        """Yield what was held back; nothing follows it."""
        for row in self._total:
            if self._is_total(row):
                yield row.left_out(IS_TOTAL)
            else:
                yield from self._records([row])
        for row in self._footer:
            yield row.left_out(IS_FOOTER)
        self._total, self._footer = [], []

    def warnings(self) -> Iterator[str]:
        """Yield sentences on rows that are sent although they may be no records."""
        lonely = [each for each in (self._lonely, self._lonely_elsewhere) if not each.are_above]
        if numbers := [number for each in lonely for number in each.numbers]:
            yield (
                f"{_named(numbers)}, at the end of the file and filled in one cell only as no row "
                "above is, may be a footer, but was taken for a record."
            )
        if self._called_total:
            one = len(self._called_total) == 1
            what = "is called a total" if one else "are called totals"
            yield (
                f"{_named(self._called_total)} {what}, but the numbers above do not prove it: "
                f"{'it was taken for a record' if one else 'they were taken for records'}."
            )
        if self._last is not None and _is_statistic(_last_cells(self._last)):
            yield (
                f"The last row, {_last_number(self._last)}, looks like a statistic of the rows "
                "above, not like a record; it was taken for one."
            )


def _last_cells(rows: Row | WideRows) -> Sequence[str]:
    return rows.cells if isinstance(rows, Row) else rows.row(len(rows.numbers) - 1)


def _last_number(rows: Row | WideRows) -> int:
    return rows.number if isinstance(rows, Row) else rows.numbers[-1]


def _is_statistic(cells: Sequence[str]) -> bool:
    """Return whether *cells* are a word for an average or a count, and behind it only numbers."""
    begin = _begin(cells)
    if not _STATISTIC.fullmatch(cells[begin]):
        return False
    behind = [cell for cell in cells[begin + 1 :] if cell.strip()]
    are_numbers = all(any(number_in(cell, marks) for marks in NUMBER_MARKS) for cell in behind)
    return bool(behind) and are_numbers


def _named(numbers: Sequence[int]) -> str:
    more = ", …" if len(numbers) > _ROWS_NAMED else ""
    named = ", ".join(map(str, numbers[:_ROWS_NAMED])) + more
    return f"Row {named}" if len(numbers) == 1 else f"Rows {named}"


class RowShapes:
    """
    Sorts the rows of one drop by their shapes.

    Attributes:
        left_out: Number of a row that is no record -> why.
        blank, padded, trimmed: Counts of rows.
    """

    def __init__(
        self,
        header: Sequence[str],
        *,
        first_rows: Sequence[Sequence[str]],
        fills: bool,
        has_header: bool,
        decided: Mapping[int, str] | None,
        is_total: Callable[[Row], bool],
    ) -> None:
        """*decided*: Rows that were found to be no records before; None to find them."""
        self.left_out: dict[int, str] = {}
        self.blank = self.padded = self.trimmed = 0
        self._width = len(header)
        self._header = list(map(_form, header)) if has_header and len(header) > 1 else None
        named, self._named = width(header), filled(header)
        self._habit = habit(first_rows, self._width, named)
        self._fills = fills
        self._decided = decided
        self._padded_rows: list[int] = []
        self._broken = BrokenRows(named, is_on=self._habit.breaks and not fills)
        self._tail = Tail(self._width, is_total)
        self._is_blank_below_held = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences on rows that a person should look at, once all are read."""
        return (*self._about_padding(), *self._tail.warnings())

    def _about_padding(self) -> Iterator[str]:
        if self._is_padding_odd:
            yield (
                f"{_named(self._padded_rows)}: cells are missing at the end, and count as empty; "
                f"if that is meant, write {FILL} in the mapping."
            )

    @property
    def notes(self) -> Iterator[str]:
        """Sentences that are good to know, once all rows are read."""
        if self.padded and not self._is_padding_odd:
            yield f"{self.padded:,} rows have missing cells at the end; they count as empty."
        if self.trimmed:
            yield f"{self.trimmed:,} rows have surplus empty cells at the end; they are dropped."

    @property
    def _is_padding_odd(self) -> bool:
        return bool(self.padded) and not (self._fills or self._habit.is_short)

    def take_plain(self, rows: WideRows) -> bool:
        """Return whether *rows* are records at first sight, as most are; if so, take them."""
        if self._broken.is_holding:
            return False
        are_ordinary = self._are_ordinary(rows)
        if not (are_ordinary or self._begin_as_records(rows)):
            return False
        if self._decided is not None:
            return self._decided.keys().isdisjoint(rows.numbers)
        if self._tail.is_holding:
            return False
        self._tail.note_records(rows, are_ordinary=are_ordinary)
        return True

    def _are_ordinary(self, rows: WideRows) -> bool:
        """Return whether no row may be blank, a header, a total or filled in one cell only."""
        if rows.lines is None:
            return False
        return not _odd_row(self._header[0] if self._header else None, rows.delimiter).search(
            rows.lines
        )

    def _begin_as_records(self, rows: WideRows) -> bool:
        """Return whether no row is blank, a header or a total, by their first cells."""
        cells = list(map(str.strip, rows.column(0)))
        if not all(cells):
            return False
        text = "\n".join(("", *cells, "")).casefold()
        others = ("\n--", "\n:--", "\n==", '\n="')
        if self._header and any(begin in text for begin in (f"\n{self._header[0]}\n", *others)):
            return False
        return not (BEGINS_AS_TOTAL.search(text) and any(map(is_called_total, cells)))

    def sort(self, rows: Iterator[Row]) -> Iterator[Row]:
        """Yield what is decided of *rows* and those before; at the header's width if they fit."""
        for row in rows:
            if not any(map(str.strip, row.cells)):
                self.blank += 1
                self._is_blank_below_held = self._broken.is_holding
                self._tail.is_below_blank = True
                continue
            for whole in self._broken.feed(self._shaped(row)):
                yield from self._decide(whole)
                if whole.number < row.number and self._is_blank_below_held:
                    self._tail.is_below_blank = True
            self._is_blank_below_held = False

    def finish(self) -> Iterator[Row]:
        """Yield the last rows, which nothing follows."""
        for row in self._broken.finish():
            yield from self._decide(row)
        if self._decided is None:
            yield from map(self._fitted, self._tail.finish())

    def _decide(self, row: Row) -> Iterator[Row]:
        if self._decided is None:
            yield from map(self._fitted, self._tail.feed(row))
        else:
            why = self._decided.get(row.number)
            yield self._fitted(row.left_out(why) if why else row)

    def _shaped(self, row: Row) -> Row:
        if self._header is not None and list(map(_form, row.cells)) == self._header:
            is_decided = self._decided is not None  # and it is decided below
            return row.broken(f"it {IS_HEADER}") if is_decided else row.left_out(IS_HEADER)
        if self._header is not None and self._is_rule(row.cells):
            return row.left_out(IS_RULE)
        if row.fault:
            return row
        surplus = len(row.cells) - self._width
        if surplus > 0 and any(map(str.strip, row.cells[self._width :])):
            return row.broken(f"it has {len(row.cells)} cells, the header has {self._width}")
        if surplus > self._habit.surplus and not self._fills:
            return row.broken(
                f"it has {len(row.cells)} cells, the header has {self._width}: cells may be "
                f"shifted; if what is too much at the end is only empty, write {FILL} in the "
                "mapping"
            )
        return row

    def _is_rule(self, cells: Sequence[str]) -> bool:
        """Return whether dashes stand below all headers that have a name."""
        drawn = list(filter(str.strip, cells))
        if len(drawn) == 1 and _CROSSED_DASHES.fullmatch(drawn[0]):
            drawn = drawn[0].split("+")
        return len(drawn) == self._named and all(map(_DASHES.fullmatch, drawn))

    def _fitted(self, row: Row) -> Row:
        """Return a row as wide as the header, unless it cannot be used."""
        if row.is_left_out:
            self.left_out[row.number] = row.fault or ""
        missing = self._width - len(row.cells)
        if row.fault or not missing:
            return row
        if missing < 0:
            self.trimmed += 1
            return row._replace(cells=row.cells[:missing])
        self.padded += 1
        self._padded_rows += [row.number] if len(self._padded_rows) <= _ROWS_NAMED else []
        return row._replace(cells=row.cells + [""] * missing)


def _form(cell: str) -> str:
    return bare_header(cell).strip().casefold()
