"""What is asked, converted and refused of cells, from the drop to the notice and the page."""

from __future__ import annotations

import json
from typing import Any

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginRefusedError, BiginUnreachableError
from tests.fakes.harness import Harness

CSV, SIDECAR = "incoming/sales.csv", "incoming/sales.mapping.json"
FIELDS = (
    Field("Revenue", "Revenue", "currency"),
    Field("Last_Call", "Last call", "datetime"),
    Field("Stage", "Stage", "picklist", pick_list=("Open", "Closed won")),
)


def mapping(**entries: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping of Name and of fields by their own names, each with keys of its entry."""
    more = [{"column": name, "api_name": name} | keys for name, keys in entries.items()]
    names = {"column": "Name", "api_name": "Last_Name"}
    return {"module": "Contacts", "operation": "insert", "field_mappings": [names, *more]}


def dropped(
    harness: Harness, body: str, stated: dict[str, Any], *, folder: str = "incoming/"
) -> ObjectVersion:
    harness.bigin.module_fields["Contacts"] += FIELDS
    harness.drop(folder + "sales.mapping.json", stated)
    source = harness.drop(folder + "sales.csv", body.encode())
    harness.tick(minutes=2)
    return source


def notice(harness: Harness) -> str:
    return harness.notices.published[-1].body


CALLED = mapping(Last_Call={"format": "yyyy-MM-dd HH:mm:ss XXX"})
CALLS = "Name,Last_Call\nAda,2026-07-01 10:00:00 +00:00\n"


def test_times_with_an_offset_are_told_in_the_zone_of_the_organisation() -> None:
    harness = Harness()
    dropped(harness, CALLS, CALLED)

    assert harness.bigin.records() == [["Ada", "2026-07-01 03:00:00"]]
    assert "as clocks show them in America/Los_Angeles." in notice(harness)


def test_a_zone_that_cannot_be_had_is_waited_for() -> None:
    harness = Harness()
    harness.bigin.module_fields["Contacts"] += FIELDS
    harness.bigin.fail("time_zone", BiginUnreachableError("no connection"))
    harness.drop(SIDECAR, CALLED)
    source = harness.drop(CSV, CALLS.encode())

    assert harness.import_of(source).state is ImportState.PREPARING
    harness.tick(minutes=2)
    assert harness.bigin.records() == [["Ada", "2026-07-01 03:00:00"]]


def test_both_readings_of_a_number_are_on_the_page_and_no_cell_is_in_the_notice() -> None:
    harness = Harness()
    source = dropped(harness, "Name,Revenue\nAda,8.000\nBob,7\n", mapping(Revenue={}))

    assert harness.import_of(source).state is ImportState.REJECTED
    assert harness.bigin.made == {}
    assert "8.000: 8000 or 8.000" in harness.result(source, "report.html").decode()
    assert "8.000" not in notice(harness)
    assert "first in row 2" in notice(harness)
    suggested = json.loads(harness.result(source, "sales.mapping.suggested.json"))
    assert "decimal" in json.dumps(suggested)


def test_a_correction_reads_numbers_as_its_parent_proved() -> None:
    harness = Harness()
    body = 'Name,Revenue\nAda,"1.250,50"\n,8.000\n'
    source = dropped(harness, body, mapping(Revenue={}) | {"on_bad_rows": "50%"})
    failed = harness.result(source, "sales.failed.csv")

    again = harness.drop("incoming/again.csv", failed.replace(b",8.000", b"Bob,8.000"))
    harness.tick(minutes=2)

    assert harness.import_of(again).state is ImportState.COMPLETED
    assert [sorted(row) for row in harness.bigin.records()] == [
        ["1250.50", "Ada"],
        ["8000", "Bob"],
    ]


def test_a_picklist_value_that_is_nearly_known_stops_the_drop_before_anything_is_sent() -> None:
    harness = Harness()
    source = dropped(harness, "Name,Stage\nAda,Open\nBob,Closad won\n", mapping(Stage={}))

    assert harness.import_of(source).state is ImportState.REJECTED
    assert harness.bigin.made == {}
    assert "Closad won (1): in Bigin Closed won" in harness.result(source, "report.html").decode()
    assert "Closad won" not in notice(harness)


CERTAIN = "Name,Revenue\nAda,5\n,6\nBob,seven\nEve,8\n"


def test_what_bigin_would_refuse_for_certain_costs_nothing_and_a_check_says_the_same() -> None:
    real, check = Harness(), Harness()
    source = dropped(real, CERTAIN, mapping(Revenue={}))
    checked = dropped(check, CERTAIN, mapping(Revenue={}), folder="incoming/_check/")

    assert real.bigin.records() == [["Ada", "5"], ["Eve", "8"]]
    assert "2 rows of 4 would be sent in 1 job" in notice(check)
    assert json.loads(real.result(source, "import.json"))["invalid"] == 2
    page = check.result(checked, "report.html").decode()
    assert "2 rows would not be sent." in page
    assert "is a number field, and the cell holds letters" in page


def test_a_module_whose_fields_bigin_refuses_to_tell_goes_on_without() -> None:
    harness = Harness()
    refusal = BiginRefusedError(code="NOT_SUPPORTED", message="no", resolution="-")
    harness.bigin.fail("fields", *[refusal] * 9)
    source = dropped(harness, "Name\nAda\n", mapping())

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert "The fields of Contacts could not be asked of Bigin" in notice(harness)


def test_a_total_is_no_row_that_failed() -> None:
    harness = Harness()
    body = "Name,City,Revenue\nAda,Rome,5\nBob,Oslo,7\nTotal,,12\n"
    source = dropped(harness, body, mapping(Revenue={}))

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert "Row 4 was left out: it holds the totals of the rows above." in notice(harness)
    assert "Nothing to do." in notice(harness)
