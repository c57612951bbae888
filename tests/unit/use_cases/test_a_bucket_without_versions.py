"""Versioning suspended or off: every object of a key is version "null"."""

from __future__ import annotations

from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from bigin_import.identity import import_id_of
from tests.fakes.harness import MAPPING, ROWS, Harness

KEY = "incoming/contacts.csv"


def test_each_drop_of_a_key_is_an_import_of_its_own() -> None:
    harness = Harness()
    harness.files.keeps_versions = False
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    first = harness.drop(KEY, ROWS)
    harness.settle()

    second = harness.drop(KEY, b"E-mail,Surname\nnew@example.com,New\n")
    harness.tick(minutes=10)

    assert (first.version_id, second.version_id) == ("null", "null")
    assert harness.import_of(first).import_id != harness.import_of(second).import_id
    assert harness.import_of(second).state is ImportState.COMPLETED
    assert "new@example.com" in str(harness.bigin.records())


def test_a_second_event_of_one_drop_makes_no_second_import() -> None:
    harness = Harness()
    harness.files.keeps_versions = False
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(KEY, ROWS)
    harness.settle()

    harness.importer.receive(source)
    harness.settle()

    assert len(harness.bigin.made) == 1


def notes_of(harness: Harness) -> list[bool]:
    return [
        "The versioning of the bucket is off" in each.body for each in harness.notices.published
    ]


def test_the_notice_of_the_first_such_drop_says_so_and_no_other() -> None:
    harness = Harness()
    harness.files.keeps_versions = False
    harness.drop("incoming/contacts.mapping.json", MAPPING)
    source = harness.drop(KEY, ROWS)
    harness.tick(minutes=3)

    harness.drop(KEY, b"E-mail,Surname\nnew@example.com,New\n")
    harness.tick(minutes=10)

    assert notes_of(harness) == [True, False]
    told = " ".join(harness.notices.published[0].body.split())
    assert f"--bucket {source.bucket} --versioning-configuration" in told
    assert "; bigin-drop doctor --region " in told


def test_a_drop_that_was_rejected_for_its_mapping_is_taken_up_with_the_next_one() -> None:
    harness = Harness()
    harness.files.keeps_versions = False
    harness.drop("incoming/contacts.mapping.json", {**MAPPING, "columns": {"Name": "Last_Name"}})
    source = harness.drop(KEY, ROWS)
    harness.settle()
    assert harness.import_of(source).state is ImportState.REJECTED

    harness.drop("incoming/contacts.mapping.json", MAPPING)
    harness.tick(minutes=3)

    assert harness.import_of(source, take=2).state is ImportState.COMPLETED
    assert len(harness.bigin.records()) == 2


def test_a_drop_that_was_written_over_is_not_taken_up() -> None:
    harness = Harness()
    harness.files.keeps_versions = False
    harness.drop("incoming/contacts.mapping.json", {**MAPPING, "columns": {"Name": "Last_Name"}})
    first = harness.drop(KEY, ROWS)
    second = harness.drop(KEY, b"E-mail,Surname\nnew@example.com,New\n")
    harness.tick(minutes=3)

    harness.drop("incoming/contacts.mapping.json", MAPPING)
    harness.tick(minutes=3)

    assert harness.import_of(second, take=2).state is ImportState.COMPLETED
    assert harness.ledger.load(Import.at(import_id_of(first, 2))) is None
