"""
Use case: what a person has confirmed is deleted, from any point at which a run before has stopped.

Nothing is deleted that is not in the list that was shown. After each call it stands in the ledger
how far the list is gone through; what a call without an answer has deleted is found deleted when
it is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import batched, islice
from typing import Final

from bigin_import import object_keys
from bigin_import.domain import undo
from bigin_import.domain.import_record import Import
from bigin_import.domain.undo import IDS_PER_CALL, Undo, UndoRow
from bigin_import.errors import (
    AwsError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    ChangedObjectError,
    ConflictError,
    LeaseLostError,
    MissingObjectError,
)
from bigin_import.importing.pauses import Pause, pause_after, pause_seconds
from bigin_import.ledger import update
from bigin_import.ports import Clock, CollectQueue, Files, Ledger, Parallel, Records, Telemetry
from bigin_import.stored_plan import read_undo_list
from bigin_import.telemetry import report_aws_error, report_bigin_error
from bigin_import.undoing.changes import Changes, ask_for_changes, is_changed, list_changes
from bigin_import.undoing.checks import UndoLocks
from bigin_import.undoing.conclude import UndoConcluder

OUTLIVES_SECONDS = 60  # Lambda has certainly ended a runner before its lease does
RESERVE_SECONDS = 90  # a call of Bigin's, repeated as often as it is
ASK_SECONDS = 180  # the same, and before it a hundred calls, some of them side by side
CONCLUDE_SECONDS = 200  # reading a drop of five million rows, and writing those that were undone
HOUR_SECONDS = 3600
TRIES = 3  # of a call that was not answered, before others get their turn
CHANGED: Final = "CHANGED"
"""Our own code of a record that is not deleted, where others are Bigin's."""
_SUCCESS: Final = "SUCCESS"
_GONE_OR_NEVER_THERE: Final = "INVALID_DATA"


