"""Columns of a corrected result file that a spreadsheet has changed, and not a person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import permutations

from bigin_import.splitting.dates import month_number

type Row = tuple[int, Sequence[str], Sequence[str | None]]
"""Number of a row, its cells, and for each what it was in the parent, None if that is unknown."""
type Order = tuple[int, ...]


class Damage(StrEnum):
    """What was done to cells, in words that follow "A spreadsheet has"."""

    POWERS = "turned long numbers into powers of ten"
    ROUNDED = "rounded long numbers"
    ZEROS = "removed leading zeros"
    PLUS = "removed the plus sign of numbers"
    TURNED = "turned numbers into dates"
    DATES = "rewritten dates"
    TIMES = "rewritten times"
    TRAILING = "removed trailing zeros"
    NUMBERS = "rewritten numbers"
    FORMULAS = "calculated formulas"
    TWICE = "decoded text twice"
    LOST = "replaced characters that its encoding lacks"
    LINES = "rewritten line ends"


_POWER = re.compile(r"[+-]?\d([.,]\d+)?E\+\d{2,3}", re.IGNORECASE)
_LEADING_ZEROS = re.compile(r"0+(?=\d)")
_TRAILING_ZEROS = re.compile(r"(?<=[.,]\d)0+$|[.,]0+$|(?<=[1-9])0+$(?<=[.,]\d)")
_NUMBER = re.compile(r"\+?\d+([.,]\d+)?", re.ASCII)
_DATE = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}", re.ASCII)
_LIKE_A_DATE = re.compile(r"\d{1,4}[-./]\d{1,4}", re.ASCII)
_CLOCK = re.compile(
    r"[ T,]+(\d{1,2}):(\d{2})(:\d{2}([.,]\d+)?)?( ?[AP]\.?M\.?)?(Z|[+-]\d{2}:?\d{2})?$",
    re.IGNORECASE | re.ASCII,
)
# What a person adds to day and month, to make it a date.
_COMPLETED = re.compile(r"[-./]?[ ]?(?:19|20)\d\d", re.ASCII)
_WRITTEN_NUMBER = re.compile(
    r"-?\d+(?:[.,]\d+)*(?:E[+-]\d{2,3})?[ \u00a0]?%?|[€$£¥]-?\d+(?:[.,]\d+)*", re.ASCII
)
_AROUND_NUMBERS = re.compile(r"[\s\u00a0\u202f'’€$£¥%+]")
_DAY_AND_MONTH_SIGNS = frozenset("年月日년월일")
_MONTHS, _DAYS = 12, 31
_EXACT_DIGITS = 15  # a spreadsheet keeps no more of a number


def damage_of(cell: str, original: str | None) -> Damage | None:
    """
    Return what a spreadsheet has made of *original*, if that is what became *cell*.

    Args:
        original: None if it is not known; then a power of ten is the one thing that shows.
    """
    if _POWER.fullmatch(cell) and cell != original:
        is_same = original is None or _is_same_number(cell, original)
        return Damage.POWERS if is_same else None
    if original is None or cell == original:
        return None
    if text := _of_text(cell, original):
        return text
    if original.startswith("=") and not cell.startswith("="):
        return Damage.FORMULAS
    found = _of_number(cell, original) if _NUMBER.fullmatch(original) else None
    return found or _of_date(cell, original) or _of_notation(cell, original)


def _of_notation(cell: str, original: str) -> Damage | None:
    """Return whether *cell* is the number or time that *original* is, in other notation."""
    if _WRITTEN_NUMBER.fullmatch(cell) and _numbers(cell) & _numbers(original):
        return Damage.NUMBERS
    after, before = _CLOCK.fullmatch(f" {cell}"), _CLOCK.fullmatch(f" {original}")
    if after and before and _split(f" {cell}")[1] == _split(f" {original}")[1]:
        return Damage.TIMES
    return None


def _numbers(text: str) -> set[Decimal]:
    """Return what number *text* is, with a decimal point and with a decimal comma."""
    is_negative = text.startswith("(") or text.endswith("-")
    bare = _AROUND_NUMBERS.sub("", text.strip("()-"))
    found = set()
    for decimal, thousands in (".,", ",."):
        digits = bare.replace(thousands, "").replace(decimal, ".")
        with suppress(InvalidOperation):
            number = Decimal(digits)
            found |= {-number if is_negative or text.startswith("-") else number}
    return found if any(map(str.isdecimal, bare)) and "_" not in bare else set()


def _is_same_number(power: str, original: str) -> bool:
    """Return whether *power* has the digits of *original*, as many as it shows."""
    if not _NUMBER.fullmatch(original):
        return bool(_numbers(power) & _numbers(original))
    shown, whole = Decimal(power.replace(",", ".")), Decimal(original.replace(",", "."))
    return Decimal(f"{whole:.{len(shown.as_tuple().digits) - 1}E}") == shown


def _of_text(cell: str, original: str) -> Damage | None:
    if cell == original.replace("\r\n", "\n").replace("\r", "\n"):
        return Damage.LINES
    if original.isascii():
        return None
    if cell == _decoded_twice(original):
        return Damage.TWICE
    pairs = zip(cell, original, strict=False)
    is_lost = len(cell) == len(original) and all(
        ours == before or (ours == "?" and not before.isascii()) for ours, before in pairs
    )
    return Damage.LOST if is_lost else None


def _decoded_twice(text: str) -> str:
    return text.encode(errors="replace").decode("windows-1252", errors="replace")


def _is_in_windows_1252(text: str) -> bool:
    try:
        text.encode("windows-1252")
    except UnicodeEncodeError:
        return False
    return True


def endangers(cell: str) -> Iterator[Damage]:
    """Yield what a spreadsheet would have done to *cell*, were it not left as it was."""
    if _NUMBER.fullmatch(cell):
        if cell.startswith("+"):
            yield Damage.PLUS
        elif _LEADING_ZEROS.match(cell):
            yield Damage.ZEROS
        if _TRAILING_ZEROS.search(cell):
            yield Damage.TRAILING
    if not cell.isascii():
        yield Damage.TWICE
        if not _is_in_windows_1252(cell):
            yield Damage.LOST
    if _may_be_a_day(cell):
        yield Damage.TURNED
    if _DATE.fullmatch(_split(cell)[0]):
        yield Damage.DATES


def _of_number(cell: str, original: str) -> Damage | None:
    digits = original.removeprefix("+")
    bare = _LEADING_ZEROS.sub("", digits, count=1) if _LEADING_ZEROS.match(digits) else digits
    if cell == bare:
        return Damage.PLUS if original.startswith("+") else Damage.ZEROS
    if cell == _TRAILING_ZEROS.sub("", bare):
        return Damage.TRAILING
    rounded = bare[:_EXACT_DIGITS].ljust(len(bare), "0")
    return Damage.ROUNDED if len(bare) > _EXACT_DIGITS and cell == rounded else None


def _of_date(cell: str, original: str) -> Damage | None:
    before, clock_before = _split(original)
    after, clock_after = _split(cell)
    if any(map(str.isalpha, before)) and (numbers := _with_months(before)):
        is_whole = len(numbers) == len(_days(after)) and len(numbers) > 2  # noqa: PLR2004
        if _DATE.fullmatch(after) is None or Counter(numbers) - Counter(_days(after)):
            return None
        return Damage.DATES if is_whole else Damage.TURNED
    if _LIKE_A_DATE.fullmatch(original):
        is_turned = _names_its_month(after, before) or _has_a_year_more(after, before)
        return Damage.TURNED if is_turned else None
    if not _DATE.fullmatch(before) or not _is_same_time(clock_after, clock_before):
        return None
    if _names_its_month(after, before):
        return Damage.DATES
    is_date = _DATE.fullmatch(after) is not None and _days(after) == _days(before)
    return Damage.DATES if is_date and _notation(cell) != _notation(original) else None


def _split(text: str) -> tuple[str, tuple[int, int] | None]:
    """Return the date in *text* and its time: hours, of a clock with twelve, and minutes."""
    clock = _CLOCK.search(text)
    if clock is None:
        return text, None
    return text[: clock.start()], (int(clock[1]) % 12, int(clock[2]))


def _is_same_time(after: tuple[int, int] | None, before: tuple[int, int] | None) -> bool:
    """Return whether a time is the same; that of midnight may be gone, or have come."""
    return (after or (0, 0)) == (before or (0, 0))


def _names_its_month(after: str, before: str) -> bool:
    """
    Return whether a word, in whatever language, stands for one number of *before*.

    Chinese, Japanese and Korean spreadsheets put a sign behind each number instead.
    """
    letters = set(filter(str.isalpha, after))
    if not letters:
        return False
    lost = 0 if letters <= _DAY_AND_MONTH_SIGNS else 1
    left, all_numbers = _days(after), _days(before)
    return len(left) == len(all_numbers) - lost > 0 and set(left) <= set(all_numbers)


def _has_a_year_more(after: str, before: str) -> bool:
    """Return whether *after* is a date of the numbers in *before* and one more."""
    if _DATE.fullmatch(after) is None or _COMPLETED.fullmatch(after.removeprefix(before)):
        return False
    return not Counter(_days(before)) - Counter(_days(after))


def _with_months(text: str) -> list[int]:
    """Return the numbers of a date in words, the month's among them; none if it is none."""
    words = re.findall(r"[^\W\d_]+", text)
    months = [month for word in words if (month := month_number(word))]
    return sorted([*_days(text), *months]) if len(months) == len(words) == 1 else []


