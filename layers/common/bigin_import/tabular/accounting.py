"""
What Bigin's counts say of rows that their values do not tell apart.

Where a listing has a line for each row, or for each row that Bigin did not write, it says what
became of every row, whichever of them look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bigin_import.models import RowFate, RowStatus
from bigin_import.models.findings import JobCounts
from bigin_import.tabular.balance import disagrees
from bigin_import.tabular.listing import Key, Listing
from bigin_import.tabular.matching import UNCLEAR, common_fate, dealt_out, with_equal_values
from bigin_import.tabular.reasons import any_of

_WRITTEN = (RowStatus.ADDED, RowStatus.UPDATED)


def by_whole_listing(
    ours: Sequence[Key], wholes: Sequence[int], listing: Listing, counts: JobCounts
) -> list[RowFate] | None:
    """
    Give every row its line, and rows without one the success that the counts leave for them.

    That a line is repeated while another is missing is taken to be impossible here, because the
    lines are exactly as many as they must be, no values are listed more often than they were
    sent, and the outcome has Bigin's counts.

    Returns:
        None if the listing is not whole, or the counts contradict it.
    """
    if not _is_whole(len(ours), listing, counts):
        return None
    unlisted = _written(counts)
    fates = [UNCLEAR] * len(ours)
    spoken_for = 0
    for rows, found in with_equal_values(ours, listing.keys):
        if len(found) > len(rows):
            return None
        spoken_for += len(found)
        lines = [listing.fates[at] for at in found] + [unlisted] * (len(rows) - len(found))
        for at, fate in zip(rows, dealt_out(lines, {wholes[at] for at in rows}), strict=True):
            fates[at] = fate
    if spoken_for < len(listing.keys) or disagrees(fates, counts):
        return None
    return fates


def _is_whole(rows: int, listing: Listing, counts: JobCounts) -> bool:
    """Tell whether the listing has as many lines as there are rows, or rows not written."""
    statuses = [fate.status for fate in listing.fates]
    if RowStatus.UNCLEAR in statuses or _adds_twice(listing.fates):
        return False
    # Bigin does not say whether it counts what it left unprocessed among the skipped rows.
    decided = (rows, rows - statuses.count(RowStatus.UNPROCESSED))
    if counts.covered not in decided or counts.total not in (None, *decided):
        return False
    if len(statuses) == rows:
        return True
    written = (counts.added or 0) + (counts.updated or 0)
    return len(statuses) == rows - written and not any(each in _WRITTEN for each in statuses)


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
