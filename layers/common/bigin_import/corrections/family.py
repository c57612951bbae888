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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import batched
from typing import NamedTuple

from bigin_import.corrections.corrections import Healed, Healing, windows_of
from bigin_import.corrections.family_rows import FamilyRows, Identity, RowElsewhere, RowSet
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Awaited, Import
from bigin_import.domain.job_request import Operation
from bigin_import.domain.locks import Family, members_of
from bigin_import.domain.plan import ColumnPlan, RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.errors import DropRejectedError, UnderWayError
from bigin_import.ledger import create_if_absent, load_roots, load_undoing, update
from bigin_import.ports import Files, Ledger
from bigin_import.reading.row_shapes import ParentRow
from bigin_import.reading.table import Drop, Table
from bigin_import.report.summary import Tally
from bigin_import.row_results.kept_rows import (
    Fingerprints,
    KeptRow,
)
from bigin_import.row_results.reasons import RELEASE
from bigin_import.splitting.row_check import CheckedBatch
from bigin_import.splitting.splitter import check_of
from bigin_import.stored_plan import read_undone, write_decisions

WINDOW = 50_000  # rows that are looked up at once; bounds memory whatever the size of the file
_SAID_IN = frozenset({"added", "updated", "added or updated", "existing"})


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


IN_ALREADY = "in Bigin already through this file or a correction of it, not sent again"
CHANGED = (
    "in Bigin already and changed in this file since; an insert does not send them again, "
    "so change them in Bigin, or drop them with an update"
)
STILL_UNCLEAR = "that may be in Bigin already, not sent again"
_RELEASED_BEFORE = (
    "not sent again, though bigin__Status is empty: since import {}, which sent them after this "
    "file was written, nobody knows whether they are in Bigin; look there, and empty bigin__Status "
    "in the unclear file of that import"
)
IN_ANOTHER_FORM = (
    "sent, though a later drop of the file that this one corrects got in another row in its place: "
    "look in Bigin whether it is the same one, and delete one of the two if it is"
)
NEW = "with no number in bigin__Row, or with one that another row has, sent as new"


class _Elsewhere(NamedTuple):
    """
    Rows of a family that may be some of a file though nothing says so, by what was sent of them.

    Attributes:
        mended: Those of which a mended original may have another form.
        files: In which drops that are no corrections the rows of the file stand.
        new: Those that corrections have sent.
        corrections: In which of these the rows of the file stand.
    """

    mended: dict[str, list[RowElsewhere]] = {}  # noqa: RUF012  # nothing is added to it
    files: dict[Identity, set[str]] = {}  # noqa: RUF012  # likewise
    new: dict[str, list[RowElsewhere]] = {}  # noqa: RUF012  # likewise
    corrections: dict[Identity, set[str]] = {}  # noqa: RUF012  # likewise


