"""The versions of one key go in their order, each once, whatever they wait for."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bigin_import import identity
from bigin_import.domain import import_transitions
from bigin_import.domain.drop import Notice, ObjectVersion, is_older
from bigin_import.domain.job_request import JobRequest
from bigin_import.domain.locks import KeyLock
from bigin_import.domain.states import HoldCause, ImportState
from bigin_import.errors import BiginBusyError, BiginRefusedError
from bigin_import.importing.importer import Importer
from bigin_import.ledger import update
from tests.fakes.harness import MAPPING, Harness

CSV, SIDECAR = "incoming/new.csv", "incoming/new.mapping.json"
UPSERT = {**MAPPING, "operation": "upsert", "find_by": "Email"}
DAY = 24 * 60
DONE = ImportState.COMPLETED
ROWS_OF_A_PART = 2


class Account(Harness):
    """
    Everything on fakes, with a person who drops versions of one key.

    Attributes:
        has_credits: Whether Bigin takes jobs.
    """

    def __init__(self, mapping: Mapping[str, object] | None = MAPPING) -> None:
        super().__init__()
        self.has_credits = True
        self._create = self.bigin.create_job
        self.bigin.create_job = self._create_job  # type: ignore[method-assign]
        if mapping is not None:
            self.drop(SIDECAR, mapping)

    def _create_job(
        self, request: JobRequest, *, file_id: str, callback_url: str, zgid: str
    ) -> str:
        if not self.has_credits:
            raise BiginBusyError("no credits", retry_after_seconds=3600)
        return self._create(request, file_id=file_id, callback_url=callback_url, zgid=zgid)

    @property
    def importer(self) -> Importer:
        usual = super().importer
        return replace(usual, preparer=replace(usual.preparer, max_rows=ROWS_OF_A_PART))

    def drop_version(self, *rows: str) -> ObjectVersion:
        source = self.drop(CSV, csv(*rows))
        self.settle()
        return source

    def hold(self, source: ObjectVersion, state: ImportState = ImportState.PREPARING) -> None:
        """Put a registered import on hold as if several tries had got nowhere."""
        record = self.registrar.register(source)
        now = self.clock.now()
        held = import_transitions.put_on_hold(HoldCause.NO_PROGRESS, "got nowhere", now)
        update(self.ledger, record.address, lambda seen: replace(seen, state=state))
        update(self.ledger, record.address, held)

    def hold_after_first_job(self, *rows: str) -> ObjectVersion:
        """Drop a version, of whose first job Bigin then says that it is another one's."""
        ask = self.bigin.get_job
        self.bigin.get_job = lambda job_id: replace(ask(job_id), ignore_empty=False)  # type: ignore[method-assign]
        source = self.drop_version(*rows)
        self.bigin.get_job = ask  # type: ignore[method-assign]
        assert self.state_of(source) is ImportState.ON_HOLD
        return source

    def go_on(self, source: ObjectVersion) -> None:
        record = self.import_of(source)
        self.clock.begin()
        assert self.decisions.go_on(record.import_id, record.held_at or 0)
        self.tick(minutes=20)

    def state_of(self, source: ObjectVersion) -> ImportState:
        return self.import_of(source).state

    def lock_of(self, source: ObjectVersion) -> KeyLock:
        lock = self.ledger.load(KeyLock.at(identity.place_of(source)))
        assert lock is not None
        return lock

    def notice_of(self, source: ObjectVersion) -> Notice:
        about = ("import_id", self.import_of(source).import_id)
        return [each for each in self.notices.published if about in each.attributes][-1]

    @property
    def names(self) -> list[str]:
        """Surnames that were sent, in the order of the jobs."""
        return [row[1] for row in self.bigin.records()]


def csv(*rows: str) -> bytes:
    """Return a file with a row for each name; of a pair `key/name` the key is its own."""
    pairs = (row.partition("/")[::2] if "/" in row else (row, row) for row in rows)
    return ("E-mail,Surname\n" + "".join(f"{k}@example.com,{n}\n" for k, n in pairs)).encode()


