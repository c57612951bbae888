"""
Which rows of a result file that comes back are in Bigin already.

A row keeps its identity in its family: the import that it was first dropped with, and its number
there. What any member of the family did with it counts, so correcting a file in several goes, in
any order and under any key, adds every row once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import batched
from typing import NamedTuple

from bigin_import import object_keys
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Operation
from bigin_import.domain.plan import ColumnPlan, RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.errors import MissingObjectError
from bigin_import.ports import Files
from bigin_import.reading.row_shapes import ParentRow
from bigin_import.report.figures import rows as in_words
from bigin_import.row_results.kept_rows import Fingerprints, KeptRow, read_kept_rows

MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that
WINDOW = 50_000  # rows that are looked up at once; bounds memory whatever the size of the file
_NAMED = 10
_IN = frozenset({RowStatus.ADDED, RowStatus.UPDATED, RowStatus.EXISTING})
_SAID_IN = frozenset({"added", "updated", "added or updated", "existing"})
type Identity = tuple[str, int]


class DroppedRow(NamedTuple):
    """
    A row of a result file that came back.

    Attributes:
        parent: What it says of itself in our columns; None if nothing.
        record: What would be sent of it; None if it is not fit to be sent.
        restored: As in `RowDecision`.
    """

    number: int
    parent: ParentRow | None
    record: Sequence[str] | None
    restored: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRows:
    """
    What a family did with its rows.

    Attributes:
        parent_id: The import whose result file has come back.
        members: The imports of the family that are remembered and have ended, the one that they
            all go back to first.
    """

    files: Files
    parent_id: str
    members: tuple[Import, ...]

    def read_identities(self, numbers: Iterable[int]) -> dict[int, Identity]:
        """Return who rows of the parent are in the family, by their number in the parent."""
        wanted = set(numbers)
        found = {number: (self.parent_id, number) for number in wanted}
        for kept in self._read_parent():
            if kept.root_import and kept.row in wanted:
                found[kept.row] = (kept.root_import, kept.root_row)
        return found

    def read_results(self, wanted: set[Identity]) -> dict[Identity, KeptRow]:
        """Return what became of rows that are in Bigin, or may be; *through* is always set."""
        found: dict[Identity, KeptRow] = {}
        for member in self.members:
            for kept in self._read(member):
                identity = (kept.root_import or member.import_id, kept.root_row or kept.row)
                if identity in wanted:
                    _take_in(found, identity, kept, member.import_id)
        return found

    def find_parent(self) -> bool:
        """Return whether the rows of the parent were kept; before a release, they were not."""
        return next(self._read_parent(), None) is not None

    def _read_parent(self) -> Iterator[KeptRow]:
        for member in self.members:
            if member.import_id == self.parent_id:
                yield from self._read(member)

    def _read(self, member: Import) -> Iterator[KeptRow]:
        key = object_keys.kept_rows_file(member.results or "")
        try:
            body = self.files.read(key, at_most=MOST_BYTES)
        except MissingObjectError:  # nothing of it was sent; or a release before did not keep it
            return
        yield from read_kept_rows(BytesIO(body))


def _take_in(
    found: dict[Identity, KeptRow], identity: Identity, kept: KeptRow, import_id: str
) -> None:
    """Note the latest that got a row in; else that it is unclear."""
    earlier = found.get(identity)
    if kept.status in _IN:
        if not kept.through or earlier is None:
            found[identity] = kept._replace(through=kept.through or import_id)
    elif kept.status is RowStatus.UNCLEAR and (earlier is None or earlier.status not in _IN):
        found[identity] = kept._replace(through=kept.through or import_id)


@dataclass(slots=True)
class Tally:
    """Counts rows by what was decided, and keeps the numbers of the first."""

    counts: dict[str, int] = field(default_factory=dict)
    first: dict[str, list[int]] = field(default_factory=dict)

    def add(self, what: str, row: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1
        first = self.first.setdefault(what, [])
        if len(first) < _NAMED:
            first.append(row)

    def sentence(self, what: str) -> str | None:
        """Return *what*, with how many rows it is said of and which; None if of none."""
        if what not in self.counts:
            return None
        numbers = ", ".join(map(str, self.first[what]))
        more = ", …" if self.counts[what] > len(self.first[what]) else ""
        return f"{in_words(self.counts[what])} {what}: row {numbers}{more}."


IN_ALREADY = "in Bigin already through this file or a correction of it, not sent again"
CHANGED = (
    "in Bigin already and changed in this file since; an insert does not send them again, "
    "so change them in Bigin, or drop them with an update"
)
STILL_UNCLEAR = "that may be in Bigin already, not sent again"
NEW = "without a number of their own in bigin__Row, sent as new rows"


class Decider:
    """
    Decides about the rows of a result file.

    Attributes:
        tally: What was decided, to be told.
        sent: Rows that are to be sent, or are not fit to be.
    """

    def __init__(self, family: FamilyRows, columns: ColumnPlan) -> None:
        self.tally = Tally()
        self.sent = 0
        self._family = family
        self._is_insert = columns.request.operation is Operation.INSERT
        self._may_repeat = not self._is_insert and (
            columns.key_is_unique or columns.request.operation is Operation.UPDATE
        )
        self._fingerprints = Fingerprints(columns)
        self._is_known = family.find_parent()
        self._seen: set[int] = set()

    def decide(self, rows: Iterable[DroppedRow]) -> Iterator[RowDecision]:
        """Yield a decision for each row that is not simply sent as a new one."""
        for window in batched(rows, WINDOW, strict=False):
            known = [self._with_own_number(row) for row in window]
            numbers = [row.parent.row for row in known if row.parent and row.parent.row]
            identities = self._family.read_identities(numbers)
            results = self._family.read_results(set(identities.values()))
            for row in known:
                number = row.parent.row if row.parent else None
                identity = identities.get(number) if number else None
                decision = self._decided(row, identity, results.get(identity or ("", 0)))
                self._count(decision, row)
                if decision != RowDecision(row.number):
                    yield decision

    def _with_own_number(self, row: DroppedRow) -> DroppedRow:
        """Return *row* without its number in the parent, if an earlier row has the same."""
        if row.parent is None or row.parent.row is None:
            return row
        if row.parent.row in self._seen:
            return row._replace(parent=None)
        self._seen.add(row.parent.row)
        return row

    def _decided(
        self, row: DroppedRow, identity: Identity | None, kept: KeptRow | None
    ) -> RowDecision:
        root_import, root_row = identity or ("", 0)
        decision = RowDecision(
            row.number, root_import=root_import, root_row=root_row, restored=row.restored
        )
        if kept is None:
            return self._decided_by_its_word(decision, row.parent)
        settled = decision._replace(record_id=kept.record_id, through=kept.through)
        if kept.status in _IN and self._is_in(row, kept):
            return settled._replace(status=RowStatus.EXISTING)
        if kept.status is RowStatus.UNCLEAR and not self._may_be_sent(row):
            return settled._replace(status=RowStatus.UNCLEAR)
        return decision

    def _decided_by_its_word(self, decision: RowDecision, parent: ParentRow | None) -> RowDecision:
        """Believe what a row says of itself, where nothing else is known of it."""
        is_unknown = parent is not None and (parent.row is None or not self._is_known)
        if parent is None or not is_unknown or parent.status.casefold() not in _SAID_IN:
            return decision
        status, through = RowStatus.EXISTING, self._family.parent_id
        return decision._replace(status=status, record_id=parent.record_id, through=through)

    def _is_in(self, row: DroppedRow, kept: KeptRow) -> bool:
        """Return whether nothing is to be done for a row that got in."""
        is_same = row.record is None or not kept.sent or self._is_same(row, kept)
        if self._is_insert and not is_same:
            self.tally.add(CHANGED, row.number)
        return self._is_insert or is_same

    def _is_same(self, row: DroppedRow, kept: KeptRow) -> bool:
        return row.record is not None and self._fingerprints.of(row.record) == kept.sent

    def _may_be_sent(self, row: DroppedRow) -> bool:
        """Return whether an unclear row does no harm if it is sent again, or was released."""
        return self._may_repeat or (row.parent is not None and not row.parent.status)

    def _count(self, decision: RowDecision, row: DroppedRow) -> None:
        if decision.status is RowStatus.EXISTING:
            self.tally.add(IN_ALREADY, row.number)
        elif decision.status is RowStatus.UNCLEAR:
            self.tally.add(STILL_UNCLEAR, row.number)
        else:
            self.sent += 1
            if not decision.root_row:
                self.tally.add(NEW, row.number)

    @property
    def unclear(self) -> int:
        """Rows that are not sent because they may be in Bigin."""
        return self.tally.counts.get(STILL_UNCLEAR, 0)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(filter(None, map(self.tally.sentence, (IN_ALREADY, NEW))))

    @property
    def warnings(self) -> tuple[str, ...]:
        return tuple(filter(None, map(self.tally.sentence, (CHANGED, STILL_UNCLEAR))))
