"""
Use case: a correction closes -> what its family has in Bigin, and links between their reports.

A closed import never changes, but its report names the corrections that followed it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO

from bigin_import import object_keys
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family
from bigin_import.errors import MissingObjectError
from bigin_import.ports import Files, Ledger
from bigin_import.report.page import with_family
from bigin_import.report.summary import FamilyMember, FamilySummary, ImportSummary
from bigin_import.row_results.result_files import KeptRow, read_kept_rows
from bigin_import.settling.summarize import ConsoleLinks

MOST_PAGE_BYTES = 50_000_000
MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyPages:
    """Reads what a family did, and tells it on the reports of its members."""

    ledger: Ledger
    files: Files
    around: ConsoleLinks

    def read(self, record: Import, closing: ImportSummary) -> FamilySummary | None:
        """
        Return the family of a correction that is about to close; None if it is none.

        Args:
            closing: What is known of it, its kept rows being written.
        """
        root = self.ledger.load(Import.at(record.root)) if record.root else None
        if root is None:
            return None
        own = self._member(record, closing)
        members = [root, *self._load_corrections(root.import_id, but=record.import_id)]
        shown = {each.import_id: self._member(each) for each in members} | {own.import_id: own}
        rows = root.counts.data if root.counts else 0
        return FamilySummary(
            root=shown[root.import_id],
            parent=shown.get(closing.parent, shown[root.import_id]),
            corrections=tuple(each for key, each in shown.items() if key != root.import_id),
            rows=rows,
            rows_in=self._read_rows_in(root, [*members, record]) if rows else 0,
        )

    def write_links(self, family: FamilySummary) -> None:
        """Let the reports of the root and the parent name the corrections that followed."""
        for import_id in {family.root.import_id, family.parent.import_id}:
            record = self.ledger.load(Import.at(import_id))
            if record is not None and record.results:
                self._write_link(f"{record.results}report.html", family, import_id)

    def _write_link(self, key: str, family: FamilySummary, import_id: str) -> None:
        with suppress(MissingObjectError):  # it was kept as long as results are
            page = self.files.read(key, at_most=MOST_PAGE_BYTES).decode()
            linked = with_family(page, family, import_id)
            self.files.write(key, linked.encode(), content_type="text/html")

    def _load_corrections(self, root: str, *, but: str) -> Iterator[Import]:
        family = self.ledger.load(Family.at(root))
        for import_id in family.members if family else ():
            member = self.ledger.load(Import.at(import_id))
            if member is not None and member.state.is_closed and import_id != but:
                yield member

    def _member(self, record: Import, closing: ImportSummary | None = None) -> FamilyMember:
        counts = closing.counts if closing else record.counts
        report = f"{record.results}report.html"
        return FamilyMember(
            import_id=record.import_id,
            file=record.source.key,
            state=closing.state if closing else record.state,
            rows_in=counts.succeeded if counts else 0,
            url=self.around.console_url(report) if record.results else "",
        )

    def _read_rows_in(self, root: Import, members: list[Import]) -> int:
        """Return how many rows of the root are in, each counted once, whoever got it in."""
        is_in = bytearray()
        for member in members:
            for row in self._read_rows(member):
                first = row.root_import or member.import_id
                if row.status.is_in_bigin and first == root.import_id:
                    number = row.root_row or row.row
                    is_in.extend(bytes(max(0, number + 1 - len(is_in))))
                    is_in[number] = 1
        return sum(is_in)

    def _read_rows(self, member: Import) -> Iterator[KeptRow]:
        with suppress(MissingObjectError):  # nothing of it was sent, or it is kept no more
            key = object_keys.kept_rows_file(member.results or "")
            yield from read_kept_rows(BytesIO(self.files.read(key, at_most=MOST_BYTES)))
