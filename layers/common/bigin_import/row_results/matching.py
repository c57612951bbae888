"""Which line of Bigin's listing speaks of which row: by order or by values, or unproven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from bigin_import.domain.row_result import RowResult, RowStatus
from bigin_import.row_results.bigin_listing import Key, Listing
from bigin_import.row_results.reasons import any_of

# Rows with the same returned values are told apart by order only if this many others, whose
# values occur once, stand in order too: by chance that happens once in 8! = 40,320 listings.
MIN_LONE_ROWS = 8
UNCLEAR = RowResult(RowStatus.UNCLEAR)
_NO_GROUP: tuple[Key, list[int]] = ((), [])


def is_in_order(ours: Sequence[Key], listed: Sequence[Key]) -> bool:
    """Return whether every line of the listing stands where its row stands in what we sent."""
    if len(ours) != len(listed):
        return False
    odd = [at for at, (row, line) in enumerate(zip(ours, listed, strict=True)) if row != line]
    if len(odd) * 10 > len(ours) or not _are_rewritten(odd, ours, listed):
        return False
    seen = Counter(ours)
    lone = sum(seen[key] == 1 for key, line in zip(ours, listed, strict=True) if key == line)
    return lone == len(ours) or lone >= MIN_LONE_ROWS


def _are_rewritten(odd: Sequence[int], ours: Sequence[Key], listed: Sequence[Key]) -> bool:
    """
    Return whether row and line at each place of *odd* are the same, but for values Bigin rewrote.

    They are if neither's values occur on the other side, and one value is left as it was that no
    other row or line has: what several have would be equal too if their lines were swapped.
    """
    if not odd:
        return True
    sent, returned = frozenset(ours), frozenset(listed)
    if any(ours[at] in returned or listed[at] in sent for at in odd):
        return False
    kept = [_equal_cells(ours[at], listed[at]) for at in odd]
    wanted = frozenset(cell for cells in kept for cell in cells)
    sent_often, listed_often = _counted(wanted, ours), _counted(wanted, listed)
    return all(any(sent_often[cell] == 1 == listed_often[cell] for cell in cells) for cells in kept)


def _equal_cells(row: Key, line: Key) -> list[tuple[int, str]]:
    """Return the column and text of each cell that is the same on both sides."""
    pairs = enumerate(zip(row, line, strict=True))
    return [(column, ours) for column, (ours, theirs) in pairs if ours and ours == theirs]


def _counted(wanted: frozenset[tuple[int, str]], keys: Sequence[Key]) -> Counter[tuple[int, str]]:
    return Counter(cell for key in keys for cell in enumerate(key) if cell in wanted)


def by_values(ours: Sequence[Key], wholes: Sequence[int], listing: Listing) -> list[RowResult]:
    """
    Match rows and lines whose values occur once.

    Args:
        ours: For each row its comparable values of the returned columns.
        wholes: For each row a hash of all its cells.
    """
    row_results = [UNCLEAR] * len(ours)
    for rows, found in with_equal_values(ours, listing.keys):
        lines = [listing.row_results[at] for at in found]
        distinct = {wholes[at] for at in rows}
        for at, row_result in zip(rows, _shared_out(lines, rows, distinct), strict=True):
            row_results[at] = row_result
    return row_results


def with_equal_values(
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


def _shared_out(lines: list[RowResult], rows: list[int], wholes: set[int]) -> list[RowResult]:
    """
    Give each of *rows*, whose returned values are equal, what is proven of its result.

    Several rows need as many lines, no two alike: of two equal lines one may be a repetition
    that stands where another line is missing.
    """
    distinct = list(dict.fromkeys(lines))
    if len(rows) == 1:
        return distinct if len(distinct) == 1 else [UNCLEAR]
    if not len(lines) == len(distinct) == len(rows):
        return [UNCLEAR] * len(rows)
    return dealt_out(distinct, wholes)


def dealt_out(row_results: list[RowResult], wholes: set[int]) -> list[RowResult]:
    """Give as many rows as there are *row_results*, whose returned values are equal, theirs."""
    if len(wholes) == 1:  # the rows are the same to the last cell, so any order is true
        return row_results
    return [common_result(row_results)] * len(row_results)


def common_result(row_results: Sequence[RowResult]) -> RowResult:
    """Return what is true of each of *row_results*; of several errors, that it is one of them."""
    statuses = {row_result.status for row_result in row_results}
    ids = {row_result.record_id for row_result in row_results}
    record_id = ids.pop() if len(ids) == 1 else ""
    if len(statuses) == 1:
        either = any(row_result.either for row_result in row_results)
        errors = any_of(row_result.error for row_result in row_results)
        return RowResult(statuses.pop(), record_id, errors, either=either)
    if statuses == {RowStatus.ADDED, RowStatus.UPDATED}:
        return RowResult(RowStatus.UPDATED, record_id, either=True)
    return UNCLEAR
