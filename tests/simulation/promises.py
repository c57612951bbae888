"""
What must hold: at every write, and when everything is over.

Nothing here looks at how the use cases work: only at what is in Bigin, in the bucket, in the
ledger and in the notices.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bigin_import import identity, object_keys
from bigin_import.domain.drop import Notice, ObjectVersion, is_older
from bigin_import.domain.edges import ForbiddenEdgeError, check_edge
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.locks import KeyLock, Record
from bigin_import.domain.part_record import Attempt, Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.stored_plan import read_problems
from tests.simulation.account import Account
from tests.simulation.faults import Fault
from tests.simulation.people import Person
from tests.simulation.scenarios import (
    OWN_FILE,
    WITH_FEWER_COLUMNS,
    Callbacks,
    Drop,
    Mode,
    Scenario,
    Twin,
)
from tests.simulation.undoing import UndoEnding, Undoer, is_undone_at
from tests.simulation.world import HOUR, SKEW_SECONDS, World

MINUTE = 60
LONGEST_LOOK = 15 * MINUTE
PLENTY = 50_000  # credits
DAY = 24 * HOUR
CALLS_AN_HOUR = 60  # for a part that waits
# An import that waits for its family looks at the other one up to five times an hour.
CALLS_OF_AN_IMPORT = 120
CALLS_OF_WORK = 300  # for what is done with it when its waiting ends
SLACK = 2 * SKEW_SECONDS + 2
LEASE_SECONDS = 360
AT_ONCE_SECONDS = 1  # writes of calls side by side cross
LATE = ("stall", "freeze")  # who wrote it may have been late with it
RESULT_FILES = ("success", "failed", "unprocessed", "unclear")
# Faults after which nobody but a person may know whether Bigin made a job, or go on.
CAUSES_OF_HOLDS = frozenset({
    "kill", "stall", "freeze", "aws_error", "answer_lost", "no_answer", "request_lost",
    "effect_late", "killed_in_flight", "server_error", "refused",
})  # fmt: skip
UNDER_WAY = (ImportState.SENDING, ImportState.SENT)
HARMLESS = ("event_twice", "message_twice", "callback_twice", "callback_early")
OUTAGE_WAIT_SECONDS = (10 + 5) * MINUTE  # it lasts ten; all goes on within five after it
LEDGER = "ledger"  # whoever cannot write what it did may leave that to a person
ASKED_IN_AN_OUTAGE = 5  # after 1, 2 and then every 4 of its 10 minutes
CRASHES = frozenset({"kill", "stall", "freeze", "aws_error", "answer_lost"})
MAY_BE_IN = "look in Bigin before you drop the file again"


def _is_harmless(fault: Fault) -> bool:
    """Return whether a fault costs nobody more than seconds."""
    if fault.label.startswith("ledger"):
        return fault.kind in ("answer_lost", "request_lost")
    return fault.kind in HARMLESS


def _told_of_waiting(account: Account) -> list[float]:
    """Return when people were told that imports wait for credits."""
    waiting = ("state", "WAITING_FOR_CREDITS")
    return [at for at, notice in account.published if waiting in notice.attributes]


@dataclass(slots=True)
class Watch:
    """Looks at every write."""

    world: World
    account: Account | None = None
    said_create: Container[tuple[str, int, int]] = ()
    held: bool = False
    unknown: dict[tuple[str, int], float] = field(default_factory=dict)

    def check(self, old: Record | None, new: Record) -> None:
        try:
            check_edge(old, new)
        except ForbiddenEdgeError as exc:
            self.world.violate(str(exc))
        if isinstance(new, Import):
            self._check_import(new)
        if isinstance(old, Import) and isinstance(new, Import):
            self._check_change(old, new)
        if isinstance(new, KeyLock):
            self._check_goes_first(old, new)
        if isinstance(new, Part):
            self._check_part(new)
            self._check_create(old, new)
        if isinstance(old, Part) and isinstance(new, Part) and old.attempt is not None:
            self._check_unknown(old, new, old.attempt.number)

    def _check_goes_first(self, old: Record | None, new: KeyLock) -> None:
        """Of the versions that wait the oldest goes first; one that has begun goes on."""
        had = old.open_import if isinstance(old, KeyLock) else None
        if new.open_import is None or new.open_import == had or self.account is None:
            return
        record = self.account.import_of(new.open_import)
        if record is None or record.state is not ImportState.WAITING_FOR_MAPPING:
            return
        ours = record.source.sequencer
        if any(is_older(each.sequencer, ours) for each in new.waiting):
            self.world.violate(f"a version of {record.source.key} goes before an older one")

    def _check_unknown(self, old: Part, new: Part, attempt: int) -> None:
        """Nobody decides about a create that may still take effect; only a person makes two."""
        told = (new.import_id, new.number, attempt)
        is_decided = old.state in (PartState.CREATING, PartState.UNKNOWN, PartState.HELD)
        if is_decided and new.state in (PartState.HELD, PartState.STORED):
            way = f"/{new.import_id}/{new.number:04d}/{attempt}/"
            assert self.account is not None
            if any(way in url for url in self.account.bigin.on_their_way):
                self.world.violate(f"a part is {new.state} while its create is on its way")
        sent_again = old.state is PartState.HELD and new.state is PartState.STORED
        if sent_again and told not in self.said_create:
            self.world.violate("a held part is sent again and nobody said so")

    def _check_create(self, old: Record | None, new: Part) -> None:
        """Remember since when nobody knows about a create, for those of the import that follow."""
        me = (new.import_id, new.number)
        was_stored = isinstance(old, Part) and old.state is PartState.UPLOADED
        if new.state is PartState.CREATING and was_stored and len(new.attempts) == 1:
            self._check_order(new)
        if new.state is PartState.UNKNOWN:
            self.unknown.setdefault(me, self.world.now)
        else:
            self.unknown.pop(me, None)

    def check_leaving(self, callback_url: str) -> None:
        """No create leaves while nobody knows about another one of the import."""
        import_id = callback_url.split("/")[-4]
        late = any(fault.kind in LATE for fault in self.world.faults.fired)
        for (unknown_of, number), since in self.unknown.items():
            waited = self.world.now - since
            if unknown_of == import_id and waited > AT_ONCE_SECONDS and not late:
                self.world.violate(f"a create leaves {waited:.0f} s after part {number} is UNKNOWN")

    def check_waiting_notice(self, notice: Notice) -> None:
        """The notice of missing credits counts every version that waits for them."""
        is_about = ("state", "WAITING_FOR_CREDITS") in notice.attributes
        if not is_about or self.world.faults.fired or self.account is None:
            return
        waiting = Counter(
            record.source.key
            for record in self.account.ledger.records.values()
            if isinstance(record, Import) and record.pause in ("BUSY", "TURN")
        )
        for key, versions in waiting.items():
            if versions > 1 and f"{key} ({versions} versions)" not in notice.body:
                self.world.violate(f"{versions} versions of {key} wait, and the notice hides it")

    def _check_order(self, new: Part) -> None:
        """What writes over others is not begun after a later version of the file was sent."""
        assert self.account is not None
        record = self.account.import_of(new.import_id)
        if record is None or record.operation != "upsert":
            return
        for other in self.account.ledger.records.values():
            is_later = (
                isinstance(other, Import)
                and other.source.key == record.source.key
                and is_older(record.source.sequencer, other.source.sequencer)
            )
            if is_later and isinstance(other, Import) and self.account.jobs_of(other.import_id):
                self.world.violate(f"a create of {record.source.key} after a later version's")

    def _check_change(self, old: Import, new: Import) -> None:
        """
        A submitter whose lease lives may be sending at this very moment; what is SENT was sent.

        A part may be sent again only by a decision that came while the others were sent.
        """
        if new.epoch > old.epoch and old.lease_until > self.world.now + SLACK:
            self.world.violate(f"a lease is taken {old.lease_until - self.world.now:.0f} s early")
        if new.state is ImportState.SENT and old.state is not ImportState.SENT:
            assert self.account is not None
            for part in self.account.parts_of(new.import_id):
                fresh = part.state in (PartState.STORED, PartState.UPLOADED) and not part.attempts
                if fresh or part.state is PartState.CREATING:
                    self.world.violate(f"an import is SENT with a part {part.state}")

    def _check_import(self, new: Import) -> None:
        if new.state is ImportState.ON_HOLD:
            self.held = True
        if self._is_under_way(new) and not self.held:
            self._check_turn(new)
        if new.pause == "BUSY" and new.busy_waits > 1 and not self.world.faults.fired:
            self._check_told_of_waiting()
        told = new.noticed_at is not None
        if new.open is None and not (new.state.is_closed and told):
            self.world.violate(f"an import in {new.state} is not open and nobody was told")
        if (new.open is None) != (new.expires_at is not None):
            self.world.violate("an import that is still open would be forgotten by the table")
        if new.open is not None:
            within = DAY if new.state is ImportState.ON_HOLD else HOUR + LEASE_SECONDS
            self._check_due("an import", new.state, new.due_at, within)

    def _check_told_of_waiting(self) -> None:
        assert self.account is not None
        if not any(at > self.world.now - DAY - HOUR for at in _told_of_waiting(self.account)):
            self.world.violate("an import waits for credits and nobody was told")

    def _check_turn(self, new: Import) -> None:
        """One version of a key at a time, unless the one before waits for a person."""
        assert self.account is not None
        for other in self.account.ledger.records.values():
            if isinstance(other, Import) and self._is_under_way(other):
                same_key = other.source.key == new.source.key
                if same_key and other.import_id != new.import_id:
                    self.world.violate(f"two versions of {new.source.key} are under way")

    def _is_under_way(self, record: Import) -> bool:
        """Return whether a version is sent, or may be: one that waits has given its lock back."""
        assert self.account is not None
        is_prepared = record.state is ImportState.PREPARING and not record.dry_run
        has_lock = is_prepared and self.account.holder_of(record.source) == record.import_id
        return has_lock or record.state in UNDER_WAY

    def _check_part(self, new: Part) -> None:
        if new.state is PartState.HELD:
            self.held = True
        if (new.open is None) != new.state.is_final:
            self.world.violate(f"a part in {new.state} has open={new.open}")
        if new.open is not None:
            within = DAY if new.state is PartState.HELD else HOUR
            self._check_due("a part", new.state, new.due_at, within)

    def _check_due(self, what: str, state: str, due_at: int | None, within: float) -> None:
        if due_at is None or due_at > self.world.now + within + SLACK:
            self.world.violate(f"{what} in {state} is not due within {within / HOUR:.1f} hours")


@dataclass(frozen=True, slots=True)
class Ending:
    """
    Looks at what a run came to.

    Attributes:
        dropped: All that was, also what people drop after the first look.
    """

    world: World
    account: Account
    scenario: Scenario
    person: Person
    watch: Watch
    dropped: Sequence[tuple[ObjectVersion, Drop]]
    undoer: Undoer

    @property
    def undo_ending(self) -> UndoEnding:
        return UndoEnding(self.world, self.account, self.undoer, self._crashed_between)

    def check_at_rest(self) -> None:
        """
        Two hours after the last fault: nothing is open that does not wait for a person.

        Or for Bigin, or for another import of its rows that waits for a person: until that one has
        ended nobody knows which rows are in. A later version does not wait for one on hold.
        """
        waits_for_person = [record for record in self._imports() if self._waits_for_person(record)]
        if not waits_for_person and not self._waits():
            self.undo_ending.check_at_rest()
        for record in self._imports():
            is_settled = record.state.is_closed and record.open is None
            if is_settled or record in waits_for_person or self._waits():
                continue
            if record.awaited is None or not waits_for_person:
                parts = self.account.parts_of(record.import_id)
                self._violate(record, f"is still {record.state}: {self._states(parts)}")

    def check_over(self) -> None:
        """At the very end."""
        for source, drop in self.dropped:
            record = self._import(source)
            if record is None:
                self.world.violate(f"{drop.key} was forgotten")
            elif not record.state.is_closed or record.open is not None:
                parts = self.account.parts_of(record.import_id)
                self._violate(record, f"never ended: {record.state}: {self._states(parts)}")
            else:
                self._check_closed(record, drop)
                self._check_taken_up(record)
        self.undo_ending.check()
        self._check_bigin()
        self._check_last_content()
        self._check_unmapped()
        self._check_holds()
        is_harmless = all(_is_harmless(fault) for fault in self.world.faults.fired)
        if is_harmless and self._is_as_left():
            self._check_without_faults()
        self._check_waiting_notices()
        self._check_calls()

    def _is_as_left(self) -> bool:
        """Return whether the functions found what they rely on as they had left it."""
        it = self.scenario
        is_there = it.parts_gone_after is None and not it.other_release
        return it.outage != LEDGER and is_there and not self.world.restored_at > 0

    def _check_calls(self) -> None:
        """
        Once faults have stopped, nothing is asked about without end.

        Points come before and after each call.
        """
        records = self.account.ledger.records.values()
        imports = sum(isinstance(record, Import) for record in records)
        parts = sum(isinstance(record, Part) for record in records)
        undos = len(list(self.account.undos()))
        items, an_hour = (
            imports + parts + undos,
            (imports + undos) * CALLS_OF_AN_IMPORT + parts * CALLS_AN_HOUR,
        )
        quiet_from = self.scenario.trouble_hours + 2
        quiet = [calls for hour, calls in self.world.calls.items() if hour >= quiet_from]
        if sum(quiet) / 2 > items * CALLS_OF_WORK + an_hour * len(quiet):
            self.world.violate(f"{sum(quiet) // 2} calls in {len(quiet)} hours for {items} items")

    def _check_waiting_notices(self) -> None:
        """Whoever waits for credits is told once a day, of all imports at once."""
        told = _told_of_waiting(self.account)
        often = any(b - a < DAY - SLACK for a, b in pairwise(told))
        if often and not any(f.kind in CRASHES for f in self.world.faults.fired):
            self.world.violate(f"{len(told)} notices of missing credits at {told}")

    def _waits_for_person(self, record: Import) -> bool:
        parts = self.account.parts_of(record.import_id)
        is_held = any(part.state is PartState.HELD for part in parts)
        return is_held or record.state is ImportState.ON_HOLD

    def _waits(self) -> bool:
        """Return whether a job is still running, or Bigin has no credits yet."""
        jobs = self.account.bigin.model.jobs.values()
        return any(not job.ended for job in jobs) or self.scenario.credits < PLENTY

    def _check_closed(self, record: Import, drop: Drop) -> None:
        self._check_notices(record)
        self._check_nothing_written(record)
        self._check_prepared_again(record)
        if record.state is ImportState.SUPERSEDED:
            self._check_superseded(record)
        if record.state is ImportState.UNCHANGED:
            self._check_unchanged(record, drop)
        if record.verdict is None and record.totals is not None:
            if self._is_closed_by_counts(record):
                self._check_counts(record, drop)
            else:
                self._check_files(record, drop)

    def _check_prepared_again(self, record: Import) -> None:
        """What was not sent when its parts were removed is prepared again and sent."""
        unsent = record.state is ImportState.FAILED and not self.account.jobs_of(record.import_id)
        if unsent and self.scenario.parts_gone_after and not self.world.faults.fired:
            self._violate(record, "was not prepared again")

    def _is_closed_by_counts(self, record: Import) -> bool:
        """Return whether what became of each row was removed before it was written."""
        is_gone = self.scenario.parts_gone_after is not None
        return is_gone and not any(self._rows(record, name) for name in RESULT_FILES)

    def _check_counts(self, record: Import, drop: Drop) -> None:
        counts = record.counts
        if counts is None or counts.total != len(drop.rows):
            self._violate(record, f"counts {counts} for {len(drop.rows)} rows")
            return
        if self.scenario.same_keys:
            return  # rows share a record, which bears the name of the last
        written = sum(self._is_in_bigin(row, record.import_id) for row in drop.rows)
        if not counts.succeeded <= written <= counts.succeeded + counts.unclear:
            self._violate(record, f"counts {counts}, and {written} rows are in Bigin")

    def _check_nothing_written(self, record: Import) -> None:
        """What is said to have sent or written nothing has not, or somebody else has."""
        jobs = self.account.jobs_of(record.import_id)
        problems = read_problems(self.account.bucket, record.import_id)
        if jobs and any(MAY_BE_IN in problem.remedy for problem in problems):
            return
        if jobs and record.verdict is not None:
            self._violate(record, f"is {record.state} and made {len(jobs)} jobs")
        if (
            record.state is ImportState.FAILED
            and self._written_by(jobs)
            and record.import_id not in self.person.misled
        ):
            self._violate(record, f"is FAILED and wrote {self._written_by(jobs)}")
        if record.state is ImportState.UNCHANGED:
            winner = self.account.import_of(record.winner or "")
            if winner is not None and self._is_forced(record) and not self._is_forced(winner):
                self._violate(record, "is UNCHANGED and was to be imported again")
            # One on hold may still fail; people have heard of it, and hear of that too.
            is_correction = record.root is not None  # other corrections got its rows in
            wrote_nothing = winner is not None and winner.state.wrote_nothing
            if winner is None or (wrote_nothing and not self.watch.held and not is_correction):
                self._violate(record, f"is UNCHANGED after {winner and winner.state}")

    def _check_superseded(self, record: Import) -> None:
        """No version is left out but for a later one, and with insert only for one."""
        winner = self.account.import_of(record.winner or "")
        if winner is None or not is_older(record.source.sequencer, winner.source.sequencer):
            self._violate(record, "is SUPERSEDED by no later version")
            return
        if record.was_unmapped:
            mapping, *_ = self.account.bucket.versions.get("incoming/mapping.json", [None])
            came = self.account.bucket.versions[winner.source.key]
            at = next(each.written_at for each in came if each.source == winner.source)
            if mapping is not None and mapping.written_at < at:
                self._violate(record, "is SUPERSEDED though there was a mapping")
        elif self.scenario.mode is not Mode.UPSERT:
            self._violate(record, "is SUPERSEDED and was to be added")
        if not record.was_unmapped and not self._is_later_one_in(record):
            self._violate(record, f"is SUPERSEDED by one that is {winner.state}")

    def _is_later_one_in(self, record: Import) -> bool:
        """
        Return whether a later version was sent, or was in: the winner may have been held.

        Sent is also one whose create was begun, and of which nobody knows whether Bigin got it.
        """
        later = [
            other
            for other in self._imports()
            if other.source.key == record.source.key
            and is_older(record.source.sequencer, other.source.sequencer)
        ]
        return any(
            other.state is ImportState.UNCHANGED
            or self.account.jobs_of(other.import_id)
            or any(part.attempts for part in self.account.parts_of(other.import_id))
            for other in later
        )

    def _check_unchanged(self, record: Import, drop: Drop) -> None:
        """What is said to be in already is: every row that was to be added is there."""
        closed = [each.counts for each in self._imports() if each.counts is not None]
        is_unclear = self.watch.held or any(counts.unclear for counts in closed)
        if self.scenario.mode is not Mode.INSERT or is_unclear:
            return
        table = self.account.bigin.model.tables["Contacts"]
        deleted = () if self._is_there_still(record) else table.deleted.values()
        records = (*table.records.values(), *deleted)
        names = {record.values["Last_Name"] for record in records}
        missing = [row for row in drop.rows if row[0] not in names | self._told_by_winner(record)]
        if missing:
            self._violate(record, f"is UNCHANGED, and not in Bigin are {missing}")

    def _told_by_winner(self, record: Import) -> set[str]:
        """Return the rows that the import of the same content, open still then, says are not in."""
        winner = self.account.import_of(record.winner or "")
        if winner is None or (winner.closed_at or 0) <= (record.closed_at or 0):
            return set()
        dropped = [drop.rows for source, drop in self.dropped if source == winner.source]
        failed = self._rows(winner, "failed")
        return {rows[at - 2][0] for rows in dropped for at in failed}

    def _check_unmapped(self) -> None:
        """Of versions that came while there was no mapping the newest is imported."""
        it, last = self.scenario, len(self.dropped) - 1
        waited = it.mapping_after is not None and it.mapping_after >= 10 * it.versions
        is_odd = it.outage or it.dry_run or it.clerk or it.undoer
        brings_mapping = it.twin in (Twin.FORCED, *WITH_FEWER_COLUMNS)
        if not waited or self.world.faults.fired or is_odd or brings_mapping:
            return
        for number, (source, drop) in enumerate(self.dropped):
            record = self._import(source)
            is_last = all(source.key != later.key for later, _ in self.dropped[number + 1 :])
            is_kept = record is not None and record.state is not ImportState.SUPERSEDED
            if number < last and not is_last and is_kept and it.removed_after is None:
                self.world.violate(f"{drop.key} was replaced without a mapping and is imported")

    def _written_by(self, jobs: list[str]) -> list[str]:
        table = self.account.bigin.model.tables["Contacts"]
        records = (*table.records.values(), *table.deleted.values())
        written = [record for record in records if set(jobs) & set(record.jobs)]
        return [str(record.values["Last_Name"]) for record in written]

    def _check_taken_up(self, record: Import) -> None:
        """A drop is not left rejected for a mapping that was corrected since."""
        is_newest = self._is_newest(record.source)
        was_corrected = record.mapping is None or not self._is_newest(record.mapping)
        corrected = self.scenario.corrected_after is not None and is_newest and was_corrected
        corrected = corrected and record.concerns_mapping
        if not corrected or record.state is not ImportState.REJECTED:
            return
        again = self.account.import_of(identity.import_id_of(record.source, 2))
        if again is None or again.state is ImportState.REJECTED or not again.state.is_closed:
            self._violate(record, f"was not taken up again: {again and again.state}")

    def _is_newest(self, stored: ObjectVersion | MappingPin) -> bool:
        newest = self.account.bucket.find_newest(stored.key)
        return newest is not None and newest.version_id == stored.version_id

    def _check_notices(self, record: Import) -> None:
        times = [
            at
            for at, notice in self.account.published
            if ("import_id", record.import_id) in notice.attributes
            and ("state", record.state.value) in notice.attributes
        ]
        is_known = record.state is ImportState.UNCHANGED and not record.tells_unchanged
        # Whoever corrects a file waits for an answer.
        is_quiet = is_known and record.root is None
        if is_quiet or record.state is ImportState.WITHDRAWN:
            if times:
                self._violate(record, "made noise about nothing")
        elif not times:
            self._violate(record, "was closed and nobody was told")
        elif len(times) > 1 and not self._crashed_between(times[0], times[-1]):
            self._violate(record, f"was told {len(times)} times without a crash")

    def _crashed_between(self, first: float, last: float) -> bool:
        if self.scenario.outage or self.world.restored_at > 0:
            return True
        fired = zip(self.world.faults.fired, self.world.faults.fired_at, strict=True)
        return any(f.kind in CRASHES and first - HOUR <= at <= last for f, at in fired)

    def _check_files(self, record: Import, drop: Drop) -> None:
        """Each row is in exactly one file, and the file tells the truth."""
        rows = Counter(row for name in RESULT_FILES for row in self._rows(record, name))
        expected = Counter(range(2, len(drop.rows) + 2))
        if rows != expected:
            self._violate(record, f"accounts for rows {dict(rows)}, not {dict(expected)}")
        for row in self._rows(record, "success"):
            if not self._is_in_bigin(drop.rows[row - 2], None, now=self._is_there_still(record)):
                self._violate(record, f"row {row} is a success and not in Bigin")
        # A record of a shared key bears the name that came last, from whichever import.
        names_tell = not (self.scenario.same_keys and self.scenario.comes_again)
        names_tell = names_tell and record.import_id not in self.person.misled
        for name in ("failed", "unprocessed") if names_tell else ():
            for row in self._rows(record, name):
                if self._is_in_bigin(drop.rows[row - 2], record.import_id):
                    self._violate(record, f"row {row} is {name} and in Bigin")
        if record.state is ImportState.COMPLETED and len(self._rows(record, "success")) < len(
            drop.rows
        ):
            self._violate(record, "is COMPLETED without all its rows")

    def _rows(self, record: Import, name: str) -> list[int]:
        key = f"{record.results}{object_keys.result_name(record.source.key)}.{name}.csv"
        if not self._is_of_this_table(record, key):
            return []
        text = self.account.bucket.read(key).decode("utf-8-sig")
        return [int(row["bigin__Row"]) for row in csv.DictReader(io.StringIO(text, newline=""))]

    def _is_of_this_table(self, record: Import, key: str) -> bool:
        """Return whether a file is there, and not from what a restored table has forgotten."""
        restored_at = self.world.restored_at
        was_closed = record.closed_at is not None and record.closed_at < restored_at
        newest = self.account.bucket.versions.get(key, [])[-1:]
        return any(
            each.body is not None and (was_closed or each.written_at >= int(restored_at))
            for each in newest
        )

    def _is_there_still(self, record: Import) -> bool:
        """Return whether nothing was undone after *record* was closed."""
        return not is_undone_at(self.account, record.closed_at or 0)

    def _is_in_bigin(
        self, row: tuple[str, str], import_id: str | None, *, now: bool = False
    ) -> bool:
        """Return whether a record of this row is, or *now*: is still, in Bigin (by that import)."""
        surname, email = row
        jobs = set(self.account.jobs_of(import_id)) if import_id else set()
        table = self.account.bigin.model.tables["Contacts"]
        for record in (*table.records.values(), *(() if now else table.deleted.values())):
            shared = self.scenario.same_keys or self.scenario.refused_row
            shared = shared or self.scenario.twin in (Twin.PUT_BACK, Twin.VERSIONS)
            same = record.values["Last_Name"] == surname or (
                shared and import_id is None and record.values.get("Email") == email
            )
            if same and (import_id is None or jobs & set(record.jobs)):
                return True
        return False

    def _check_last_content(self) -> None:
        """The last content of an upserted key is what Bigin has, unless a person had to decide."""
        source, drop = self.dropped[-1]
        record = self._import(source)
        is_in = (ImportState.COMPLETED, ImportState.UNCHANGED)
        about = (Twin.PUT_BACK, Twin.VERSIONS)
        is_whole = self.scenario.twin in about or self.scenario.clerk == "again"
        if self.scenario.mode is not Mode.UPSERT or not is_whole:
            return
        if self.watch.held or record is None or record.state not in is_in:
            return
        found = {
            str(record.values.get("Email")): record.values["Last_Name"]
            for record in self.account.bigin.model.tables["Contacts"].records.values()
        }
        refused = "taken@example.com" if self.scenario.refused_row else ""
        wanted = {email: surname for surname, email in drop.rows if email != refused}
        stale = [email for email, surname in wanted.items() if found.get(email) != surname]
        if stale:
            self.world.violate(f"{drop.key} is {record.state}, and Bigin has older rows: {stale}")

    def _check_bigin(self) -> None:
        """No row is in Bigin twice, no job is unknown to the ledger, no call was in vain."""
        records = self.account.bigin.model.tables["Contacts"].records.values()
        names = Counter(record.values["Last_Name"] for record in records)
        told = self._told_of_twice()
        most = self._most_times()
        doubled = [name for name, times in names.items() if times > most + (name in told)]
        if doubled and not self.person.said_create:
            self.world.violate(f"in Bigin twice: {doubled}")
        self._check_jobs()
        for job_id, times in self.account.bigin.gets.items():
            self._check_questions(job_id, times)
        refreshes = self.account.bigin.refreshes
        if any(
            later - earlier < 600 for earlier, later in zip(refreshes, refreshes[10:], strict=False)
        ):
            self.world.violate("more than 10 token refreshes in 10 minutes")

    def _told_of_twice(self) -> Container[str]:
        """
        Return the rows that people brought in a file of their own, if they were told of it.

        Compared are imports that the index has: of two that close at once neither sees the other,
        and faults may hide one.
        """
        own = [(source, drop) for source, drop in self.dropped if drop.key == OWN_FILE]
        closed = [each.closed_at or 0 for each in self._imports() if each.root is not None]
        for source, drop in own:
            record = self._import(source)
            at = (record and record.closed_at) or 0
            is_at_once = any(abs(at - other) < MINUTE for other in closed)
            is_hidden = bool(self.world.faults.fired) or not self._is_as_left()
            if is_at_once or is_hidden or self._is_told_of_same_values():
                return {name for name, _ in drop.rows}
        return self._told_after_an_undo()

    def _told_after_an_undo(self) -> Container[str]:
        """
        Return the rows of files of which people were told that rows of theirs are in by others.

        What was undone is in no more, so that a file mended meanwhile is another one, and the first
        one again has too few of its rows to be that.
        """
        if self.scenario.undone_after is None:
            return ()
        ids = {source: identity.import_id_of(source) for source, _ in self.dropped}
        drops = (drop for source, drop in self.dropped if self._is_told_of_same_values(ids[source]))
        return {name for drop in drops for name, _ in drop.rows}

    def _is_told_of_same_values(self, import_id: str | None = None) -> bool:
        bodies = (
            " ".join(notice.body.split())
            for _, notice in self.account.published
            if import_id is None or ("import_id", import_id) in notice.attributes
        )
        return any("got in rows with the same values" in body for body in bodies)

    def _most_times(self) -> int:
        """Return how often a row may be in Bigin: as often as people asked for it."""
        if self.scenario.twin is not Twin.FORCED:
            return 1
        return max(1, sum(self._is_forced(record) for record in self._imports()) + 1)

    def _is_forced(self, record: Import) -> bool:
        """Return whether the mapping of *record* lets an earlier import be repeated."""
        pin = record.mapping
        if pin is None or not pin.version_id:  # a correction has the one of its parent
            return False
        return b'"force"' in self.account.bucket.read(pin.key, version_id=pin.version_id)

    def _check_jobs(self) -> None:
        jobs: Counter[tuple[str, int]] = Counter()
        for job in self.account.bigin.model.jobs.values():
            assert job.request.callback is not None
            *_, import_id, number, attempt, _ = job.request.callback.url.split("/")
            part = self.account.ledger.records.get(
                (Part.at(import_id, int(number)).pk, Part.at(import_id, int(number)).sk)
            )
            attempts = part.attempts if isinstance(part, Part) else ()
            is_known = any(a.number == int(attempt) for a in attempts)
            if not is_known and not self._is_told_of_lost_creates(import_id):
                self.world.violate(f"job {job.id} is not in the ledger")
            if any(a.number == int(attempt) and a.job_id not in (None, job.id) for a in attempts):
                self.world.violate(f"the ledger takes another job for job {job.id}")
            later = any(of == import_id and other > int(number) for of, other in jobs)
            if later and self._is_in_order(import_id):
                self.world.violate(f"part {number} has a job after one of a later part")
            jobs[import_id, int(number)] += 1
            self._check_foreign_jobs(attempts)
            repeatable = isinstance(part, Part) and part.repeatable
            said = any(one[:2] == (import_id, int(number)) for one in self.person.said_create)
            allowed = len(attempts) if repeatable or said else 1
            if jobs[import_id, int(number)] > allowed:
                self.world.violate(f"part {number} has {jobs[import_id, int(number)]} jobs")

    def _is_told_of_lost_creates(self, import_id: str) -> bool:
        """Return whether people heard that a restored table has forgotten what was sent."""
        about = ("import_id", import_id)
        told = (notice for _, notice in self.account.published if about in notice.attributes)
        return any("before the table was restored" in " ".join(it.body.split()) for it in told)

    def _is_in_order(self, import_id: str) -> bool:
        record = self.account.import_of(import_id)
        return record is not None and record.totals is not None and record.totals.in_order

    def _check_foreign_jobs(self, attempts: tuple[Attempt, ...]) -> None:
        """Every job that the ledger knows for an attempt reports to that attempt."""
        for attempt in attempts:
            for job_id in attempt.job_ids:
                request = self.account.bigin.model.jobs[job_id].request
                assert request.callback is not None
                if int(request.callback.url.split("/")[-2]) != attempt.number:
                    self.world.violate(f"job {job_id} is not of attempt {attempt.number}")

    def _check_questions(self, job_id: str, times: list[float]) -> None:
        """Bounded by time; whoever takes over from one that stood still or died asks again."""
        crashes = sum(fault.kind in CRASHES for fault in self.world.faults.fired)
        outage = ASKED_IN_AN_OUTAGE if self.scenario.outage else 0
        allowed = 10 + outage + crashes + 2 * (times[-1] - times[0]) / HOUR
        if len(times) > allowed:
            self.world.violate(f"job {job_id} was asked for {len(times)} times")

    def _check_holds(self) -> None:
        causes = any(f.kind in CAUSES_OF_HOLDS for f in self.world.faults.fired)
        if self.watch.held and not causes and not self.world.restored_at > 0:
            self.world.violate("a hold without a cause")

    def _check_without_faults(self) -> None:
        self._check_sent_once()
        jobs = self.account.bigin.model.jobs.values()
        last = max((job.ends_at or 0.0 for job in jobs), default=0.0)
        for record in self._imports():
            expected = {ImportState.COMPLETED, ImportState.UNCHANGED}
            if self.scenario.dry_run:
                expected = {ImportState.DRY_RUN}
            if self.scenario.has_versions:
                expected.add(ImportState.SUPERSEDED)
            if self.scenario.twin in WITH_FEWER_COLUMNS:  # asked about
                expected.add(ImportState.REJECTED)
            if self.scenario.refused_row:
                expected |= {ImportState.COMPLETED_WITH_ERRORS, ImportState.FAILED}
            if self._is_plain() and record.state not in expected:
                self._violate(record, f"ended {record.state} without any fault")
            done = max(last, record.received_at)  # a dry run has no job
            if self._is_reported() and (record.noticed_at or 0) > done + self._patience():
                self._violate(record, "was not closed within 3 minutes of its last job")
            if self._is_reported() and self._seconds_of(record) > self._longest():
                self._violate(record, f"took {self._seconds_of(record):.0f} seconds")

    def _check_sent_once(self) -> None:
        """The same content once more sends nothing, and costs nothing."""
        it = self.scenario
        is_same = it.twin is Twin.SAME and it.undone_after is None
        if not is_same or not self._is_plain() or it.refused_row or it.dry_run:
            return
        records = filter(None, (self._import(source) for source, _ in self.dropped))
        sent = [each for each in records if self.account.jobs_of(each.import_id)]
        for record in sent[1:]:
            self._violate(record, "was sent again, and all of it was in")

    def _is_plain(self) -> bool:
        """Return whether nothing but faults could keep the rows out of Bigin."""
        it = self.scenario
        undisturbed = it.removed_after is None and it.corrected_after is None
        return it.mapping_after == -60 and undisturbed and it.credits > PLENTY

    def _patience(self) -> int:
        """
        Three minutes; a second version of a key looks once a minute for the first one's end, and
        corrections of one file less often the longer they wait for each other.
        """
        usual = 6 * MINUTE if self.scenario.has_versions else 3 * MINUTE
        is_slow = self.scenario.clerk or self.scenario.undone_after is not None
        usual += LONGEST_LOOK if is_slow else 0
        return usual + (OUTAGE_WAIT_SECONDS if self.scenario.outage else 0)

    def _longest(self) -> int:
        """Bigin's own time, and what calls and looks once a minute may take besides."""
        it = self.scenario
        one_after_another = it.parts if it.same_keys else 1
        each = (it.job_seconds + 2 * MINUTE) * one_after_another
        return each * it.versions + self._patience()

    def _seconds_of(self, record: Import) -> float:
        return (record.noticed_at or 0) - record.received_at

    def _is_reported(self) -> bool:
        """Return whether the end of a job is known at once, by its callback or the next look."""
        it = self.scenario
        return self._is_plain() and (it.callbacks is not Callbacks.LOST or it.job_seconds < MINUTE)

    def _imports(self) -> Iterator[Import]:
        for record in self.account.ledger.records.values():
            if isinstance(record, Import):
                yield record

    def _import(self, source: ObjectVersion) -> Import | None:
        address = Import.at(identity.import_id_of(source))
        record = self.account.ledger.records.get((address.pk, address.sk))
        return record if isinstance(record, Import) else None

    def _states(self, parts: tuple[Part, ...]) -> str:
        return ", ".join(part.state for part in parts)

    def _violate(self, record: Import, what: str) -> None:
        self.world.violate(f"{object_keys.result_name(record.source.key)} {what}")
