"""
Which line of Bigin's listing speaks of which row: by order or by values, or unproven.

Rows that their values do not tell apart may still be told apart by Bigin's counts. Where a listing
has a line for each row, or for each row that Bigin did not write, it says what became of every row,
whichever of them are alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, groupby

from bigin_import.domain.row_result import JobCounts, RowResult, RowResults, RowStatus
from bigin_import.row_results.bigin_listing import Key, Listing
from bigin_import.row_results.reasons import any_of

# Rows with the same returned values are told apart by order only if this many others, whose
# values occur once, stand in order too: by chance that happens once in 8! = 40,320 listings.
MIN_LONE_ROWS = 8
UNCLEAR = RowResult(RowStatus.UNCLEAR)
_NO_GROUP: tuple[Key, list[int]] = ((), [])


def matched_one_to_one(ours: Sequence[Key], listed: Sequence[Key]) -> Sequence[int] | None:
    """
    Return for each row the place of the line with its values, the usual case.

    None if two rows or two lines are alike, or if one has no counterpart.
    """
    lines = dict(zip(listed, range(len(listed)), strict=True))
    if not len(lines) == len(listed) == len(ours):
        return None
    if ours == listed:
        return range(len(ours))
    places = [lines.get(key, -1) for key in ours]
    return places if len({-1, *places}) > len(ours) else None


def are_in_order(ours: Sequence[Key], listed: Sequence[Key]) -> bool:
    """Return whether every line of the listing stands where its row stands in what we sent."""
    if len(ours) != len(listed):
        return False
    if ours == listed and len(frozenset(ours)) == len(ours):
        return True
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
    ours: Sequence[Key], listed: Sequence[Key], wanted: frozenset[Key] | None = None
) -> Iterator[tuple[list[int], list[int]]]:
    """
    Yield places of rows with equal values, and the places of the lines that have the same.

    Args:
        wanted: Values of which no others are looked at.

    Sorted and walked side by side: a dictionary with a list for each key takes 3 MiB more.
    """
    groups = _groups(listed, wanted)
    key, lines = next(groups, _NO_GROUP)
    for sent, rows in _groups(ours, wanted):
        while lines and key < sent:
            key, lines = next(groups, _NO_GROUP)
        yield rows, lines if key == sent else []


def _groups(keys: Sequence[Key], wanted: frozenset[Key] | None) -> Iterator[tuple[Key, list[int]]]:
    """Yield each key with its places, in the order of the keys."""
    places: Iterable[int] = range(len(keys))
    if wanted is not None:
        places = compress(places, map(wanted.__contains__, keys))
    ordered = sorted(places, key=keys.__getitem__)
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


_NOT_WRITTEN = (RowStatus.REFUSED, RowStatus.EXISTING, RowStatus.UNPROCESSED)


def left_over(
    results: RowResults,
    said: Callable[[], Mapping[int, RowResult]],
    counts: JobCounts,
    *,
    existing_is_asked: bool,
) -> Mapping[int, RowResult]:
    """
    Return results of unclear rows, by their place, for which Bigin's counts leave one answer.

    Args:
        said: Finds what the listing says of unclear rows and others that look the same.
        existing_is_asked: A row that Bigin skipped may be there already, as was asked.
    """
    known, rows = results.counts, len(results.statuses)
    is_complete = counts.covered == rows and counts.total in (None, rows)
    if not known.unclear or not is_complete or disagrees(results, counts):
        return {}
    unclear = [at for at, status in enumerate(results.statuses) if status is RowStatus.UNCLEAR]
    added = (counts.added or 0) - known.added
    updated = (counts.updated or 0) - known.updated
    if added + updated == 0:
        otherwise = None if existing_is_asked else RowResult(RowStatus.REFUSED)
        return _not_written(unclear, said(), otherwise)
    if added + updated != known.unclear:
        return {}
    if any(results.eithers) or (added and updated):
        return dict.fromkeys(unclear, RowResult(RowStatus.UPDATED, either=True))
    return dict.fromkeys(unclear, RowResult(RowStatus.ADDED if added else RowStatus.UPDATED))


def _not_written(
    unclear: Sequence[int], said: Mapping[int, RowResult], otherwise: RowResult | None
) -> Mapping[int, RowResult]:
    """Give each unclear row what is said of it, if that is no success, or else *otherwise*."""
    found = {at: row_result for at, row_result in said.items() if row_result.status in _NOT_WRITTEN}
    return found if otherwise is None else dict.fromkeys(unclear, otherwise) | found


def disagrees(results: RowResults, counts: JobCounts) -> bool:
    """Return whether no results of the unclear rows could make the rows fit Bigin's counts."""
    known, rows = results.counts, len(results.statuses)
    either = sum(results.eithers)
    skipped = known.refused + known.existing
    decided = rows - known.unprocessed - known.unclear
    return not (
        _fits(counts.added, known.added, known.added + either + known.unclear)
        and _fits(counts.updated, known.updated - either, known.updated + known.unclear)
        and _fits(counts.skipped, skipped, skipped + known.unprocessed + known.unclear)
        and _fits(counts.total, decided, rows)
    )


def _fits(count: int | None, least: int, most: int) -> bool:
    return count is None or least <= count <= most


_WRITTEN = (RowStatus.ADDED, RowStatus.UPDATED)


