"""
Rows of a drop that have one key, where records are found by it: Bigin has what was sent last.

So a row is in no more once another row with its key was sent after it; and one that is not in must
not be sent alone where a later row of the drop has its key.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from bigin_import.deduplication.claims import KeyHistory
from bigin_import.deduplication.earlier_rows import RowMemory
from bigin_import.domain.job_request import JobRequest
from bigin_import.domain.row_result import RowStatus
from bigin_import.splitting.content_log import KEY_HASH_BYTES, RANGES, ContentLog, HashRanges

_ENTRY = Struct(f"={KEY_HASH_BYTES}sI")  # a key, and a row of the drop or the place of a member
_NOT_IN = -1


class ByKey(NamedTuple):
    """
    What the keys of rows tell, by the numbers of the rows.

    Attributes:
        again: Rows that a member of their family got in, and of whose keys a later one has sent
            another row, or may have.
        overtaken: Rows that are not in, or are in no more, and of whose keys a later row is.
    """

    again: frozenset[int] = frozenset()
    overtaken: frozenset[int] = frozenset()


def find_by_key(
    history: KeyHistory,
    request: JobRequest,
    memory: RowMemory,
    log: ContentLog,
    members: Sequence[str],
) -> ByKey:
    """
    Find rows that are to be sent, or are not, for their keys were sent in other rows.

    Args:
        members: Of the family, in the order in which they ran.
    """
    rows = _RowsIn(memory, members)
    again, overtaken = set[int](), set[int]()
    with HashRanges(_ENTRY) as theirs, HashRanges(_ENTRY) as ours:
        for place, member in enumerate(members[1:], start=1):  # the first had those of the drop
            keys = history.read_keys_of(member, request)
            if keys is None:
                rows.unknown = place
            for key in keys or ():
                theirs.add(key, place)
        for key, row in log.keyed_rows():
            ours.add(key, row)
        for at in range(RANGES):
            sent = frozenset(theirs.entries(at))
            again.update(rows.find_again(sent, ours.entries(at)))
            last = rows.find_last(sent, ours.entries(at), again)
            overtaken.update(
                row
                for key, row in ours.entries(at)
                if row < last.get(key, 0) and (row in again or not rows.is_in(row))
            )
    return ByKey(frozenset(again), frozenset(overtaken))


type _Sent = frozenset[tuple[bytes, int]]
"""Keys, and the place of a member that has sent it."""
type _Keyed = Iterator[tuple[bytes, int]]


class _RowsIn:
    """
    Rows that are in, by who got them in: the place of a member among all, the first at 0.

    Attributes:
        unknown: The last member of which nobody knows the keys that it had.
    """

    def __init__(self, memory: RowMemory, members: Sequence[str]) -> None:
        self.unknown = 0
        places = {member: place for place, member in enumerate(members)}
        self._places = array("i")
        for known in memory.known_rows():
            self._places.extend(_NOT_IN for _ in range(known.row + 1 - len(self._places)))
            if known.status is RowStatus.EXISTING:
                self._places[known.row] = places.get(known.through, 0)

    def is_in(self, row: int) -> bool:
        return row < len(self._places) and self._places[row] != _NOT_IN

    def find_again(self, sent: _Sent, rows: _Keyed) -> Iterator[int]:
        """Yield the numbers of *rows* that are in, and whose key a later member has sent."""
        last: dict[bytes, int] = {}
        for key, place in sent:
            last[key] = max(place, last.get(key, 0))
        for key, row in rows:
            if self.is_in(row) and self._places[row] < max(last.get(key, 0), self.unknown):
                yield row

    def find_last(self, sent: _Sent, rows: _Keyed, again: set[int]) -> dict[bytes, int]:
        """Return the last row that is in with each key; a correction may have changed the key."""
        return {
            key: row
            for key, row in rows
            if self.is_in(row)
            and row not in again
            and (self._places[row] <= self.unknown or (key, self._places[row]) in sent)
        }