@pytest.mark.parametrize("count", [4, 20])
@pytest.mark.parametrize("mapping", [MAPPING, UPSERT], ids=["insert", "upsert"])
def test_every_version_goes_in_once_and_in_order_after_two_days_without_credits(
    count: int, mapping: Mapping[str, object]
) -> None:
    account = Account(mapping)
    account.has_credits = False
    versions = []
    for number in range(count):
        versions.append(account.drop_version(f"p{number}", f"both/n{number}"))
        account.tick(minutes=37 + 7 * number)
    account.tick(minutes=2 * DAY - account.clock.now() % DAY)

    account.has_credits = True
    account.tick(minutes=90 + 5 * count)

    assert [account.state_of(each) for each in versions] == [DONE] * count
    rows = [(f"p{number}", f"n{number}") for number in range(count)]
    assert account.names == [name for row in rows for name in row]


def test_the_notice_of_missing_credits_counts_the_versions_that_wait() -> None:
    account = Account()
    account.has_credits = False
    for number in range(4):
        account.drop_version(f"p{number}")

    account.tick(minutes=20)

    (notice,) = account.notices.published
    assert notice.subject == "Waiting for credits: 1 file in 4 versions"
    assert "1 file in 4 versions waits for credits" in notice.body
    assert "incoming/new.csv (4 versions)" in notice.body


def test_a_later_version_that_is_looked_at_first_waits_for_the_one_before() -> None:
    account = Account()
    account.bigin.runs = False
    first, second, third = (account.drop_version(name) for name in ("a", "b", "c"))
    account.bigin.runs = True
    account.call_back(account.parts_of(first)[0])
    account.resumer.asked.clear()

    account.importer.resume(identity.import_id_of(third))
    account.tick(minutes=10)

    assert account.names == ["a", "b", "c"]
    assert {account.state_of(each) for each in (first, second, third)} == {DONE}


def test_the_next_version_goes_as_soon_as_the_one_before_has_ended() -> None:
    account = Account()
    account.bigin.runs = False
    first = account.drop_version("a")
    second = account.drop_version("b")
    account.tick(minutes=300)
    account.bigin.runs = True

    account.call_back(account.parts_of(first)[0])
    account.settle()

    assert account.names == ["a", "b"]
    assert account.state_of(second) is ImportState.SENT


def test_with_insert_a_version_whose_event_is_late_goes_in_all_the_same() -> None:
    account = Account()
    older = account.files.put(CSV, csv("a"))
    newer = account.drop_version("b")
    account.tick(minutes=2)

    account.clock.begin()
    account.importer.receive(older)
    account.tick(minutes=3)

    assert account.names == ["b", "a"]
    assert account.state_of(older) is account.state_of(newer) is DONE


def test_of_two_that_wait_the_older_goes_first_though_its_event_came_later() -> None:
    account = Account(UPSERT)
    account.bigin.runs = False
    account.drop_version("x/1")
    older = account.files.put(CSV, csv("x/2"))
    account.drop_version("x/3")
    account.clock.begin()
    account.importer.receive(older)

    account.bigin.runs = True
    account.tick(minutes=10)

    assert account.names == ["1", "2", "3"]


def test_with_upsert_a_version_that_comes_after_a_later_one_was_sent_is_superseded_and_told() -> (
    None
):
    account = Account(UPSERT)
    older = account.files.put(CSV, csv("x/old"))
    newer = account.drop_version("x/new")
    account.tick(minutes=2)

    account.clock.begin()
    account.importer.receive(older)
    account.tick(minutes=2)

    record, notice = account.import_of(older), account.notice_of(older)
    assert (record.state, record.winner) == (
        ImportState.SUPERSEDED,
        account.import_of(newer).import_id,
    )
    assert account.names == ["new"]
    assert notice.subject == "Superseded: new.csv"
    assert "would have written older values over it" in notice.body
    assert f"bigin-drop retry {record.import_id}" in notice.body
    assert f"later version: import {record.winner}" in notice.body


def test_with_upsert_a_version_whose_upload_was_refused_supersedes_none() -> None:
    account = Account(UPSERT)
    older = account.files.put(CSV, csv("x/old"))
    refusal = BiginRefusedError(code="FILE_TOO_LARGE", message="too large", resolution="Split it")
    account.bigin.fail("upload", refusal)
    newer = account.drop_version("x/new")
    account.tick(minutes=2)

    account.clock.begin()
    account.importer.receive(older)
    account.tick(minutes=2)

    assert account.state_of(newer) is ImportState.FAILED
    assert account.state_of(older) is DONE
    assert account.names == ["old"]


