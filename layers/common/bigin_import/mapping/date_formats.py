"""Date formats as Bigin writes them: the letters that we can read, and what makes one complete."""

from __future__ import annotations

import re

# What Bigin gets, whatever the drop has.
SENT_DATE = "yyyy-MM-dd"
SENT_DATETIME = "yyyy-MM-dd HH:mm:ss"

_LETTERS = re.compile(r"([A-Za-z])\1*")
_YEAR, _MONTH, _DAY = {"yyyy", "yy"}, {"MMMM", "MMM", "MM", "M"}, {"dd", "d"}
_HOUR, _REST = {"HH", "H", "hh", "h"}, {"mm", "m", "ss", "s", "SSS", "a", "T", "Z"}


def date_format_flaw(pattern: str) -> str | None:
    """Return why *pattern* cannot describe dates, or None if it can."""
    pieces = [match.group() for match in _LETTERS.finditer(pattern)]
    for piece in pieces:
        if piece not in _YEAR | _MONTH | _DAY | _HOUR | _REST:
            return f'"{piece}" has no meaning in it' + _hint(piece)
    for meaning, spellings in (("year", _YEAR), ("month", _MONTH), ("day", _DAY)):
        if sum(piece in spellings for piece in pieces) != 1:
            return f"it must name the {meaning} once"
    return None


def has_time(pattern: str) -> bool:
    """Tell whether *pattern* reads a time of day."""
    return any(match.group() in _HOUR for match in _LETTERS.finditer(pattern))


def _hint(piece: str) -> str:
    hints = {"Y": " (the year is yyyy)", "D": " (the day is dd)"}
    return hints.get(piece[0], "")
