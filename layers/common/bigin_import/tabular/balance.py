"""Bigin's counts against the rows: do they agree, and what do they say of unclear rows?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from bigin_import.models import Counts, RowFate, RowStatus
from bigin_import.models.findings import JobCounts

_NOT_WRITTEN = (RowStatus.SKIPPED, RowStatus.EXISTING, RowStatus.UNPROCESSED)


def count_fates(fates: Sequence[RowFate]) -> Counts:
    """Count rows by their fate."""
    found = Counter(fate.status.value for fate in fates)
    return Counts(**found)


def left_over(
    fates: Sequence[RowFate],
    said: Mapping[int, RowFate],
    counts: JobCounts,
    *,
    existing_is_asked: bool,
) -> Mapping[int, RowFate]:
    """
    Return the fates of unclear rows, by their place, for which Bigin's counts leave one answer.

    Args:
        said: What the listing says of unclear rows and others that look the same.
        existing_is_asked: A row that Bigin skipped may be there already, as was asked.
    """
    known = count_fates(fates)
    is_complete = counts.covered == len(fates) and counts.total in (None, len(fates))
    if not known.unclear or not is_complete or disagrees(fates, counts):
        return {}
    unclear = [at for at, fate in enumerate(fates) if fate.status is RowStatus.UNCLEAR]
    added = (counts.added or 0) - known.added
    updated = (counts.updated or 0) - known.updated
    if added + updated == 0:
        otherwise = None if existing_is_asked else RowFate(RowStatus.SKIPPED)
        return _not_written(unclear, said, otherwise)
    if added + updated != known.unclear:
        return {}
    if any(fate.either for fate in fates) or (added and updated):
        return dict.fromkeys(unclear, RowFate(RowStatus.UPDATED, either=True))
    return dict.fromkeys(unclear, RowFate(RowStatus.ADDED if added else RowStatus.UPDATED))


def _not_written(
    unclear: Sequence[int], said: Mapping[int, RowFate], otherwise: RowFate | None
) -> Mapping[int, RowFate]:
    """Give each unclear row what is said of it, if that is no success, or else *otherwise*."""
    found = {at: fate for at, fate in said.items() if fate.status in _NOT_WRITTEN}
    return found if otherwise is None else dict.fromkeys(unclear, otherwise) | found


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
