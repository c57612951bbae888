"""A drop without a mapping is told of once; a mapping that is spelled otherwise is found."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.locks import SharedToken
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginAccessError
from bigin_import.importing.pauses import Pause
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
    assert "bigin-drop drop contacts.mapping.json --region" in notice.body
    assert "aws s3 cp contacts.mapping.json s3://bucket/incoming/contacts.mapping" in notice.body
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


@pytest.mark.parametrize(("drop", "mapping"), [(NFC, NFD), (NFD, NFC), ("Contacts", "contacts")])
def test_a_corrected_mapping_that_is_spelled_otherwise_takes_its_drop_up_again(
    drop: str, mapping: str
) -> None:
    harness = Harness()
    harness.drop(f"incoming/{mapping}.mapping.json", {**MAPPING, "columns": {"Mail": "Email"}})
    source = harness.drop(f"incoming/{drop}.csv", ROWS)
    harness.tick(minutes=2)
    assert harness.import_of(source).state is ImportState.REJECTED

    harness.drop(f"incoming/{mapping}.mapping.json", MAPPING)
    harness.tick(minutes=2)

    assert harness.import_of(source, 2).state is ImportState.COMPLETED


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


REFUSED = BiginAccessError("no", code="invalid_code", resolution="mend it")


def shut_out(harness: Harness, calls: int) -> ObjectVersion:
    """Drop a file while Zoho refuses what the secret holds."""
    harness.ledger.save(SharedToken(refused="invalid_code", credentials_version="version-1"))
    harness.bigin.fail("upload", *[REFUSED] * calls)
    harness.drop(SIDECAR, MAPPING)
    return harness.drop(CSV, ROWS)


def learn(harness: Harness, **answer: Any) -> None:  # noqa: ANN401 - fields of the token
    """Let the ledger know what Zoho said to the secret of now."""
    harness.ledger.save(replace(harness.ledger.load(SharedToken.at()) or SharedToken(), **answer))


def test_imports_that_wait_for_zoho_are_told_of_once_with_what_to_do() -> None:
    harness = Harness()
    shut_out(harness, 200)
    harness.drop("incoming/more.mapping.json", MAPPING)
    harness.drop("incoming/more.csv", ROWS)

    harness.tick(minutes=3 * 60)

    (notice,) = harness.notices.published
    assert notice.subject == "Imports wait for Zoho: 2 files"
    assert "2 files wait for Zoho: Zoho refuses the credentials (invalid_code)." in notice.body
    assert "bigin-drop rotate zoho --region eu-central-1" in notice.body
    assert "aws secretsmanager put-secret-value --secret-id zoho " in notice.body
    assert """echo '{"doctor": true}' | aws lambda invoke """ in notice.body
    assert "incoming/contacts.csv" in notice.body
    assert "incoming/more.csv" in notice.body


def test_with_a_corrected_secret_imports_go_on_within_two_minutes() -> None:
    harness = Harness()
    source = shut_out(harness, 1)
    harness.tick(minutes=3)
    assert harness.import_of(source).pause == Pause.ACCESS.name

    harness.zoho_secret.version = "version-2"
    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.COMPLETED
    token = harness.ledger.load(SharedToken.at())
    assert token is not None
    assert token.refused is None


def test_a_secret_that_is_corrected_wrongly_is_told_of_again() -> None:
    harness = Harness()
    shut_out(harness, 200)
    harness.tick(minutes=3)

    harness.zoho_secret.version = "version-2"
    harness.tick(minutes=3)
    assert len(harness.notices.published) == 1  # nobody knows yet what Zoho says of this one
    learn(harness, refused="invalid_client")
    harness.tick(minutes=2)

    first, second = harness.notices.published
    assert first.subject == second.subject == "Imports wait for Zoho: 1 file"
    assert "Zoho refuses the credentials (invalid_code)." in first.body
    assert "Zoho refuses the credentials (invalid_client)." in second.body


def test_a_token_that_zoho_gives_and_bigin_refuses_is_told_of() -> None:
    harness = Harness()
    shut_out(harness, 200)
    harness.zoho_secret.version = "version-2"
    harness.tick(minutes=3)
    assert harness.notices.published == []

    learn(harness, valid_until=harness.clock.now() + 3600)
    harness.tick(minutes=2)

    (notice,) = harness.notices.published
    assert "1 file waits for Zoho: Bigin refuses the access." in notice.body


def test_a_secret_that_can_be_read_again_counts_as_a_new_one() -> None:
    harness = Harness()
    source = shut_out(harness, 1)
    harness.ledger.save(
        replace(harness.ledger.load(SharedToken.at()) or SharedToken(), credentials_version="")
    )

    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.COMPLETED