class NoTimeError(Exception):
    """The time of this invocation is used up; the next one goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRunner:
    """Deletes what was confirmed, *ids_per_call* records a call."""

    ledger: Ledger
    files: Files
    records: Records
    concluder: UndoConcluder
    queue: CollectQueue
    parallel: Parallel
    clock: Clock
    telemetry: Telemetry
    ids_per_call: int = IDS_PER_CALL

    @property
    def locks(self) -> UndoLocks:
        return UndoLocks(ledger=self.ledger)

    def go_on(self, import_id: str) -> None:
        """Bring it as far as it can be brought now, if nobody else is at it."""
        now = self.clock.now()
        until = now + int(self.clock.remaining_seconds()) + OUTLIVES_SECONDS
        seen, ours = update(self.ledger, Undo.at(import_id), undo.take_lease(now, until))
        record = self.ledger.load(Import.at(import_id)) if ours else None
        if seen is None or record is None:
            return
        try:
            self._go_on(record, seen)
        except NoTimeError:
            self._pause(seen, 0, waits=False)
            self.queue.go_on_undoing(import_id)
        except BiginError as exc:
            report_bigin_error(self.telemetry, exc, import_id=import_id)
            self._pause(seen, pause_seconds(pause_after(exc), seen.waits), waits=True)
        except (ConflictError, LeaseLostError):  # another runner goes on, or takes a lock
            self.telemetry.emit("conflict", import_id=import_id)
        except AwsError as exc:  # its lease's end makes it due
            report_aws_error(self.telemetry, exc, import_id=import_id)
        except (MissingObjectError, ChangedObjectError) as exc:
            self.telemetry.emit("parts_gone", import_id=import_id, key=exc.key)
            self._pause(seen, HOUR_SECONDS, waits=True)

    def _go_on(self, record: Import, seen: Undo) -> None:
        if not self.locks.acquire(record, seen.families):
            self._pause(seen, pause_seconds(Pause.TURN, seen.waits), waits=True)
            return
        self._check_lease(seen)
        seen = self._delete_all(record, seen)
        kept = self._read_kept(record, seen)
        self.concluder.conclude(record, seen, kept)

    def _check_lease(self, seen: Undo) -> None:
        """
        Look, with the locks, whether another run went on while this one stood still.

        Raises:
            LeaseLostError: It did.
        """
        now = self.ledger.load(seen.address)
        if now is None or now.lease_until != seen.lease_until:
            raise LeaseLostError("another run has gone on")

    def _delete_all(self, record: Import, seen: Undo) -> Undo:
        """
        Delete what is left of the list.

        Raises:
            NoTimeError: Some of it is left still, or there is no time to conclude.
        """
        begun_at = seen.gone_through
        if begun_at == seen.rows:
            return seen
        changes = self._list_changes(record, seen)
        reserve = ASK_SECONDS if changes is None else RESERVE_SECONDS
        rows = read_undo_list(self.files, seen.import_id, seen.sha256)
        for some in batched(islice(rows, begun_at, None), self.ids_per_call, strict=False):
            if self.clock.remaining_seconds() < reserve:
                raise NoTimeError
            is_first = seen.gone_through == begun_at
            seen = self._delete(record, seen, some, changes, is_first=is_first)
        if self.clock.remaining_seconds() < CONCLUDE_SECONDS:
            raise NoTimeError
        return seen

    def _list_changes(self, record: Import, seen: Undo) -> Changes | None:
        """
        Return what was changed until now, nothing where it was shown that nobody can tell.

        None where each record is to be asked for, before it is deleted.
        """
        if seen.changed is None:
            return {}
        if seen.asks_each:
            return None
        module = record.module or ""
        return list_changes(self.records, module, seen.changed_since, rows=seen.added)

    def _delete(
        self,
        record: Import,
        seen: Undo,
        some: Sequence[UndoRow],
        changes: Changes | None,
        *,
        is_first: bool,
    ) -> Undo:
        """
        Delete some rows of the list, and write down how far it is gone through.

        Args:
            is_first: Of this run; one before may have died behind its call.
        """
        if changes is None:
            ids = [row.record_id for row in some]
            changes = ask_for_changes(self.records, self.parallel, record.module or "", ids)
        kept = {row.record_id: CHANGED for row in some if _is_changed_since(row, changes)}
        ids = [row.record_id for row in some if row.record_id not in kept]
        kept |= self._delete_ids(record, ids) if ids else {}
        if kept or is_first:  # then a run before may have kept others of them
            key = object_keys.undo_remainders(seen.import_id, seen.sha256, seen.gone_through)
            body = json.dumps(kept).encode()
            self.files.write(key, body, content_type="application/json")
        step = undo.record_deleted(
            seen.lease_until,
            seen.gone_through,
            gone_through=len(some),
            deleted=len(some) - len(kept),
        )
        after, ours = update(self.ledger, seen.address, step, known=seen)
        if after is None or not ours:
            raise LeaseLostError("another run has gone on")
        return after

    def _delete_ids(self, record: Import, ids: Sequence[str]) -> dict[str, str]:
        """
        Delete records; return those that are not gone, each with Bigin's code.

        Raises:
            BiginError: Any of them may be deleted; the call is to be repeated.
        """
        module = record.module or ""
        delete = partial(self.records.delete_records, module, zgid=record.zgid or "")
        codes: dict[str, str] = {}
        for left in reversed(range(TRIES)):
            wanted = [each for each in ids if each not in codes]
            try:
                codes |= delete(wanted)
            except BiginOutcomeUnknownError:
                if not left:
                    raise
            if len(codes) == len(ids):
                break
        else:
            raise BiginOutcomeUnknownError("delete records: the answer does not name all of them")
        refused = {each: code for each, code in codes.items() if code != _SUCCESS}
        return self._find_not_gone(module, refused)

    def _find_not_gone(self, module: str, refused: dict[str, str]) -> dict[str, str]:
        """Return *refused* without what is in Bigin's list of deleted records."""
        unknown = [each for each, code in refused.items() if code == _GONE_OR_NEVER_THERE]
        gone: set[str] = set()
        if unknown:
            with suppress(BiginRefusedError):  # the list is too long: then nobody can say it
                gone = self.records.list_deleted_ids(module, unknown)
        return {each: code for each, code in refused.items() if each not in gone}

    def _read_kept(self, record: Import, seen: Undo) -> dict[str, str]:
        """Return what of the list is not deleted, and why; Bigin's list may have lagged before."""
        prefix = object_keys.undo_remainders(seen.import_id, seen.sha256)
        kept: dict[str, str] = {}
        for key in self.files.list_keys(prefix):
            kept |= json.loads(self.files.read(key))
        return self._find_not_gone(record.module or "", kept)

    def _pause(self, seen: Undo, seconds: int, *, waits: bool) -> None:
        step = undo.pause(self.clock.now(), seconds, waits=waits)
        update(self.ledger, seen.address, step)


def _is_changed_since(row: UndoRow, changes: Changes) -> bool:
    """Return whether somebody has changed the record of *row* since it was shown."""
    return is_changed(row, changes) and changes[row.record_id] != row.modified
