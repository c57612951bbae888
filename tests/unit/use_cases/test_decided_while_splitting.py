"""What is sent, left out, restored or refused is decided once; closing reads what was stored."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.splitting import kinds
from bigin_import.splitting.cells import Cell
from bigin_import.splitting.row_check import RowCheck
from bigin_import.stored_plan import read_decisions, read_plan
from tests.fakes.harness import Harness

CSV, SIDECAR = "incoming/report.csv", "incoming/report.mapping.json"
MAPPING = {
    "module": "Contacts",
    "operation": "insert",
    "columns": {"Name": "Last_Name", "Mail": "Email", "Zip": "Phone"},
}
BODY = (
    b'Name,Mail,Zip\nAda,ada@example.com,"=""01067"""\nBob,nobody,01069\n,eve@example.com,\n'
    b"Cid,cid@example.com,01070,,\nDan,dan@example.com,\n\nConfidential\n"
)
SENT = [["Ada", "ada@example.com", "01067"], ["Dan", "dan@example.com", ""]]
FAILED = {"3": "it has no @", "4": "is empty, and Last_Name is mandatory", "5": "it has 5 cells"}


def begun(harness: Harness) -> ObjectVersion:
    harness.drop(SIDECAR, MAPPING | {"on_bad_rows": "50%"})
    source = harness.drop(CSV, BODY)
    assert harness.bigin.records() == SENT
    return source


def failed_rows(harness: Harness, source: ObjectVersion) -> dict[str, str]:
    text = harness.result(source, "report.failed.csv").decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(text))
    return {row["bigin__Row"]: row["bigin__Reason"] for row in rows}


def assert_closed_as_it_was_sent(harness: Harness, source: ObjectVersion) -> None:
    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.COMPLETED_WITH_ERRORS
    facts = json.loads(harness.result(source, "import.json"))
    assert (facts["added"], facts["invalid"], facts["left_out"]) == (2, 3, 1)
    found = failed_rows(harness, source)
    assert found.keys() == FAILED.keys()
    assert all(reason in found[row] for row, reason in FAILED.items())


def test_each_row_that_is_not_sent_is_stored_with_its_reason() -> None:
    harness = Harness()
    record = harness.import_of(begun(harness))

    plan = read_plan(harness.files, record)
    decided = list(read_decisions(harness.files, record.import_id, plan.decisions))

    assert {str(each.row) for each in decided} == FAILED.keys()
    assert all(FAILED[str(each.row)] in each.reason for each in decided)
    assert [(group.rows) for group in plan.cut.left_out] == [(8,)]


def test_what_bigin_says_of_its_fields_in_between_changes_nothing() -> None:
    harness = Harness()
    source = begun(harness)

    harness.bigin.module_fields["Contacts"] = (Field("Email", "Email", "integer"),)
    harness.clock.advance(2 * 24 * 3600)

    assert_closed_as_it_was_sent(harness, source)


def test_another_import_that_closes_in_between_changes_nothing() -> None:
    harness = Harness()
    source = begun(harness)

    other = harness.drop("incoming/other.csv", BODY)
    harness.drop("incoming/other.mapping.json", MAPPING | {"on_bad_rows": "60%"})
    harness.tick(minutes=1)

    assert harness.import_of(other).state is not ImportState.REJECTED
    assert_closed_as_it_was_sent(harness, source)


@pytest.mark.parametrize("is_stricter", [True, False])
def test_a_release_that_reads_cells_otherwise_changes_nothing(
    is_stricter: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness = Harness()
    source = begun(harness)

    def read(self: Any, cell: str) -> Cell:  # noqa: ANN401  # whatever kind of cell
        return Cell(cell, refusal="no" if is_stricter else "")

    for kind in (kinds.TextKind, kinds.EmailKind, kinds.PhoneKind):
        monkeypatch.setattr(kind, "read", read)
        monkeypatch.setattr(kind, "is_plain", lambda self, values: False)
    monkeypatch.setattr(RowCheck, "_restore", lambda *_: None)

    assert_closed_as_it_was_sent(harness, source)


def test_a_drop_that_is_gone_names_every_row_that_was_not_sent() -> None:
    harness = Harness()
    source = begun(harness)
    del harness.files.versions[CSV]
    harness.tick(minutes=2)

    found = failed_rows(harness, source)
    assert {row: reason for row, reason in found.items() if row}.keys() == FAILED.keys()


def test_an_ordinary_drop_stores_no_decisions() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    source = harness.drop(CSV, b"Name,Mail,Zip\nAda,ada@example.com,1\n")

    assert read_plan(harness.files, harness.import_of(source)).decisions == ""
