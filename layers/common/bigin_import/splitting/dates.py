"""
Date patterns, as people write them in a mapping: "dd.MM.yyyy", "MM/dd/yyyy hh:mm a".

Letters: yyyy yy MMMM MMM MM M dd d HH H hh h mm m ss s SSS a; text in 'single quotes' and
everything that is no letter stands for itself. Where a digit cannot follow, MM means M: a person
who writes dd.MM.yyyy means 1.2.2024 too. Two-digit years are 1969 to 2068, as POSIX has it.
Month names are English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction
from functools import cache
from itertools import product

_TOKEN = re.compile(r"'[^']*'|([A-Za-z])\1*|.", re.DOTALL)
_GROUPS = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<short_year>\d{2})",
    "MMMM": r"(?P<month_name>[A-Za-z]{3,9})",
    "MMM": r"(?P<month_name>[A-Za-z]{3})\.?",
    "MM": r"(?P<month>\d{1,2})",
    "dd": r"(?P<day>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "hh": r"(?P<half_day_hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "SSS": r"(?:\d{1,9})",
    "a": r"(?P<half>[AaPp]\.?[Mm]\.?)",
}
_ALIASES = {"M": "MM", "d": "dd", "H": "HH", "h": "hh", "m": "mm", "s": "ss", "y": "yyyy"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PIVOT = 69  # POSIX: 69 to 99 are 1969 to 1999

_VALUES_TRIED_WITH_ALL = 1_000
_LEAST_SHARE = Fraction(80, 100)

_DATES = (
    "yyyy-MM-dd", "dd.MM.yyyy", "MM/dd/yyyy", "dd/MM/yyyy", "dd-MM-yyyy", "MM-dd-yyyy",
    "yyyy/MM/dd", "yyyy.MM.dd", "yyyyMMdd", "dd.MM.yy", "MM/dd/yy", "dd/MM/yy", "dd-MMM-yyyy",
    "dd MMM yyyy", "dd-MMM-yy", "MMM dd, yyyy", "MMMM dd, yyyy",
)  # fmt: skip
_TIMES = ("", " HH:mm:ss", " HH:mm", "'T'HH:mm:ss", " hh:mm a", " hh:mm:ss a", "'T'HH:mm:ss.SSS")


class DatePattern:
    """
    A pattern, ready to read cells.

    Raises:
        ValueError: A letter means nothing, or day, month or year is missing.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        tokens = [match[0] for match in _TOKEN.finditer(pattern)]
        self._regex = re.compile("".join(map(_group, tokens, [*tokens[1:], ""])), re.ASCII)
        names = self._regex.groupindex
        if not names.keys() & {"year", "short_year"} or "day" not in names:
            raise ValueError(f"format {pattern!r} has no year or no day")
        if not names.keys() & {"month", "month_name"}:
            raise ValueError(f"format {pattern!r} has no month; months are MM, minutes are mm")
        self._is_plain = set(names) == {"year", "month", "day"}

    def read(self, cell: str) -> datetime:
        """
        Return the moment that *cell* names; midnight if the pattern has no time.

        Raises:
            ValueError: *cell* is not written so, or there is no such day or time.
        """
        found = self._regex.fullmatch(cell.strip())
        if not found:
            raise ValueError("not written so")
        parts = found.groupdict()
        if self._is_plain:
            return datetime(int(parts["year"]), int(parts["month"]), int(parts["day"]))  # noqa: DTZ001  # a CSV's dates have no zone
        return datetime(  # noqa: DTZ001  # a CSV's dates have no zone
            _year(parts),
            _month(parts),
            int(parts["day"]),
            _hour(parts),
            int(parts.get("minute") or 0),
            int(parts.get("second") or 0),
        )

    def fits(self, cell: str) -> bool:
        """Return whether *cell* can be read."""
        try:
            self.read(cell)
        except ValueError:
            return False
        return True


def fitting_formats(values: Iterable[str]) -> tuple[str, ...]:
    """
    Return the usual patterns that fit every value; else those that fit the most.

    One mistyped date in a file must not leave a person without advice. What fits less than 80%
    is none. Empty cells fit anything, alone nothing. In one pass; beyond the first thousand
    values only patterns are tried that fitted half of those.
    """
    tried = list(_usual_patterns())
    fitted = dict.fromkeys(tried, 0)
    filled = 0
    for filled, value in enumerate(filter(str.strip, values), 1):
        for pattern in tried:
            fitted[pattern] += pattern.fits(value)
        if filled == _VALUES_TRIED_WITH_ALL:
            tried = [pattern for pattern in tried if 2 * fitted[pattern] >= filled]
    most = max(fitted.values())
    if not filled or most < _LEAST_SHARE * filled:
        return ()
    return tuple(pattern.pattern for pattern in fitted if fitted[pattern] == most)


