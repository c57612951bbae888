"""Reading JSON that may lack anything: what is not there, or of another type, is None."""

from __future__ import annotations

type Json = dict[str, object]

MAX_DIGITS = 18  # Python refuses to read a number of thousands; no count has that many


def object_of(value: object) -> Json:
    """Return an object; an empty one instead of anything else."""
    return value if isinstance(value, dict) else {}


def first_of(value: object) -> Json:
    """Return the first object of a list."""
    return object_of(value[0]) if isinstance(value, list) and value else {}


def text_of(value: object) -> str | None:
    """Return a text or a number as text; empty is None."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if (isinstance(value, str) and value) or is_number else None


def count_of(value: object) -> int | None:
    text = text_of(value)
    is_number = text and text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS
    return int(text) if text and is_number else None


def truth_of(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
