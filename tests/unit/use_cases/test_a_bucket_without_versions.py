"""Versioning suspended or off: every object of a key is version "null"."""

from __future__ import annotations

from bigin_import.domain.states import ImportState
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
