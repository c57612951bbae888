"""
Families: a drop and its corrections.

A family has one lock: a drop and its corrections run one after another, whatever their keys.
The lock is free as soon as its import is closed: then the rows of that are kept, so whoever comes
next knows what became of them. Only who waits for another import before anything was sent gives it
back.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import NamedTuple

from bigin_import.corrections.corrections import Healed, Healing, windows_of
from bigin_import.corrections.decider import Decider, DroppedRow
from bigin_import.corrections.family_rows import FamilyRows
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Awaited, Import
from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.locks import Family, members_of
from bigin_import.domain.plan import ColumnPlan
from bigin_import.errors import DropRejectedError, UnderWayError
from bigin_import.ledger import create_if_absent, load_roots, load_undoing, update
from bigin_import.ports import Files, Ledger
from bigin_import.reading.table import Drop, Table
from bigin_import.row_results.reasons import RELEASE
from bigin_import.splitting.row_check import CheckedBatch
from bigin_import.splitting.splitter import check_of
from bigin_import.stored_plan import read_undone, write_decisions


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


class KeysWritten(NamedTuple):
    """
    What is known of the keys that imports have written.

    Attributes:
        check_over: Whether others than some may have changed what an import wrote.
        read: The hashes of those that an import had; None if they are not known.
    """

    check_over: Callable[[Import, Container[str]], bool]
    read: Callable[[str], Iterable[bytes] | None]


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
        return load_roots(self._load, parent, rows.find_origins() if parent.root else ())

    def _load(self, import_id: str) -> Import | None:
        return self.ledger.load(Import.at(import_id))

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
        healing: Healing | None,
        written: KeysWritten,
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
        relatives = {record.import_id, *roots, *(each for lock in locks for each in lock.members)}
        check = partial(self._check_written_over, written.check_over, relatives)
        decider = Decider(family, columns, cache(check), written.read)
        with drop.open() as table:
            rows = _read_rows(table, columns, healing)
            sha256 = write_decisions(self.files, record.import_id, decider.decide(rows))
        if not decider.sent and decider.unclear:
            raise _unclear_rows(drop.source.key, columns.request, decider.sent_since)
        notes = (*(healing.notes if healing else ()), *decider.notes)
        return Decided(sha256, notes, decider.warnings, decider.sent > 0)

    def _check_written_over(
        self,
        check: Callable[[Import, Container[str]], bool],
        relatives: Container[str],
        import_id: str,
    ) -> bool:
        earlier = self.ledger.load(Import.at(import_id))
        return earlier is None or check(earlier, relatives)

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


def _unclear_rows(name: str, request: JobRequest, sent_since: str) -> DropRejectedError:
    again = "an insert would add them again"
    if request.operation is not Operation.INSERT:
        again = f"an upsert by {request.find_by}, which is not unique, may add them again"
    what = f"nobody knows whether its rows are in Bigin already, and {again}"
    if not sent_since:
        return DropRejectedError((Problem(name, what, RELEASE.rstrip(".")),))
    what += f": import {sent_since} sent them after this file was written"
    remedy = (
        f"Take the unclear file of import {sent_since}, look in Bigin, delete the rows that are "
        "there, empty bigin__Status in the rest, and drop that file"
    )
    return DropRejectedError((Problem(name, what, remedy),))
