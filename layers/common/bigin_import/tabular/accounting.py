"""
What Bigin's counts say of rows that their values do not tell apart.

Where a listing has a line for each row, or for each row that Bigin did not write, it says what
became of every row, whichever of them look alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from bigin_import.models import RowFate, RowStatus
from bigin_import.models.findings import JobCounts
from bigin_import.tabular.balance import disagrees
from bigin_import.tabular.listing import Key, Listing
from bigin_import.tabular.matching import UNCLEAR, common_fate, dealt_out, with_equal_values
from bigin_import.tabular.reasons import any_of

_WRITTEN = (RowStatus.ADDED, RowStatus.UPDATED)


def by_order(ours: Sequence[Key], listing: Listing, counts: JobCounts) -> list[RowFate]:
    """
    Give every row the line at its place in a listing that is in order.

    A line that is listed twice stands beside itself, so it can take another's place only among
    neighbours that look alike, and theirs are then the same. Bigin's counts show it, unless two
    such mistakes cancel each other out; to take that for impossible is no bolder than to take
    the order for proven.
    """
    fates = list(listing.fates)
    beside = [
        at for at in range(1, len(ours)) if ours[at] == ours[at - 1] and fates[at] == fates[at - 1]
    ]
    in_doubt = sorted({*beside, *(at - 1 for at in beside)})
    if not in_doubt:
        return fates
    if not _is_whole(len(ours), listing, counts):
        return _without(in_doubt, fates)
    for at in in_doubt:
        fates[at] = _certain(fates[at], is_named=listing.names_record(ours[at]))
    return fates


def by_whole_listing(
    ours: Sequence[Key], wholes: Sequence[int], listing: Listing, counts: JobCounts
) -> list[RowFate] | None:
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
    fates = [UNCLEAR] * len(ours)
    in_doubt: list[int] = []
    repeated: set[RowStatus] = set()
    spoken_for = 0
    for rows, found in with_equal_values(ours, listing.keys):
        if len(found) > len(rows):
            return None
        spoken_for += len(found)
        lines = [listing.fates[at] for at in found]
        if len(set(lines)) < len(lines):
            repeated |= {line.status for line in _listed_twice(lines)}
            in_doubt += rows
            lines = _certain_of(lines, is_named=listing.names_record(ours[rows[0]]))
        lines += [unlisted] * (len(rows) - len(found))
        for at, fate in zip(rows, dealt_out(lines, {wholes[at] for at in rows}), strict=True):
            fates[at] = fate
    if spoken_for < len(listing.keys):
        return None
    return _without(in_doubt, fates) if len(repeated) > 1 else fates


def _without(in_doubt: Iterable[int], fates: list[RowFate]) -> list[RowFate]:
    for at in in_doubt:
        fates[at] = UNCLEAR
    return fates


def _listed_twice(lines: Iterable[RowFate]) -> set[RowFate]:
    return {line for line, times in Counter(lines).items() if times > 1}


def _certain_of(lines: Sequence[RowFate], *, is_named: bool) -> list[RowFate]:
    """Return *lines*, of those that are there twice only what is certain."""
    again = _listed_twice(lines)
    return [_certain(line, is_named=is_named) if line in again else line for line in lines]


def _certain(line: RowFate, *, is_named: bool) -> RowFate:
    """
    Return what holds of two rows with the same line, though one of them may be listed twice.

    Args:
        is_named: The rows share the value by which Bigin finds a record.
    """
    if is_named:
        return line
    if line.status is RowStatus.EXISTING:  # to Bigin's counts that is skipped, for any reason
        return UNCLEAR
    return replace(line, record_id="")


def _is_whole(rows: int, listing: Listing, counts: JobCounts) -> bool:
    """
    Tell whether the listing has as many lines as there are rows, or rows not written.

    And whether these lines, with the rows that it then leaves out, have Bigin's counts.
    """
    statuses = [fate.status for fate in listing.fates]
    if RowStatus.UNCLEAR in statuses or _adds_twice(listing.fates):
        return False
    # Bigin does not say whether it counts what it left unprocessed among the skipped rows.
    decided = (rows, rows - statuses.count(RowStatus.UNPROCESSED))
    if counts.covered not in decided or counts.total not in (None, *decided):
        return False
    unlisted = rows - len(statuses)
    if unlisted:
        written = (counts.added or 0) + (counts.updated or 0)
        if unlisted != written or any(each in _WRITTEN for each in statuses):
            return False
    return not disagrees([*listing.fates, *[_written(counts)] * unlisted], counts)


def _adds_twice(fates: Sequence[RowFate]) -> bool:
    """Tell whether a record is added by two lines: then one of them is a repetition."""
    added = [fate.record_id for fate in fates if fate.status is RowStatus.ADDED and fate.record_id]
    return len(set(added)) < len(added)


def _written(counts: JobCounts) -> RowFate:
    """Return what became of rows of which it is only certain that Bigin wrote them."""
    if counts.added and counts.updated:
        return RowFate(RowStatus.UPDATED, either=True)
    return RowFate(RowStatus.ADDED if counts.added else RowStatus.UPDATED)


def said_of_look_alikes(
    ours: Sequence[Key], listing: Listing, fates: Sequence[RowFate]
) -> dict[int, RowFate]:
    """Return, for unclear rows, what all lines with their values have in common."""
    said: dict[int, RowFate] = {}
    for rows, found in with_equal_values(ours, listing.keys):
        unclear = [at for at in rows if fates[at].status is RowStatus.UNCLEAR] if found else []
        if unclear:
            fate = common_fate([listing.fates[at] for at in found])
            if len(found) < len(rows):  # some of them are not listed, for whatever reason
                fate = replace(fate, error=any_of((fate.error, "")))
            said |= dict.fromkeys(unclear, fate)
    return said
