"""A mapping, its drop and Bigin's metadata are looked at together: one round of corrections."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginUnreachableError
from bigin_import.stored_plan import read_problems
from tests.fakes.harness import MAPPING, ROWS, Harness, as_json
from tests.fakes.memory_files import MemoryFiles

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
AS_WRITTEN: dict[str, Any] = dict(MAPPING)
UMLAUTS = "E-mail,Straße,Name\nada@example.com,Hauptstraße 1,Müller\n".encode("cp1252")


class CountedStream(BytesIO):
    """A drop that is being read; *read_bytes* counts for all of them."""

    read_bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        CountedStream.read_bytes += len(chunk)
        return chunk


class CountingFiles(MemoryFiles):
    """A bucket that counts what is read of drops."""

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        return CountedStream(super().open_stream(source).read())


def rejected(
    harness: Harness, mapping: dict[str, Any] | bytes, body: bytes = ROWS
) -> list[tuple[str, str]]:
    """Drop both; return the places and the mistakes that are told."""
    harness.drop(SIDECAR, mapping)
    source = harness.drop(CSV, body)
    record = harness.import_of(source)
    assert record.verdict is ImportState.REJECTED
    problems = read_problems(harness.files, record.import_id)
    assert len(set(problems)) == len(problems)
    return [(problem.where.rpartition(", ")[2], problem.what) for problem in problems]


def places_of(found: list[tuple[str, str]]) -> list[str]:
    return [place for place, _ in found]


def test_the_mapping_s_own_mistakes_come_with_those_about_columns_fields_and_the_whole() -> None:
    found = rejected(
        Harness(),
        {
            "module": "Contact",
            "operation": "upsert",
            "find_by": "Email",
            "ignore_emtpy": True,
            "columns": {"E-mial": "Email", "Surname": "Frist_Name", "A": "Phone"},
        },
    )

    assert places_of(found) == [
        "module",
        "ignore_emtpy",
        'columns["E-mial"]',
        'columns["Surname"]',
        'columns["A"]',
        SIDECAR,
    ]
    assert found[-1][1] == 'Last_Name ("Last Name") is mandatory in Contacts, and nothing fills it'


def test_a_wrong_mapping_s_encoding_opens_its_drop() -> None:
    mapping = AS_WRITTEN | {
        "character_encoding": "windows-1252",
        "dry_rum": True,
        "columns": {"E-mail": "Email", "Name": "Last_Name", "Strasse": "Phone", "Str.": "Title"},
    }

    found = rejected(Harness(), mapping, UMLAUTS)

    assert places_of(found) == ["dry_rum", 'columns["Str."]', 'columns["Str."]']


def test_an_encoding_by_another_name_is_told_once_and_opens_the_drop() -> None:
    columns = {"E-mail": "Email", "Name": "Last_Name", "Straße": "Phone"}

    found = rejected(
        Harness(), AS_WRITTEN | {"character_encoding": "ansi", "columns": columns}, UMLAUTS
    )

    assert places_of(found) == ["character_encoding"]


def test_what_a_drop_that_cannot_be_opened_lacks_comes_after_what_the_mapping_lacks() -> None:
    columns = {"E-mail": "Emial", "Name": "Last_Name"}

    wrong = rejected(Harness(), AS_WRITTEN | {"dry_rum": True, "columns": columns}, UMLAUTS)
    readable = rejected(Harness(), AS_WRITTEN | {"columns": columns}, UMLAUTS)

    assert places_of(wrong) == ["dry_rum", 'columns["E-mail"]', CSV]
    assert places_of(readable) == ['columns["E-mail"]', CSV]
    assert "is not UTF-8" in readable[-1][1]


def test_a_header_in_plain_ascii_is_looked_at_whatever_the_encoding_below_it_is() -> None:
    body = "E-mail,Surname\nada@example.com,Müller\n".encode("cp1252")
    columns = {"E-mial": "Email", "Surname": "Last_Name"}

    found = rejected(Harness(), AS_WRITTEN | {"columns": columns}, body)

    assert places_of(found) == ['columns["E-mial"]', CSV]
    assert "is not UTF-8" in found[-1][1]


def test_a_drop_whose_only_mistake_is_its_own_does_not_concern_the_mapping() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    empty = harness.drop(CSV, b"")
    wrong = harness.drop("incoming/b.csv", b"")
    harness.files.put("incoming/b.mapping.json", as_json(AS_WRITTEN | {"dry_rum": True}))
    harness.tick()

    assert not harness.import_of(empty).concerns_mapping
    assert harness.import_of(wrong).concerns_mapping
    assert [
        problem.what for problem in read_problems(harness.files, harness.import_of(wrong).import_id)
    ] == ['"dry_rum" is not a known key', "the file is empty"]


def test_a_module_that_bigin_does_not_know_hides_no_column_that_the_drop_lacks() -> None:
    found = rejected(Harness(), AS_WRITTEN | {"module": "Suppliers", "columns": {"Nmae": "Name"}})

    assert places_of(found) == ["module", 'columns["Nmae"]']


def test_no_check_is_skipped_because_the_metadata_cannot_be_had() -> None:
    harness = Harness()
    harness.bigin.fail("fields", BiginUnreachableError("no connection"))
    harness.drop(SIDECAR, AS_WRITTEN)
    source = harness.drop(CSV, ROWS)

    assert harness.import_of(source).state is ImportState.PREPARING
    assert harness.bigin.made == {}

    harness.tick(minutes=2)

    assert harness.import_of(source).state is not ImportState.PREPARING
    assert len(harness.bigin.made) == 1


def test_a_mapping_that_is_no_json_object_comes_with_what_is_wrong_with_the_drop_itself() -> None:
    assert places_of(rejected(Harness(), b'{"module": ', b"")) == ["column 12", CSV]
    assert places_of(rejected(Harness(), b'{"module": ', UMLAUTS)) == ["column 12"]


def test_damage_by_a_spreadsheet_is_no_mistake_beside_those_of_the_mapping() -> None:
    harness = Harness()
    harness.drop(SIDECAR, AS_WRITTEN | {"find_by": "Email", "on_bad_rows": "50%"})
    failed = harness.drop(CSV, ROWS + b",007\n")
    harness.tick(minutes=2)
    again = harness.result(failed, "contacts.failed.csv").replace(b",,007", b",x@example.com,7")
    columns = {"E-mial": "Email", "Surname": "Last_Name"}
    harness.files.put("incoming/again.mapping.json", as_json(AS_WRITTEN | {"columns": columns}))

    source = harness.drop("incoming/again.csv", again)

    problems = read_problems(harness.files, harness.import_of(source).import_id)
    assert [problem.what.partition(":")[0] for problem in problems] == [
        'incoming/again.csv has no column "E-mial"',
    ]
    assert harness.import_of(source).concerns_mapping


def test_only_the_beginning_of_a_drop_with_a_wrong_mapping_is_read() -> None:
    harness = Harness()
    harness.files = CountingFiles()
    many = ROWS + b"grace@example.com,Hopper\n" * 400_000

    CountedStream.read_bytes = 0

    rejected(harness, AS_WRITTEN | {"dry_rum": True}, many)

    assert 0 < CountedStream.read_bytes < len(many) / 2


def test_a_date_without_a_format_is_told_with_what_ends_the_reading_of_its_column() -> None:
    harness = Harness()
    harness.bigin.module_fields["Contacts"] += (
        Field("Born", "Born", "date"),
        Field("Last", "", "date"),
    )
    columns = {"A": "Last_Name", "B": "Born", "C": "Last"}
    rows = b"A,B,C\n" + b"Ada,10.12.1815,1.1.1850\n" * 4_000 + "Müller,,\n".encode("cp1252")

    found = rejected(harness, AS_WRITTEN | {"columns": columns}, rows)

    assert places_of(found) == ['columns["B"]', 'columns["C"]', CSV]


def test_a_mapping_that_is_too_large_is_the_mapping_s_fault() -> None:
    harness = Harness()
    harness.drop(SIDECAR, b" " * 1_000_001 + as_json(MAPPING))
    source = harness.drop(CSV, ROWS)
    harness.settle()

    harness.drop(SIDECAR, MAPPING)

    assert harness.import_of(source).state is ImportState.REJECTED
    assert harness.import_of(source, take=2).state is ImportState.SENT


def test_a_drop_that_was_removed_is_withdrawn_whatever_its_mapping_says() -> None:
    harness = Harness()
    harness.files.put(SIDECAR, as_json(AS_WRITTEN | {"dry_rum": True}))
    source = harness.files.put(CSV, ROWS)
    del harness.files.versions[CSV]

    harness.importer.receive(source)
    harness.settle()

    assert harness.import_of(source).state is ImportState.WITHDRAWN


def test_nothing_is_pinned_of_a_wrong_mapping() -> None:
    harness = Harness()

    rejected(harness, AS_WRITTEN | {"operation": "Insert"})

    assert not any(key.endswith("/mapping.json") for key in harness.files.list_keys("parts/"))
