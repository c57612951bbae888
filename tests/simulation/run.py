"""One run: a scenario, a seed, faults; what happened and which promises were broken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from bigin_import import identity
from bigin_import.callback_url import SignedCallbacks
from bigin_import.domain.drop import Notice, ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import KeyLock, Record
from bigin_import.domain.part_record import Part
from tests.fakes.memory_ledger import Backup
from tests.simulation.account import Account
from tests.simulation.faults import Fault, Faults
from tests.simulation.functions import BASE_URL, KEYS
from tests.simulation.people import Clerk, Person
from tests.simulation.promises import Ending, Watch
from tests.simulation.scenarios import WITH_FEWER_COLUMNS, Drop, Scenario, Twin, drops, mapping_text
from tests.simulation.undoing import Undoer, UndoWatch
from tests.simulation.world import HOUR, START, World

REST_SECONDS = 2 * HOUR
DECIDED_SECONDS = 600
OUTAGE_SECONDS = 600.0
END_SECONDS = 16 * 24 * HOUR  # after the last fault; holds are given up after 14 days
SIGNED = SignedCallbacks(BASE_URL, KEYS)
TWIN_AFTER_SECONDS = 5.0
FORCED_AFTER_SECONDS = 4.5
OTHER_RELEASE_AFTER, OTHER_RELEASE_SECONDS = 9.0, 1200.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of a run.

    Attributes:
        hours: Virtual time.
        reached: Every fault that could have struck, in order, if they were asked for.
        trace: What happened, if it was asked for.
    """

    violations: tuple[str, ...]
    fired: tuple[Fault, ...]
    cells: frozenset[tuple[str, str, str]]
    hours: float
    steps: int
    reached: tuple[Fault, ...]
    trace: tuple[str, ...]


