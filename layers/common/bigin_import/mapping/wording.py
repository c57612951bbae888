"""What pydantic found wrong with a mapping, in words for the person who wrote it."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from bigin_import.mapping.names import nearest
from bigin_import.mapping.written import Entry, WrittenMapping

_TYPES = {
    "string_type": ("text in quotes", 'Write it in quotes: "..."'),
    "bool_type": ("true or false", "Write true or false, without quotes"),
    "int_type": ("a whole number", "Write it without quotes and without a fraction"),
    "list_type": ("a list", "Write it in [ ]"),
    "dict_type": ("an object", "Write it in { }"),
    "model_type": ("an object", "Write it in { }"),
}
_JSON_TYPES = {bool: "true or false", int: "a number", float: "a number", str: "text"}
_JSON_TYPES |= {list: "a list", dict: "an object", type(None): "null"}
_LIMITS = {
    "greater_than_equal": ("columns are counted from 0", "Write 0 for the first column"),
    "string_too_short": ("it is empty", "Write a name, or leave the key out"),
}
_KEYS = {
    "field_mappings": tuple(Entry.model_fields),
    "default_value": ("value",),
    "": tuple(name for name in WrittenMapping.model_fields if name != "schema_"),
}


class Said(NamedTuple):
    """
    A mistake in words.

    Attributes:
        what, remedy: As in a `Problem`.
        meant: The key or the value that was most likely meant, if there is one.
    """

    what: str
    remedy: str
    meant: str | None = None


def in_words(error: ErrorDetails) -> Said:
    """Return what is wrong and what to do about it."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "refused":
        return Said(context["what"], context["remedy"], context["meant"])
    if kind == "extra_forbidden":
        return _unknown_key(error["loc"])
    if kind == "literal_error":
        return _not_one_of(error["input"], context)
    if kind in _LIMITS:
        return Said(*_LIMITS[kind])
    wanted, remedy = _TYPES[kind]
    return Said(f"this must be {wanted}, not {_JSON_TYPES[type(error['input'])]}", remedy)


def _unknown_key(path: tuple[int | str, ...]) -> Said:
    key = str(path[-1])
    parent = next((step for step in path[-2::-1] if isinstance(step, str)), "")
    known = _KEYS[parent] if len(path) > 1 else _KEYS[""]
    what = f'"{key}" is not a known key'
    if meant := nearest(key, known):
        return Said(what, f'Did you mean "{meant}"?', meant)
    return Said(what, f"Remove it; known are {', '.join(known)}")


def _not_one_of(found: object, context: AnyMapping[str, Any]) -> Said:
    expected = context["expected"]
    if not isinstance(found, str):
        what = f"this must be {expected}, not {_JSON_TYPES[type(found)]}"
        return Said(what, "Write one of these")
    meant = nearest(found, expected.replace("'", "").replace(" or ", ", ").split(", "))
    remedy = f'Did you mean "{meant}"?' if meant else "Write one of these"
    return Said(f'"{found}" is not one of {expected}', remedy, meant)
