"""Date patterns in Java's letters, as Bigin's `format` takes them."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

from tests.bigin_twin.answers import RefusedError

_DIRECTIVES = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%m",
    "dd": "%d",
    "d": "%d",
    "HH": "%H",
    "H": "%H",
    "hh": "%I",
    "h": "%I",
    "mm": "%M",
    "ss": "%S",
    "a": "%p",
    "XXX": "%z",
    "Z": "%z",
}
_TOKEN = re.compile(r"'(?P<quoted>[^']*)'|(?P<letters>([A-Za-z])\3*)|(?P<mark>.)", re.DOTALL)


@lru_cache(maxsize=256)
def directives(pattern: str) -> str:
    """
    Translate a pattern such as "yyyy-MM-dd" for strptime.

    Raises:
        RefusedError: INVALID_FORMAT, if a letter means nothing or there is no day in it.
    """
    translated = "".join(_directive(token, pattern) for token in _TOKEN.finditer(pattern))
    if not all(part in translated for part in ("%d", "%m")) and "%b" not in translated.lower():
        raise RefusedError("INVALID_FORMAT", f"invalid date format {pattern}")
    return translated


def _directive(token: re.Match[str], pattern: str) -> str:
    if (letters := token["letters"]) is None:
        return (token["quoted"] or token["mark"] or "").replace("%", "%%")
    if letters not in _DIRECTIVES:
        raise RefusedError("INVALID_FORMAT", f"invalid date format {pattern}")
    return _DIRECTIVES[letters]


@lru_cache(maxsize=65_536)
def parse_date(text: str, pattern: str) -> date:
    """Parse a date; ValueError if *text* does not fit *pattern*."""
    return datetime.strptime(text, directives(pattern)).date()  # noqa: DTZ007 - a day has no zone


@lru_cache(maxsize=65_536)
def parse_datetime(text: str, pattern: str) -> datetime:
    """Parse a datetime, in the user's zone if it names none; ValueError if it does not fit."""
    return datetime.strptime(text, directives(pattern))  # noqa: DTZ007
