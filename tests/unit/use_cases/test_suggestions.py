"""A mapping to start from, and result files that come back corrected."""

from __future__ import annotations

import json
from typing import BinaryIO

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.importing import prepare
from bigin_import.settling import suggest_mapping
from tests.fakes.harness import MAPPING, ROWS, Harness, as_json
from tests.fakes.memory_files import MemoryFiles

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
WITH_BIRTHDAY = b"E-mail,Surname,Birthday\nada@example.com,Lovelace,10.12.1815\n"


def suggested(harness: Harness, prefix: str) -> dict[str, object]:
    key = next(key for key in harness.files.list_keys(prefix) if key.endswith(".suggested.json"))
    mapping: dict[str, object] = json.loads(harness.files.read(key))
    return mapping


def test_a_drop_without_a_mapping_gets_a_suggestion_at_once() -> None:
    harness = Harness()

    source = harness.drop(CSV, ROWS)
    harness.settle()

    mapping = suggested(harness, harness.import_of(source).results or "")
    assert mapping["module"] == "Contacts"
    assert harness.import_of(source).state is ImportState.WAITING_FOR_MAPPING


def test_a_suggestion_that_is_dropped_as_it_is_imports_the_file() -> None:
    harness = Harness()
    source = harness.drop(CSV, ROWS)
    harness.settle()

    harness.drop(SIDECAR, suggested(harness, harness.import_of(source).results or ""))

    assert harness.import_of(source).state is ImportState.SENT


def test_a_mapping_whose_column_was_renamed_comes_back_mended() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)

    source = harness.drop(CSV, ROWS.replace(b"Surname", b"Surnames"))
    harness.settle()

    mended = json.dumps(suggested(harness, harness.import_of(source).results or ""))
    assert harness.import_of(source).state is ImportState.REJECTED
    assert '"Surnames"' in mended
    assert "suggested.json" in harness.notices.published[0].body


def test_a_date_column_without_its_format_is_told_the_formats_that_fit() -> None:
    harness = Harness()
    fields = (*harness.bigin.module_fields["Contacts"], Field("Date_of_Birth", "Birthday", "date"))
    harness.bigin.module_fields["Contacts"] = fields
    columns = {"E-mail": "Email", "Surname": "Last_Name", "Birthday": "Date_of_Birth"}
    harness.drop(SIDECAR, {**MAPPING, "columns": columns})

    source = harness.drop(CSV, WITH_BIRTHDAY.replace(b"10.12", b"31.12"))
    harness.settle()

    assert harness.import_of(source).state is ImportState.REJECTED
    assert "dd.MM.yyyy" in harness.notices.published[0].body


def failed_file(harness: Harness) -> bytes:
    """Let one row of a drop be invalid; return the file that says so."""
    harness.drop(SIDECAR, {**MAPPING, "find_by": "Email", "on_bad_rows": "50%"})
    source = harness.drop(CSV, ROWS + b",007\n")
    harness.tick(minutes=2)
    return harness.result(source, "contacts.failed.csv")


def test_a_corrected_failed_file_needs_no_mapping_and_no_columns_removed() -> None:
    harness = Harness()
    failed = failed_file(harness)

    source = harness.drop(
        "incoming/fixed/again.csv", failed.replace(b",,007", b",x@example.com,007")
    )
    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.bigin.records()[-1] == ["x@example.com", "007"]


def test_a_cell_that_a_spreadsheet_has_damaged_is_sent_as_it_was() -> None:
    harness = Harness()
    failed = failed_file(harness)

    source = harness.drop("incoming/again.csv", failed.replace(b",,007", b",x@example.com,7"))
    harness.settle()

    assert harness.import_of(source).state is ImportState.SENT
    assert harness.bigin.records()[-1] == ["x@example.com", "007"]


@pytest.mark.parametrize("delimiter", [b",", b";"])
def test_a_file_that_names_an_import_we_do_not_know_waits_for_its_mapping(delimiter: bytes) -> None:
    harness = Harness()
    rows = b"bigin__Row,bigin__Import,E-mail,Surname\n2," + b"a" * 26 + b",ada@example.com,Ada\n"

    source = harness.drop(CSV, rows.replace(b",", delimiter))

    assert harness.import_of(source).state is ImportState.WAITING_FOR_MAPPING


def test_a_mapping_of_its_own_goes_before_that_of_the_parent() -> None:
    harness = Harness()
    failed = failed_file(harness)
    harness.files.put("incoming/again.mapping.json", as_json({**MAPPING, "operation": "insert"}))

    source = harness.drop("incoming/again.csv", failed.replace(b",,007", b",x@example.com,007"))

    pin = harness.import_of(source).mapping
    assert pin is not None
    assert pin.key == "incoming/again.mapping.json"


class CountedReads(MemoryFiles):
    """The Files port; adds up what is read of drops."""

    read_bytes = 0

    def open_stream(self, source: ObjectVersion) -> BinaryIO:
        stream = super().open_stream(source)
        take = stream.read

        def counted(size: int = -1, /) -> bytes:
            body = take(size)
            self.read_bytes += len(body)
            return body

        stream.read = counted  # type: ignore[method-assign]  # as a stream of S3 would be watched
        return stream


def test_what_is_read_for_a_suggestion_has_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each date column is read from the beginning, and a drop may have gigabytes and many."""
    monkeypatch.setattr(suggest_mapping, "MOST_CELLS", 50_000)
    dates = [f"Day {number}" for number in range(10)]
    line = "a{}@example.com,Hill," + ",".join(["31.12.2025"] * len(dates)) + "\n"
    body = ",".join(["E-mail", "Surname", *dates]) + "\n"
    body += "".join(line.format(number) for number in range(30_000))
    harness = Harness()
    files = CountedReads(now=harness.clock.now)
    harness.files = files

    source = harness.drop(CSV, body.encode())
    files.read_bytes = 0
    harness.settle()

    mapping = suggested(harness, harness.import_of(source).results or "")
    assert mapping["module"] == "Contacts"
    assert len(body) > 3_000_000
    assert files.read_bytes < 2 * len(body)  # it would be more than ten times that


def test_a_drop_whose_rows_could_not_be_accounted_for_in_one_go_is_refused_at_the_door(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prepare, "MOST_ROWS", 2)
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)

    just_fits = harness.drop(CSV, ROWS)
    one_more = harness.drop(CSV, ROWS + b"grace@example.com,Hopper\n")
    harness.tick(minutes=2)

    assert harness.import_of(just_fits).state is ImportState.COMPLETED
    assert harness.import_of(one_more).state is ImportState.REJECTED
    assert "it has 3 rows, and one drop may have 2" in harness.notices.published[-1].body
