"""Date formats as people write them: which letters have a meaning, and what a format must name."""

from __future__ import annotations

import re
from collections import Counter

# What Bigin is told, whatever the drop has.
SENT_DATE = "yyyy-MM-dd"
SENT_DATETIME = "yyyy-MM-dd HH:mm:ss"

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
    """Tell whether *pattern* reads a time of day."""
    return any(_MEANING.get(piece) == "hour" for piece in _pieces(pattern))


def says_utc(pattern: str) -> bool:
    """Tell whether every time that *pattern* reads ends in a Z, which stands for UTC."""
    return has_time(pattern) and re.search(r"'[^']*Z'\s*$", pattern) is not None


def same_dates(pattern: str, other: str) -> bool:
    """Tell whether two patterns read the same dates: d.M.yyyy reads what dd.MM.yyyy does."""
    return _spelled_out(pattern) == _spelled_out(other)


def _spelled_out(pattern: str) -> str:
    return _PIECE.sub(lambda match: _ALIKE.get(match.group(), match.group()), pattern)


def _pieces(pattern: str) -> list[str]:
    found = (match.group() for match in _PIECE.finditer(pattern))
    return [piece for piece in found if not piece.startswith("'")]
