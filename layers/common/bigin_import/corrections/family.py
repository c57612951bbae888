"""
Which rows of a result file that comes back are in Bigin already.

A row keeps its identity in its family: the import that it was first dropped with, and its number
there. What any member of the family did with it counts, so correcting a file in several goes, in
any order and under any key, adds every row once.

A family has one lock: a drop and its corrections run one after another, whatever their keys.
The lock is free as soon as its import is closed: then the rows of that are kept, so whoever comes
next knows what became of them. Only who waits for another import before anything was sent gives it
back.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from itertools import batched
from typing import NamedTuple

from bigin_import import object_keys
from bigin_import.corrections.corrections import Healed, Healing, windows_of
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Operation
from bigin_import.domain.locks import Family
from bigin_import.domain.plan import ColumnPlan, RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.domain.states import ImportState
from bigin_import.errors import DropRejectedError, MissingObjectError, UnderWayError
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Files, Ledger
from bigin_import.reading.row_shapes import ParentRow
from bigin_import.reading.table import Drop, Table
from bigin_import.report.summary import rows as in_words
from bigin_import.row_results.kept_rows import Fingerprints, KeptRow, read_kept_rows
from bigin_import.row_results.reasons import RELEASE
from bigin_import.splitting.row_check import CheckedBatch
from bigin_import.splitting.splitter import check_of
from bigin_import.stored_plan import write_decisions

MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that
WINDOW = 50_000  # rows that are looked up at once; bounds memory whatever the size of the file
_NAMED = 10
_SAID_IN = frozenset({"added", "updated", "added or updated", "existing"})
type Identity = tuple[str, int]


class DroppedRow(NamedTuple):
    """
    A row of a result file that came back.

    Attributes:
        parent: What it says of itself in our columns; None if nothing.
        record: What would be sent of it; None if it is not fit to be sent.
        healed: What was done to its cells, or why it is not sent.
    """

    number: int
    parent: ParentRow | None
    record: Sequence[str] | None
    healed: Healed = Healed()


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyRows:
    """
    What a family did with its rows.

    Attributes:
        parent_id: The import whose result file has come back.
        members: The imports of the family that are remembered and have ended, the one that they
            all go back to first.
        originals: Ids of those that are no corrections: the drop again, mended or grown.
    """

    files: Files
    parent_id: str
    members: tuple[Import, ...]
    originals: frozenset[str] = frozenset()

    def read_identities(self, rows: Iterable[Identity]) -> dict[Identity, Identity]:
        """Return who rows are in their family, by the import that they name and its number."""
        found = {row: row for row in rows}
        parents = {parent for parent, _ in found}
        for member in self.members:
            for kept in self._read(member) if member.import_id in parents else ():
                row = (member.import_id, kept.row)
                if kept.root_import and row in found:
                    found[row] = (kept.root_import, kept.root_row)
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

    def read_mended(self, wanted: Container[str]) -> dict[str, list[KeptRow]]:
        """
        Return rows that came in with a mended original, by the fingerprint of what was sent.

        There a row may have been corrected that a result file has as well.
        """
        found: dict[str, list[KeptRow]] = {}
        for member in self.members if self.originals else ():
            for kept in self._read(member) if member.import_id in self.originals else ():
                if kept.sent in wanted and not kept.root_import and kept.status.is_in_bigin:
                    found.setdefault(kept.sent, []).append(kept._replace(through=member.import_id))
        return found

    def find_kept(self) -> frozenset[str]:
        """Return the members whose rows were kept; before a release, they were not."""
        kept = (member for member in self.members if next(self._read(member), None) is not None)
        return frozenset(member.import_id for member in kept)

    def _read(self, member: Import) -> Iterator[KeptRow]:
        if not member.results:  # a person had it forgotten
            return
        key = object_keys.kept_rows_file(member.results)
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
    if kept.status.is_in_bigin:
        if not kept.through or earlier is None:
            found[identity] = kept._replace(through=kept.through or import_id)
    elif kept.status is RowStatus.UNCLEAR and (earlier is None or not earlier.status.is_in_bigin):
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
NEW = "with no number in bigin__Row, or with one that an earlier row has, sent as new"


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
        self._kept = family.find_kept()
        self._seen: set[Identity] = set()

    def decide(self, rows: Iterable[DroppedRow]) -> Iterator[RowDecision]:
        """Yield a decision for each row that is not simply sent as a new one."""
        for window in batched(rows, WINDOW, strict=False):
            known = [self._with_own_number(row) for row in window]
            named = [name for row in known if (name := self._name_of(row.parent))]
            identities = self._family.read_identities(named)
            results = self._family.read_results(set(identities.values()))
            mended = self._read_mended(known)
            for row in known:
                name = self._name_of(row.parent)
                identity = identities.get(name) if name else None
                kept = results.get(identity or ("", 0))
                if identity is not None and (kept is None or not kept.status.is_in_bigin):
                    kept = self._take_mended(row, mended) or kept
                decision = self._decided(row, identity, kept)
                self._count(decision, row)
                if decision != RowDecision(row.number):
                    yield decision

    def _read_mended(self, rows: Iterable[DroppedRow]) -> dict[str, list[KeptRow]]:
        if not self._is_insert:
            return {}  # what is sent again finds its record
        records = (row.record for row in rows)
        return self._family.read_mended(
            {self._fingerprints.of(record) for record in records if record is not None}
        )

    def _take_mended(self, row: DroppedRow, mended: dict[str, list[KeptRow]]) -> KeptRow | None:
        """Return the row of a mended original that is *row* corrected in the same way, once."""
        same = mended.get(self._fingerprints.of(row.record)) if row.record is not None else None
        return same.pop() if same else None

    def _with_own_number(self, row: DroppedRow) -> DroppedRow:
        """Return *row* without its number in the parent, if an earlier row has the same."""
        name = self._name_of(row.parent)
        if name is None:
            return row
        if name in self._seen:
            return row._replace(parent=None)
        self._seen.add(name)
        return row

    def _name_of(self, parent: ParentRow | None) -> Identity | None:
        """Return the import that a row names, and its number there; None if it does not say one."""
        if parent is None or not parent.row:
            return None
        return parent.import_id or self._family.parent_id, parent.row

    def _decided(
        self, row: DroppedRow, identity: Identity | None, kept: KeptRow | None
    ) -> RowDecision:
        root_import, root_row = identity or ("", 0)
        decision = RowDecision(
            row.number,
            root_import=root_import,
            root_row=root_row,
            restored=row.healed.restored,
            reason=row.healed.reason,
        )
        if kept is None:
            return self._decided_by_its_word(decision, row.parent)
        settled = decision._replace(record_id=kept.record_id, through=kept.through, reason="")
        if kept.status.is_in_bigin and self._is_in(row, kept):
            return settled._replace(status=RowStatus.EXISTING)
        if kept.status is RowStatus.UNCLEAR and not self._may_be_sent(row):
            return settled._replace(status=RowStatus.UNCLEAR)
        return decision

    def _decided_by_its_word(self, decision: RowDecision, parent: ParentRow | None) -> RowDecision:
        """Believe what a row says of itself, where nothing else is known of it."""
        if parent is None or parent.status.casefold() not in _SAID_IN:
            return decision
        status, through = RowStatus.EXISTING, parent.import_id or self._family.parent_id
        if parent.row is not None and through in self._kept:
            return decision
        record_id = parent.record_id
        return decision._replace(status=status, record_id=record_id, through=through, reason="")

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


@dataclass(frozen=True, slots=True)
class Decided:
    """
    What was decided about the rows of a correction.

    Attributes:
        sha256: Of the stored decisions; "" if there are none.
        sends: Whether any row is left to be sent, or to be told as invalid.
    """

    sha256: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    sends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Families:
    """Finds the family of a correction, and lets it run alone."""

    ledger: Ledger
    files: Files

    def find_root(self, parent_id: str, module: str) -> str | None:
        """Return where the family of *parent_id* goes back to; None if it is not for *module*."""
        parent = self.ledger.load(Import.at(parent_id))
        if parent is not None and parent.module not in (None, module):
            return None
        return parent.root if parent is not None and parent.root else parent_id

    def acquire(self, record: Import, root: str, *, is_original: bool = False) -> Family:
        """
        Take the lock of a family; return it as it stands then. Idempotent.

        Args:
            is_original: It is the drop itself again, mended or grown.

        Raises:
            UnderWayError: Another member has not ended.
        """

        def acquired(seen: Family) -> Family | None:
            if not self._load_holder_is_done(seen, record):
                return None
            own = record.import_id
            originals = (*_without(own, seen.originals), *((own,) if is_original else ()))
            members = (*_without(own, seen.members), own)
            return replace(seen, open_import=own, members=members, originals=originals)

        create_if_absent(self.ledger, Family(root=root))
        family, ours = update(self.ledger, Family.at(root), acquired)
        if family is None or not ours:
            holder = self.ledger.load(Import.at((family and family.open_import) or ""))
            is_on_hold = holder is not None and holder.state is ImportState.ON_HOLD
            raise UnderWayError(
                f"another import of family {root} has not ended", is_on_hold=is_on_hold
            )
        return family

    def join(self, record: Import, seen: Family) -> Family:
        """
        Take the lock of a family for its drop itself, dropped again, mended or grown.

        Args:
            seen: The family when its rows were read.

        Raises:
            UnderWayError: Another member has not ended, or has run since.
        """
        family = self.acquire(record, seen.root, is_original=True)
        if _without(record.import_id, family.members) != _without(record.import_id, seen.members):
            raise UnderWayError(f"a member of family {seen.root} has just ended", is_on_hold=False)
        return family

    def acquire_all(self, record: Import, roots: Iterable[str]) -> None:
        """
        Take the locks of several families, in an order that is the same for everybody.

        Raises:
            UnderWayError: A member of one of them has not ended; then none is taken.
        """
        taken: list[str] = []
        try:
            for root in sorted(roots):
                self.acquire(record, root)
                taken.append(root)
        except UnderWayError:
            self.release(record, taken)
            raise

    def release(self, record: Import, roots: Iterable[str]) -> None:
        """Give locks back that *record* has: it waits for an import that may wait for them."""
        for root in roots:
            update(self.ledger, Family.at(root), partial(_released, record.import_id))

    def decide(
        self,
        import_id: str,
        roots: Iterable[str],
        drop: Drop,
        parent_id: str,
        columns: ColumnPlan,
        healing: Healing | None = None,
    ) -> Decided:
        """
        Decide which rows of a result file of *parent_id* are sent, and keep that.

        Raises:
            DropRejectedError: Nothing of it may be sent, for it is not clear what is in Bigin.
        """
        locks = [self.ledger.load(Family.at(root)) or Family(root=root) for root in roots]
        members = {each.import_id: each for lock in locks for each in self._load_members(lock)}
        family = FamilyRows(
            files=self.files,
            parent_id=parent_id,
            members=tuple(members.values()),
            originals=frozenset(each for lock in locks for each in lock.originals),
        )
        decider = Decider(family, columns)
        with drop.open() as table:
            rows = _read_rows(table, columns, healing)
            sha256 = write_decisions(self.files, import_id, decider.decide(rows))
        if not decider.sent and decider.unclear:
            raise DropRejectedError((_unclear_rows(drop.source.key),))
        restored = healing.notes if healing else ()
        return Decided(sha256, (*restored, *decider.notes), decider.warnings, decider.sent > 0)

    def _load_holder_is_done(self, family: Family, record: Import) -> bool:
        if family.open_import in (None, record.import_id):
            return True
        holder = self.ledger.load(Import.at(family.open_import))
        return holder is None or holder.state.is_closed

    def _load_members(self, family: Family) -> Iterator[Import]:
        for import_id in (family.root, *family.members):
            member = self.ledger.load(Import.at(import_id))
            if member is not None and member.state.is_closed:
                yield member


def _released(import_id: str, seen: Family) -> Family | None:
    return replace(seen, open_import=None) if seen.open_import == import_id else None


def _without(import_id: str, imports: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in imports if each != import_id)


def _read_rows(table: Table, columns: ColumnPlan, healing: Healing | None) -> Iterator[DroppedRow]:
    check, mapped = check_of(columns), {column.source for column in columns.columns}
    for window in windows_of(table):
        healed = healing.restore(window, mapped) if healing else {}
        for batch in window:
            yield from _rows_of(check.check(batch), healed)


def _rows_of(checked: CheckedBatch, healed: Mapping[int, Healed]) -> Iterator[DroppedRow]:
    batch, records = checked.batch, iter(checked.records)
    for at, number in enumerate(batch.numbers):
        record = None if at in checked.reasons else next(records)
        if at not in batch.left_out:
            parent = batch.parents.get(number)
            yield DroppedRow(number, parent, record, healed.get(number, Healed()))


def _unclear_rows(name: str) -> Problem:
    what = "nobody knows whether its rows are in Bigin already, and an insert would add them again"
    return Problem(name, what, RELEASE.rstrip("."))
