"""Rows of totals and other statistics below a table: by their words, and by adding up columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

_TOTAL = re.compile(
    r"\s*(?:(?:grand|overall|report|sub)?[ -]?totals?|total (?:result|amount)|total (?:for|of) .+|"
    r"sum(?: total)?|total(?:e|es|er|i|sum|summa|t)?|totaux|total (?:général|general|geral)|"
    r"totale (?:generale|complessivo)|(?:eind|sub)?totaal|somme|soma|somma|suma(?: total)?|summa|"
    r"summe|endsumme|zwischensumme|gesamt(?:summe|ergebnis)?|insgesamt|yhteensä|i alt|razem|"
    r"suma końcowa|ogółem|celkem|celkový součet|spolu|összesen|végösszeg|ukupno|skupaj|"
    r"(?:genel )?toplam(?:lar)?|итого|всего|сумма|общий итог|разом|всього|сума|"
    r"загальний підсумок|(?:γενικό )?(?:σύνολο|άθροισμα)|合計|総計|小計|合计|总计|總計|"
    r"총?합계|총계|\*+|[Σ∑])\s*"
    r"(?:\(\d+\D*\))?\s*:?\s*",
    re.IGNORECASE,
)
# How these begin, folded.
TOTAL_BEGINS = (
    "grand", "overall", "report", "sub", "tot", "sum", "som", "gesamt", "genel", "ends", "eindt",
    "zwischen", "insg", "yhteen", "razem", "ogó", "celk", "spolu", "össz", "végö", "toplam",
    "ukupno", "skupaj", "i alt", "итого", "всего", "сум", "общий", "разом", "всього", "загал",
    "γενικ", "σύνολ", "άθροι", "合", "総", "小計", "总", "總", "합", "총", "*", "σ", "∑",
)  # fmt: skip
# The first letters alone settle nearly all lines, in a third of the time.
_FIRST_OF_TOTALS = "".join(sorted({word[0] for word in TOTAL_BEGINS}))
BEGINS_AS_TOTAL = re.compile(
    rf"\n(?=[{_FIRST_OF_TOTALS}\s])\s*(?:{'|'.join(map(re.escape, TOTAL_BEGINS))})"
)


def is_called_total(cell: str) -> bool:
    """Return whether *cell* is a word for a total, perhaps with a count: Grand Totals (5 rows)."""
    return _TOTAL.fullmatch(cell) is not None


_DECORATION = re.compile(r"[\s\u00a0\u202f\u2009'’]|[^\W\d_]{1,3}\b|[€$£¥₹%]")
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?|-?\.\d+", re.ASCII)
_COUNT = re.compile(r"\((\d+)")
_LEAST_SUMMANDS = 2  # of one number every copy is its sum

type Marks = tuple[str, str]  # decimal, thousands
NUMBER_MARKS: tuple[Marks, ...] = ((".", ","), (",", "."))


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
        self.sums: dict[Marks, Decimal] = dict.fromkeys(NUMBER_MARKS, Decimal(0))

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
        if any(number_in(cell, marks) in (self.filled, rows) for marks in NUMBER_MARKS):
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
    Return whether all that *cells* holds behind its first filled one are sums or counts of *rows*.

    Args:
        rows: All records above, which are read once.
    """
    begin = next((at for at, cell in enumerate(cells) if cell.strip()), 0)
    columns = {at: _Column() for at, cell in enumerate(cells) if at > begin and cell.strip()}
    if any(all(number_in(cells[at], marks) is None for marks in NUMBER_MARKS) for at in columns):
        return False
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007  # how many there were
        for at, column in columns.items():
            column.add(row[at] if at < len(row) else "")
    stated = _COUNT.search(cells[begin])
    if stated and int(stated[1]) != count:
        return False
    is_proven = bool(stated) or any(number_in(cells[at], NUMBER_MARKS[0]) for at in columns)
    return (
        is_proven
        and count >= _LEAST_SUMMANDS
        and all(column.has_total(cells[at], count) for at, column in columns.items())
    )
