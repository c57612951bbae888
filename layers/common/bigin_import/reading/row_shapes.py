"""
What the shape of a row tells: a record, a broken one, or no record at all.

A row is held against the width of the header and against the first hundred rows, which show what
the program that wrote the drop does with empty cells at the end. Rows at the end may be a footer
or a total, which is proven by adding up its columns; they are held back until nothing else follows
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import NamedTuple, Protocol

from bigin_import.reading.dialect import filled, width

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

_TOTAL = re.compile(
    r"\s*(?:(?:grand|overall|report|sub)?[ -]?totals?|total (?:result|amount)|sum|"
    r"total(?:e|es|er|t)?|totaux|total (?:général|general|geral)|totale (?:generale|complessivo)|"
    r"(?:eind|sub)?totaal|somme|soma|somma|suma|summa|summe|endsumme|zwischensumme|"
    r"gesamt(?:summe|ergebnis)?|insgesamt|yhteensä|razem|suma końcowa|ogółem|celkem|spolu|"
    r"összesen|végösszeg|(?:genel )?toplam|ukupno|skupaj|итого|всего|общий итог|разом|всього|"
    r"(?:γενικό )?σύνολο|合計|総計|小計|合计|总计|總計|합계|총계|\*+|[Σ∑])\s*"
    r"(?:\(\d+\D*\))?\s*:?\s*",
    re.IGNORECASE,
)
# How these begin, folded.
_TOTAL_BEGINS = (
    "grand", "overall", "report", "sub", "tot", "sum", "som", "gesamt", "genel", "ends", "eindt",
    "zwischen", "insg", "yhteen", "razem", "ogó", "celkem", "spolu", "össz", "végö", "toplam",
    "ukupno", "skupaj", "итого", "всего", "общий", "разом", "всього", "γενικ", "σύνολ", "合", "総",
    "小計", "总", "總", "합", "총", "*", "σ", "∑",
)  # fmt: skip
# The first letters alone settle nearly all lines, in a third of the time.
_FIRST_OF_TOTALS = "".join(sorted({word[0] for word in _TOTAL_BEGINS}))
_BEGINS_AS_TOTAL = re.compile(
    rf"\n(?=[{_FIRST_OF_TOTALS}\s])\s*(?:{'|'.join(map(re.escape, _TOTAL_BEGINS))})"
)
# What database tools draw below their header.
_DASHES = re.compile(r"-{2,}|={2,}")


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
    words = [word for word in _TOTAL_BEGINS if word.isascii() and len(word) > 1]
    begins = [rf"[\s{mark}*]", first, "--|==", _in_any_case(*words)]
    if header and header.isascii():
        begins.append(rf"{_in_any_case(header)}\s*{mark}")
    return re.compile(rf"\n(?:{'|'.join(begins)})")


def is_called_total(cell: str) -> bool:
    """Return whether *cell* is a word for a total, perhaps with a count: Grand Totals (5 rows)."""
    return _TOTAL.fullmatch(cell) is not None


class ParentRow(NamedTuple):
    """
    What a row of a result file says of itself in our columns.

    Attributes:
        row: Its number in the drop that the file is a result of; None if it does not say.
        status: Its `bigin__Status` as it stands; "" if that is empty.
        record_id: Its `bigin__Id`.
        reason: Its `bigin__Reason`.
        import_id: The import that it names; "" if none.
    """

    row: int | None
    status: str = ""
    record_id: str = ""
    reason: str = ""
    import_id: str = ""


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
    first = rows[:_ROWS_OF_HABIT]
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
        self._lonely_at_end: list[int] = []
        self._has_lonely_above = width < 2  # noqa: PLR2004  # of one cell every row is
        self._called_total: list[int] = []

    @property
    def is_holding(self) -> bool:
        return bool(self._total or self._footer) or self.is_below_blank

    def note_records(self, rows: WideRows | None) -> None:
        """Take rows that are records; None for some of which none is lonely."""
        if self._has_lonely_above:
            return
        if rows is None:
            self._end_lonely()
            return
        count, lonely = len(rows.numbers), list[int]()
        if not all(second := rows.column(1)):
            empty = (at for at, cell in enumerate(second) if not cell)
            lonely = [at for at in empty if is_lonely(rows.row(at))]
        first_of_run = count - len(lonely)
        if len(lonely) < count:
            self._end_lonely()
        if lonely and lonely[0] < first_of_run:
            self._has_lonely_above = True
        self._lonely_at_end += [rows.numbers[at] for at in lonely]

    def feed(self, row: Row) -> Iterator[Row]:
        """Take the next row; yield those that are decided."""
        is_record = not row.is_left_out
        if is_record and is_lonely(row.cells) and self._may_be_footer():
            self._footer.append(row)
            return
        yield from self._records([*self._total, *self._footer])
        self.is_below_blank, self._total, self._footer = False, [], []
        if is_record and not row.fault and is_called_total(row.cells[0]):
            self._total.append(row)
        else:
            yield from self._records([row])

    def _may_be_footer(self) -> bool:
        is_first = not (self._has_lonely_above or self._lonely_at_end)
        return is_first and self.is_below_blank and self._width >= _LEAST_WIDTH_OF_FOOTERS

    def _records(self, rows: list[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            if row.is_left_out:
                continue
            if is_lonely(row.cells):
                self._lonely_at_end.append(row.number)
            else:
                self._end_lonely()
            if is_called_total(row.cells[0]):
                self._called_total.append(row.number)

    def _end_lonely(self) -> None:
        self._has_lonely_above = self._has_lonely_above or bool(self._lonely_at_end)
        self._lonely_at_end = []

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
        if self._lonely_at_end and not self._has_lonely_above:
            yield (
                f"{_named(self._lonely_at_end)}, at the end of the file and filled only in the "
                "first cell as no row above is, may be a footer, but was taken for a record."
            )
        if self._called_total:
            yield (
                f"{_named(self._called_total)} is called a total, but the numbers above do not "
                "prove that it is one: it was taken for a record."
            )


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
        named = width(header)
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
        self._tail.note_records(None if are_ordinary else rows)
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
        cells = rows.column(0)
        if not all(map(str.strip, cells)):
            return False
        text = "\n".join(("", *cells, "")).casefold()
        if self._header and (f"\n{self._header[0]}\n" in text or "\n--" in text or "\n==" in text):
            return False
        return not (_BEGINS_AS_TOTAL.search(text) and any(map(is_called_total, cells)))

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
        if self._header is not None and all(map(_DASHES.fullmatch, row.cells)):
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
    return cell.strip().casefold()


_DECORATION = re.compile(r"[\s\u00a0\u202f\u2009'’]|[^\W\d_]{1,3}\b|[€$£¥₹%]")
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?|-?\.\d+", re.ASCII)
_COUNT = re.compile(r"\((\d+)")
_LEAST_SUMMANDS = 2  # of one number every copy is its sum

type Marks = tuple[str, str]  # decimal, thousands
_MARKS: tuple[Marks, ...] = ((".", ","), (",", "."))


def number_in(cell: str, marks: Marks) -> Decimal | None:
    """Return the number that *cell* is, whatever currency stands beside it; None if it is none."""
    decimal, thousands = marks
    text = _DECORATION.sub("", cell).replace("\u2212", "-").replace(thousands, "")
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    if text.endswith("-"):
        text = f"-{text[:-1]}"
    text = text.replace(decimal, ".")
    return Decimal(text) if _NUMBER.fullmatch(text) else None


class _Column:
    """Sum and count of one column, as its decimal and thousands marks may be meant."""

    def __init__(self) -> None:
        self.filled = 0
        self.summands = 0
        self.sums: dict[Marks, Decimal] = dict.fromkeys(_MARKS, Decimal(0))

    def add(self, cell: str) -> None:
        if not cell.strip():
            return
        self.filled += 1
        numbers = {marks: number_in(cell, marks) for marks in self.sums}
        self.sums = {
            marks: self.sums[marks] + number
            for marks, number in numbers.items()
            if number is not None
        }
        self.summands += any(number for number in numbers.values())

    def has_total(self, cell: str, rows: int) -> bool:
        """Return whether *cell* is the sum of the column, or the count of its cells or rows."""
        if any(number_in(cell, marks) in (self.filled, rows) for marks in _MARKS):
            return True
        if self.summands < _LEAST_SUMMANDS:
            return False
        return any(
            (number := number_in(cell, marks)) is not None and _is_rounded(total, number)
            for marks, total in self.sums.items()
        )


def _is_rounded(total: Decimal, shown: Decimal) -> bool:
    """Return whether *shown* is *total*, perhaps with fewer decimals."""
    exponent = shown.as_tuple().exponent
    unit = Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(0)
    return abs(total - shown) <= unit / 2 if total != shown else True


def are_totals(cells: Sequence[str], rows: Iterable[Sequence[str]]) -> bool:
    """
    Return whether all that *cells* holds behind its first cell are sums or counts of *rows*.

    Args:
        rows: All records above, which are read once.
    """
    columns = {at: _Column() for at, cell in enumerate(cells) if at and cell.strip()}
    if any(all(number_in(cells[at], marks) is None for marks in _MARKS) for at in columns):
        return False
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007  # how many there were
        for at, column in columns.items():
            column.add(row[at] if at < len(row) else "")
    stated = _COUNT.search(cells[0])
    if stated and int(stated[1]) != count:
        return False
    is_proven = bool(stated) or any(number_in(cells[at], _MARKS[0]) for at in columns)
    return (
        is_proven
        and count >= _LEAST_SUMMANDS
        and all(column.has_total(cells[at], count) for at, column in columns.items())
    )
