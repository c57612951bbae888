"""The suggestion that lies in the results of a rejected drop."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.errors import UnreadableObjectError
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.memory_files import MemoryFiles

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
AS_WRITTEN: dict[str, Any] = dict(MAPPING)
UMLAUT = "max@example.com,Müller\n".encode("cp1252")
LATE = ROWS + b"grace@example.com,Hopper\n" * 20_000 + UMLAUT


def suggested(
    mapping: dict[str, Any] | bytes | None, body: bytes, harness: Harness | None = None
) -> dict[str, Any] | None:
    """Drop both and settle; return the suggestion, if there is one."""
    harness = harness or Harness()
    if mapping is not None:
        harness.drop(SIDECAR, mapping)
    source = harness.drop(CSV, body)
    harness.settle()
    key = f"{harness.import_of(source).results}contacts.mapping.suggested.json"
    if harness.files.find_newest(key) is None:
        return None
    written: dict[str, Any] = json.loads(harness.files.read(key))
    return written


def test_a_drop_is_read_with_the_encoding_that_its_wrong_mapping_states() -> None:
    body = "E-mail,Surname,Straße\nmax@example.com,Müller,A\n".encode("cp1252")
    mapping = AS_WRITTEN | {
        "dry_rum": True,
        "character_encoding": "windows-1252",
        "columns": {"E-mail": "Email", "Surname": "Last_Nmae", "Strase": "Phone"},
    }

    written = suggested(mapping, body)

    assert written is not None
    assert written["character_encoding"] == "cp1252"
    assert [entry.get("column") for entry in written["field_mappings"]] == [
        "E-mail",
        "Surname",
        "Straße",
    ]


def test_what_stands_behind_a_mistake_in_the_syntax_is_kept() -> None:
    text = b'{"module": "Contacts", "operation": "upsert", "find_by": "Email",\n "dry_run": true,}'

    written = suggested(text, ROWS)

    assert written is not None
    assert (written["operation"], written["dry_run"]) == ("upsert", True)


@pytest.mark.parametrize(
    ("stated", "body"),
    [
        ({}, ROWS + UMLAUT),
        ({}, LATE),
        ({"character_encoding": "UTF-8"}, LATE),
        ({"dry_rum": True}, ROWS + UMLAUT),
    ],
    ids=["at the top", "far below", "stated wrongly", "in a wrong mapping"],
)
def test_an_encoding_that_is_not_known_is_left_open(stated: dict[str, Any], body: bytes) -> None:
    written = suggested(AS_WRITTEN | stated, body)

    assert written is not None
    assert written["character_encoding"].startswith("write here the encoding of the file")
    assert len(written["field_mappings"]) == 2


def test_dates_are_read_although_the_encoding_is_left_open() -> None:
    harness = Harness()
    harness.bigin.module_fields["Contacts"] += (Field("Date_of_Birth", "Birthday", "date"),)

    written = suggested(None, "Surname,Birthday\nMüller,31.12.1980\n".encode("cp1252"), harness)

    assert written is not None
    assert written["field_mappings"][1]["format"] == "dd.MM.yyyy"


def test_headers_that_nobody_can_read_make_no_suggestion() -> None:
    assert suggested(None, "E-mail,Straße\nmax@example.com,A\n".encode("cp1252")) is None


@pytest.mark.parametrize("body", [b"", b"\x89PNG\r\n\x1a\n" + bytes(range(256))])
def test_what_is_no_table_gets_no_suggestion(body: bytes) -> None:
    assert suggested(AS_WRITTEN | {"dry_rum": True}, body) is None


def test_a_wrong_mapping_that_is_gone_is_started_anew() -> None:
    harness = Harness()
    harness.drop(SIDECAR, b'{"module": "Accounts"}')
    harness.drop(CSV, ROWS)
    del harness.files.versions[SIDECAR]
    harness.settle()

    key = next(key for key in harness.files.list_keys("results/") if key.endswith("suggested.json"))
    assert json.loads(harness.files.read(key))["module"] == "Contacts"


class ClosedFiles(MemoryFiles):
    """A bucket with objects that S3 does not give out."""

    closed: frozenset[str] = frozenset()

    def read(self, key: str, *, version_id: str | None = None, at_most: int = 1_000_000) -> bytes:
        self._refuse(key)
        return super().read(key, version_id=version_id, at_most=at_most)

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        self._refuse(source.key)
        return super().open_stream(source)

    def _refuse(self, key: str) -> None:
        if key in self.closed:
            raise UnreadableObjectError(key)


@pytest.mark.parametrize(("closed", "suggestions"), [(SIDECAR, 1), (CSV, 0)])
def test_what_may_not_be_read_any_more_keeps_no_import_open(closed: str, suggestions: int) -> None:
    harness = Harness()
    harness.files = files = ClosedFiles()
    harness.drop(SIDECAR, b'{"module": "Accounts"}')
    source = harness.drop(CSV, ROWS)
    files.closed = frozenset({closed})

    harness.settle()

    written = [key for key in files.list_keys("results/") if key.endswith("suggested.json")]
    assert harness.import_of(source).state is ImportState.REJECTED
    assert len(written) == suggestions


def test_a_suggestion_for_a_wrong_mapping_imports_the_drop() -> None:
    harness = Harness()
    wrong = b"{'modul': 'contact', 'operation': 'Insert', 'columns': {'E-Mail': 'email'}}"
    written = suggested(wrong, ROWS, harness)
    assert written is not None

    harness.drop(SIDECAR, written)

    source = harness.files.find_newest(CSV)
    assert source is not None
    assert harness.import_of(source, take=2).state is ImportState.SENT


def entries(written: dict[str, Any] | None) -> list[tuple[str, str]]:
    assert written is not None
    return [(entry["column"], entry["api_name"]) for entry in written["field_mappings"]]


def test_columns_of_an_export_that_has_grown_are_found_by_their_labels() -> None:
    counted = [{"index": 0, "api_name": "Last_Name"}, {"index": 1, "api_name": "Email"}]
    mapping = {"module": "Contacts", "operation": "insert", "field_mappings": counted}

    written = suggested(mapping, b"First Name,Last Name,Email\nAda,Lovelace,ada@example.com\n")

    assert ("Last Name", "Last_Name") in entries(written)
    assert ("Email", "Email") in entries(written)


def test_a_separator_is_suggested_without_letting_bigin_add_what_stands_between() -> None:
    harness = Harness()
    values = ("Red", "Green")
    harness.bigin.module_fields["Contacts"] += (
        Field("Tags", "Tags", "multiselectpicklist", pick_list=values),
    )
    columns = {"Surname": "Last_Name", "Colours": "Tags"}
    mapping = {"module": "Contacts", "operation": "insert", "columns": columns}

    written = suggested(mapping, b'Surname,Colours\nA,"Red, Green"\nB,Red\n', harness)

    assert written is not None
    (entry,) = (each for each in written["field_mappings"] if each["api_name"] == "Tags")
    assert entry == {"column": "Colours", "api_name": "Tags", "separator": ","}


@pytest.mark.parametrize(("header", "century"), [("Birthday", "past"), ("Last contact", None)])
def test_birth_dates_with_two_digits_are_suggested_in_the_past(
    header: str, century: str | None
) -> None:
    harness = Harness()
    label = "Date of birth" if century else "Contacted"
    harness.bigin.module_fields["Contacts"] += (Field("When", label, "date"),)
    mapping = AS_WRITTEN | {"columns": {"Surname": "Last_Name", header: "When"}}

    written = suggested(mapping, f"Surname,{header}\nA,23.04.31\nB,30.11.80\n".encode(), harness)

    assert written is not None
    (entry,) = (each for each in written["field_mappings"] if each["api_name"] == "When")
    assert (entry["format"], entry.get("century")) == ("dd.MM.yy", century)
