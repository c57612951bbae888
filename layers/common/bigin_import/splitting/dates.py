"""
Date patterns, as people write them in a mapping: "dd.MM.yyyy", "MM/dd/yyyy hh:mm a".

Letters: yyyy yy MMMM MMM MM M dd d HH H hh h mm m ss s SSS a, and X, Z or z for an offset from
UTC however it is written; text in 'single quotes' and everything that is no letter stands for
itself, and Z, UTC, GMT or an offset such as +00:00 at the end for what it says. Where a digit
cannot follow, MM means M: a person who writes dd.MM.yyyy means 1.2.2024 too. Two-digit years are
1969 to 2068, as POSIX has it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from functools import cache
from itertools import product

_TOKEN = re.compile(r"'[^']*'|([A-Za-z])\1*|.", re.DOTALL)
_GROUPS = {
    "yyyy": r"(?P<year>\d{4})",
    "yy": r"(?P<short_year>\d{2})",
    "MMMM": r"(?P<month_name>(?u:[^\W\d_]){3,10})\.?",
    "MMM": r"(?P<month_name>(?u:[^\W\d_]){3,5})\.?",
    "MM": r"(?P<month>\d{1,2})",
    "dd": r"(?P<day>\d{1,2})(?i:st|nd|rd|th|er|º)?",
    "HH": r"(?P<hour>\d{1,2})",
    "hh": r"(?P<half_day_hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "SSS": r"(?:\d{1,9})",
    "a": r"(?P<half>[AaPp]\.?\s?[Mm]\.?)",
    "X": r"(?P<offset>(?:UTC|GMT)?(?:[+-]\d{2}(?::?\d{2})?)|Z|UTC|GMT)",
}
_OFFSETS = frozenset("XxZzO")
_FIXED_OFFSET = re.compile(r"((?<![A-Za-z])(?:Z|UTC|GMT)|[+-]\d\d:?\d\d)\)?'?\s*$")
_NAMED_ZONE = re.compile(r"'\s*\(?([A-Z]{3,5})\)?\s*'\s*$")
_ALIASES = {"M": "MM", "d": "dd", "H": "HH", "h": "hh", "m": "mm", "s": "ss", "y": "yyyy"}
# In English, German, French, Spanish, Italian, Portuguese and Dutch; no word means two months.
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan january januar jän jänner janv janvier ene enero gen gennaio janeiro januari",
            "feb february februar fév févr février febrero febbraio fev fevereiro februari",
            "mar march mär märz mrz mars marzo março maart mrt",
            "apr april avr avril abr abril aprile",
            "may mai mayo mag maggio maio mei",
            "jun june juni juin junio giu giugno junho",
            "jul july juli juil juillet julio lug luglio julho",
            "aug august août aou ago agosto augustus",
            "sep sept september septembre septiembre set settembre setembro",
            "oct october okt oktober octobre octubre ott ottobre out outubro",
            "nov november novembre noviembre novembro",
            "dec december dez dezember déc décembre dic diciembre dicembre dezembro",
        ),
        1,
    )
    for word in words.split()
}
_PIVOT = 69  # POSIX: 69 to 99 are 1969 to 1999

_VALUES_TRIED_WITH_ALL = 1_000
_LEAST_SHARE = Fraction(80, 100)

_DATES = (
    "yyyy-MM-dd", "dd.MM.yyyy", "MM/dd/yyyy", "dd/MM/yyyy", "dd-MM-yyyy", "MM-dd-yyyy",
    "yyyy/MM/dd", "yyyy.MM.dd", "yyyyMMdd", "dd.MM.yy", "MM/dd/yy", "dd/MM/yy", "dd-MMM-yyyy",
    "dd MMM yyyy", "dd-MMM-yy", "MMM dd, yyyy", "MMMM dd, yyyy",
)  # fmt: skip
_TIMES = (
    "", " HH:mm:ss", " HH:mm", "'T'HH:mm:ss", " hh:mm a", " hh:mm:ss a", "'T'HH:mm:ss.SSS",
    " HH:mm:ss XX", "'T'HH:mm:ssXXX", "'T'HH:mm:ss.SSSXXX",
)  # fmt: skip


class DatePattern:
    """
    A pattern, ready to read cells.

    Raises:
        ValueError: A letter means nothing, or day, month or year is missing.
    """

    def __init__(self, pattern: str, *, century: str | None = None, arrived: str = "") -> None:
        self.pattern = pattern
        self._century = century
        self._latest = date.fromisoformat(arrived) if arrived else date.max
        tokens = [match[0] for match in _TOKEN.finditer(pattern)]
        self._regex = re.compile("".join(map(_group, tokens, [*tokens[1:], ""])), re.ASCII)
        names = self._regex.groupindex
        if not names.keys() & {"year", "short_year"} or "day" not in names:
            raise ValueError(f"format {pattern!r} has no year or no day")
        if not names.keys() & {"month", "month_name"}:
            raise ValueError(f"format {pattern!r} has no month; months are MM, minutes are mm")
        self._is_plain = set(names) == {"year", "month", "day"}
        self._fixed_offset = None if "offset" in names else fixed_offset(pattern)
        self.has_offset = "offset" in names or self._fixed_offset is not None
        self.has_short_year = "short_year" in names

    def read(self, cell: str, zone: tzinfo | None = None) -> datetime:
        """
        Return the moment that *cell* names; midnight if the pattern has no time.

        Args:
            zone: Where a moment with an offset is to be told; None for the time as written.

        Raises:
            ValueError: *cell* is not written so, or there is no such day or time.
        """
        found = self._regex.fullmatch(cell.strip())
        if not found:
            raise ValueError("not written so")
        if self._is_plain:
            year, month, day = map(int, found.group("year", "month", "day"))
            return datetime(year, month, day)  # noqa: DTZ001  # a CSV's dates have no zone
        parts = found.groupdict()
        moment = datetime(  # noqa: DTZ001  # a CSV's dates have no zone
            self._year(parts),
            _month(parts),
            int(parts["day"]),
            _hour(parts),
            int(parts.get("minute") or 0),
            int(parts.get("second") or 0),
        )
        if zone is None or not self.has_offset:
            return moment
        offset = timezone(_offset(parts.get("offset") or self._fixed_offset or "Z"))
        return moment.replace(tzinfo=offset).astimezone(zone).replace(tzinfo=None)

    def _year(self, parts: dict[str, str | None]) -> int:
        if year := parts.get("year"):
            return int(year)
        short = int(parts["short_year"] or 0)
        if self._century == "past":
            latest = self._latest.year // 100 * 100 + short
            month_and_day = (_month(parts), int(parts["day"] or 0))
            is_past = (latest, *month_and_day) <= self._latest.timetuple()[:3]
            return latest if is_past else latest - 100
        if self._century:
            return int(self._century) * 100 + short
        return short + (1900 if short >= _PIVOT else 2000)

    def is_future(self, moment: datetime) -> bool:
        """Return whether *moment* is after the day of the drop's arrival."""
        return moment.date() > self._latest

    def fits(self, cell: str) -> bool:
        """Return whether *cell* can be read."""
        try:
            self.read(cell)
        except ValueError:
            return False
        return True


