"""Somebody who takes an import back, and what is promised of that."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from bigin_import import object_keys
from bigin_import.domain.drop import Notice
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Record
from bigin_import.domain.states import ImportState
from bigin_import.domain.undo import Undo, UndoState
from bigin_import.stored_plan import read_undo_list
from tests.simulation.account import Account
from tests.simulation.scenarios import Drop, Scenario
from tests.simulation.world import HOUR, SKEW_SECONDS, World

MODULE = "Contacts"
AGAIN_SECONDS = 300
MOST_TRIES = 20
SENT_MEANWHILE_SECONDS = 20
SLACK = 2 * SKEW_SECONDS + 2
LONGEST_DUE = HOUR + 360  # a lease
UNDER_WAY = (ImportState.SENDING, ImportState.SENT, ImportState.FINISHING)
_EVENT = {"by": "ada"}


@dataclass(slots=True)
class Undoer:
    """
    A person who has an import of theirs shown and undone, and may then drop its rows again.

    Attributes:
        confirmed: Imports of which this person was told that they are being undone.
        stays: Ids of records that others have changed, and that nobody wanted gone.
        wants_all: This person was told that all were changed, and that they may go all the same.
        acted_at: When this person, or whoever changed a record, last did something.
    """

    scenario: Scenario
    find_drop: Callable[[str], Drop]
    drop: Callable[[Drop], object]
    confirmed: set[str] = field(default_factory=set)
    stays: set[str] = field(default_factory=set)
    acted_at: float = 0.0
    tries: int = 0
    is_changed: bool = False
    wants_all: bool = False

    def begin(self, account: Account) -> None:
        """Ask for the first time; nothing may be closed yet."""
        if (closed := self._closed(account)) and self.tries < MOST_TRIES:
            number = account.world.faults.number("undone")
            self._show(account, closed[int(number * len(closed))].import_id)
        else:
            self._later(account, lambda: self.begin(account))

    def told(self, account: Account, notice: Notice) -> None:
        """Hear that it is undone, and drop what is out of Bigin now."""
        facts = dict(notice.attributes)
        if facts.get("state") != "UNDONE" or self.scenario.undoer == "meanwhile":
            return
        after = 60.0
        for way in ("again", "file"):
            if self.scenario.undoer in (way, "both"):
                account.world.after(after, partial(self._drop, account, way, facts))
                after += 600 * account.world.faults.number("both") ** 3

    def _closed(self, account: Account) -> list[Import]:
        records = (r for r in account.ledger.records.values() if isinstance(r, Import))
        return [
            r
            for r in records
            if r.state.is_closed and r.open is None and r.counts and r.counts.added
        ]

    def _later(self, account: Account, action: Callable[[], object]) -> None:
        self.tries += 1
        if self.tries < MOST_TRIES:
            self.acted_at = account.world.now
            account.world.after(AGAIN_SECONDS, action)

    def _show(self, account: Account, import_id: str) -> None:
        if self.scenario.undone_rows in ("stay", "go"):
            self._change(account, import_id)

        def shown(said: Mapping[str, object] | None) -> None:
            if said is None or "refused" in said:
                hint = "" if said is None else str(said["remedy"])
                if "--changed-too" in hint and self.scenario.undone_rows != "stay":
                    self.wants_all = True
                    self.stays.clear()
                self._later(account, lambda: self._show(account, import_id))
                return
            if asked["changed_too"]:  # what was changed by now is in the list, and was shown
                self.stays.clear()
            if self.scenario.undone_rows == "late":
                self._change(account, import_id)
            self._confirm(account, import_id, str(said["confirm"]))

        self.acted_at = account.world.now
        asked = {
            "undo": import_id,
            "changed_too": self.scenario.undone_rows == "go" or self.wants_all,
        }
        account.ask(_EVENT | asked, shown)

    def _confirm(self, account: Account, import_id: str, token: str) -> None:
        def begun(said: Mapping[str, object] | None) -> None:
            if said is None:
                self._later(account, lambda: self._confirm(account, import_id, token))
            elif "refused" in said:
                self._later(account, lambda: self._show(account, import_id))
            else:
                self.confirmed.add(import_id)

        self.acted_at = account.world.now
        account.ask(_EVENT | {"undo": import_id, "confirm": token}, begun)
        if self.scenario.undoer == "meanwhile":
            after = SENT_MEANWHILE_SECONDS * account.world.faults.number("meanwhile")
            account.world.after(
                after, lambda: self._drop(account, "again", {"import_id": import_id})
            )

    def _change(self, account: Account, import_id: str) -> None:
        """Let somebody change the first record of an import, once, minutes after its job."""
        ids = sorted(
            added_ids(account, import_id) & account.bigin.model.tables[MODULE].records.keys()
        )
        if self.is_changed or not ids:
            return
        self.is_changed = True
        module = account.bigin.model.module(MODULE)
        values = {"First_Name": "Changed"}
        account.bigin.model.record_calls.change(module, ids[0], values, account.world.now)
        if self.scenario.undone_rows != "go":
            self.stays.add(ids[0])

    def _drop(self, account: Account, way: str, facts: Mapping[str, str]) -> None:
        import_id = facts["import_id"]
        self.acted_at = account.world.now
        if way == "again":
            self.drop(self.find_drop(import_id))
            return
        record = account.import_of(import_id)
        assert record is not None
        key = f"{record.results}{object_keys.result_name(record.source.key)}.undone.csv"
        if account.bucket.find_newest(key) is None:
            return
        text = account.bucket.read(key)
        undone = self.find_drop(import_id).rows
        rows = tuple(undone[int(row["bigin__Row"]) - 2] for row in _rows_of(text))
        self.drop(Drop("incoming/undone/again.csv", rows, text))


def _rows_of(text: bytes) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""))


def added_ids(account: Account, import_id: str) -> set[str]:
    """Return the ids that the row results say an import has added; nobody's call."""
    record = account.import_of(import_id)
    assert record is not None
    key = f"{record.results}{object_keys.result_name(record.source.key)}.success.csv"
    rows = _rows_of(account.bucket.read(key))
    return {row["bigin__Id"] for row in rows if row["bigin__Status"] == "added"}