def _may_be_a_day(text: str) -> bool:
    """Return whether a spreadsheet takes *text* for day and month, or month and year."""
    if not _LIKE_A_DATE.fullmatch(text):
        return False
    one, other = (int(number) for number in re.split(r"[-./]", text))
    return 1 <= min(one, other) <= _MONTHS and (max(one, other) <= _DAYS or one <= _MONTHS)


def _notation(date: str) -> str:
    return re.sub(r"\d", "9", date)


def _days(date: str) -> list[int]:
    """Return day, month and two-digit year in no order: what every notation of a date keeps."""
    return sorted(int(number) % 100 for number in re.findall(r"\d+", date, re.ASCII))


# One rewritten date alone is a correction; of other damage one cell is enough.
_LEAST_ROWS = {Damage.DATES: 2}
# A number that was rounded or shortened is lost, however many others are whole.
_ALWAYS_LOST = (Damage.POWERS, Damage.ROUNDED)
_CLEARLY_MORE = 2  # times as many damaged cells as cells that a spreadsheet would have changed


@dataclass(slots=True)
class _Seen:
    """Damage of one kind in one column; *unharmed*: cells of the kind that were left alone."""

    damaged: int = 0
    unharmed: int = 0

    def is_certain(self, damage: Damage) -> bool:
        enough = self.damaged >= _LEAST_ROWS.get(damage, 1)
        unharmed = 0 if damage in _ALWAYS_LOST else self.unharmed
        return enough and self.damaged > _CLEARLY_MORE * unharmed

    @property
    def is_left_alone(self) -> bool:
        """Whether clearly more cells of the kind are as they were: a person changed the others."""
        return self.unharmed > _CLEARLY_MORE * self.damaged


