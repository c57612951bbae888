"""Figures as people read them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bigin_import.domain.row_result import Counts

_MINUTE, _HOUR = 60, 3600
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", ":": "colon"}
_WORDS = {
    "added": "added",
    "updated": "updated",
    "existing": "existing in Bigin before",
    "refused": "refused by Bigin",
    "invalid": "invalid, not sent",
    "unprocessed": "unprocessed",
    "unclear": "unclear",
    "left_out": "left out, as no data",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One colour of the bar: rows with one status."""

    status: str
    words: str
    rows: int
    percent: float


def balance(counts: Counts) -> tuple[Share, ...]:
    """Split all rows by their status; those that no row has are left out."""
    return tuple(
        Share(status, words, rows, 100 * rows / counts.total)
        for status, words in _WORDS.items()
        if (rows := getattr(counts, status))
    )


def number(value: int) -> str:
    return f"{value:,}"


def rows(value: int) -> str:
    """Return "1 row" or "2 rows"."""
    return f"{value:,} row" + ("" if value == 1 else "s")


def span(first: int, last: int) -> str:
    """Return "row 2" or "rows 2 to 25001"."""
    return f"row {first}" if first == last else f"rows {first} to {last}"


def duration(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE} min {seconds % _MINUTE} s"
    return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE} min"


def moment(seconds: int) -> str:
    """Return a time since the epoch as date and time in UTC."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def delimiter_name(delimiter: str) -> str:
    return _DELIMITERS.get(delimiter, delimiter)


def sentence(text: str) -> str:
    """Return *text* with a full stop, if it has no end of its own."""
    return text if text.endswith((".", "?", "!")) else f"{text}."
