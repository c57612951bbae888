"""Open a drop: what it is, how it is encoded, where its header stands, what separates cells."""

from __future__ import annotations

from itertools import chain
from typing import BinaryIO

from bigin_import.errors import DropRejectedError
from bigin_import.models import Problem
from bigin_import.tabular.drop_bytes import DropBytes
from bigin_import.tabular.drop_text import DropText
from bigin_import.tabular.encodings import codec_problem, is_wide
from bigin_import.tabular.layout import find_layout, first_rows
from bigin_import.tabular.magic import (
    byte_order_mark,
    is_full_of_nuls,
    not_a_csv,
    nuls_problem,
)
from bigin_import.tabular.opening import read_opening
from bigin_import.tabular.table import Table

# Enough to see that it is no text, or in which encoding.
_HEAD_BYTES = 64 * 1024


def open_table(
    stream: BinaryIO, *, name: str, encoding: str | None, default_encoding: str | None
) -> Table:
    """
    Read the beginning of a drop and return its table; the rest is read with its batches.

    Args:
        name: Of the drop; it is unpacked if this ends in .gz. Messages begin with it.
        encoding: What the mapping says of drops that are not UTF-8.
        default_encoding: What the deployment says of them.

    Raises:
        DropRejectedError: It is empty, no CSV, or in an encoding that nothing names.
    """
    source = DropBytes(stream, name=name)
    head = _head(source)
    stated = encoding or default_encoding
    if problems := _no_text(head, name, stated):
        raise DropRejectedError(problems, concerns_mapping=True)
    text = DropText(head, source, name=name, stated_encoding=stated)
    chunks = iter(text)
    opening = read_opening(chunks)
    layout = find_layout(opening, name)
    return Table(
        name=name,
        source=source,
        text=text,
        chunks=chain([opening.text], chunks),
        layout=layout,
        first_rows=first_rows(layout, opening),
    )


def _head(source: DropBytes) -> bytes:
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= _HEAD_BYTES:
            break
    return head


def _no_text(head: bytes, name: str, stated: str | None) -> tuple[Problem, ...]:
    """Say why the drop, or what is stated of its encoding, cannot be read."""
    found = (not_a_csv(head, name), codec_problem(stated, name) if stated else None)
    problems = tuple(problem for problem in found if problem)
    if problems or not is_full_of_nuls(head):
        return problems
    is_explained = byte_order_mark(head) or (stated and is_wide(stated))
    return () if is_explained else (nuls_problem(name),)
