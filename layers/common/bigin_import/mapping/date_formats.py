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
_HINTS = {"Y": "the year is yyyy", "D": "the day is dd", "T": "write 'T' for a T as such"}


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


def has_time(pattern: str) -> bool:
    """Tell whether *pattern* reads a time of day."""
    return any(_MEANING.get(piece) == "hour" for piece in _pieces(pattern))


def _pieces(pattern: str) -> list[str]:
    found = (match.group() for match in _PIECE.finditer(pattern))
    return [piece for piece in found if not piece.startswith("'")]
