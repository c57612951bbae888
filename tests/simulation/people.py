"""A person who reads the notices and decides about held imports: early, late, twice, or never."""

from __future__ import annotations

from collections.abc import Iterator

from bigin_import.domain.drop import Notice
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import PartState
from bigin_import.importing.decisions import Decision
from tests.simulation.account import Account, Command

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