@cache
def _usual_patterns() -> tuple[DatePattern, ...]:
    return tuple(DatePattern(day + time) for day, time in product(_DATES, _TIMES))


# Text in single quotes stands for itself.
_PIECE = re.compile(r"'[^']*'|([A-Za-z])\1*")
_MEANINGS = {
    "year": ("yyyy", "yy", "y"),
    "month": ("MMMM", "MMM", "MM", "M"),
    "day": ("dd", "d"),
    "hour": ("HH", "H", "hh", "h"),
    "minute": ("mm", "m"),
    "second": ("ss", "s"),
    "fraction of a second": ("SSS",),
    "half of the day": ("a",),
}
_MEANING = {letters: meaning for meaning, spellings in _MEANINGS.items() for letters in spellings}
_OFFSETS = frozenset("XxZzOV")
_OFFSET = (
    "an offset from UTC cannot be kept, since Bigin takes times without one, in the time zone of "
    "its user"
)
_HINTS = dict.fromkeys(_OFFSETS, _OFFSET) | {
    "Y": "the year is yyyy",
    "D": "the day is dd",
    "T": "write 'T' for a T as such",
}
# Letters that read the same wherever no digit follows them.
_ALIKE = {"y": "yyyy", "M": "MM", "d": "dd", "H": "HH", "h": "hh", "m": "mm", "s": "ss"}


def date_format_flaw(pattern: str) -> str | None:
    """Return why *pattern* cannot describe dates, or None if it can."""
    pieces = _pieces(pattern)
    for piece in pieces:
        if piece not in _MEANING:
            hint = _HINTS.get(piece[0])
            return f'"{piece}" has no meaning in it' + (f" ({hint})" if hint else "")
    named = Counter(_MEANING[piece] for piece in pieces)
    for meaning in ("year", "month", "day"):
        if meaning not in named:
            return f"it does not name the {meaning}"
    twice = [meaning for meaning, times in named.items() if times > 1]
    if twice:
        return f"it names the {twice[0]} twice"
    if {"hh", "h"} & set(pieces) and "a" not in pieces:
        return "hh is an hour of twelve and needs a for am or pm; HH is an hour of 24"
    return None


def date_format_remedy(pattern: str) -> str:
    """Return what to do about a flaw of *pattern*."""
    if any(piece[0] in _OFFSETS for piece in _pieces(pattern)):
        return (
            "Export the times without offsets, in the zone of Bigin's user; for a date field "
            "export the day alone"
        )
    return 'Write it like "dd.MM.yyyy"'


def has_time(pattern: str) -> bool:
    """Return whether *pattern* reads a time of day."""
    return any(_MEANING.get(piece) == "hour" for piece in _pieces(pattern))


def says_utc(pattern: str) -> bool:
    """Return whether every time that *pattern* reads ends in a Z, which stands for UTC."""
    return has_time(pattern) and re.search(r"'[^']*Z'\s*$", pattern) is not None


def same_dates(pattern: str, other: str) -> bool:
    """Return whether two patterns read the same dates: d.M.yyyy reads what dd.MM.yyyy does."""
    return _spelled_out(pattern) == _spelled_out(other)


def _spelled_out(pattern: str) -> str:
    return _PIECE.sub(lambda match: _ALIKE.get(match.group(), match.group()), pattern)


def _pieces(pattern: str) -> list[str]:
    found = (match.group() for match in _PIECE.finditer(pattern))
    return [piece for piece in found if not piece.startswith("'")]


def _group(token: str, following: str) -> str:
    if token.startswith("'") and token.endswith("'") and len(token) > 1:
        return re.escape(token[1:-1] or "'")
    name = _ALIASES.get(token, token)
    if name in _GROUPS:
        # yyyyMMdd: nothing ends the digits but their number
        is_packed = len(token) > 1 and following[:1].isalpha() and following[:1] != "a"
        return _GROUPS[name].replace("{1,2}", "{2}") if is_packed else _GROUPS[name]
    if token.isascii() and token.isalpha():
        raise ValueError(f"{token!r} means nothing in a format; write for example dd.MM.yyyy")
    return re.escape(token)


def _year(parts: dict[str, str | None]) -> int:
    if year := parts.get("year"):
        return int(year)
    short = int(parts["short_year"] or 0)
    return short + (1900 if short >= _PIVOT else 2000)


def _month(parts: dict[str, str | None]) -> int:
    if name := parts.get("month_name"):
        return _MONTHS.index(name[:3].lower()) + 1
    return int(parts["month"] or 0)


def _hour(parts: dict[str, str | None]) -> int:
    if (written := parts.get("half_day_hour")) is None:
        return int(parts.get("hour") or 0)
    hour = int(written)
    if not 1 <= hour <= 12:  # noqa: PLR2004  # a clock face
        raise ValueError("no such hour")
    is_afternoon = (parts.get("half") or "am")[0] in "Pp"
    return hour % 12 + (12 if is_afternoon else 0)
