"""
What others have changed in Bigin since an import: that is no more the import's alone.

Bigin lists what was changed in a module, the latest first, 200 records a call. Where so much was
changed that asking for each record of a small import costs less, each is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final

from bigin_import.domain.undo import UndoRow
from bigin_import.ports import Parallel, Records

PAGE_RECORDS: Final = 200  # of a list of Bigin's; each page costs a credit
MOST_ASKED_FOR: Final = 499  # records, one by one, within the minutes of an invocation
PARALLEL_CALLS: Final = 3

type Changes = Mapping[str, str]
"""When records were last changed, by their ids, in ISO 8601 and UTC."""


def list_changes(records: Records, module: str, since: int, *, rows: int) -> Changes | None:
    """
    Return what was changed in a module at *since*, in seconds since the epoch, or later.

    Args:
        rows: Records that are asked about.

    Returns:
        None if the list has cost as much as asking for each of these, and goes on.

    Raises:
        BiginError: Bigin does not say it.
    """
    moment = datetime.fromtimestamp(since, UTC)
    listed = records.list_changed_since(module, moment)
    most = rows * PAGE_RECORDS if rows <= MOST_ASKED_FOR else None
    found = {each.id: _as_text(each.modified_time) for each in islice(listed, most)}
    return found if most is None or next(listed, None) is None else None


def ask_for_changes(
    records: Records, parallel: Parallel, module: str, ids: Iterable[str]
) -> dict[str, str]:
    """
    Return when each of some records was last changed, without those that are gone.

    Raises:
        BiginError: Bigin does not say it.
    """
    found: dict[str, str] = {}
    parallel.each(partial(_ask, records, module, found), ids, at_most=PARALLEL_CALLS)
    return found


def _ask(records: Records, module: str, found: dict[str, str], record_id: str) -> None:
    moment = records.get_modified_time(module, record_id)
    if moment is not None:
        found[record_id] = _as_text(moment)


def _as_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def is_changed(row: UndoRow, changes: Changes) -> bool:
    """Return whether somebody has changed the record of *row* since its job ended."""
    found = changes.get(row.record_id)
    return found is not None and datetime.fromisoformat(found).timestamp() > row.ended_at
