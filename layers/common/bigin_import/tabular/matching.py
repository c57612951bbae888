"""Which line of Bigin's listing speaks of which row: by order or by values, or unproven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from bigin_import.models import RowFate, RowStatus
from bigin_import.tabular.listing import Key, Listing

# Rows with the same returned values are told apart by order only if this many others, whose
# values occur once, stand in order too: by chance that happens once in 8! = 40,320 listings.
MIN_LONE_ROWS = 8
_UNCLEAR = RowFate(RowStatus.UNCLEAR)
_NO_GROUP: tuple[Key, list[int]] = ((), [])


def is_in_order(ours: Sequence[Key], listed: Sequence[Key]) -> bool:
    """Tell whether every line of the listing stands where its row stands in what we sent."""
    if len(ours) != len(listed) or not all(map(_Agreement(ours, listed), ours, listed)):
        return False
    seen = Counter(ours)
    lone = sum(seen[key] == 1 for key, line in zip(ours, listed, strict=True) if key == line)
    return lone == len(ours) or (lone >= MIN_LONE_ROWS and _agree_mostly(ours, listed))


def _agree_mostly(ours: Sequence[Key], listed: Sequence[Key]) -> bool:
    return sum(row == line for row, line in zip(ours, listed, strict=True)) * 10 >= len(ours) * 9


class _Agreement:
    """
    Tells whether the row and the line at one place can be the same.

    They are if their values are equal; or if neither's values occur on the other side and at
    least one value is equal: Bigin has then rewritten the others.
    """

    def __init__(self, ours: Sequence[Key], listed: Sequence[Key]) -> None:
        self._ours = frozenset(ours)
        self._listed = frozenset(listed)

    def __call__(self, row: Key, line: Key) -> bool:
        if row == line:
            return True
        strangers = row not in self._listed and line not in self._ours
        return strangers and any(a and a == b for a, b in zip(row, line, strict=True))


def by_values(ours: Sequence[Key], wholes: Sequence[int], listing: Listing) -> list[RowFate]:
    """
    Match rows and lines whose values occur once.

    Args:
        ours: For each row its comparable values of the returned columns.
        wholes: For each row a hash of all its cells.
    """
    fates = [_UNCLEAR] * len(ours)
    for rows, found in _with_equal_values(ours, listing.keys):
        lines = [listing.fates[at] for at in found]
        distinct = {wholes[at] for at in rows}
        for at, fate in zip(rows, _shared_out(lines, rows, distinct), strict=True):
            fates[at] = fate
    return fates


def _with_equal_values(
    ours: Sequence[Key], listed: Sequence[Key]
) -> Iterator[tuple[list[int], list[int]]]:
    """
    Yield places of rows with equal values, and the places of the lines that have the same.

    Sorted and walked side by side: a dictionary with a list for each key takes 3 MiB more.
    """
    groups = _groups(listed)
    key, lines = next(groups, _NO_GROUP)
    for wanted, rows in _groups(ours):
        while lines and key < wanted:
            key, lines = next(groups, _NO_GROUP)
        yield rows, lines if key == wanted else []


def _groups(keys: Sequence[Key]) -> Iterator[tuple[Key, list[int]]]:
    """Yield each key with its places, in the order of the keys."""
    ordered = sorted(range(len(keys)), key=keys.__getitem__)
    return ((key, list(places)) for key, places in groupby(ordered, key=keys.__getitem__))


def _shared_out(lines: list[RowFate], rows: list[int], wholes: set[int]) -> list[RowFate]:
    """
    Give each of *rows*, whose returned values are equal, what is proven of its fate.

    Several rows need as many lines, no two alike: of two equal lines one may be a repetition
    that stands where another line is missing.
    """
    distinct = list(dict.fromkeys(lines))
    if len(rows) == 1:
        return distinct if len(distinct) == 1 else [_UNCLEAR]
    if not len(lines) == len(distinct) == len(rows):
        return [_UNCLEAR] * len(rows)
    if len(wholes) == 1:  # the rows are the same to the last cell, so any order is true
        return distinct
    return [_common_fate(distinct)] * len(rows)


def _common_fate(fates: Sequence[RowFate]) -> RowFate:
    """Return what all *fates* have in common."""
    statuses = {fate.status for fate in fates}
    ids = {fate.record_id for fate in fates}
    record_id = ids.pop() if len(ids) == 1 else ""
    if len(statuses) == 1:
        return RowFate(statuses.pop(), record_id)
    if statuses == {RowStatus.ADDED, RowStatus.UPDATED}:
        return RowFate(RowStatus.UPDATED, record_id, either=True)
    return _UNCLEAR