def by_order(ours: Sequence[Key], listing: Listing, counts: JobCounts) -> list[RowResult]:
    """
    Give every row the line at its place in a listing that is in order.

    A line that is listed twice stands beside itself, so it can take another's place only among
    neighbours that look alike, and theirs are then the same. Bigin's counts show it, unless two
    such mistakes cancel each other out; to take that for impossible is no bolder than to take
    the order for proven.
    """
    row_results = list(listing.row_results)
    if len(frozenset(ours)) == len(ours):
        return row_results
    beside = [
        at
        for at in range(1, len(ours))
        if ours[at] == ours[at - 1] and row_results[at] == row_results[at - 1]
    ]
    ambiguous = sorted({*beside, *(at - 1 for at in beside)})
    if not ambiguous:
        return row_results
    if not _is_whole(len(ours), listing, counts):
        return _without(ambiguous, row_results)
    for at in ambiguous:
        row_results[at] = _certain(row_results[at], is_named=listing.names_record(ours[at]))
    return row_results


def by_whole_listing(
    ours: Sequence[Key], wholes: Sequence[int], listing: Listing, counts: JobCounts
) -> list[RowResult] | None:
    """
    Give every row its line, and rows without one the success that the counts leave for them.

    The lines are exactly as many as they must be, with Bigin's counts, and no values are listed
    more often than they were sent. So a line can be listed twice only among rows that
    look alike, in place of another's with the same values; its status is still the right one if
    all such lines have the same. Of a listing of failures alone it is taken that none of them is
    listed in place of a failure with other values.

    Returns:
        None if the listing is not whole, or the counts contradict it.
    """
    if not _is_whole(len(ours), listing, counts):
        return None
    unlisted = _written(counts)
    row_results = [UNCLEAR] * len(ours)
    ambiguous: list[int] = []
    repeated: set[RowStatus] = set()
    spoken_for = 0
    for rows, found in with_equal_values(ours, listing.keys):
        if len(found) > len(rows):
            return None
        spoken_for += len(found)
        lines = [listing.row_results[at] for at in found]
        if len(set(lines)) < len(lines):
            repeated |= {line.status for line in _listed_twice(lines)}
            ambiguous += rows
            lines = _certain_of(lines, is_named=listing.names_record(ours[rows[0]]))
        lines += [unlisted] * (len(rows) - len(found))
        for at, row_result in zip(rows, dealt_out(lines, {wholes[at] for at in rows}), strict=True):
            row_results[at] = row_result
    if spoken_for < len(listing.keys):
        return None
    return _without(ambiguous, row_results) if len(repeated) > 1 else row_results


def _without(ambiguous: Iterable[int], row_results: list[RowResult]) -> list[RowResult]:
    for at in ambiguous:
        row_results[at] = UNCLEAR
    return row_results


def _listed_twice(lines: Iterable[RowResult]) -> set[RowResult]:
    return {line for line, times in Counter(lines).items() if times > 1}


def _certain_of(lines: Sequence[RowResult], *, is_named: bool) -> list[RowResult]:
    """Return *lines*, of those that are there twice only what is certain."""
    again = _listed_twice(lines)
    return [_certain(line, is_named=is_named) if line in again else line for line in lines]


def _certain(line: RowResult, *, is_named: bool) -> RowResult:
    """
    Return what holds of two rows with the same line, though one of them may be listed twice.

    Args:
        is_named: The rows share the value by which Bigin finds a record.
    """
    if is_named:
        return line
    if line.status is RowStatus.EXISTING:  # to Bigin's counts that is skipped, for any reason
        return UNCLEAR
    return line._replace(record_id="")


def _is_whole(rows: int, listing: Listing, counts: JobCounts) -> bool:
    """
    Return whether the listing has as many lines as there are rows, or rows not written.

    And whether these lines, with the rows that it then leaves out, have Bigin's counts.
    """
    statuses = [row_result.status for row_result in listing.row_results]
    if RowStatus.UNCLEAR in statuses or _adds_twice(listing.row_results):
        return False
    # It is not known whether Bigin counts what it left unprocessed among the skipped rows.
    decided = (rows, rows - statuses.count(RowStatus.UNPROCESSED))
    if counts.covered not in decided or counts.total not in (None, *decided):
        return False
    unlisted = rows - len(statuses)
    if unlisted:
        written = (counts.added or 0) + (counts.updated or 0)
        if unlisted != written or any(each in _WRITTEN for each in statuses):
            return False
    all_rows = [*listing.row_results, *[_written(counts)] * unlisted]
    return not disagrees(RowResults.of(all_rows), counts)


def _adds_twice(row_results: Sequence[RowResult]) -> bool:
    """Return whether a record is added by two lines: then one of them is a repetition."""
    added = [
        row_result.record_id
        for row_result in row_results
        if row_result.status is RowStatus.ADDED and row_result.record_id
    ]
    return len(set(added)) < len(added)


def _written(counts: JobCounts) -> RowResult:
    """Return what became of rows of which it is only certain that Bigin wrote them."""
    if counts.added and counts.updated:
        return RowResult(RowStatus.UPDATED, either=True)
    return RowResult(RowStatus.ADDED if counts.added else RowStatus.UPDATED)


def said_of_equal_rows(
    ours: Sequence[Key], listing: Listing, statuses: Sequence[RowStatus]
) -> dict[int, RowResult]:
    """Return, for unclear rows, what all lines with their values have in common."""
    said: dict[int, RowResult] = {}
    are_unclear = [status is RowStatus.UNCLEAR for status in statuses]
    wanted = frozenset(compress(ours, are_unclear))
    for rows, found in with_equal_values(ours, listing.keys, wanted):
        unclear = [at for at in rows if are_unclear[at]] if found else []
        if unclear:
            row_result = common_result([listing.row_results[at] for at in found])
            if len(found) < len(rows):  # some of them are not listed, for whatever reason
                row_result = row_result._replace(error=any_of((row_result.error, "")))
            said |= dict.fromkeys(unclear, row_result)
    return said
