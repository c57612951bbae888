"""
The rows that earlier imports of a file got into Bigin, for whoever drops it again.

Kept rows are the source: through the import itself, or through any correction of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO

from bigin_import import identity, object_keys
from bigin_import.deduplication.row_memory import RowIn
from bigin_import.domain.history import FileHistory, NamedImport
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family
from bigin_import.domain.row_result import RowStatus
from bigin_import.errors import MissingObjectError
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Files, Ledger
from bigin_import.reading.table import Drop
from bigin_import.row_results.result_files import KeptRow, read_kept_rows
from bigin_import.splitting.content_log import Fingerprints
from bigin_import.stored_plan import read_plan

MOST_REMEMBERED = 20
MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that
_IN = (RowStatus.ADDED, RowStatus.UPDATED, RowStatus.EXISTING)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRows:
    """Remembers which imports files had, and reads which of their rows are in."""

    ledger: Ledger
    files: Files

    def register(self, record: Import, module: str) -> tuple[NamedImport, ...]:
        """Remember an import of a file; return the earlier ones into its module. Idempotent."""
        name = identity.file_name_of(record.source)
        own = NamedImport(import_id=record.import_id, module=module, results=record.results or "")

        def step(seen: FileHistory) -> FileHistory | None:
            if own in seen.imports:
                return None
            return replace(seen, imports=(*seen.imports, own)[-MOST_REMEMBERED:])

        history, _ = update(self.ledger, FileHistory.at(name), step)
        if history is None:
            history, ours = create_if_absent(self.ledger, FileHistory(name=name, imports=(own,)))
            history = history if ours else update(self.ledger, history.address, step)[0]
        known = history.imports if history else (own,)
        before = known[: known.index(own)] if own in known else known
        return tuple(each for each in before if each.module == module)

    def read_rows_in(self, import_id: str, results: str) -> Iterator[RowIn]:
        """
        Yield the rows of an import that are in Bigin, and those of which that is not clear.

        Nothing if its kept rows are gone, or if the release before closed it.
        """
        return (row for row in self.read_rows(import_id, results) if row.status is not None)

    def read_rows(self, import_id: str, results: str) -> Iterator[RowIn]:
        """Yield every row of an import, and the rows of its corrections that are in."""
        corrected: dict[int, RowIn] = {}
        for member, row in self._read_corrected_rows(import_id):
            found = _row_in(row, row.root_row, row.through or member)
            corrected[found.row] = found
            if found.cells:
                yield found
        for row in self._read_kept_rows(results):
            own = _row_in(row, row.row, row.through or import_id)
            known = corrected.get(row.row) if own.status is not RowStatus.EXISTING else None
            if row.cells:
                yield known._replace(cells=own.cells) if known else own

    def read_dropped_rows(self, record: Import) -> Iterator[RowIn]:
        """Yield every row of an import that has not ended: nobody knows whether it is in."""
        if record.plan_sha256 is None:
            return
        plan = read_plan(self.files, record)
        fingerprints = Fingerprints(plan.columns)
        with Drop.of_plan(self.files, record.source, plan).open() as table:
            for batch in table.batches():
                for row, cells in zip(batch.numbers, fingerprints.of(batch.rows), strict=True):
                    yield RowIn(cells, row, "", record.import_id, RowStatus.UNCLEAR)

    def _read_kept_rows(self, results: str) -> Iterator[KeptRow]:
        with suppress(MissingObjectError):
            body = self.files.read(object_keys.kept_rows_file(results), at_most=MOST_BYTES)
            yield from read_kept_rows(BytesIO(body))

    def check_kept_rows(self, results: str) -> bool:
        """Return whether it is known what became of the rows of an import."""
        if not results:  # a person had it forgotten
            return False
        return self.files.find_newest(object_keys.kept_rows_file(results)) is not None

    def _read_corrected_rows(self, root: str) -> Iterator[tuple[str, KeptRow]]:
        """Yield rows of the import *root* that corrections of it got in, each with its import."""
        family = self.ledger.load(Family.at(root))
        for member in family.members if family else ():
            record = self.ledger.load(Import.at(member))
            if record is None or not record.state.is_closed or record.results is None:
                continue
            for row in self._read_kept_rows(record.results):
                if row.root_import == root and row.status in _IN:
                    yield member, row


def _row_in(row: KeptRow, number: int, through: str) -> RowIn:
    status = RowStatus.EXISTING if row.status in _IN else None
    if row.status is RowStatus.UNCLEAR:
        status = RowStatus.UNCLEAR
    return RowIn(bytes.fromhex(row.cells), number, row.record_id, through, status)
