"""What a mapping or the deployment may say of a drop's encoding."""

from __future__ import annotations

import codecs

from bigin_import.models import Problem

_MARKS = ",;\t|:\"'\r\n A0"
_DAMAGE = b"\xff"


def codec_problem(encoding: str, where: str) -> Problem | None:
    """Say why a CSV cannot be read as *encoding*, if so."""
    try:
        "".encode(encoding)
    except (LookupError, ValueError):  # ValueError: "undefined" is a codec that refuses all
        return Problem(
            where,
            f"character_encoding {encoding!r} is not known",
            'Write for example "utf-8", "windows-1252", "cp850" or "macroman"',
        )
    if is_wide(encoding) or _extends_ascii(encoding):
        return None
    what = f"character_encoding {encoding!r} is not supported: it writes ASCII in its own way"
    return Problem(where, what, 'Save the file as "CSV UTF-8"')


def _extends_ascii(encoding: str) -> bool:
    """Return whether text can be cut into lines before it is decoded, and damage be kept apart."""
    try:
        text = (_MARKS.encode("ascii") + _DAMAGE).decode(encoding, "surrogateescape")
    except ValueError:
        return False
    return text.startswith(_MARKS)


def is_wide(encoding: str) -> bool:
    """Return whether *encoding* is UTF-16, which writes line ends as two bytes."""
    return codecs.lookup(encoding).name.startswith("utf-16")


def lacks_byte_order(encoding: str) -> bool:
    """Return whether *encoding* leaves it to a byte order mark which byte comes first."""
    return codecs.lookup(encoding).name == "utf-16"


def says_nothing(encoding: str) -> bool:
    """Return whether *encoding* explains nothing that is not UTF-8."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig", "ascii")