def test_a_version_replaced_while_its_key_had_no_mapping_is_superseded_by_the_newest() -> None:
    account = Account(mapping=None)
    versions = [account.drop_version(name) for name in ("a", "b", "c")]
    account.tick(minutes=5)

    account.drop(SIDECAR, MAPPING)
    account.tick(minutes=3)

    superseded = ImportState.SUPERSEDED
    newest = account.import_of(versions[2]).import_id
    assert [account.state_of(each) for each in versions] == [superseded, superseded, DONE]
    assert [account.import_of(each).winner for each in versions[:2]] == [newest, newest]
    assert account.names == ["c"]
    notice = account.notice_of(versions[0])
    assert "came while there was no mapping for it" in notice.body
    assert f"bigin-drop retry {account.import_of(versions[0]).import_id}" in notice.body


def test_a_superseded_version_that_is_dropped_again_goes_in() -> None:
    account = Account(mapping=None)
    account.drop_version("a")
    account.drop_version("b")
    account.drop(SIDECAR, MAPPING)
    account.tick(minutes=3)

    again = account.drop_version("a")
    account.tick(minutes=3)

    assert account.state_of(again) is DONE
    assert account.names == ["b", "a"]


def test_the_line_without_our_command_names_exactly_the_version_that_was_dropped(
    tmp_path: Path,
) -> None:
    account = Account(mapping=None)
    key = "incoming/it's new & more.csv"
    first = account.drop(key, csv("a"))
    account.drop(key, csv("b"))
    account.drop("incoming/mapping.json", MAPPING)
    account.tick(minutes=3)
    body = account.notice_of(first).body
    line = next(line for line in body.splitlines() if "copy-object" in line)

    (tmp_path / "aws").write_text('#!/bin/sh\nfor each; do printf "%s\\n" "$each"; done\n')
    (tmp_path / "aws").chmod(0o755)
    script, path = ["/bin/sh", "-c", line], {"PATH": f"{tmp_path}:/bin"}
    done = subprocess.run(script, env=path, text=True, capture_output=True, check=True)

    said = done.stdout.splitlines()
    source = said[said.index("--copy-source") + 1]
    assert said[said.index("--key") + 1] == key
    # Not encoded: the AWS CLI does that.
    assert source == f"{first.bucket}/{key}?versionId={first.version_id}"


def test_a_version_that_waits_behind_another_is_not_superseded_when_the_mapping_goes() -> None:
    account = Account()
    account.bigin.runs = False
    account.drop_version("a")
    second = account.drop_version("b")
    account.files.remove(SIDECAR)
    third = account.drop_version("c")
    account.drop(SIDECAR, MAPPING)

    account.bigin.runs = True
    account.tick(minutes=20)

    assert account.state_of(second) is account.state_of(third) is DONE
    assert account.names == ["a", "b", "c"]


def test_with_insert_versions_that_come_during_a_hold_go_in_and_the_held_one_after_it() -> None:
    account = Account()
    held = account.hold_after_first_job("a", "b", "c")
    during = [account.drop_version(name) for name in ("d", "e")]
    account.tick(minutes=5)
    before = account.names

    account.go_on(held)

    assert before == ["a", "b", "d", "e"]
    assert account.names == ["a", "b", "d", "e", "c"]
    assert {account.state_of(each) for each in (held, *during)} == {DONE}


def test_versions_of_other_rows_pass_all_that_wait_for_a_held_one() -> None:
    account = Account()
    rows = [f"m{number}" for number in range(20)]
    held = account.hold_after_first_job(*rows)
    account.bigin.runs = False
    waiting = [account.drop_version(*rows, *more) for more in (("n",), ("n", "o"))]
    others = [account.drop_version(name) for name in ("x", "y")]
    account.bigin.runs = True

    account.tick(minutes=10)

    assert account.state_of(held) is ImportState.ON_HOLD
    assert [account.import_of(each).pause for each in waiting] == ["HELD_FILE"] * 2
    assert {account.state_of(each) for each in others} == {DONE}