class Run:
    """Sets the scene and lets time run."""

    def __init__(self, scenario: Scenario, faults: Faults, *, trace: bool, reached: bool) -> None:
        self.scenario = scenario
        self.faults = faults
        self.world = World(faults)
        self.world.trace = [] if trace else None
        faults.reached = [] if reached else None
        self.watch = Watch(self.world)
        self.person = Person(scenario.person)
        self.clerk = Clerk(scenario.clerk, drops(scenario)[0], self._drop)
        self.undoer = Undoer(scenario, self._find_drop, self._drop)
        self.account = Account(self.world, scenario, self._check, self._told)
        self.watch.account = self.account
        self.undo_watch = UndoWatch(self.world, self.account)
        self.account.bigin.deleting = self.undo_watch.check_deletion
        self.account.bigin.creating = self.watch.check_leaving
        self.watch.said_create = self.person.said_create
        self._backup: Backup = {}
        self.dropped: list[tuple[ObjectVersion, Drop]] = []
        faults.states = self._part_states
        faults.now = lambda: self.world.now

    def play(self) -> Outcome:
        self._set_the_scene()
        self.world.run(START + self.scenario.trouble_hours * HOUR)
        self.faults.stopped = True
        while self.world.now < self._rest():  # a create may be repeated an hour later
            self.world.run(self._rest())
        ending = Ending(
            self.world,
            self.account,
            self.scenario,
            self.person,
            self.watch,
            self.dropped,
            self.undoer,
        )
        ending.check_at_rest()
        self.world.run(self.world.now + END_SECONDS)
        ending.check_over()
        self.world.close()
        return Outcome(
            violations=tuple(self.world.violations),
            fired=tuple(self.faults.fired),
            cells=frozenset(self.faults.cells),
            hours=(self.world.now - START) / HOUR,
            steps=sum(self.faults.counts.values()),
            reached=tuple(self.faults.reached or ()),
            trace=tuple(self.world.trace or ()),
        )

    def _rest(self) -> float:
        """
        Return when everything should have come to rest, by the jobs that there are by now.

        What a person has just decided takes some minutes to be carried out.
        """
        ends = (job.ends_at or 0.0 for job in self.account.bigin.model.jobs.values())
        rest = max([START + self.scenario.trouble_hours * HOUR, *ends]) + REST_SECONDS
        acted_at = max(self.clerk.acted_at, self.undoer.acted_at) + self.scenario.job_seconds
        return max(rest, self.person.acted_at + DECIDED_SECONDS, acted_at + DECIDED_SECONDS)

    def _set_the_scene(self) -> None:
        scenario, world = self.scenario, self.world
        since = START + scenario.outage_after
        world.outage = (scenario.outage, since, since + OUTAGE_SECONDS)
        if scenario.parts_gone_after is not None:
            world.after(scenario.parts_gone_after, self._remove_parts)
        if scenario.restored_after is not None:
            world.after(scenario.restored_after - scenario.backup_before, self._back_up)
            world.after(scenario.restored_after, self._restore)
        if scenario.other_release:
            world.after(OTHER_RELEASE_AFTER, self._roll_back)
            world.after(OTHER_RELEASE_AFTER + OTHER_RELEASE_SECONDS, self._roll_forward)
        if scenario.mapping_after is not None:
            world.after(max(0, scenario.mapping_after), self._put_mapping)
        for number, drop in enumerate(drops(scenario)):
            world.after(1 + TWIN_AFTER_SECONDS * number, partial(self._drop, drop))
        if scenario.removed_after is not None:
            key = drops(scenario)[0].key
            world.after(scenario.removed_after, lambda: self.account.bucket.remove(key))
        self._set_people_to_work()

    def _set_people_to_work(self) -> None:
        scenario, world = self.scenario, self.world
        if scenario.corrected_after is not None:
            world.after(1 + scenario.corrected_after, self._correct_mapping)
        if scenario.undone_after is not None:
            world.after(scenario.undone_after, lambda: self.undoer.begin(self.account))
        if scenario.twin is Twin.FORCED:
            world.after(1 + FORCED_AFTER_SECONDS, self._force)
        if scenario.twin in WITH_FEWER_COLUMNS:
            world.after(1 + FORCED_AFTER_SECONDS, self._take_a_column_out)

    def _remove_parts(self) -> None:
        for key in list(self.account.bucket.list_keys("parts/")):
            self.account.bucket.remove(key)

    def _back_up(self) -> None:
        self._backup = self.account.ledger.back_up()

    def _restore(self) -> None:
        """Restore the table, unless that would forget a drop: nothing can help against that."""
        imports = {
            place
            for place, record in self.account.ledger.records.items()
            if isinstance(record, Import)
        }
        if imports and imports <= self._backup.keys():
            self.world.stand_still()
            self.world.restored_at = self.world.now
            self.watch.unknown.clear()
            self.account.ledger.restore_table(self._backup)
            self.account.wake_tick(self.world.now)

    def _roll_back(self) -> None:
        """Let an item be one that this release cannot read."""
        kinds = {"import": Import, "part": Part, "lock": KeyLock}
        kind = kinds[self.scenario.other_release]
        places = [p for p, r in self.account.ledger.records.items() if isinstance(r, kind)]
        self.account.ledger.of_another_release.update(places[:1])

    def _roll_forward(self) -> None:
        self.account.ledger.of_another_release.clear()

    def _put_mapping(self) -> None:
        wrong = self.scenario.corrected_after is not None
        self.account.put("incoming/mapping.json", mapping_text(self.scenario, wrong=wrong))

    def _correct_mapping(self) -> None:
        self.account.put("incoming/mapping.json", mapping_text(self.scenario))

    def _force(self) -> None:
        first = identity.import_id_of(self.dropped[0][0])
        self.account.put("incoming/mapping.json", mapping_text(self.scenario, force=first))

    def _take_a_column_out(self) -> None:
        self.account.put("incoming/mapping.json", mapping_text(self.scenario, fewer=True))

    def _drop(self, drop: Drop) -> None:
        source = self.account.put(drop.key, drop.body)
        self.dropped.append((source, drop))
        import_id = identity.import_id_of(source)
        self.world.after(60, lambda: self.person.hurry(self.account, import_id))
        if self.scenario.forged:
            url = f"https://x/v1/callback/{import_id}/0001/1/{'A' * 43}"
            body = b'{"job_id": "111111000000541958"}'
            other_attempt = SIGNED.url(import_id, 1, 1).replace("/0001/1/", "/0001/2/")
            for after, forged in ((20, url), (60, other_attempt), (100, url)):
                self.world.after(after, partial(self._forge, forged, body))

    def _forge(self, url: str, body: bytes) -> None:
        self.account.post(url, body, "", forged="a forged callback")

    def _find_drop(self, import_id: str) -> Drop:
        record = self.account.import_of(import_id)
        assert record is not None
        version = record.source.version_id
        return next(drop for source, drop in self.dropped if source.version_id == version)

    def _check(self, old: Record | None, new: Record) -> None:
        self.watch.check(old, new)
        self.undo_watch.check(old, new)

    def _told(self, notice: Notice) -> None:
        self.watch.check_waiting_notice(notice)
        self.person.told(self.account, notice)
        self.clerk.told(self.account, notice)
        self.undoer.told(self.account, notice)

    def _part_states(self) -> set[str]:
        records = self.account.ledger.records.values()
        return {r.state.value for r in records if isinstance(r, Part)} or {"-"}


def simulate(
    scenario: Scenario,
    seed: int,
    planned: Iterable[Fault] | None = (),
    *,
    trace: bool = False,
    reached: bool = False,
    stops_early: bool = False,
) -> Outcome:
    """Run *scenario*; *planned* None lets chance decide about faults."""
    run = Run(scenario, Faults(seed, planned), trace=trace, reached=reached)
    run.world.stops_early = stops_early
    return run.play()