@dataclass(slots=True)
class _Column:
    """What was seen in one column, for dates by the mark between their numbers."""

    seen: dict[tuple[Damage, str], _Seen] = field(default_factory=dict)

    def look_at(self, cell: str, original: str | None) -> None:
        damage = damage_of(cell, original)
        if damage is not None and original is not None:
            self.seen.setdefault(_kind(damage, original), _Seen()).damaged += 1
        elif cell == original:
            for each in endangers(cell):
                self.seen.setdefault(_kind(each, cell), _Seen()).unharmed += 1


def _kind(damage: Damage, original: str) -> tuple[Damage, str]:
    """Return what is counted together: a spreadsheet may know 1/2 for a date, and 1-2 not."""
    mark = re.search(r"[-./]", original) if damage in (Damage.TURNED, Damage.DATES) else None
    return damage, mark[0] if mark else ""


class DamagedColumns:
    """
    Finds columns that a spreadsheet has visibly changed.

    A spreadsheet changes all cells of a kind, and a person may have typed some of them again;
    where more than a few were left alone, the others were corrected by a person.

    Args:
        header: Of the dropped file, without our columns.
    """

    def __init__(self, header: Sequence[str]) -> None:
        self._columns = [_Column() for _ in header]
        self._orders: list[Counter[Order]] = [Counter() for _ in header]

    def look_at(self, rows: Iterable[Row]) -> None:
        """Take some rows, in any order."""
        for _, cells, originals in rows:
            pairs = zip(cells, originals, strict=False)
            for at, (cell, original) in enumerate(pairs):
                ours, before = cell.strip(), None if original is None else original.strip()
                self._columns[at].look_at(ours, before)
                if before is not None and damage_of(ours, before) is Damage.DATES:
                    self._orders[at].update(_orders(ours, before))

    def restored(self, at: int, cell: str, original: str | None) -> str | None:
        """Return what a spreadsheet has rewritten, as it was; None for any other cell."""
        if original is None or cell == original:
            return None
        damage = damage_of(cell.strip(), original.strip())
        if damage is None:
            return None
        seen = self._columns[at].seen.get(_kind(damage, original.strip()))
        if seen is None or not seen.is_certain(damage):
            return None
        if damage is Damage.DATES and not self._is_in_order(at, cell.strip(), original.strip()):
            return None
        return original

    def is_ambiguous(self, at: int, cell: str, original: str | None) -> bool:
        """Return whether a cell that is not restored may be a correction as well as damage."""
        damage = damage_of(cell.strip(), None if original is None else original.strip())
        if damage is None or original is None:
            return damage is not None  # a power of ten of which nobody knows what it was
        seen = self._columns[at].seen.get(_kind(damage, original.strip()))
        return seen is None or not seen.is_left_alone

    def _is_in_order(self, at: int, cell: str, original: str) -> bool:
        """Return whether day and month stand as in most of the column's rewritten dates."""
        orders = _orders(cell, original)
        if not orders:
            return True  # the month is a word
        (usual, _), *_ = self._orders[at].most_common(1)
        return usual in orders


def _orders(cell: str, original: str) -> list[Order]:
    """Return in which orders the numbers of *original* may stand in *cell*; none if not all do."""
    after, before = (
        [int(number) % 100 for number in re.findall(r"\d+", _split(text)[0], re.ASCII)]
        for text in (cell, original)
    )
    if len(after) != len(before):
        return []
    places = permutations(range(len(before)))
    return [order for order in places if [before[at] for at in order] == after]
