"""
A person who reads the notices and decides about held imports: early, late, twice, or never. And
people who drop something again because of rows that are not in.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from functools import partial

from bigin_import import object_keys
from bigin_import.domain.drop import Notice
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import PartState
from bigin_import.importing.decisions import Decision
from tests.simulation.account import Account, Command
from tests.simulation.scenarios import OWN_FILE, OWN_NAME, Drop, fixed

CAREFUL, CARELESS, TWICE, EARLY, WEARY = "careful", "careless", "twice", "early", "weary"
HOUR = 3600
DAY = 24 * HOUR


class Person:
    """
    Answers hold notices.

    Attributes:
        said_create: (import id, part, attempt) that this person wanted created again.
        misled: Imports of which this person said that a create made no job, though it had.
        acted_at: When this person last sent a command.
    """

    def __init__(self, habit: str) -> None:
        self.habit = habit
        self.said_create: set[tuple[str, int, int]] = set()
        self.misled: set[str] = set()
        self.acted_at = 0.0
        self._answered: set[tuple[str, int, int]] = set()

    def told(self, account: Account, notice: Notice) -> None:
        """Read one notice."""
        facts = dict(notice.attributes)
        if not self.habit or facts.get("state") != "ON_HOLD":
            return
        delay = 60 if self.habit == CARELESS else 3 * DAY * account.world.faults.number("person")
        account.world.after(delay, lambda: self._decide(account, facts["import_id"]))

    def hurry(self, account: Account, import_id: str) -> None:
        """Decide before anybody asked."""
        if self.habit == EARLY:
            for decision in (Decision.CREATE, Decision.GIVE_UP, Decision.CONTINUE):
                self._send(account, Command(import_id, decision, 1, 1))

    def _decide(self, account: Account, import_id: str) -> None:
        held = [p for p in account.parts_of(import_id) if p.state is PartState.HELD]
        for part in held:
            for command in self._commands(account, part):
                self._send(account, command)
        record = account.import_of(import_id)
        if not held and record is not None:
            held_at = record.held_at or 0
            self._send(account, Command(import_id, Decision.CONTINUE, held_at=held_at))

    def _commands(self, account: Account, part: Part) -> Iterator[Command]:
        attempt = part.attempt.number if part.attempt else 0
        about = (part.import_id, attempt)
        jobs = [] if self.habit == CARELESS else account.jobs_of(part.import_id, part.number)
        if (*about, part.number) in self._answered:
            return
        self._answered.add((*about, part.number))
        if self.habit == WEARY:
            yield Command(part.import_id, Decision.GIVE_UP, part.number, attempt)
        elif jobs:
            yield Command(part.import_id, Decision.ADOPT, part.number, attempt, jobs[-1])
        else:
            yield Command(part.import_id, Decision.CREATE, part.number, attempt)

    def _send(self, account: Account, command: Command) -> None:
        if self.habit == TWICE:
            account.world.after(HOUR, lambda: account.invoke(command))
        self.acted_at = account.world.now
        if command.decision is Decision.CREATE:
            self.said_create.add((command.import_id, command.part, command.attempt))
            if account.jobs_of(command.import_id, command.part):
                self.misled.add(command.import_id)
        account.invoke(command)


MOST_GOES = 2
ADDED = {"Surname": "added", "E-mail": ""}
_NOT_IN = frozenset({"COMPLETED_WITH_ERRORS", "FAILED"})


class Clerk:
    """
    Hears that rows of a drop are not in Bigin, and sees to it: drops the file again, corrects its
    failed rows in goes, or what failed of such a go, mends the file itself, or all of that, in some
    order. Or corrects them in a spreadsheet that takes zeros away, or writes a new row below them.
    Or drops them corrected, and once more under a name of their own, without our columns.

    Attributes:
        acted_at: When this person last dropped something.
    """

    def __init__(self, habit: str, first: Drop, drop: Callable[[Drop], object]) -> None:
        self.acted_at = 0.0
        self._habit = habit
        self._first = first
        self._drop = drop
        self._has_heard = False

    def told(self, account: Account, notice: Notice) -> None:
        """Read one notice; the first that tells of rows that are not in is acted on."""
        facts = dict(notice.attributes)
        about_first = facts.get("file") == self._first.key and facts.get("state") in _NOT_IN
        if not self._habit or self._has_heard or not about_first:
            return
        self._has_heard = True
        number = account.world.faults.number
        ways = sorted(self._ways(account, facts["import_id"]), key=lambda way: number(way[0]))
        after = 60.0
        for name, way in ways:
            account.world.after(after, partial(self._act, account, way))
            # Seconds after the one before, while it runs, or when it has ended.
            after += 1 + 600 * number(f"then/{name}") ** 3

    def _ways(
        self, account: Account, import_id: str
    ) -> Iterator[tuple[str, Callable[[], Drop | None]]]:
        if self._habit in ("again", "all"):
            yield "again", lambda: self._first
        if self._habit in ("mends", "all") and _told_of_rows(account, import_id):
            mended = Drop(self._first.key, tuple(map(fixed, self._first.rows)))
            yield "mends", lambda: mended
        if self._habit in ("goes", "adds", "sheet", "all"):
            for go in range(1, MOST_GOES + 1):
                yield f"go {go}", partial(self._correct, account, import_id, go)
        if self._habit in ("goes", "adds", "sheet", "all"):
            yield "go on", partial(self._correct_further, account)
        if self._habit == OWN_NAME:
            yield "go 1", partial(self._correct, account, import_id, 1)
            yield OWN_NAME, partial(self._drop_as_own, account, import_id)

    def _act(self, account: Account, way: Callable[[], Drop | None]) -> None:
        drop = way()
        if drop is not None:
            self.acted_at = account.world.now
            self._drop(drop)

    def _drop_as_own(self, account: Account, import_id: str) -> Drop | None:
        """Return the first failed row, corrected, in a file that does not say whose it is."""
        go = self._correct(account, import_id, 1)
        return Drop(OWN_FILE, go.rows[:1]) if go else None

    def _correct_further(self, account: Account) -> Drop | None:
        """Return what failed of the first go, corrected; None if it has not ended."""
        goes = (
            record
            for record in account.ledger.records.values()
            if isinstance(record, Import) and record.source.key == "incoming/go 1/fix.csv"
        )
        first = next(goes, None)
        is_over = first is not None and first.state.is_closed
        return self._correct(account, first.import_id, MOST_GOES + 1) if first and is_over else None

    def _correct(self, account: Account, import_id: str, go: int) -> Drop | None:
        """Return the failed rows, of which the first *go* are corrected; None if there are none."""
        record = account.import_of(import_id)
        assert record is not None
        key = f"{record.results}{object_keys.result_name(record.source.key)}.failed.csv"
        if account.bucket.find_newest(key) is None:
            return None
        text = account.bucket.read(key).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        for row in rows[:go]:
            row["E-mail"] = fixed((row["Surname"], row["E-mail"]))[1]
        if self._habit == "adds":
            rows.append(dict.fromkeys(rows[0], "") | ADDED)
        plain = tuple((row["Surname"], row["E-mail"]) for row in rows)
        if self._habit == "sheet":
            for row in rows:
                row["Surname"] = row["Surname"].lstrip("0")
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return Drop(f"incoming/go {go}/fix.csv", plain, out.getvalue().encode())


def _told_of_rows(account: Account, import_id: str) -> bool:
    """Return whether people heard what became of rows; else nobody knows which to mend."""
    record = account.import_of(import_id)
    return record is not None and record.counts is not None and record.counts.total > 0
