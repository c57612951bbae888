"""Which values fit which field, by the field's data type, length and picklist."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from bigin_import.domain.plan import PlannedColumn


class FieldType(NamedTuple):
    """
    How values are compared with a field. Empty values fit any field and are not asked about.

    Attributes:
        one: Whether one value fits.
        every: Whether all of some values do; much faster than asking for each.
        remedy: What to do if they do not.
    """

    one: Callable[[str], bool]
    every: Callable[[list[str]], bool]
    remedy: str


_CHECK_MAPPING = "Check in the mapping that this column belongs to this field"
_STATE_FORMAT = 'Write the "format" of the file in the mapping'
_STATE_MARKS = 'For decimal commas write "decimal" in the mapping, for thousands marks "thousands"'
_STATE_VALUES = 'Bigin reads true and false; for other words write "values" in the mapping'

_DECIMAL = r"[+-]?(?:\d{1,16}(?:\.\d*)?|\.\d+)"
_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d:\d\d(?:[+-]\d\d:\d\d|Z)?"
_MAIL = r"[^@\s\u00a0\u200b-\u200d\u2060\ufeff]+"
# Ids that Bigin shows have 18 or 19 digits. Shorter numbers are of another system, such as 4711.
_ID = r"\d{15,20}"

# Sizes: the value formats of Zoho's bulk write (integer 9 digits, currency 16).
_TYPES = {
    "id": (_ID, _CHECK_MAPPING),
    "lookup": (_ID, 'To find parents by another field than their id, write its "find_by"'),
    "ownerlookup": (rf"{_ID}|{_MAIL}@{_MAIL}", "An owner is the id or the e-mail of a user"),
    "integer": (r"[+-]?\d{1,9}", _STATE_MARKS),
    "bigint": (r"[+-]?\d{1,19}", _STATE_MARKS),
    "double": (_DECIMAL, _STATE_MARKS),
    "decimal": (_DECIMAL, _STATE_MARKS),
    "currency": (_DECIMAL, _STATE_MARKS),
    "percent": (_DECIMAL + "%?", _STATE_MARKS),
    "boolean": ("(?i:true|false)", _STATE_VALUES),
    "date": (_DATE, _STATE_FORMAT),
    "datetime": (f"{_DATE}[ T]{_TIME}", _STATE_FORMAT),
    "email": (rf"{_MAIL}@{_MAIL}\.{_MAIL}", _CHECK_MAPPING),
}


def field_type(column: PlannedColumn, data_type: str | None) -> FieldType | None:
    """Return how to check *column* as a field of *data_type*; None if nothing can be said."""
    if column.pick_list:
        return _listed(column.pick_list, is_many=data_type == "multiselectpicklist")
    shape = _shaped(*_TYPES[data_type]) if data_type in _TYPES else None
    # The length of a number or a date is not one of characters.
    short = _short(column.length) if column.length and (not shape or data_type == "email") else None
    return _both(shape, short) if shape and short else shape or short


def _shaped(pattern: str, remedy: str) -> FieldType:
    match = re.compile(rf"\s*(?:{pattern})\s*", re.ASCII).fullmatch
    # Possessive: a line that does not fit must not send the search back into those before it.
    match_lines = re.compile(rf"(?>[^\S\n]*(?:{pattern})[^\S\n]*\n)*+", re.ASCII).fullmatch

    def every(values: list[str]) -> bool:
        # One match over all lines takes little more than half of a match for each value.
        lines = "\n".join([*values, ""])
        return lines.count("\n") == len(values) and match_lines(lines) is not None

    return FieldType(one=lambda value: match(value) is not None, every=every, remedy=remedy)


def _short(length: int) -> FieldType:
    return FieldType(
        one=lambda value: len(value) <= length,
        every=lambda values: max(map(len, values), default=0) <= length,
        remedy=f"The field takes {length:,} characters",
    )


def _both(shape: FieldType, short: FieldType) -> FieldType:
    return FieldType(
        one=lambda value: short.one(value) and shape.one(value),
        every=lambda values: short.every(values) and shape.every(values),
        remedy=f"{shape.remedy}. {short.remedy}",
    )


def _listed(pick_list: tuple[str, ...], *, is_many: bool) -> FieldType:
    known = {value.strip().casefold() for value in pick_list}
    remedy = "Bigin adds unknown values to the picklist; " + (
        "several values in a cell are separated by semicolons" if is_many else "correct the others"
    )

    def one(value: str) -> bool:
        chosen = value.split(";") if is_many else (value,)
        return all(choice.strip().casefold() in known for choice in chosen)

    return FieldType(one=one, every=lambda values: all(map(one, set(values))), remedy=remedy)