def day_of(seconds: int) -> str:
    """Return the day, as in 2026-12-31, of a time in seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


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
    "offset from UTC": tuple(letter * times for letter in "XxZzO" for times in range(1, 6)),
}
_MEANING = {letters: meaning for meaning, spellings in _MEANINGS.items() for letters in spellings}
_HINTS = {
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
    is_timed = any(piece[0] in "HhV" for piece in _pieces(pattern))
    return f'Write it like "{"yyyy-MM-dd HH:mm:ss XXX" if is_timed else "dd.MM.yyyy"}"'


def has_time(pattern: str) -> bool:
    """Return whether *pattern* reads a time of day."""
    return any(_MEANING.get(piece) == "hour" for piece in _pieces(pattern))


def fixed_offset(pattern: str) -> str | None:
    """Return the offset from UTC, or what stands for UTC, in which all times of *pattern* end."""
    is_literal = pattern.rstrip().endswith("'") or pattern.rstrip()[-1:].isdigit()
    found = _FIXED_OFFSET.search(pattern) if is_literal and has_time(pattern) else None
    return found[1] if found else None


def named_zone(pattern: str) -> str | None:
    """Return the name, such as EST, in which all times of *pattern* end and that is no offset."""
    found = _NAMED_ZONE.search(pattern)
    return found[1] if found and has_time(pattern) and not has_offset(pattern) else None


def has_offset(pattern: str) -> bool:
    """Return whether times that *pattern* reads say how far from UTC they are."""
    return fixed_offset(pattern) is not None or any(
        piece[0] in _OFFSETS for piece in _pieces(pattern)
    )


def has_short_year(pattern: str) -> bool:
    """Return whether *pattern* reads years of two digits."""
    return "yy" in _pieces(pattern)


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
    name = "X" if token[0] in _OFFSETS else _ALIASES.get(token, token)
    if name in _GROUPS:
        # yyyyMMdd: nothing ends the digits but their number
        is_packed = len(token) > 1 and following[:1].isalpha() and following[:1] != "a"
        return _GROUPS[name].replace("{1,2}", "{2}") if is_packed else _GROUPS[name]
    if token.isascii() and token.isalpha():
        raise ValueError(f"{token!r} means nothing in a format; write for example dd.MM.yyyy")
    return re.escape(token)


def _offset(written: str) -> timedelta:
    digits = written.removeprefix("UTC").removeprefix("GMT").replace(":", "").replace("Z", "")
    if not digits:
        return timedelta()
    hours, minutes = int(digits[1:3]), int(digits[3:5] or 0)
    return timedelta(hours=hours, minutes=minutes) * (-1 if digits[0] == "-" else 1)


def month_number(word: str) -> int | None:
    """Return which month *word* is the name of, or short for."""
    return _MONTHS.get(unicodedata.normalize("NFC", word.casefold()))


def _month(parts: dict[str, str | None]) -> int:
    if name := parts.get("month_name"):
        if not (month := month_number(name)):
            raise ValueError("no such month")
        return month
    return int(parts["month"] or 0)


def _hour(parts: dict[str, str | None]) -> int:
    if (written := parts.get("half_day_hour")) is None:
        return int(parts.get("hour") or 0)
    hour = int(written)
    if not 1 <= hour <= 12:  # noqa: PLR2004  # a clock face
        raise ValueError("no such hour")
    is_afternoon = (parts.get("half") or "am")[0] in "Pp"
    return hour % 12 + (12 if is_afternoon else 0)
