"""
Use case: all that was to be deleted is -> what counts as in is put right, files, people told.

In that order, and each step may be repeated: nothing is taken off the index of open work before
everything is said and done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from bigin_import import object_keys
from bigin_import.deduplication.claims import KeyHistory
from bigin_import.domain import listing, undo
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import ContentClaim, Family
from bigin_import.domain.plan import Plan
from bigin_import.domain.row_result import Reason, RowResult, RowStatus
from bigin_import.domain.undo import Undo
from bigin_import.errors import NOT_TO_BE_READ, MissingObjectError
from bigin_import.importing.register import KeyLocks
from bigin_import.ledger import update
from bigin_import.ports import Clock, Files, Ledger, Notices, Resumer, Telemetry
from bigin_import.reading.table import Drop
from bigin_import.report.undone import Undone, compose_undone, undone_facts, with_undone
from bigin_import.row_results.result_files import DropRow, write_results
from bigin_import.settling.row_files import sent_columns
from bigin_import.settling.summarize import ConsoleLinks
from bigin_import.settling.waiting import publish
from bigin_import.settling.write_overview import forget_pages
from bigin_import.stored_plan import read_plan, read_undo_list, write_undone
from bigin_import.undoing.checks import UndoLocks

MOST_PAGE_BYTES = 50_000_000
_UNDONE = Reason(
    "", "It was undone: its record was deleted from Bigin.", "Drop this file to import it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoConcluder:
    """Does what is left to do once the records are deleted."""

    ledger: Ledger
    files: Files
    history: KeyHistory
    around: ConsoleLinks
    notices: Notices
    resumer: Resumer
    clock: Clock
    telemetry: Telemetry

    @property
    def locks(self) -> UndoLocks:
        return UndoLocks(ledger=self.ledger)

    def conclude(self, record: Import, seen: Undo, kept: Mapping[str, str]) -> None:
        """
        Let the rows count as not in, tell it in the report and to people, and end.

        Args:
            kept: Why records of the list were not deleted, by their ids.
        """
        results = record.results or ""
        rows = read_undo_list(self.files, seen.import_id, seen.sha256)
        deleted = [(row.row, row.record_id) for row in rows if row.record_id not in kept]
        write_undone(self.files, results, (record_id for _, record_id in deleted))
        self._release_claim(record, seen, len(deleted))
        if seen.changed_too and seen.changed:
            self.history.record_undone(record, seen.confirmed_at or 0)
        key = self._write_rows(record, frozenset(number for number, _ in deleted))
        final = replace(seen, deleted=len(deleted))
        undone = self._summary(record, final, kept, key)
        self._write_into_results(results, undone)
        publish(self.notices, self.telemetry, compose_undone(undone), import_id=record.import_id)
        forget_pages(self.ledger, (listing.month_of(record.closed_at or record.received_at),))
        self.locks.release(record, seen.families, undone=True)
        step = undo.finish(len(deleted), self.clock.now())
        update(self.ledger, seen.address, step, known=seen)
        self.telemetry.emit(
            "undo_done", import_id=record.import_id, deleted=len(deleted), kept=len(kept)
        )
        following = KeyLocks(ledger=self.ledger).find_next(record)
        if following is not None:
            self.resumer.resume(following)

    def _release_claim(self, record: Import, seen: Undo, deleted: int) -> None:
        """Let the content be dropped again as a new one, if nothing of it is in any more."""
        counts = record.counts
        left = counts.succeeded + counts.unclear - deleted if counts else 0
        if record.claim is None or left or self._load_has_others(record, seen):
            return
        claim = self.ledger.load(ContentClaim.at(record.claim))
        if claim is None or claim.import_id != record.import_id:
            return
        if claim.repeats is None:
            self.ledger.delete(claim)
        else:  # what it repeated is in as before
            update(self.ledger, claim.address, lambda seen: seen.given_back(record.import_id))

    def _load_has_others(self, record: Import, seen: Undo) -> bool:
        families = (self.ledger.load(Family.at(root)) for root in seen.families)
        members = {each for family in families if family for each in (family.root, *family.members)}
        return bool(members - {record.import_id})

    def _write_rows(self, record: Import, numbers: frozenset[int]) -> str | None:
        """
        Write the rows that were undone with their cells, to be dropped again; return the key.

        None if there are none, or if the drop or its plan is not kept any more.
        """
        key = f"{record.results}{object_keys.result_name(record.source.key)}.undone.csv"
        try:
            plan = read_plan(self.files, record)
            written = write_results(
                self._read_rows(record, plan, numbers),
                header=plan.header,
                sent=sent_columns(plan, as_dropped=True),
                delimiter=plan.dialect.delimiter,
                import_id=record.import_id,
                open_file=lambda _: self.files.open_writer(key, content_type="text/csv"),
            )
        except NOT_TO_BE_READ:
            return None
        return key if written.rows else None

    def _read_rows(self, record: Import, plan: Plan, numbers: frozenset[int]) -> Iterator[DropRow]:
        undone = partial(DropRow, row_result=RowResult(RowStatus.UNPROCESSED), because=_UNDONE)
        with Drop.of_plan(self.files, record.source, plan).open() as table:
            for batch in table.batches():
                for at, number in enumerate(batch.numbers):
                    if number in numbers:
                        yield undone(number, batch.row(at))

    def _summary(
        self, record: Import, seen: Undo, kept: Mapping[str, str], key: str | None
    ) -> Undone:
        return Undone(
            import_id=record.import_id,
            file=record.source.key,
            module=record.module or "",
            deleted=seen.deleted,
            at=self.clock.now(),
            changed=0 if seen.changed_too else seen.changed or 0,
            updated=seen.updated,
            kept=kept,
            rows=self.around.link("undone", key, seen.deleted) if key else None,
        )

    def _write_into_results(self, results: str, undone: Undone) -> None:
        """Let the report, and `import.json`, say what became of the import since."""
        with suppress(MissingObjectError):  # they are kept as long as results are
            key = f"{results}report.html"
            page = self.files.read(key, at_most=MOST_PAGE_BYTES).decode()
            told = with_undone(page, undone).encode()
            self.files.write(key, told, content_type="text/html")
        with suppress(MissingObjectError):
            key = f"{results}import.json"
            facts = json.loads(self.files.read(key, at_most=MOST_PAGE_BYTES))
            facts["undone"] = undone_facts(undone)
            body = (json.dumps(facts, ensure_ascii=False, indent=2) + "\n").encode()
            self.files.write(key, body, content_type="application/json")
