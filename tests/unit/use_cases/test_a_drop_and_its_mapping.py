"""From the event to the plan: drops, mappings, key locks, claims."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bigin_import.domain.states import ImportState
from tests.fakes.harness import MAPPING, ROWS, Harness, as_json

CSV, SIDECAR, FOLDER = (
    "incoming/contacts.csv",
    "incoming/contacts.mapping.json",
    "incoming/mapping.json",
)


def test_a_drop_with_its_mapping_beside_it_is_imported() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)

    source = harness.drop(CSV, ROWS)

    assert harness.import_of(source).state is ImportState.SENT
    assert harness.bigin.records() == [
        ["ada@example.com", "Lovelace"],
        ["alan@example.com", "Turing"],
    ]


def test_a_mapping_that_comes_later_lets_its_drop_go_on_at_once() -> None:
    harness = Harness()
    source = harness.drop(CSV, ROWS)
    waiting = harness.import_of(source).state

    harness.drop(SIDECAR, MAPPING)

    assert waiting is ImportState.WAITING_FOR_MAPPING
    assert harness.import_of(source).state is ImportState.SENT


def test_the_tick_finds_a_mapping_whose_event_was_lost() -> None:
    harness = Harness()
    source = harness.drop(CSV, ROWS)
    harness.files.put(SIDECAR, as_json(MAPPING))

    harness.tick()

    assert harness.import_of(source).state is ImportState.SENT


@pytest.mark.parametrize(
    ("mapping", "drop"),
    [
        ("incoming/contacts.csv.mapping.json", "incoming/contacts.csv"),
        ("incoming/contacts.mapping.json.txt", "incoming/contacts.csv"),
        ("incoming/contacts.MAPPING.JSON", "incoming/contacts.CSV"),
        ("incoming/mapping.json", "incoming/shop/2026/contacts.csv"),
        ("incoming/Mapping.json", "incoming/contacts.csv"),
        ("incoming/a+b (1) é.mapping.json", "incoming/a+b (1) é.csv"),
    ],
)
def test_a_mapping_is_found_under_every_name_it_may_have(mapping: str, drop: str) -> None:
    harness = Harness()
    harness.drop(mapping, MAPPING)

    source = harness.drop(drop, ROWS)

    assert harness.import_of(source).state is ImportState.SENT


def test_the_nearest_mapping_counts() -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", {"module": "Accounts", "operation": "insert"})
    harness.drop("incoming/shop/mapping.json", MAPPING)

    source = harness.drop("incoming/shop/contacts.csv", ROWS)

    assert harness.import_of(source).module == "Contacts"


def test_without_a_mapping_the_drop_is_rejected_after_an_hour_and_somebody_is_told() -> None:
    harness = Harness()
    source = harness.drop(CSV, ROWS)

    harness.tick(minutes=61)

    assert harness.import_of(source).state is ImportState.REJECTED
    waiting, rejected = harness.notices.published
    assert waiting.subject == "Waiting for a mapping: contacts.csv"
    assert "contacts.mapping.json" in rejected.body
    assert harness.bigin.made == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {**MAPPING, "columns": {"No such column": "Email", "Surname": "Last_Name"}},
        {**MAPPING, "module": "Companies"},
        b"{not JSON",
    ],
    ids=["column", "module", "JSON"],
)
def test_a_corrected_mapping_takes_a_rejected_drop_up_again(
    wrong: bytes | Mapping[str, object],
) -> None:
    harness = Harness()
    harness.drop(SIDECAR, wrong)
    source = harness.drop(CSV, ROWS)
    harness.settle()
    rejected = harness.import_of(source)

    harness.drop(SIDECAR, MAPPING)

    assert rejected.state is ImportState.REJECTED
    assert harness.import_of(source) == rejected
    assert harness.import_of(source, take=2).state is ImportState.SENT
    assert len(harness.bigin.records()) == 2


def test_a_mapping_that_comes_after_the_deadline_takes_its_drop_up_again() -> None:
    harness = Harness()
    source = harness.drop(CSV, ROWS)
    harness.tick(minutes=61)

    harness.drop(SIDECAR, MAPPING)

    assert harness.import_of(source, take=2).state is ImportState.SENT


def test_a_mapping_may_be_corrected_more_than_once() -> None:
    harness = Harness()
    harness.drop(SIDECAR, b"{")
    source = harness.drop(CSV, ROWS)
    harness.settle()
    harness.drop(SIDECAR, {**MAPPING, "module": "Companies"})
    harness.settle()

    harness.drop(SIDECAR, MAPPING)

    assert harness.import_of(source, take=3).state is ImportState.SENT


def test_the_same_wrong_mapping_delivered_twice_takes_nothing_up() -> None:
    harness = Harness()
    wrong = harness.drop(SIDECAR, {**MAPPING, "columns": {"No such column": "Email"}})
    harness.drop(CSV, ROWS)
    harness.settle()

    harness.importer.receive(wrong)

    assert len(harness.notices.published) == 1


def test_a_second_event_for_one_drop_changes_nothing() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    source = harness.drop(CSV, ROWS)

    harness.importer.receive(source)

    assert len(harness.bigin.made) == 1


def test_the_same_content_dropped_again_is_unchanged() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    first = harness.drop(CSV, ROWS)
    harness.settle()
    harness.tick(minutes=2)

    second = harness.drop(CSV, ROWS)
    harness.settle()

    assert harness.import_of(second).state is ImportState.UNCHANGED
    assert harness.import_of(second).winner == harness.import_of(first).import_id
    assert len(harness.bigin.made) == 1


def test_a_later_version_waits_until_the_earlier_one_is_closed() -> None:
    harness = Harness()
    harness.bigin.runs = False
    harness.drop(SIDECAR, MAPPING)
    first = harness.drop(CSV, ROWS)

    second = harness.drop(CSV, ROWS + b"grace@example.com,Hopper\n")
    while_first_runs = harness.import_of(second).state
    harness.bigin.runs = True
    harness.tick(minutes=5)

    assert while_first_runs is ImportState.WAITING_FOR_MAPPING
    assert harness.import_of(first).state is ImportState.COMPLETED
    assert harness.import_of(second).state is ImportState.COMPLETED


def test_a_version_older_than_the_last_one_sent_is_superseded() -> None:
    harness = Harness()
    older = harness.files.put(CSV, ROWS)
    harness.drop(SIDECAR, {**MAPPING, "operation": "upsert", "find_by": "Email"})
    harness.drop(CSV, ROWS + b"grace@example.com,Hopper\n")
    harness.tick(minutes=2)

    harness.importer.receive(older)
    harness.settle()

    assert harness.import_of(older).state is ImportState.SUPERSEDED
    assert len(harness.bigin.made) == 1


def test_a_drop_that_is_deleted_while_it_waits_closes_quietly() -> None:
    harness = Harness()
    source = harness.drop(CSV, ROWS)
    harness.files.remove(CSV)

    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.WITHDRAWN
    assert harness.notices.published == []


def test_a_dry_run_sends_nothing() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)

    source = harness.drop("incoming/_check/contacts.csv", ROWS)
    harness.settle()

    assert harness.import_of(source).state is ImportState.DRY_RUN
    assert set(harness.bigin.calls) == {"zgid", "fields"}
    assert "Nothing was sent" in harness.result(source, "report.html").decode()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("incoming/contacts.xls", "Excel Workbook (.xlsx)"),
        ("incoming/photo.png", ".csv"),
        ("incoming/a//b.csv", "folder names"),
        ("incoming/" + "x" * 800 + ".csv", "800 bytes"),
    ],
)
def test_what_is_no_drop_is_answered_with_what_to_do(key: str, said: str) -> None:
    harness = Harness()

    source = harness.drop(key, b"anything")
    harness.settle()

    assert harness.import_of(source).state is ImportState.REJECTED
    assert said in harness.notices.published[0].body


@pytest.mark.parametrize(
    "key",
    [
        "incoming/",
        "incoming/folder/",
        "incoming/.DS_Store",
        "incoming/._contacts.csv",
        "incoming/~$contacts.csv",
        "incoming/.~lock.contacts.csv#",
        "incoming/desktop.ini",
        "incoming/contacts.csv.filepart",
        "results/contacts.csv",
    ],
)
def test_leftovers_of_programs_are_ignored(key: str) -> None:
    harness = Harness()

    harness.drop(key, b"anything")

    assert harness.ledger.records == {}


def test_every_problem_of_a_mapping_is_told_at_once() -> None:
    harness = Harness()
    harness.drop(
        SIDECAR,
        {
            "module": "Contacts",
            "operation": "upsert",
            "columns": {"E-mial": "Email", "Surname": "Last_Nam"},
        },
    )

    harness.drop(CSV, ROWS)
    harness.settle()

    told = harness.notices.published[0].body
    assert "find_by" in told
    assert harness.bigin.made == {}


def test_bad_columns_and_fields_are_named_with_the_nearest_right_one() -> None:
    harness = Harness()
    harness.drop(SIDECAR, {**MAPPING, "columns": {"E-mial": "Email", "Surname": "Last_Nam"}})

    harness.drop(CSV, ROWS)
    harness.settle()

    told = harness.notices.published[0].body
    assert "E-mail" in told
    assert "Last_Name" in told
