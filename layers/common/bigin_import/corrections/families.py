"""
One lock for a drop and all its corrections: they run one after another, whatever their keys.

Nobody gives the lock back: it is free as soon as its import is closed. Then the rows of that
import are kept, so whoever comes next knows what became of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bigin_import.corrections.corrections import Healing, windows_of
from bigin_import.corrections.family import Decider, DroppedRow, FamilyRows
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family
from bigin_import.domain.plan import ColumnPlan
from bigin_import.errors import DropRejectedError
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Files, Ledger
from bigin_import.reading.drop import Drop
from bigin_import.reading.table import Table
from bigin_import.row_results.reasons import RELEASE
from bigin_import.splitting.row_check import CheckedBatch, RowCheck
from bigin_import.splitting.splitter import check_of
from bigin_import.stored_plan import write_decisions


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

    def acquire(self, record: Import, root: str) -> bool:
        """Take the lock of a family; return whether it is ours. Idempotent."""

        def acquired(seen: Family) -> Family | None:
            if not self._load_holder_is_done(seen, record):
                return None
            others = tuple(each for each in seen.members if each != record.import_id)
            return replace(seen, open_import=record.import_id, members=(*others, record.import_id))

        create_if_absent(self.ledger, Family(root=root))
        _, ours = update(self.ledger, Family.at(root), acquired)
        return ours

    def decide(
        self,
        import_id: str,
        root: str,
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
        members = tuple(self._load_members(root))
        family = FamilyRows(files=self.files, parent_id=parent_id, members=members)
        decider = Decider(family, columns)
        with drop.open() as table:
            rows = _read_rows(table, check_of(columns), healing)
            sha256 = write_decisions(self.files, import_id, decider.decide(rows))
        if not decider.sent and decider.unclear:
            raise DropRejectedError((_unclear_rows(drop.source.key),))
        restored = (healing.note,) if healing and healing.note else ()
        return Decided(sha256, (*restored, *decider.notes), decider.warnings, decider.sent > 0)

    def _load_holder_is_done(self, family: Family, record: Import) -> bool:
        if family.open_import in (None, record.import_id):
            return True
        holder = self.ledger.load(Import.at(family.open_import))
        return holder is None or holder.state.is_closed

    def _load_members(self, root: str) -> Iterator[Import]:
        family = self.ledger.load(Family.at(root))
        for import_id in (root, *(family.members if family else ())):
            member = self.ledger.load(Import.at(import_id))
            if member is not None and member.state.is_closed:
                yield member


def _read_rows(table: Table, check: RowCheck, healing: Healing | None) -> Iterator[DroppedRow]:
    for window in windows_of(table):
        restored = healing.restore(window) if healing else {}
        for batch in window:
            yield from _rows_of(check.check(batch), restored)


def _rows_of(
    checked: CheckedBatch, restored: Mapping[int, tuple[tuple[int, str], ...]]
) -> Iterator[DroppedRow]:
    batch, records = checked.batch, iter(checked.records)
    for at, number in enumerate(batch.numbers):
        record = None if at in checked.reasons else next(records)
        if at not in batch.left_out:
            parent = batch.parents.get(number)
            yield DroppedRow(number, parent, record, restored.get(number, ()))


def _unclear_rows(name: str) -> Problem:
    what = "nobody knows whether its rows are in Bigin already, and an insert would add them again"
    return Problem(name, what, RELEASE.rstrip("."))
