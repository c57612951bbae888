"""What is said of quotes that do not tell where cells and rows end."""

from __future__ import annotations

import re

from bigin_import.errors import DropRejectedError
from bigin_import.models import Problem

TEXT_BEHIND_A_QUOTE = 'it has text behind a closing quote; quotes in a text are written twice ("")'


def open_quote(name: str, row: int) -> DropRejectedError:
    return _rejected(
        f"{name}, row {row}",
        "a quote in this row is never closed, so the rest of the file is one cell",
        "Close the quote, double it if it belongs to the text, or check whether the file is cut "
        "off",
    )


def uncertain_end(name: str, row: int, lines: int) -> DropRejectedError:
    """Say that *row*, which seems to have some lines, may as well end before or after them."""
    where = "in the middle of a text" if lines == 1 else f"in the text {lines - 1} lines below"
    return _rejected(
        f"{name}, row {row}",
        f"a quote that opens in this row closes {where}, so nobody can tell where the row ends",
        'Close the quote where its cell ends, and write quotes that belong to a text twice ("")',
    )


def refuse_escaped_quotes(chunk: str, delimiter: str, name: str) -> None:
    r"""
    Look for a quoted cell that has \" inside of it; a cell may end in a backslash.

    Raises:
        DropRejectedError: There is one.
    """
    mark = re.escape(delimiter)
    escaped = rf'(?:^|{mark})"(?:[^"\\]|\\.)*?\\"[^{mark}\r\n"]'
    if re.search(escaped, chunk, re.MULTILINE):
        raise _rejected(
            name,
            "quotes inside cells are escaped with a backslash, which is not CSV",
            'Export it again with doubled quotes ("")',
        )


def _rejected(where: str, what: str, remedy: str) -> DropRejectedError:
    return DropRejectedError((Problem(where, what, remedy),))
