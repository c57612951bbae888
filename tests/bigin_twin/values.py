"""What a cell may hold: a check for each data type, giving the value as Bigin stores it."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.bigin_twin.catalogue import Field
from tests.bigin_twin.dates import parse_date, parse_datetime

type Value = str | int | float | bool | list[str] | None
type Check = Callable[[str], Value]

_EMAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s.,;<>()\"]{2,}")
_PHONE = re.compile(r"[+0-9 ()./xX-]+")
_WEBSITE = re.compile(r"(https?://)?[^\s/.]+(\.[^\s/.]+)+(/\S*)?")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
#: Longest text where the metadata gives none.
_TEXT_LENGTH = 255
_TEXTAREA_LENGTH = 32_000
_PHONE_DIGITS = 30
_DIGITS = {"integer": 9, "bigint": 18, "currency": 16, "double": 16, "percent": 5}


def check_for(field: Field, date_format: str) -> Check:
    """
    Return the function that reads a cell of *field*; it raises ValueError for a bad cell.

    Lookups and owners are not judged here: they need other records.
    """
    checks: dict[str, Check] = {
        "date": lambda cell: parse_date(cell, date_format).isoformat(),
        "datetime": lambda cell: parse_datetime(cell, date_format).isoformat(),
        "boolean": _boolean,
        "integer": lambda cell: _integer(cell, field),
        "bigint": lambda cell: _integer(cell, field),
        "currency": lambda cell: _number(cell, field),
        "double": lambda cell: _number(cell, field),
        "percent": lambda cell: _number(cell, field),
        "multiselectpicklist": _several,
    }
    return checks.get(field.data_type) or _text_check(field)


def _text_check(field: Field) -> Check:
    longest = field.length or (_TEXTAREA_LENGTH if field.data_type == "textarea" else _TEXT_LENGTH)
    patterns = {"email": _EMAIL, "phone": _PHONE, "website": _WEBSITE}
    pattern = patterns.get(field.data_type)
    if pattern is None:
        return lambda cell: _text(cell, longest)
    if field.data_type == "phone":
        return lambda cell: _phone(cell, longest)
    return lambda cell: _shaped(cell, pattern, longest)


def _text(cell: str, longest: int) -> str:
    if len(cell) > longest:
        raise ValueError("too long")
    return cell


def _shaped(cell: str, pattern: re.Pattern[str], longest: int) -> str:
    if not pattern.fullmatch(cell):
        raise ValueError("not of this type")
    return _text(cell, longest)


def _phone(cell: str, longest: int) -> str:
    if sum(character.isdigit() for character in cell) > _PHONE_DIGITS:
        raise ValueError("too many digits")
    return _shaped(cell, _PHONE, longest)


def _several(cell: str) -> list[str]:
    return [_text(value.strip(), _TEXT_LENGTH) for value in cell.split(";")]


def _boolean(cell: str) -> bool:
    match cell.casefold():
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ValueError("neither true nor false")


def _integer(cell: str, field: Field) -> int:
    if not _INTEGER.fullmatch(cell) or len(cell.lstrip("+-")) > _longest_number(field):
        raise ValueError("not a whole number")
    return int(cell)


def _number(cell: str, field: Field) -> float:
    whole = cell.lstrip("+-").partition(".")[0]
    if not _NUMBER.fullmatch(cell) or len(whole) > _longest_number(field):
        raise ValueError("not a number")
    return round(float(cell), field.decimal_places if field.decimal_places is not None else 9)


def _longest_number(field: Field) -> int:
    return field.length or _DIGITS[field.data_type]
