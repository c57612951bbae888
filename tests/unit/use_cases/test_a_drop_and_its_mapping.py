"""From the door to the plan: drops, mappings, turns, claims."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bigin_import.records import ImportState
from tests.fakes.house import MAPPING, ROWS, House, as_json

CSV, SIDECAR, FOLDER = (
    "incoming/contacts.csv",
    "incoming/contacts.mapping.json",
    "incoming/mapping.json",
)


def test_a_drop_with_its_mapping_beside_it_is_imported() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)

    source = house.drop(CSV, ROWS)

    assert house.import_of(source).state is ImportState.SENT
    assert house.bigin.records() == [
        ["ada@example.com", "Lovelace"],
        ["alan@example.com", "Turing"],
    ]


def test_a_mapping_that_comes_later_lets_its_drop_go_on_at_once() -> None:
    house = House()
    source = house.drop(CSV, ROWS)
    waiting = house.import_of(source).state

    house.drop(SIDECAR, MAPPING)

    assert waiting is ImportState.WAITING_FOR_MAPPING
    assert house.import_of(source).state is ImportState.SENT


def test_the_tick_finds_a_mapping_whose_event_was_lost() -> None:
    house = House()
    source = house.drop(CSV, ROWS)
    house.files.put(SIDECAR, as_json(MAPPING))

    house.tick()

    assert house.import_of(source).state is ImportState.SENT


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
    house = House()
    house.drop(mapping, MAPPING)

    source = house.drop(drop, ROWS)

    assert house.import_of(source).state is ImportState.SENT


def test_the_nearest_mapping_counts() -> None:
    house = House()
    house.drop("incoming/mapping.json", {"module": "Accounts", "operation": "insert"})
    house.drop("incoming/shop/mapping.json", MAPPING)

    source = house.drop("incoming/shop/contacts.csv", ROWS)

    assert house.import_of(source).module == "Contacts"


def test_without_a_mapping_the_drop_is_rejected_after_an_hour_and_somebody_is_told() -> None:
    house = House()
    source = house.drop(CSV, ROWS)

    house.tick(minutes=61)

    assert house.import_of(source).state is ImportState.REJECTED
    assert len(house.notices.published) == 1
    assert "contacts.mapping.json" in house.notices.published[0].body
    assert house.bigin.made == {}


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
    house = House()
    house.drop(SIDECAR, wrong)
    source = house.drop(CSV, ROWS)
    house.settle()
    rejected = house.import_of(source)

    house.drop(SIDECAR, MAPPING)

    assert rejected.state is ImportState.REJECTED
    assert house.import_of(source) == rejected
    assert house.import_of(source, take=2).state is ImportState.SENT
    assert len(house.bigin.records()) == 2


def test_a_mapping_that_comes_after_the_deadline_takes_its_drop_up_again() -> None:
    house = House()
    source = house.drop(CSV, ROWS)
    house.tick(minutes=61)

    house.drop(SIDECAR, MAPPING)

    assert house.import_of(source, take=2).state is ImportState.SENT


def test_a_mapping_may_be_corrected_more_than_once() -> None:
    house = House()
    house.drop(SIDECAR, b"{")
    source = house.drop(CSV, ROWS)
    house.settle()
    house.drop(SIDECAR, {**MAPPING, "module": "Companies"})
    house.settle()

    house.drop(SIDECAR, MAPPING)

    assert house.import_of(source, take=3).state is ImportState.SENT


def test_the_same_wrong_mapping_delivered_twice_takes_nothing_up() -> None:
    house = House()
    wrong = house.drop(SIDECAR, {**MAPPING, "columns": {"No such column": "Email"}})
    house.drop(CSV, ROWS)
    house.settle()

    house.importer.receive(wrong)

    assert len(house.notices.published) == 1


def test_a_second_event_for_one_drop_changes_nothing() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)
    source = house.drop(CSV, ROWS)

    house.importer.receive(source)

    assert len(house.bigin.made) == 1


def test_the_same_content_dropped_again_is_unchanged_and_quiet() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)
    first = house.drop(CSV, ROWS)
    house.settle()
    house.tick(minutes=2)

    second = house.drop(CSV, ROWS)
    house.settle()

    assert house.import_of(second).state is ImportState.UNCHANGED
    assert house.import_of(second).winner == house.import_of(first).import_id
    assert len(house.bigin.made) == 1
    assert len(house.notices.published) == 1


def test_a_later_version_waits_until_the_earlier_one_is_closed() -> None:
    house = House()
    house.bigin.runs = False
    house.drop(SIDECAR, MAPPING)
    first = house.drop(CSV, ROWS)

    second = house.drop(CSV, ROWS + b"grace@example.com,Hopper\n")
    while_first_runs = house.import_of(second).state
    house.bigin.runs = True
    house.tick(minutes=5)

    assert while_first_runs is ImportState.WAITING_FOR_MAPPING
    assert house.import_of(first).state is ImportState.COMPLETED
    assert house.import_of(second).state is ImportState.COMPLETED


def test_a_version_older_than_the_last_one_sent_is_superseded() -> None:
    house = House()
    older = house.files.put(CSV, ROWS)
    house.drop(SIDECAR, MAPPING)
    house.drop(CSV, ROWS + b"grace@example.com,Hopper\n")
    house.tick(minutes=2)

    house.importer.receive(older)
    house.settle()

    assert house.import_of(older).state is ImportState.SUPERSEDED
    assert len(house.bigin.made) == 1


def test_a_drop_that_is_deleted_while_it_waits_closes_quietly() -> None:
    house = House()
    source = house.drop(CSV, ROWS)
    house.files.remove(CSV)

    house.tick(minutes=2)

    assert house.import_of(source).state is ImportState.WITHDRAWN
    assert house.notices.published == []


def test_a_dry_run_sends_nothing() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)

    source = house.drop("incoming/_check/contacts.csv", ROWS)
    house.settle()

    assert house.import_of(source).state is ImportState.DRY_RUN
    assert set(house.bigin.calls) == {"fields"}
    assert "Nothing was sent" in house.result(source, "report.html").decode()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("incoming/contacts.xlsx", "CSV UTF-8"),
        ("incoming/photo.png", ".csv"),
        ("incoming/a//b.csv", "folder names"),
        ("incoming/" + "x" * 800 + ".csv", "800 bytes"),
    ],
)
def test_what_is_no_drop_is_answered_with_what_to_do(key: str, said: str) -> None:
    house = House()

    source = house.drop(key, b"anything")
    house.settle()

    assert house.import_of(source).state is ImportState.REJECTED
    assert said in house.notices.published[0].body


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
    house = House()

    house.drop(key, b"anything")

    assert house.ledger.records == {}


def test_every_problem_of_a_mapping_is_told_at_once() -> None:
    house = House()
    house.drop(
        SIDECAR,
        {
            "module": "Contacts",
            "operation": "upsert",
            "columns": {"E-mial": "Email", "Surname": "Last_Nam"},
        },
    )

    house.drop(CSV, ROWS)
    house.settle()

    told = house.notices.published[0].body
    assert "find_by" in told
    assert house.bigin.made == {}


def test_bad_columns_and_fields_are_named_with_the_nearest_right_one() -> None:
    house = House()
    house.drop(SIDECAR, {**MAPPING, "columns": {"E-mial": "Email", "Surname": "Last_Nam"}})

    house.drop(CSV, ROWS)
    house.settle()

    told = house.notices.published[0].body
    assert "E-mail" in told
    assert "Last_Name" in told