@dataclass(frozen=True, slots=True)
class UndoWatch:
    """Looks at every write about an undo, and at every call that deletes."""

    world: World
    account: Account

    def check(self, old: Record | None, new: Record) -> None:
        if not isinstance(new, Undo):
            return
        now = self.world.now
        if isinstance(old, Undo) and new.lease_until > old.lease_until > now + SLACK:
            self.world.violate(f"an undo's lease is taken {old.lease_until - now:.0f} s early")
        if (new.open is None) != (new.state is not UndoState.RUNNING):
            self.world.violate(f"an undo is {new.state} with open={new.open}")
        if new.open is not None and (new.due_at or 0) > now + LONGEST_DUE + SLACK:
            self.world.violate("an undo that runs is not due within an hour")
        if new.state is UndoState.DONE and not _told_of(self.account, new.import_id):
            self.world.violate("an undo is DONE and nobody was told")

    def check_deletion(self, ids: Collection[str]) -> None:
        """No record is deleted but those that an import has added which a person wants undone."""
        undone = [each.import_id for each in self.account.undos() if each.confirmed_at]
        listed = {each: added_ids(self.account, each) for each in undone}
        records = self.account.bigin.model.tables[MODULE].records
        for each in ids:
            import_id = next((one for one, added in listed.items() if each in added), None)
            if import_id is None:
                self.world.violate(f"{each} is deleted, and no import to be undone has added it")
            elif each in records:
                if not set(records[each].jobs[:1]) <= set(self.account.jobs_of(import_id)):
                    self.world.violate(f"{each} is deleted, which another import has added")
                self._check_alone(import_id)

    def _check_alone(self, import_id: str) -> None:
        """While records are deleted no version of the file is under way, and no correction."""
        own = self.account.import_of(import_id)
        assert own is not None
        family = {own.import_id, own.root} - {None}
        for other in self.account.ledger.records.values():
            if not isinstance(other, Import) or other.import_id == import_id:
                continue
            is_near = other.source.key == own.source.key or {other.import_id, other.root} & family
            writes = other.verdict is None or not other.verdict.wrote_nothing
            if is_near and writes and other.state in UNDER_WAY:
                self.world.violate(f"an import is undone while {other.source.key} is {other.state}")


@dataclass(frozen=True, slots=True)
class UndoEnding:
    """Looks at what became of an undo."""

    world: World
    account: Account
    undoer: Undoer
    crashed_between: Callable[[float, float], bool]

    def check(self) -> None:
        records = self.account.bigin.model.tables[MODULE].records
        for undo in self.account.undos():
            if undo.state is UndoState.DONE:
                self._check_done(undo, records)
            elif undo.state is UndoState.RUNNING or undo.import_id in self.undoer.confirmed:
                self.world.violate(f"an undo never ended: {undo.state}")
        for each in self.undoer.stays - records.keys():
            self.world.violate(f"{each} was changed by people and is deleted")

    def check_at_rest(self) -> None:
        """Two hours after the last fault it is done, unless an import waits for a person."""
        for undo in self.account.undos():
            if undo.state is UndoState.RUNNING:
                self.world.violate(f"an undo is still RUNNING, and has waited {undo.waits} times")

    def _check_done(self, undo: Undo, records: Collection[str]) -> None:
        """Each record of the list is gone, or people are told of it."""
        told = _told_of(self.account, undo.import_id)
        if len(told) > 1 and not self.crashed_between(told[0][0], told[-1][0]):
            self.world.violate(f"an undo was told {len(told)} times without a crash")
        rows = read_undo_list(self.account.bucket, undo.import_id, undo.sha256)
        listed = {row.record_id for row in rows}
        if undo.deleted != len(listed - set(records)):
            self.world.violate(f"{undo.deleted} of {len(listed)} records are said to be deleted")
        for each in listed:
            is_named = bool(told) and f"{each} (" in told[-1][1].body
            if is_named != (each in records):
                what = "told to be left, and is gone" if is_named else "left, and nobody was told"
                self.world.violate(f"{each} is {what}")


def _told_of(account: Account, import_id: str) -> list[tuple[float, Notice]]:
    about = {("import_id", import_id), ("state", "UNDONE")}
    return [(at, notice) for at, notice in account.published if about <= set(notice.attributes)]


def is_undone_at(account: Account, moment: int) -> bool:
    """Return whether something has been undone, or was to be, that ended after *moment*."""
    undos = [each for each in account.undos() if each.confirmed_at is not None]
    return any(each.done_at is None or each.done_at >= moment for each in undos)
