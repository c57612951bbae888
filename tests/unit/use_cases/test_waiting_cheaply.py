"""What waits costs little: how often a tick asks AWS, and how soon all that is due is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Job, JobStatus
from bigin_import.domain.locks import Family
from bigin_import.domain.part_record import Attempt, Part
from bigin_import.domain.states import ImportState, OpenKind, PartState
from bigin_import.ledger import update
from bigin_import.settling import tick
from tests.fakes.fake_bigin import FakeBigin
from tests.fakes.harness import MAPPING, ROWS, Harness, as_json
from tests.fakes.manual_clock import START, ManualClock
from tests.fakes.memory_files import MemoryFiles
from tests.fakes.memory_ledger import MemoryLedger
from tests.fakes.refusing_bigin import RefusingBigin

MANY = 10_000
TICKS = 10  # one a minute
INVOCATION_SECONDS = 300
AWS_SECONDS = 0.01  # of a call, from a function in the same region
BIGIN_SECONDS = 0.2


class CountedFiles(MemoryFiles):
    """The Files port; `calls` counts what is asked of the bucket."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__(now=now)
        self.calls: Counter[str] = Counter()

    def list_keys(self, prefix: str, *, since: int = 0) -> Iterator[str]:
        self.calls["list"] += 1
        return super().list_keys(prefix, since=since)

    def find_newest(self, key: str) -> ObjectVersion | None:
        self.calls["head"] += 1
        return super().find_newest(key)

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        self.calls["get"] += 1
        self.calls[source.key] += 1
        return super().open_stream(source)


class Waiting(Harness):
    """A harness whose calls to the bucket are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.counted = CountedFiles(self.clock.now)
        self.files = self.counted

    def add_drops(self, count: int, folder: str = "many") -> list[Import]:
        """Put drops that wait for a mapping, and of which people were told."""
        added = []
        for number in range(count):
            source = self.files.put(f"incoming/{folder}/{number:05d}.csv", ROWS)
            record = replace(self.registrar.register(source), reminded_at=self.clock.now())
            self.ledger.restore(record)
            added.append(record)
        self.counted.calls.clear()
        return added


def test_a_folder_is_listed_once_a_tick_whatever_waits_in_it() -> None:
    calls = []
    for drops in (1, 1_000):
        harness = Waiting()
        harness.add_drops(drops)

        harness.tick()

        calls.append(dict(harness.counted.calls))
    few, many = calls
    assert many == few
    assert many == {"list": 4}  # its folder, and `mapping.json` above in three spellings


def test_each_folder_is_looked_at_for_itself() -> None:
    harness = Waiting()
    for folder in ("a", "b", "c"):
        harness.add_drops(100, folder)

    harness.tick()

    assert harness.counted.calls == {"list": 6}  # three folders, and what is above them all


def test_a_mapping_that_comes_later_is_seen_by_the_next_tick() -> None:
    harness = Waiting()
    first, *_ = harness.add_drops(3)
    harness.tick()

    harness.files.put("incoming/many/00000.mapping.json", as_json(MAPPING))
    harness.tick(minutes=3)

    record = harness.ledger.load(first.address)
    assert record is not None
    assert record.state is ImportState.COMPLETED


@pytest.mark.parametrize(
    "key",
    [
        "incoming/many/00000.mapping.json",
        "incoming/many/00000.CSV.Mapping.json",
        "incoming/many/mapping.json",
        "incoming/many/Mapping.JSON",
        "incoming/mapping.json",
    ],
)
def test_a_tick_finds_a_mapping_wherever_import_csv_does(key: str) -> None:
    harness = Waiting()
    first, *_ = harness.add_drops(2)
    harness.files.put(key, as_json(MAPPING))

    assert harness.registrar.mappings.find(first.source.key) is not None
    harness.clock.advance(60)
    harness.clock.begin()
    harness.sweeper.tick()

    assert first.import_id in harness.resumer.asked


def test_a_drop_that_was_deleted_is_noticed_without_asking_for_it() -> None:
    harness = Waiting()
    first, *_ = harness.add_drops(3)
    harness.files.remove(first.source.key)

    harness.clock.advance(60)
    harness.clock.begin()
    harness.sweeper.tick()

    assert harness.resumer.asked == [first.import_id]
    assert harness.counted.calls["head"] == 0


def test_in_a_folder_with_very_many_keys_a_mapping_is_found_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tick, "MOST_REMEMBERED", 5)
    harness = Waiting()
    first, *_ = harness.add_drops(10)
    harness.files.put("incoming/many/00000.mapping.json", as_json(MAPPING))

    harness.tick(minutes=3)

    record = harness.ledger.load(first.address)
    assert record is not None
    assert record.state is ImportState.COMPLETED


COPY, GO = "incoming/people (1).csv", "incoming/go.csv"


class Queueing(Waiting):
    """A harness where a file is under way, of which another one has rows, too."""

    def __init__(self) -> None:
        super().__init__()
        self.bigin = RefusingBigin(
            lambda row: ("SKIPPED", "X") if "bad" in row[0] else ("ADDED", "")
        )
        self.files.put("incoming/mapping.json", as_json(MAPPING))
        body = ROWS + b"bad@example.com,Bad\n"
        first = self.drop("incoming/people.csv", body)
        self.tick(minutes=3)
        failed = self.result(first, "people.failed.csv").replace(b"bad@", b"good@")
        self.bigin.runs = False
        self.running = self.drop("incoming/fix.csv", failed)
        self.waiting = {
            COPY: self.drop(COPY, body.replace(b"bad@", b"fine@")),
            GO: self.drop(GO, failed + b"\n"),
        }

    def end(self) -> None:
        """Let the file end that is under way, and the others after it."""
        self.bigin.runs = True
        self.tick(minutes=60)


@pytest.mark.parametrize("key", [COPY, GO])
def test_a_file_is_not_read_again_while_another_one_of_its_family_runs(key: str) -> None:
    harness = Queueing()
    harness.counted.calls.clear()

    harness.tick(minutes=120)
    looks = harness.counted.calls[key]
    still = harness.import_of(harness.waiting[key])
    harness.end()

    assert still.pause == "TURN"
    assert looks == 0
    assert harness.import_of(harness.waiting[key]).state in (
        ImportState.COMPLETED,
        ImportState.UNCHANGED,
    )


@pytest.mark.parametrize("key", [COPY, GO])
def test_a_file_goes_on_once_its_family_has_no_other_that_runs(key: str) -> None:
    """Whoever waits itself has given the family's lock back, and is not waited for."""
    harness = Queueing()
    root = harness.import_of(harness.running).root or ""

    update(harness.ledger, Family.at(root), lambda seen: replace(seen, open_import=None))
    harness.counted.calls.clear()
    harness.tick(minutes=30)

    assert harness.counted.calls[key] > 0