class Decider:
    """
    Decides about the rows of a result file.

    Attributes:
        tally: What was decided, to be told.
        sent: Rows that are to be sent, or are not fit to be.
        unclear: Rows that are not sent because they may be in Bigin.
        sent_since: The import that sent some of those which a person has released, after the file
            that they did it in was written; "" if none did.
    """

    def __init__(self, family: FamilyRows, columns: ColumnPlan) -> None:
        self.tally = Tally()
        self.sent = self.unclear = 0
        self.sent_since = ""
        self._family = family
        self._is_insert = columns.request.operation is Operation.INSERT
        self._may_repeat = not self._is_insert and (
            columns.key_is_unique or columns.request.operation is Operation.UPDATE
        )
        self._fingerprints = Fingerprints(columns)
        self._kept = family.find_kept()
        self._corrections = family.corrections if self._is_insert else frozenset[str]()
        self._seen, self._used = RowSet(), RowSet()
        self._shown: Mapping[Identity, str] = {}

    def decide(self, rows: Iterable[DroppedRow]) -> Iterator[RowDecision]:
        """Yield a decision for each row that is not simply sent as a new one."""
        for window in batched(rows, WINDOW, strict=False):
            named = {name for row in window if (name := self._name_of(row.parent))}
            identities = self._family.read_identities(named)
            results = self._family.read_results(set(identities.values()))
            known = self._with_own_numbers(window, identities, results)
            self._shown = self._read_shown(known)
            elsewhere = self._read_elsewhere(known, identities, results)
            in_place = self._find_in_place_of(identities.values())
            for row in known:
                name = self._name_of(row.parent)
                identity = identities[name] if name else None
                kept = results.get(identity) if identity else None
                if kept is None or not kept.status.is_in_bigin:
                    other = self._take_elsewhere(row, identity, elsewhere)
                    if other is not None and (kept is None or other.kept.status.is_in_bigin):
                        identity, kept = identity or other.identity, other.kept
                decision = self._decided(row, identity, kept)
                self._count(decision, row)
                if decision.status is None and row.record is not None and identity in in_place:
                    self.tally.add(IN_ANOTHER_FORM, row.number)
                if decision != RowDecision(row.number):
                    yield decision

    def _read_shown(self, rows: Iterable[DroppedRow]) -> dict[Identity, str]:
        """Return since which import a person has seen rows unclear that they release."""
        released = (row.parent for row in rows if row.parent and row.parent.is_released)
        names = {name for parent in released if (name := self._name_of(parent))}
        return self._family.read_unclear(names, {each for each, _ in names}) if names else {}

    def _read_elsewhere(
        self,
        rows: Sequence[DroppedRow],
        identities: Mapping[Identity, Identity],
        results: Mapping[Identity, KeptRow],
    ) -> _Elsewhere:
        """Return what may be rows that are not known to be in, sent by others in another form."""
        if not self._is_insert:
            return _Elsewhere()  # what is sent again finds its record
        records = (row.record for row in rows)
        sent = {self._fingerprints.of(record) for record in records if record is not None}
        mended, new = self._family.read_mended(sent), self._read_new(rows, identities, results)
        return _Elsewhere(
            mended,
            self._family.find_files(identities.values() if mended else ()),
            new,
            self._family.find_corrections(identities.values() if new else ()),
        )

    def _read_new(
        self,
        rows: Iterable[DroppedRow],
        identities: Mapping[Identity, Identity],
        results: Mapping[Identity, KeptRow],
    ) -> dict[str, list[RowElsewhere]]:
        """Return what corrections have sent that may be rows which have no number, or had none."""
        if not self._corrections:
            return {}
        wanted = set()
        for row in rows:
            name = self._name_of(row.parent)
            kept = results.get(identities[name]) if name else None
            if row.record is not None and (kept is None or not kept.status.is_in_bigin):
                wanted.add(self._fingerprints.of(row.record))
            if name and kept is not None and self._is_same(row, kept):
                self._used.add(identities[name])
        found = self._family.read_new(wanted) if wanted else {}
        return {
            sent: [each for each in same if each.identity not in self._used]
            for sent, same in found.items()
        }

    def _find_in_place_of(self, rows: Iterable[Identity]) -> frozenset[Identity]:
        """Return those of *rows* in whose place a mended original has another one."""
        originals = self._family.originals
        wanted = [row for row in rows if self._is_insert and row[0] not in originals]
        numbers = self._family.find_in_place_of({number for _, number in wanted})
        return frozenset(row for row in wanted if row[1] in numbers)

    def _take_elsewhere(
        self, row: DroppedRow, identity: Identity | None, known: _Elsewhere
    ) -> RowElsewhere | None:
        """
        Return the row that *row* is in another file, though nothing says so.

        One without a number may be any that a correction has sent; one with a number was mended,
        or had none in another correction. What is equal in a file that has *row* is another row.
        """
        if identity is not None:
            mended = self._take(row, known.files.get(identity, set()), known.mended)
            if mended is not None:
                return mended
            firsts, own = self._family.firsts, known.corrections.get(identity, set())
            new = self._take(row, {identity[0], *firsts, *own}, known.new)
        else:
            new = self._take(row, set(), known.new)
        if new is not None:
            self._used.add(new.identity)
        return new

    def _take(
        self, row: DroppedRow, files: set[str], known: dict[str, list[RowElsewhere]]
    ) -> RowElsewhere | None:
        """
        Return the row of *known* that has the cells of *row*, each once.

        Args:
            files: The drops that have *row* itself: what is equal there is another row.
        """
        same = known.get(self._fingerprints.of(row.record), []) if known and row.record else []
        for at in reversed(range(len(same))):
            if same[at].files.isdisjoint(files):
                return same.pop(at)
        return None

    def _with_own_numbers(
        self,
        rows: Sequence[DroppedRow],
        identities: Mapping[Identity, Identity],
        results: Mapping[Identity, KeptRow],
    ) -> list[DroppedRow]:
        """
        Return *rows*, of those with one number all but one without it.

        It is that of the row which is as it was sent; if none is, of the first. Somebody may have
        copied a row, and put the copy above it.
        """
        owners: dict[Identity, DroppedRow] = {}
        for row in rows:
            name = self._name_of(row.parent)
            if name is None or name in self._seen:
                continue
            first, kept = owners.setdefault(name, row), results.get(identities[name])
            if first is not row and kept and self._is_same(row, kept):
                owners[name] = first if self._is_same(first, kept) else row
        for name in owners:
            self._seen.add(name)
        own = {row.number for row in owners.values()}
        return [row if row.number in own else row._replace(parent=None) for row in rows]

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
        if kept.status is RowStatus.UNCLEAR and not self._may_be_sent(row, kept):
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

    def _may_be_sent(self, row: DroppedRow, kept: KeptRow) -> bool:
        """
        Return whether an unclear row does no harm if it is sent again, or was released.

        Who released it has looked in Bigin for what they were shown, not for what was sent since.
        """
        if self._may_repeat:
            return True
        name = self._name_of(row.parent)
        return name is not None and self._shown.get(name) == kept.through

    def _count(self, decision: RowDecision, row: DroppedRow) -> None:
        if decision.status is RowStatus.EXISTING:
            self.tally.add(IN_ALREADY, row.number)
        elif decision.status is RowStatus.UNCLEAR:
            self.unclear += 1
            is_released = row.parent is not None and row.parent.is_released
            self.sent_since = decision.through if is_released else self.sent_since
            what = _RELEASED_BEFORE.format(decision.through) if is_released else STILL_UNCLEAR
            self.tally.add(what, row.number)
        else:
            self.sent += 1
            if not decision.root_row:
                self.tally.add(NEW, row.number)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(filter(None, map(self.tally.sentence, (IN_ALREADY, NEW))))

    @property
    def warnings(self) -> tuple[str, ...]:
        told = (what for what in self.tally.counts if what not in (IN_ALREADY, NEW))
        return tuple(filter(None, map(self.tally.sentence, told)))


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

    def find_roots(self, record: Import, parent_id: str, module: str) -> tuple[str, ...]:
        """
        Return where the families of *parent_id* go back to; none if it is not for *module*.

        Its own is the first; it has the rows of more if it was made of several files.

        Raises:
            DropRejectedError: It is for another organisation than *record*, which corrects it.
        """
        parent = self.ledger.load(Import.at(parent_id))
        if parent is None:
            return (parent_id,)
        if parent.module not in (None, module):
            return ()
        if not parent.is_for(record.zgid):
            raise DropRejectedError((_in_other_organisation(record, parent),))
        rows = FamilyRows(files=self.files, parent_id=parent_id, members=(parent,))
        return load_roots(self.ledger, parent, rows.find_origins() if parent.root else ())

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
            awaited = Awaited.of(holder, root) if holder is not None else None
            raise UnderWayError(f"another import of family {root} has not ended", awaited)
        return family

    def check_awaited(self, awaited: Awaited) -> None:
        """
        Look whether an import that was waited for has ended, before a drop is read once more.

        Raises:
            UnderWayError: It has not, and stands as it stood.
        """
        other = self.ledger.load(Import.at(awaited.import_id))
        if other is None or other.state.is_closed:
            return
        family = self.ledger.load(Family.at(awaited.root)) if awaited.root else None
        has_lock = family is None or family.open_import == other.import_id
        if has_lock and Awaited.of(other, awaited.root) == awaited:
            raise UnderWayError(f"import {other.import_id} has not ended", awaited)

    def join(self, record: Import, seen: Family) -> Family:
        """
        Take the lock of a family for its drop itself, dropped again, mended or grown.

        Args:
            seen: The family when its rows were read.

        Raises:
            UnderWayError: Another member has not ended, or has run since; it is not taken.
        """
        family = self.acquire(record, seen.root, is_original=True)
        others = _without(record.import_id, family.members)
        is_as_seen = others == _without(record.import_id, seen.members)
        if not is_as_seen or family.undone != seen.undone:
            self.release(record, (seen.root,))
            raise UnderWayError(f"a member of family {seen.root} has just ended")
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
        record: Import,
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
        ended = self._load_ended(members_of(locks))
        members = {each.import_id: each for each in ended if each.is_for(record.zgid)}
        undone = {each for lock in locks for each in lock.undone}
        family = FamilyRows(
            files=self.files,
            parent_id=parent_id,
            members=tuple(members.values()),
            originals=frozenset(each for lock in locks for each in lock.originals),
            undone=read_undone(self.files, (members.get(each) for each in undone)),
        )
        decider = Decider(family, columns)
        with drop.open() as table:
            rows = _read_rows(table, columns, healing)
            sha256 = write_decisions(self.files, record.import_id, decider.decide(rows))
        if not decider.sent and decider.unclear:
            raise DropRejectedError((_unclear_rows(drop.source.key, decider.sent_since),))
        restored = healing.notes if healing else ()
        return Decided(sha256, (*restored, *decider.notes), decider.warnings, decider.sent > 0)

    def _load_holder_is_done(self, family: Family, record: Import) -> bool:
        if load_undoing(self.ledger, family) is not None:
            return False
        if family.open_import in (None, record.import_id):
            return True
        holder = self.ledger.load(Import.at(family.open_import))
        return holder is None or holder.state.is_closed

    def _load_ended(self, members: Iterable[str]) -> Iterator[Import]:
        for import_id in members:
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


def _in_other_organisation(record: Import, parent: Import) -> Problem:
    return Problem(
        record.source.key,
        f"it corrects rows of import {parent.import_id}, which is for the Bigin organisation "
        f"{parent.zgid}, and the Zoho secret is for {record.zgid} now",
        "Put the refresh token of the first one back into that secret (bigin-drop connect) and "
        "drop the file again; or, to import its rows into the other one, delete the columns that "
        "begin with bigin__ and drop it with a mapping",
    )


def _unclear_rows(name: str, sent_since: str) -> Problem:
    what = "nobody knows whether its rows are in Bigin already, and an insert would add them again"
    if not sent_since:
        return Problem(name, what, RELEASE.rstrip("."))
    what += f": import {sent_since} sent them after this file was written"
    remedy = (
        f"Take the unclear file of import {sent_since}, look in Bigin, delete the rows that are "
        "there, empty bigin__Status in the rest, and drop that file"
    )
    return Problem(name, what, remedy)