def test_with_upsert_only_creates_that_were_begun_are_finished_after_a_later_version() -> None:
    account = Account(UPSERT)
    held = account.hold_after_first_job("x/1", "y/1", "z/1")
    during = account.drop_version("x/2", "z/2")
    account.tick(minutes=5)

    account.go_on(held)

    record, notice = account.import_of(held), account.notice_of(held)
    assert account.names == ["1", "1", "2", "2"]
    assert account.state_of(during) is DONE
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts is not None
    assert (record.counts.added, record.counts.unprocessed) == (2, 1)
    assert "a later version of this file was sent while this one was on hold" in notice.body
    rest = account.result(held, "new.unprocessed.csv").decode()
    assert "z@example.com" in rest
    assert "x@example.com" not in rest


def test_with_upsert_a_held_version_with_nothing_begun_is_superseded_by_a_later_one() -> None:
    account = Account(UPSERT)
    held = account.files.put(CSV, csv("x/1"))
    account.hold(held)
    account.drop_version("x/2")
    account.tick(minutes=5)

    account.go_on(held)

    assert account.names == ["2"]
    assert account.state_of(held) is ImportState.SUPERSEDED
    assert "bigin-drop retry" in account.notice_of(held).body


def test_a_hold_wakes_the_version_that_waits() -> None:
    account = Account()
    account.bigin.runs = False
    first = account.drop_version("a")
    second = account.drop_version("b")
    account.tick(minutes=300)
    contradicted = account.bigin.made[next(iter(account.bigin.made))]
    step = import_transitions.put_on_hold(HoldCause.CONTRADICTION, "no", account.clock.now())
    update(account.ledger, account.import_of(first).address, step)

    account.closer.finish(account.import_of(first).import_id)
    account.settle()

    assert contradicted is not None
    assert account.state_of(second) is ImportState.SENT


def test_a_version_that_waits_in_vain_keeps_no_other_one_waiting() -> None:
    account = Account()
    account.bigin.runs = False
    account.drop_version("a")
    gone = account.drop_version("b")
    third = account.drop_version("c")
    account.hold(gone, ImportState.PREPARING)

    account.bigin.runs = True
    account.tick(minutes=20)

    assert account.state_of(third) is DONE
    assert account.names == ["a", "c"]


def test_no_more_versions_are_kept_in_order_than_the_table_can_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bigin_import.importing.register.MOST_VERSIONS", 2)
    account = Account()
    account.bigin.runs = False
    versions = [account.drop_version(name) for name in "abcde"]
    kept = [each.import_id for each in account.lock_of(versions[0]).waiting]

    account.bigin.runs = True
    account.tick(minutes=60)

    assert kept == [account.import_of(each).import_id for each in versions[1:3]]
    assert account.names == ["a", "b", "c", "d", "e"]


def test_a_version_that_waits_for_its_turn_says_so_and_not_that_it_has_no_mapping() -> None:
    account = Account()
    account.bigin.runs = False
    account.drop_version("a")
    second = account.drop_version("b")

    account.closer.finish(account.import_of(second).import_id)
    account.tick(minutes=10)

    assert account.import_of(second).pause == "TURN"
    assert account.notices.published == []


def test_a_lock_of_the_release_before_has_nobody_waiting() -> None:
    stored = {"place": "p", "open_import": "i", "last_sequencer": "05", "version": 3}

    lock = KeyLock(**json.loads(json.dumps(stored)))

    assert (lock.waiting, lock.unmapped, lock.last_import) == ((), None, None)


@pytest.mark.parametrize(
    ("ours", "theirs", "older"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6", True),
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5", False),
        ("0055AED6DCD90281E", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E50", "0055AED6DCD90281E5", False),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E50", False),
        ("1", "0F", False),
        ("", "01", False),
        ("01", "", False),
    ],
)
def test_sequencers_compare_as_s3_says(ours: str, theirs: str, older: bool) -> None:
    assert is_older(ours, theirs) is older


def test_an_older_version_that_a_broken_mapping_stopped_is_told_and_imported_by_its_command() -> (
    None
):
    account = Account({**MAPPING, "columns": {"E-mail": "Email", "Surnam": "Last_Name"}})
    older = account.drop_version("a")
    account.drop_version("b")
    told = account.notices.published[0].body

    account.drop(SIDECAR, MAPPING)
    account.tick(minutes=30)
    assert account.bigin.records() == [["b@example.com", "b"]]
    account.drop_version("a")  # what the command copies onto the key
    account.tick(minutes=30)

    assert "imports the newest version of the file; an older one needs its command below" in told
    assert f"versionId={older.version_id}" in told
    assert account.bigin.records() == [["b@example.com", "b"], ["a@example.com", "a"]]