class BusyClock(ManualClock):
    """A clock on which calls take time: of the invocation, not of the world."""

    def __init__(self) -> None:
        super().__init__()
        self.busy = 0.0

    def remaining_seconds(self) -> float:
        return INVOCATION_SECONDS - self.busy


class SlowBigin(FakeBigin):
    """A Bigin whose jobs do not end, and which takes its time to say so."""

    def __init__(self, clock: BusyClock) -> None:
        super().__init__()
        self.clock = clock
        self.asked: set[str] = set()

    def get_job(self, job_id: str) -> Job:
        self.clock.busy += BIGIN_SECONDS
        self.asked.add(job_id)
        return Job(job_id=job_id, status=JobStatus.IN_PROGRESS)


class Busy(Waiting):
    """A harness on which every call takes time."""

    def __init__(self) -> None:
        super().__init__()
        busy = self.busy = BusyClock()

        def take_time(moment: str, _call: str, _subject: object) -> None:
            busy.busy += AWS_SECONDS if moment == "before" else 0

        self.clock = busy
        self.ledger = MemoryLedger(hook=take_time)
        self.slow = self.bigin = SlowBigin(busy)

    def run_tick(self) -> None:
        self.clock.advance(60)
        self.busy.busy = 0
        self.sweeper.tick()


def test_ten_thousand_waiting_drops_are_all_looked_at_within_ten_minutes() -> None:
    """The longest overdue first: none is looked at twice before each was looked at once."""
    harness = Busy()
    added = harness.add_drops(MANY)

    harness.run_tick()
    first = {record.import_id for record in added if _was_looked_at(harness, record)}
    harness.run_tick()
    both = {record.import_id for record in added if _was_looked_at(harness, record)}

    assert len(first) >= MANY / TICKS
    assert len(both) == 2 * len(first)
    assert harness.counted.calls == {"list": 2 * 4}


def test_ten_thousand_jobs_that_call_nobody_back_are_all_asked_about_within_ten_minutes() -> None:
    harness = Busy()
    for number in range(MANY):
        harness.ledger.restore(_created_part(number))

    harness.run_tick()
    first = len(harness.slow.asked)
    harness.run_tick()

    assert first >= MANY / TICKS
    assert len(harness.slow.asked) == 2 * first


def _was_looked_at(harness: Harness, before: Import) -> bool:
    record = harness.ledger.load(before.address)
    return record is not None and record.due_at != before.due_at


def _created_part(number: int) -> Part:
    attempt = Attempt(number=1, started_at=START, decide_after=START, job_id=str(number))
    return Part(
        import_id=f"i{number}",
        number=1,
        state=PartState.CREATED,
        version=1,
        rows=1,
        csv_bytes=10,
        sha256="",
        first_row=1,
        last_row=1,
        repeatable=False,
        attempts=(attempt,),
        created_at=START,
        open=OpenKind.WORK,
        due_at=START,
    )
