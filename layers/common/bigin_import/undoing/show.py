"""
Use case: what undoing an import would delete, shown to a person, who may then confirm it.

The ids come from the kept rows alone, which we wrote ourselves, and never from a file that
somebody hands in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import NamedTuple

from bigin_import import object_keys
from bigin_import.domain import undo
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.row_result import RowStatus
from bigin_import.domain.undo import IDS_PER_CALL, Undo, UndoRow, UndoState
from bigin_import.errors import (
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    UndoRefusedError,
)
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Clock, CollectQueue, Files, Ledger, Parallel, Records, Telemetry
from bigin_import.row_results.kept_rows import KeptRow, read_kept_rows
from bigin_import.stored_plan import write_undo_list
from bigin_import.telemetry import report_bigin_error
from bigin_import.undoing.changes import (
    MOST_ASKED_FOR,
    PAGE_RECORDS,
    Changes,
    ask_for_changes,
    is_changed,
    list_changes,
)
from bigin_import.undoing.checks import ALONE, UndoChecks

MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that
_UNSAID = (BiginRefusedError, BiginOutcomeUnknownError)
_TOLD = (
    *("import_id", "rows", "added", "changed", "changed_too", "updated", "credits", "asks_each"),
    *("gone_through", "deleted"),
)


class Asked(NamedTuple):
    """
    What a person has asked for.

    Attributes:
        changed_too: Records that were changed since are deleted as well.
        by: Who it is, by their own word.
    """

    import_id: str
    changed_too: bool = False
    by: str = ""


@dataclass(slots=True)
class _Tally:
    """What is counted while the list is written; *roots*: whom rows go back to."""

    added: int = 0
    changed: int = 0
    updated: int = 0
    roots: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoDesk:
    """Shows what would be deleted, and takes the confirmation."""

    ledger: Ledger
    files: Files
    records: Records
    checks: UndoChecks
    queue: CollectQueue
    parallel: Parallel
    clock: Clock
    telemetry: Telemetry

    def act(self, event: Mapping[str, object]) -> dict[str, object]:
        """
        Do what an event asks for, and return what came of it as JSON values.

        Args:
            event: The import's id under `undo`; with `confirm`, what was shown is deleted.
        """
        asked = Asked(
            str(event["undo"]), event.get("changed_too") is True, str(event.get("by", ""))
        )
        token = str(event.get("confirm", ""))
        try:
            seen = self.begin(asked, token) if token else self.show(asked)
        except UndoRefusedError as exc:
            return {"refused": str(exc), "remedy": exc.remedy}
        except BiginError as exc:
            report_bigin_error(self.telemetry, exc, import_id=asked.import_id)
            remedy = "Try it again in a minute, or see what is wrong: bigin-drop doctor"
            return {"refused": str(exc).rstrip("."), "remedy": remedy}
        facts = {name: getattr(seen, name) for name in _TOLD}
        return {**facts, "state": seen.state.value, "confirm": seen.token}

    def show(self, asked: Asked) -> Undo:
        """
        Write down what would be deleted; nothing is.

        Raises:
            UndoRefusedError: It cannot be undone, and why.
            BiginError: Bigin could not be asked.
        """
        record = self.checks.load_closed(asked.import_id)
        self._check_not_begun(asked.import_id)
        ends = _Ends(record, self.ledger.load_parts(asked.import_id))
        changes, asks_each = self._find_changes(record, ends.first)
        if changes is None and not asked.changed_too:
            raise UndoRefusedError(
                "Bigin does not say which records were changed since",
                "With --changed-too all are deleted, also those that people have changed",
            )
        fresh = self._write_list(record, ends, changes, asked)
        credits_ = _credits(fresh.rows, changes, asks_each=asks_each)
        fresh = replace(fresh, asks_each=asks_each, credits=credits_)
        shown, is_new = create_if_absent(self.ledger, fresh)
        if not is_new:
            again = update(self.ledger, fresh.address, undo.show_again(fresh), known=shown)
            shown = again[0] or shown
        if shown.state is not UndoState.SHOWN:
            self._check_not_begun(asked.import_id)
        return shown

    def _write_list(
        self, record: Import, ends: _Ends, changes: Changes | None, asked: Asked
    ) -> Undo:
        """
        Keep the list of what would be deleted, and return what is known of it.

        Raises:
            UndoRefusedError: Nothing would be; or another import may be sending rows of it.
        """
        tally = _Tally()
        rows = self._read_rows(record, ends, changes, tally, changed_too=asked.changed_too)
        sha256, length = write_undo_list(self.files, record.import_id, rows)
        if not length:
            raise _nothing_left(record, tally)
        families = self._find_families(record, tally)
        self.checks.check_nothing_open(record, families)
        return Undo(
            import_id=record.import_id,
            state=UndoState.SHOWN,
            sha256=sha256,
            rows=length,
            added=tally.added,
            changed=None if changes is None else tally.changed,
            updated=tally.updated,
            changed_too=asked.changed_too,
            changed_since=ends.first,
            credits=0,
            families=families,
            shown_at=self.clock.now(),
            shown_by=asked.by,
            expires_at=record.expires_at,
        )

    def begin(self, asked: Asked, token: str) -> Undo:
        """
        Let what was shown be deleted, and no more. Idempotent.

        Args:
            token: Names what was shown.

        Raises:
            UndoRefusedError: Something else was shown last, or it cannot be undone now.
            BiginError: Bigin could not be asked.
        """
        seen = _as_shown(self.ledger.load(Undo.at(asked.import_id)), asked, token)
        if seen.state is UndoState.SHOWN:
            record = self.checks.load_closed(asked.import_id)
            self.checks.check_nothing_open(record, seen.families)
            step = undo.confirm(token, asked.by, self.clock.now())
            begun, ours = update(self.ledger, seen.address, step, known=seen)
            seen = _as_shown(begun, asked, token)
            if ours:
                self.telemetry.emit("undo_begun", import_id=asked.import_id, rows=seen.rows)
        if seen.state is UndoState.RUNNING:
            self.queue.go_on_undoing(asked.import_id)
        return seen

    def _check_not_begun(self, import_id: str) -> None:
        """
        Look whether what was shown before is confirmed.

        Raises:
            UndoRefusedError: It is.
        """
        seen = self.ledger.load(Undo.at(import_id))
        if seen is not None and seen.state is UndoState.RUNNING:
            raise UndoRefusedError(
                f"import {import_id} is being undone: {seen.gone_through:,} of {seen.rows:,} rows",
                f"Follow it: bigin-drop undo {import_id} --confirm {seen.token}",
            )
        if seen is not None and seen.state is UndoState.DONE:
            raise UndoRefusedError(
                f"import {import_id} was undone already: {seen.deleted:,} records were deleted",
                "Its report names what was left; delete that in Bigin, if it is to go as well",
            )
        if seen is not None and seen.state is UndoState.FORGOTTEN:
            raise UndoRefusedError(
                f"what is kept of import {import_id} is being removed, or was", ALONE
            )

    def _find_changes(self, record: Import, since: int) -> tuple[Changes | None, bool]:
        """
        Return what was changed since, None if Bigin does not say it, and if each record was asked
        for.
        """
        module, added = record.module or "", record.counts.added if record.counts else 0
        with suppress(*_UNSAID):
            changes = list_changes(self.records, module, since, rows=added)
            if changes is not None:
                return changes, False
        if added <= MOST_ASKED_FOR:
            ids = [kept.record_id for kept in self._read_own(record) if _is_added(kept)]
            with suppress(*_UNSAID):
                return ask_for_changes(self.records, self.parallel, module, ids), True
        self.telemetry.emit("changes_unknown", import_id=record.import_id)
        return None, False

    def _read_own(self, record: Import) -> Iterator[KeptRow]:
        """Yield the rows that no earlier import got in."""
        key = object_keys.kept_rows_file(record.results or "")
        body = BytesIO(self.files.read(key, at_most=MOST_BYTES))
        yield from (kept for kept in read_kept_rows(body) if not kept.through)

    def _read_rows(
        self,
        record: Import,
        ends: _Ends,
        changes: Changes | None,
        tally: _Tally,
        *,
        changed_too: bool,
    ) -> Iterator[UndoRow]:
        """Yield the rows to delete: those that this import itself has added, with certain ids."""
        for kept in self._read_own(record):
            tally.updated += kept.status is RowStatus.UPDATED
            if not _is_added(kept):
                continue
            row = UndoRow(kept.row, kept.record_id, ends.of(kept.row))
            tally.added += 1
            tally.roots[kept.root_import or record.import_id] = None
            if is_changed(row, changes or {}):
                tally.changed += 1
                if not changed_too:
                    continue
                row = row._replace(modified=(changes or {})[row.record_id])
            yield row

    def _find_families(self, record: Import, tally: _Tally) -> tuple[str, ...]:
        """Return the families that rows of the import are in, in an order that is the same."""
        roots = {record.root or record.import_id}
        for each in tally.roots:
            root = self.ledger.load(Import.at(each))
            roots.add((root and root.root) or each)
        return tuple(sorted(roots))


class _Ends:
    """
    When the jobs of an import ended.

    Where a later part may have written the records of an earlier one again, the last end counts.

    Attributes:
        first: The earliest end.
    """

    def __init__(self, record: Import, parts: tuple[Part, ...]) -> None:
        closed = record.closed_at or record.received_at
        ends = [(part.first_row, part.last_row, part.settled_at or closed) for part in parts]
        self._last = max((end for *_, end in ends), default=closed)
        in_order = record.totals is not None and record.totals.in_order
        self._ends = [] if in_order else ends
        self.first = min((end for *_, end in self._ends), default=self._last)
        self._at = 0

    def of(self, row: int) -> int:
        """Return when the job of a row ended; rows are asked for in their order."""
        for _ in range(len(self._ends)):
            first, last, end = self._ends[self._at]
            if first <= row <= last:
                return end
            self._at = (self._at + 1) % len(self._ends)
        return self._last


def _as_shown(seen: Undo | None, asked: Asked, token: str) -> Undo:
    """
    Return what was shown last.

    Raises:
        UndoRefusedError: That is not what *token* names.
    """
    if seen is None or seen.token != token:
        raise UndoRefusedError(
            f"{token} is not what was shown last of import {asked.import_id}",
            f"Look again: bigin-drop undo {asked.import_id}",
        )
    return seen


def _is_added(kept: KeptRow) -> bool:
    """Return whether a row has a record that was added for it, and which is certain."""
    is_id = kept.record_id.isascii() and kept.record_id.isdecimal()
    return kept.status is RowStatus.ADDED and is_id


def _credits(rows: int, changes: Changes | None, *, asks_each: bool) -> int:
    """Return what it takes to delete so many records, and to ask once more what was changed."""
    listed = 0 if changes is None else 1 + len(changes) // PAGE_RECORDS
    return -(-rows // IDS_PER_CALL) + (rows if asks_each else listed)


def _nothing_left(record: Import, tally: _Tally) -> UndoRefusedError:
    if tally.changed:
        return UndoRefusedError(
            f"all {tally.changed:,} records that {record.import_id} added were changed since",
            "With --changed-too they are deleted all the same",
        )
    return UndoRefusedError(
        f"of no record that import {record.import_id} added the id is certain",
        "Look for them in Bigin and delete them there",
    )
