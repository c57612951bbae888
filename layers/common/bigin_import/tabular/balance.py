"""Bigin's counts against the rows: do they agree, and what do they say of unclear rows?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bigin_import.models import Counts, RowFate, RowStatus
from bigin_import.models.findings import JobCounts


def count_fates(fates: Sequence[RowFate]) -> Counts:
    """Count rows by their fate."""
    found = Counter(fate.status.value for fate in fates)
    return Counts(**found)


def left_over(
    fates: Sequence[RowFate], counts: JobCounts, *, existing_is_asked: bool
) -> RowFate | None:
    """Return the one fate that Bigin's counts leave for all unclear rows, if there is one."""
    known = count_fates(fates)
    is_complete = counts.covered == len(fates) and counts.total in (None, len(fates))
    if not known.unclear or not is_complete or disagrees(fates, counts):
        return None
    added = (counts.added or 0) - known.added
    updated = (counts.updated or 0) - known.updated
    if added + updated == 0 and not existing_is_asked:
        return RowFate(RowStatus.SKIPPED)
    if added + updated != known.unclear:
        return None
    if any(fate.either for fate in fates) or (added and updated):
        return RowFate(RowStatus.UPDATED, either=True)
    return RowFate(RowStatus.ADDED if added else RowStatus.UPDATED)


def disagrees(fates: Sequence[RowFate], counts: JobCounts) -> bool:
    """Tell whether no fate of the unclear rows could make the rows fit Bigin's counts."""
    known = count_fates(fates)
    either = sum(fate.either for fate in fates)
    skipped = known.skipped + known.existing
    decided = len(fates) - known.unprocessed - known.unclear
    return not (
        _fits(counts.added, known.added, known.added + either + known.unclear)
        and _fits(counts.updated, known.updated - either, known.updated + known.unclear)
        and _fits(counts.skipped, skipped, skipped + known.unprocessed + known.unclear)
        and _fits(counts.total, decided, len(fates))
    )


def _fits(count: int | None, least: int, most: int) -> bool:
    return count is None or least <= count <= most
