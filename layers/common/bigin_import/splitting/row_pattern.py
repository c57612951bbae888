"""
One pattern for a whole row: where each row matches it, all cells are sent as they are, and nothing
is to be said of them.

It is made of what each column reader takes for plain. It may miss a row of which a reader says
so, and then the columns of its block are read; never the other way round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from bigin_import.domain.plan import ColumnPlan
from bigin_import.reading.blocks import Block
from bigin_import.splitting.column_reader import ColumnReader
from bigin_import.splitting.kinds import (
    BooleanKind,
    EmailKind,
    IdKind,
    PhoneKind,
    PicklistKind,
    TextKind,
    TypedKind,
)
from bigin_import.splitting.numbers import NumberKind

# Spaces and characters that cannot be seen, spelt out: a class in a set takes twice the time.
_NOT_IN_ADDRESSES = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200d\u2028-\u202f\u205f\u2060\u3000\ufeff"
_ANYTHING = re.compile(r"\[\^[^\]]+\]\*\+")
_MOST_PICKS = 50
_MOST_MISSES = 3
_TYPED = {
    "date": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "datetime": "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}Z?+",
}
_DECIMAL = r"[+-]?+[0-9]{1,16}+\.?+[0-9]*+"
_WHOLE = "[+-]?+[0-9]{1,9}+"


class RowPattern:
    """
    The pattern of one plan; it changes with what the readers have seen.

    After some blocks that it has missed one after another it is not tried any more.
    """

    def __init__(self, plan: ColumnPlan, readers: Sequence[ColumnReader]) -> None:
        sources = [column.source for column in plan.columns]
        self._readers = dict(zip(sources, readers, strict=True))
        self._is_distinct = len(self._readers) == len(readers)
        self._cells: list[str] = []
        self._misses = 0

    def matches(self, block: Block) -> bool:
        """Return whether all rows of *block* are plain; if so, look at what damages ids."""
        cells = self._cells_of(block)
        if cells is None or self._has_missed_too_often(cells):
            return False
        if all(map(_ANYTHING.fullmatch, cells)):
            return True
        rows = _compiled(block.delimiter, tuple(cells)).findall(block.shape)
        if len(rows) != len(block.numbers):
            self._misses += 1
            return False
        self._misses = 0
        self._take(block, rows)
        return True

    def _has_missed_too_often(self, cells: list[str]) -> bool:
        if cells != self._cells:
            self._cells, self._misses = cells, 0
        return self._misses >= _MOST_MISSES

    def _cells_of(self, block: Block) -> list[str] | None:
        """Return a pattern for each cell of a row; None if there is none for one."""
        if not self._is_distinct:
            return None
        cells = []
        for at in range(block.width):
            # One character that a cell does not have, not two: a set takes half as much again.
            # No cell but the last can hold an LF, for each line has as many delimiters.
            stop = re.escape(block.delimiter) if at < block.width - 1 else r"\n"
            reader = self._readers.get(at)
            cell = _cell(reader, block.numbers[0], stop) if reader else f"[^{stop}]*+"
            if cell is None:
                return None
            cells.append(f"({cell})" if reader and _is_looked_at(reader) else cell)
        return cells

    def _take(self, block: Block, found: list[Any]) -> None:
        """Keep the columns that the pattern has *found*, and look at what damages ids in them."""
        looked_at = [at for at, reader in sorted(self._readers.items()) if _is_looked_at(reader)]
        columns = [found] if len(looked_at) == 1 else zip(*found, strict=True)
        for at, column in zip(looked_at, columns, strict=False):
            block.know_column(at, column)
            if damage := self._readers[at].damage:
                damage.look(list(filter(None, block.column(at))))


def _is_looked_at(reader: ColumnReader) -> bool:
    return reader.is_key or reader.damage is not None


@lru_cache
def _compiled(delimiter: str, cells: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("^" + re.escape(delimiter).join(cells) + "\n", re.MULTILINE)


def _cell(reader: ColumnReader, number: int, stop: str) -> str | None:
    """
    Return what matches plain cells of a column; None if others are to be found or looked for.

    Args:
        number: The row from which on.
        stop: The character that ends a cell, as a pattern.
    """
    planned = reader.planned
    if reader.rule.values or planned.strips_apostrophes is not None:
        return None
    is_filled = reader.is_key or planned.is_mandatory
    if not reader.has_fitting:
        return None if is_filled else ""
    if not reader.is_sampled(number):
        return None
    cell, is_bare = next(_plain(reader, stop), (None, False))
    if cell is None:
        return None
    if is_bare:
        # Nested groups cost most: a column of which no cell was empty so far does without.
        return f"(?:{cell})?+" if reader.has_empty and not is_filled else cell
    return rf"(?![\s{stop}]){cell}" if is_filled else cell


def _plain(reader: ColumnReader, stop: str) -> Iterator[tuple[str, bool]]:
    """Yield what matches plain cells by their kind, and whether no empty cell is among them."""
    kind, length = reader.kind, reader.planned.length
    up_to = f"{{0,{length}}}+" if length else "*+"
    match kind:
        case TextKind() if reader.is_key or not kind.is_plain([" "]):
            yield rf"(?![^\S\n])[^{stop}\x00-\x1f]{up_to}(?<![^\S\n])", False
        case TextKind():
            yield f"[^{stop}]{up_to}", False
        case PhoneKind():
            yield rf"[0-9 +\-()/]{up_to}", False
        case EmailKind():
            part = rf'[^@"{stop}{_NOT_IN_ADDRESSES}'
            short = f"(?![^{stop}]{{{length + 1}}})" if length else ""
            yield rf"{short}{part}]++@{part}.]++\.{part}]++", True
        case NumberKind() if kind.is_plain(["1"]):
            yield _DECIMAL if kind.is_plain(["0.5"]) else _WHOLE, True
        case IdKind():
            yield "[0-9]{15,20}+", True
        case BooleanKind():
            yield "(?:true|false|True|False|TRUE|FALSE)", True
        case PicklistKind() if len(reader.planned.pick_list) <= _MOST_PICKS:
            longest = sorted(reader.planned.pick_list, key=len, reverse=True)
            yield f"(?:{'|'.join(map(re.escape, longest))})", True
        case TypedKind() if reader.data_type in _TYPED:
            yield _TYPED[reader.data_type], True
