"""
Bigin's ERRORS cells, taken apart.

The grammar is `CODE-column,column:CODE-column`. Column names may hold `-`, `,` and `:`
themselves, so the text is read against the names that were sent. Spaces around the marks, codes
in lower case and a code with a mark and no column behind it are understood too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bigin_import.tabular.codes import ROW_CODES

LONGEST = 10_000  # of two hundred columns, each with its code; what is longer is no such list
_CODE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(?=[-:]|$)")
_SPACES = re.compile(r"\s*")
_END_OF_NAME = re.compile(r"\s*(?:[,:]|$)")
_KNOWN_CODE = "|".join(ROW_CODES)
_NEXT_CODE = re.compile(
    rf"\s*:(?=\s*(?:(?i:{_KNOWN_CODE})|[A-Z]+_[A-Z_]+)\s*(?:[-:]|$))",
)


@dataclass(frozen=True, slots=True)
class RowError:
    """One error of a row; *code* is the whole text if it does not follow the grammar."""

    code: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.code + (f"-{','.join(self.columns)}" if self.columns else "")


def parse_errors(text: str, names: Iterable[str]) -> tuple[RowError, ...]:
    """
    Take an ERRORS cell apart.

    Args:
        names: Those that may stand in *text*: the header row of what we sent.
    """
    if len(text) > LONGEST:
        return (RowError(text),)
    known = sorted(set(names), key=len, reverse=True)
    errors: list[RowError] = []
    at = 0
    while at < len(text):
        found = _error(text, at, known) or _columns_of_last(text, at, known, errors)
        if found is None:
            return (RowError(text),)
        error, end = found
        errors.append(error)
        at = end + 1  # the colon
    return tuple(errors)


def _error(text: str, at: int, known: list[str]) -> tuple[RowError, int] | None:
    """Read a code and its columns; return them and where they end."""
    match = _CODE.match(text, at)
    code = _code(match[1], known) if match else None
    if match is None or code is None:
        return None
    if text[match.end() : match.end() + 1] != "-":
        return RowError(code), match.end()
    columns, end = _columns(text, match.end() + 1, known)
    return RowError(code, columns), end


def _code(word: str, known: list[str]) -> str | None:
    """Return *word* as a code; None if it is none."""
    upper = word.upper()
    return upper if upper in ROW_CODES or (word == upper and word not in known) else None


def _columns_of_last(
    text: str, at: int, known: list[str], errors: list[RowError]
) -> tuple[RowError, int] | None:
    """Read columns that stand behind a colon, as in `CODE: column`; take the last of *errors*."""
    if not errors or _known_name(text, _after_spaces(text, at), known) is None:
        return None
    last = errors.pop()
    columns, end = _columns(text, at, known)
    return RowError(last.code, last.columns + columns), end


def _columns(text: str, at: int, known: list[str]) -> tuple[tuple[str, ...], int]:
    """Read columns from *at*; return them and where they end: at a colon or the end of *text*."""
    columns = []
    while True:
        at = _after_spaces(text, at)
        name, length = _known_name(text, at, known) or _unknown_name(text, at)
        if name:
            columns.append(name)
        at = _after_spaces(text, at + length)
        if text[at : at + 1] != ",":
            return tuple(columns), at
        at += 1


def _after_spaces(text: str, at: int) -> int:
    match = _SPACES.match(text, at)
    return match.end() if match else at


def _known_name(text: str, at: int, known: list[str]) -> tuple[str, int] | None:
    """Read a name that we sent, in any case; return it and its length."""
    for name in known:
        end = at + len(name)
        if text[at:end].casefold() == name.casefold() and _END_OF_NAME.match(text, end):
            return name, len(name)
    return None


def _unknown_name(text: str, at: int) -> tuple[str, int]:
    """Read a name that we did not send: up to a comma, or a colon before a code."""
    comma = text.find(",", at)
    end = len(text) if comma < 0 else comma
    if colon := _NEXT_CODE.search(text, at, end):
        end = colon.start()
    return text[at:end].rstrip(), end - at
