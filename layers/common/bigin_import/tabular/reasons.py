"""
Bigin's ERRORS cells in plain words.

The grammar is `CODE-column,column:CODE-column`. Column names may hold `-`, `,` and `:`
themselves, so the text is read against the names that were sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bigin_import.models.findings import Reason
from bigin_import.tabular.codes import JOB_CODES, ROW_CODES

_CODE = re.compile(r"[A-Z][A-Z0-9_]*(?=-|:|$)")
_NEXT_CODE = re.compile(r":(?=" + "|".join(ROW_CODES) + r")|:(?=[A-Z]+_[A-Z_]+(?:-|:|$))")
NOT_DONE = Reason(
    "", "This row was not written to Bigin.", "Drop the file of unprocessed rows unchanged."
)
NOT_CLEAR = Reason(
    "",
    "It is not certain what became of this row.",
    "Look for it in Bigin; drop it again only if it is not there.",
)
NOT_SENT = "NOT_SENT"  # our own code of a part that was kept back, because Bigin refused another
_NO_REASON = Reason("", "Bigin refused this row and gave no reason.", "Compare it with Bigin.")


@dataclass(frozen=True, slots=True)
class RowError:
    """One error of a row; *code* is the whole text if it does not follow the grammar."""

    code: str
    columns: tuple[str, ...] = ()


def parse_errors(text: str, headers: Iterable[str]) -> tuple[RowError, ...]:
    """
    Take an ERRORS cell apart.

    Args:
        headers: Names that may stand in *text*: the header row of what we sent.
    """
    known = sorted(set(headers), key=len, reverse=True)
    errors, at = [], 0
    while at < len(text):
        code = _CODE.match(text, at)
        if code is None:
            return (RowError(text),)
        at = code.end()
        columns: tuple[str, ...] = ()
        if text[at : at + 1] == "-":
            columns, at = _columns(text, at + 1, known)
        errors.append(RowError(code.group(), columns))
        at += 1  # the colon
    return tuple(errors)


def _columns(text: str, at: int, known: list[str]) -> tuple[tuple[str, ...], int]:
    """Read columns from *at*; return them and where they end: at a colon or the end of *text*."""
    columns = []
    while True:
        name = _known_name(text, at, known) or _unknown_name(text, at)
        columns.append(name)
        at += len(name)
        if text[at : at + 1] != ",":
            return tuple(columns), at
        at += 1


def _known_name(text: str, at: int, known: list[str]) -> str | None:
    for name in known:
        end = at + len(name)
        if text.startswith(name, at) and (end == len(text) or text[end] in ",:"):
            return name
    return None


def _unknown_name(text: str, at: int) -> str:
    """Read a name that we did not send: up to a comma, or a colon before a code."""
    colon = _NEXT_CODE.search(text, at)
    end = colon.start() if colon else len(text)
    return text[at:end].partition(",")[0]


def row_reasons(error: str, headers: Mapping[str, str]) -> tuple[Reason, ...]:
    """
    Say why Bigin did not take a row.

    Args:
        error: The ERRORS cell as it came.
        headers: API name -> the drop's own header, for every column that was sent.
    """
    errors = parse_errors(error.strip(), headers)
    return tuple(_row_reason(found, headers) for found in errors) or (_NO_REASON,)


def _row_reason(error: RowError, headers: Mapping[str, str]) -> Reason:
    words = ROW_CODES.get(error.code)
    if words is None:
        return Reason("", f'Bigin says: "{_as_written(error)}".', quotes=True)
    columns = " and ".join(_named(name, headers) for name in error.columns)
    return Reason(error.code, words.about(columns), words.remedy)


def _as_written(error: RowError) -> str:
    return error.code + (f"-{','.join(error.columns)}" if error.columns else "")


def _named(api_name: str, headers: Mapping[str, str]) -> str:
    header = headers.get(api_name, api_name)
    return f'"{header}"' if header == api_name else f'"{header}" ({api_name})'


def unclear_reason(why: str) -> Reason:
    """Say *why*, a sentence with its full stop, it is not certain what became of a whole part."""
    return Reason("", f"{why} {NOT_CLEAR.what}", NOT_CLEAR.remedy)


def job_reason(code: str, message: str, resolution: str) -> Reason:
    """
    Say why a whole job was refused.

    Args:
        message, resolution: What came with the code, each may be "".
    """
    resolution = _with_full_stop(resolution)
    if code == NOT_SENT:
        return Reason(code, _with_full_stop(message), resolution)
    what = f"Bigin refused these rows as a whole: {code}" + (f" ({message})." if message else ".")
    return Reason(code, f"{what} {JOB_CODES.get(code, '')}".rstrip(), resolution)


def _with_full_stop(text: str) -> str:
    return text if not text or text.endswith((".", "?", "!")) else f"{text}."
