"""A drop without a mapping is told of once; a mapping that is spelled otherwise is found."""

from __future__ import annotations

import unicodedata

import pytest

from bigin_import.domain.states import ImportState
from tests.fakes.harness import MAPPING, ROWS, Harness, as_json

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


def test_no_mapping_after_two_minutes_is_told_once() -> None:
    harness = Harness()
    source = harness.drop(CSV, ROWS)
    harness.settle()

    harness.tick()
    assert harness.notices.published == []
    harness.tick(minutes=30)

    (notice,) = harness.notices.published
    suggestion = f"{harness.import_of(source).results}contacts.mapping.suggested.json"
    assert notice.subject == "Waiting for a mapping: contacts.csv"
    assert "Drop contacts.mapping.json beside it, or incoming/mapping.json" in notice.body
    assert "module Contacts" in notice.body
    assert '"E-mail" → Email' in notice.body
    assert suggestion in notice.body
    assert "ada@example.com" not in notice.body
    assert harness.import_of(source).state is ImportState.WAITING_FOR_MAPPING


def test_a_mapping_in_time_is_no_reason_for_a_notice() -> None:
    harness = Harness()
    harness.drop(CSV, ROWS)
    harness.tick()

    harness.drop(SIDECAR, MAPPING)
    harness.tick(minutes=5)

    assert [notice.subject for notice in harness.notices.published] == ["Imported: contacts.csv"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"Customers\na,b,c\n1,2,3\n4,5,6\n", "Delete the lines above row 2"),
        ("E-mail,Surname\na@b.de,Müller\n".encode("cp1252"), "the file is not UTF-8"),
    ],
    ids=["a title", "an encoding nobody stated"],
)
def test_a_file_that_cannot_be_read_is_told_of_at_once(body: bytes, words: str) -> None:
    harness = Harness()
    harness.drop(CSV, body)

    harness.settle()
    harness.tick(minutes=10)

    (notice,) = harness.notices.published
    assert words in notice.body
    assert "Correct what is listed below." in notice.body


NFC, NFD = (unicodedata.normalize(form, "Köln") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("drop", "mapping"),
    [
        (NFC, NFD),
        (NFD, NFC),
        ("Contacts", "contacts"),
        ("contacts", "CONTACTS"),
    ],
)
@pytest.mark.parametrize("is_mapping_first", [True, False])
def test_a_mapping_that_differs_in_unicode_form_or_case_is_found(
    drop: str, mapping: str, is_mapping_first: bool
) -> None:
    harness = Harness()
    keys: list[tuple[str, bytes]] = [
        (f"incoming/{mapping}.mapping.json", as_json(MAPPING)),
        (f"incoming/{drop}.csv", ROWS),
    ]

    for key, body in keys if is_mapping_first else keys[::-1]:
        source = harness.drop(key, body)
    harness.settle()
    harness.tick(minutes=2)

    source = harness.files.find_newest(f"incoming/{drop}.csv") or source
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_an_exact_name_goes_before_one_that_is_spelled_otherwise() -> None:
    harness = Harness()
    harness.drop("incoming/CONTACTS.mapping.json", {"module": "Accounts"})
    harness.drop(SIDECAR, MAPPING)

    source = harness.drop(CSV, ROWS)

    pin = harness.import_of(source).mapping
    assert pin is not None
    assert pin.key == SIDECAR


def test_two_that_are_spelled_otherwise_are_told_and_none_is_taken() -> None:
    harness = Harness()
    harness.drop("incoming/CONTACTS.mapping.json", MAPPING)
    harness.drop("incoming/Contacts.mapping.json", MAPPING)

    source = harness.drop(CSV, ROWS)
    harness.tick(minutes=3)

    assert harness.import_of(source).state is ImportState.WAITING_FOR_MAPPING
    (notice,) = harness.notices.published
    assert "incoming/CONTACTS.mapping.json" in notice.body
    assert "incoming/Contacts.mapping.json" in notice.body
