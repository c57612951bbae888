"""`bigin-drop undo` on the deployed stack: what was added goes, and nothing else ever does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from bigin_import.domain.undo import Undo, UndoState
from bigin_import.ledger import update
from bigin_import.object_keys import OVERVIEW
from bigin_import.operating.terminal import Exit
from tests.e2e.desk import CONTACTS, Desk, read_csv
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.test_the_operators_command import Command, command_for
from tests.e2e.waiting import PATIENCE_SECONDS, until
from tests.local_stack import LocalStack
from tests.local_stack.workers import kill_workers

MANY = 60_000
CALLS_OF_MANY = MANY // 100
RECORDS_PATH = "/bigin/v2/Contacts"


@pytest.fixture(scope="module")
def command(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Command:
    return command_for(stack, tmp_path_factory.mktemp("home"))


def deletions(bigin: SeenBigin) -> list[dict[str, Any]]:
    return [call for call in bigin.requests() if "ids" in call and call["path"] == RECORDS_PATH]


def ids_of(desk: Desk, record: Import) -> dict[str, str]:
    return {row["E-mail"]: row["bigin__Id"] for row in read_csv(desk.result(record, "success.csv"))}


def shown(command: Command, record: Import, *more: str) -> dict[str, Any]:
    said = command("undo", record.import_id, "--json", *more)
    facts: dict[str, Any] = json.loads(said.out)
    assert said.exit_code is Exit.GOOD, facts
    return facts


def undo_of(desk: Desk, record: Import) -> Undo:
    found = desk.ledger.load(Undo.at(record.import_id))
    assert found is not None
    return found


def test_an_import_is_shown_undone_and_dropped_again(
    command: Command, desk: Desk, bigin: SeenBigin, stack: LocalStack
) -> None:
    body = desk.contacts(5)
    record = desk.closed(desk.drop("people.csv", body, CONTACTS))
    other = desk.closed(desk.drop("others.csv", desk.contacts(3, first=100), CONTACTS))
    ids = ids_of(desk, record)
    changed = desk.emails(1)[0]
    before = len(deletions(bigin))
    bigin.change_record(ids[changed], First_Name="Changed")

    said = command("undo", record.import_id)
    assert said.exit_code is Exit.GOOD, said.err
    assert "4 records that it added would be deleted" in said.out
    assert "1 record changed since, and stay" in said.out
    assert len(deletions(bigin)) == before
    confirm = shown(command, record)["confirm"]
    wrong = command("undo", record.import_id, "--confirm", "0" * 12)
    assert wrong.exit_code is Exit.REFUSED

    done = command(
        "undo", record.import_id, "--confirm", confirm, "--seconds", str(PATIENCE_SECONDS)
    )

    assert done.exit_code is Exit.GOOD, done.err
    (call,) = deletions(bigin)[before:]
    assert call["wf_trigger"] == "false"
    assert set(call["ids"]) == set(ids.values()) - {ids[changed]}
    left = [changed, *desk.emails(3, first=100)]
    assert bigin.emails_at(desk.name) == dict.fromkeys(left, 1)
    assert other.state is ImportState.COMPLETED
    assert "4 records that it added were deleted" in desk.result(record, "report.html").decode()
    assert desk.facts(record)["undone"]["deleted"] == 4
    words = "undone in part: 4 of 5 records deleted"
    assert words in command("show", record.import_id).out
    (line,) = [each for each in command("status").out.splitlines() if record.import_id in each]
    assert words in line
    facts = json.loads(command("status", "--json").out)
    (listed,) = [each for each in facts["undone"] if each["import_id"] == record.import_id]
    assert listed["deleted"] == 4
    stack.invoke_tick()
    until(lambda: words in desk.stored(OVERVIEW).decode(), what="the page of all imports says so")
    assert command("undo", record.import_id).exit_code is Exit.REFUSED
    until(
        lambda: any(each.subject.startswith("Undone: ") for each in desk.notices(record.import_id)),
        what="people are told",
    )

    rows = desk.stored(f"{record.results}people.undone.csv")
    again = desk.closed(desk.put("again.csv", rows))
    assert again.counts is not None
    assert (again.state, again.counts.added) == (ImportState.COMPLETED, 4)
    same = desk.closed(desk.put("people.csv", body))
    assert same.counts is not None
    assert same.counts.added == 0
    assert bigin.emails_at(desk.name) == dict.fromkeys([*desk.emails(5), *left[1:]], 1)


def test_sixty_thousand_records_go_with_a_kill_in_the_middle_and_answers_that_are_lost(
    command: Command, desk: Desk, bigin: SeenBigin, stack: LocalStack
) -> None:
    source = desk.drop("many.csv", desk.contacts(MANY), CONTACTS)
    record = desk.closed(source, seconds=300)
    ids = set(ids_of(desk, record).values())
    stays = desk.closed(desk.drop("others.csv", desk.contacts(3, first=MANY + 1), CONTACTS))
    assert len(ids) == MANY
    before = len(deletions(bigin))
    facts = shown(command, record)
    assert (facts["rows"], facts["changed"]) == (MANY, 0)
    for _ in range(2):  # a third one for the same call, and it would wait for a minute
        bigin.break_once("delete_timeout_after_effect")

    command("undo", record.import_id, "--confirm", facts["confirm"], "--seconds", "0")
    until(
        lambda: undo_of(desk, record).gone_through > MANY // 3, what="a third is gone", seconds=300
    )
    assert kill_workers(stack, "settle-jobs") > 0
    bigin.break_once("delete_timeout_after_effect")
    killed_at = undo_of(desk, record).gone_through
    assert killed_at < MANY
    # The minutes until the lease of the one that was killed has ended.
    update(
        desk.ledger,
        Undo.at(record.import_id),
        lambda seen: replace(seen, lease_until=0, due_at=desk.now()),
    )
    stack.invoke_tick()

    done = command("undo", record.import_id, "--confirm", facts["confirm"], "--seconds", "240")

    assert done.exit_code is Exit.GOOD, done.err + done.out
    undone = undo_of(desk, record)
    assert (undone.state, undone.deleted, undone.kept) == (UndoState.DONE, MANY, 0)
    calls = deletions(bigin)[before:]
    assert {each for call in calls for each in call["ids"]} == ids
    assert {call["wf_trigger"] for call in calls} == {"false"}
    assert sum(bigin.emails_at(desk.name).values()) == 3
    assert stays.state is ImportState.COMPLETED
    repeated = len(calls) - CALLS_OF_MANY
    assert facts["credits"] == CALLS_OF_MANY + 1
    assert 3 <= repeated <= 4  # three answers were lost, and a call when it was killed


def test_a_file_that_a_person_hands_in_names_no_record_that_is_deleted(
    command: Command, desk: Desk, bigin: SeenBigin, tmp_path: Path
) -> None:
    record = desk.closed(desk.drop("people.csv", desk.contacts(2), CONTACTS))
    other = desk.closed(desk.drop("others.csv", desk.contacts(2, first=100), CONTACTS))
    (tmp_path / "success.csv").write_bytes(desk.result(other, "success.csv"))
    desk.put_at(f"{record.results}people.success.csv", (tmp_path / "success.csv").read_bytes())
    own = set(bigin.emails_at(desk.name)) - set(desk.emails(2, first=100))

    facts = shown(command, record)
    command(
        "undo", record.import_id, "--confirm", facts["confirm"], "--seconds", str(PATIENCE_SECONDS)
    )

    assert facts["rows"] == len(own) == 2
    assert set(bigin.emails_at(desk.name)) == set(desk.emails(2, first=100))
