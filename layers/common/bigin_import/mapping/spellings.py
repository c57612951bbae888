"""How single values of a mapping may be spelled, and what they mean."""

from __future__ import annotations

import codecs
import io
import json
import re
from decimal import Decimal

from pydantic_core import PydanticCustomError

from bigin_import.mapping.date_formats import date_format_flaw, date_format_remedy
from bigin_import.mapping.names import loose_form, nearest

ENCODINGS = ("UTF-8", "UTF-16", "windows-1252", "windows-1250", "ISO-8859-1", "cp850", "macroman")
_SOME_ENCODINGS = '"UTF-8", "windows-1252", "cp850" or "macroman"'
PERCENT = r"^\d{1,3}(\.\d+)?\s*%$"
IMPORT_ID = r"^[0-9a-z]{26}$"

# What programs call an encoding in their menus.
_ENCODING_ALIASES = {
    "ansi": "windows-1252",
    "windowsansi": "windows-1252",
    "westerneuropean": "windows-1252",
    "excel": "windows-1252",
    "unicode": "UTF-16",
    "dos": "cp850",
    "mac": "macroman",
    "macintosh": "macroman",
}

# Python calls these text encodings, but nobody's spreadsheet writes them.
_NOT_FOR_FILES = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"}
)


def share(percent: str) -> Decimal:
    """Return "1%" as 0.01."""
    return Decimal(percent.rstrip("% ")) / 100


def refusal(what: str, remedy: str, *, meant: str | None = None) -> PydanticCustomError:
    """Return an error that `wording` turns into a problem as it stands; *meant*: see `Said`."""
    return PydanticCustomError(
        "refused", "{what}", {"what": what, "remedy": remedy, "meant": meant}
    )


def as_text(value: object) -> object:
    """Let `true` and `5` stand for the texts that Bigin would read in a cell."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else value


def as_plain_space(mark: str | None) -> str | None:
    """Let one space stand for all that look like it; numbers are read that way too."""
    return " " if mark is not None and mark.isspace() else mark


def as_default_value(value: object) -> object:
    """Let a bare value stand for Bigin's `{"value": ...}`."""
    return value if isinstance(value, dict) or value is None else {"value": value}


def as_module_name(value: object) -> object:
    """Let Bigin's `{"api_name": "Contacts"}` stand for the name alone."""
    if isinstance(value, dict) and value.keys() <= {"api_name", "id"}:
        return value.get("api_name")
    return value


def checked_date_format(pattern: str) -> str:
    if flaw := date_format_flaw(pattern):
        raise refusal(f'"{pattern}" is not a date format: {flaw}', date_format_remedy(pattern))
    return pattern


def codec_name(name: str) -> str:
    """Return the name of the Python codec that *name* means."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # refuses "base64", which is no text
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        codec = ""
    if not codec or codec in _NOT_FOR_FILES:
        meant = _ENCODING_ALIASES.get(loose_form(name)) or nearest(name, ENCODINGS)
        remedy = f'Did you mean "{meant}"?' if meant else f"Write for example {_SOME_ENCODINGS}"
        raise refusal(f'"{name}" is not an encoding', remedy, meant=meant)
    return codec


def checked_percentage(percent: object) -> object:
    is_share = isinstance(percent, str) and re.fullmatch(PERCENT, percent)
    if percent is not None and not (is_share and share(str(percent)) <= 1):
        raise refusal(
            f"{json.dumps(percent)} is not a percentage from 0% to 100%",
            'Write it in quotes, such as "1%"',
        )
    return percent


def checked_import_id(text: str) -> str:
    if not re.fullmatch(IMPORT_ID, text):
        raise refusal(
            f'"{text}" is not the id of an import',
            "Copy the 26 characters from the report of the import to repeat",
        )
    return text
