"""Use case: a result file that a person corrected and dropped again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from bigin_import import places
from bigin_import.errors import DropRejectedError, MissingObjectError
from bigin_import.importing.drops import Drop
from bigin_import.importing.plans import read_plan
from bigin_import.models import ObjectVersion, Problem
from bigin_import.ports import Files, Ledger
from bigin_import.records import Import, MappingPin
from bigin_import.tabular.rework import damaged_columns
from bigin_import.tabular.table import Table

MOST_ROWS = 10_000  # compared with the parent's; damage shows in every row of its kind
type Rows = Mapping[int, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reworking:
    """What a drop inherits from the import whose result file it was."""

    ledger: Ledger
    files: Files
    default_encoding: str

    def parents_mapping(self, source: ObjectVersion) -> MappingPin | None:
        """Return the mapping that the parent of *source* was started with; None without one."""
        try:
            with Drop(self.files, source, default_encoding=self.default_encoding).opened() as table:
                parent = table.parent_import
        except DropRejectedError:
            return None  # it is rejected in its turn, once its mapping says how to read it
        if parent is None or self.ledger.load(Import.at(parent)) is None:
            return None
        key = places.pinned_mapping(parent)
        # Never written again, so its version need not be named.
        return MappingPin(key=key, version_id="") if self.files.newest(key) else None

    def damage(self, drop: Drop, parent: str) -> tuple[Problem, ...]:
        """Find columns that a spreadsheet has visibly changed since the result file was written."""
        with drop.opened() as table:
            header = table.header
            dropped = list(islice(_numbered(table), MOST_ROWS))
        originals = self._originals(parent, header, {original for _, original, _ in dropped})
        return damaged_columns(
            ((number, cells, originals.get(original)) for number, original, cells in dropped),
            header=header,
            file=drop.source.key,
        )

    def _originals(self, parent: str, header: Sequence[str], wanted: set[int]) -> Rows:
        """Return the parent's own rows by their number, if the columns are still the same."""
        record = self.ledger.load(Import.at(parent))
        if record is None or record.totals is None:
            return {}
        encoding = read_plan(self.files, parent).dialect.encoding
        try:
            with Drop(self.files, record.source, encoding).opened() as table:
                if table.header != tuple(header):
                    return {}
                return {
                    number: row
                    for batch in table.batches()
                    for number, row in zip(batch.numbers, batch.rows, strict=True)
                    if number in wanted
                }
        except MissingObjectError:
            return {}


def _numbered(table: Table) -> Iterator[tuple[int, int, list[str]]]:
    """Yield each row of a result file with its number, there and in the parent's drop."""
    for batch in table.batches():
        for number, row in zip(batch.numbers, batch.rows, strict=True):
            if number in batch.parents:
                yield number, batch.parents[number], row
