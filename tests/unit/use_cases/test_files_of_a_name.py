"""What is told apart, and what is not, among the drops whose files are called alike."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bigin_import.domain.states import ImportState
from tests.fakes.harness import MAPPING
from tests.unit.use_cases.test_files_dropped_again import DONE, KEY, SAME, SIDECAR, TEN, Desk

FEWER: Mapping[str, object] = {**MAPPING, "columns": {"Surname": "Last_Name"}}
FIELDS = [
    {"column": "E-mail", "api_name": "Email"},
    {"column": "Surname", "api_name": "Last_Name"},
]
NORTH, SOUTH = "incoming/north/staff.csv", "incoming/south/staff.csv"


def in_folder(desk: Desk, folder: str, *more: Mapping[str, object]) -> None:
    fields = [each for each in FIELDS if each["api_name"] not in {m["api_name"] for m in more}]
    stated = {"module": "Contacts", "operation": "insert", "field_mappings": [*fields, *more]}
    desk.harness.drop(f"incoming/{folder}/mapping.json", stated)


@pytest.mark.parametrize(
    ("north", "south"),
    [
        (
            {"api_name": "Phone", "default_value": "north"},
            {"api_name": "Phone", "default_value": "south"},
        ),
        (
            {"column": "Surname", "api_name": "Last_Name", "values": {"X": "North"}},
            {"column": "Surname", "api_name": "Last_Name", "values": {"X": "South"}},
        ),
    ],
    ids=["constants", "rules"],
)
def test_a_folder_that_makes_other_values_of_the_same_cells_has_other_rows(
    north: Mapping[str, object], south: Mapping[str, object]
) -> None:
    desk = Desk()
    in_folder(desk, "north", north)
    in_folder(desk, "south", south)
    rows = [f"{address},X\n" for address in TEN]
    first = desk.drop(rows, NORTH)

    second = desk.drop(rows, SOUTH)

    assert desk.sent(second) == TEN
    told = desk.harness.files.read(f"{second.results}report.html").decode()
    assert f"10 rows equal to rows that import {first.import_id} got in from another folder" in told
    assert desk.drop(rows, SOUTH).state is SAME
    assert desk.drop(rows, SOUTH.replace("staff", "staff (1)")).state is SAME


def test_a_folder_with_the_same_rules_has_the_same_rows() -> None:
    desk = Desk()
    in_folder(desk, "north", {"api_name": "Phone", "default_value": "all"})
    in_folder(desk, "south", {"api_name": "Phone", "default_value": "all"})
    desk.drop(TEN, NORTH)

    assert desk.drop(TEN, SOUTH).state is SAME


def test_a_rule_that_was_changed_in_the_folder_is_no_reason_to_add_rows_twice() -> None:
    desk = Desk(refused="bad")
    in_folder(desk, "north", {"api_name": "Phone", "default_value": "old"})
    desk.drop([*TEN, "bad@example.com"], NORTH)
    in_folder(desk, "north", {"api_name": "Phone", "default_value": "new"})

    mended = desk.drop([*TEN, "good@example.com"], NORTH.replace("staff", "staff (1)"))

    assert desk.sent(mended) == ["good@example.com"]


@pytest.mark.parametrize("other", ["incoming/shop{}/contacts.csv", KEY])
def test_a_mended_file_is_known_after_many_others_of_its_name(other: str) -> None:
    desk = Desk(refused="bad")
    desk.drop([*TEN, "bad@example.com"])
    for number in range(30):
        desk.drop([f"x{number}@example.com", f"y{number}@example.com"], other.format(number))

    mended = desk.drop([*TEN, "good@example.com"])

    assert desk.sent(mended) == ["good@example.com"]


def test_old_contents_under_another_name_add_nothing_that_is_in() -> None:
    """Of the newest version one row was taken out: it is in all the same, through the oldest."""
    desk = Desk()
    desk.drop(TEN)
    desk.drop(TEN[1:])

    copy = desk.drop(TEN, "incoming/contacts (1).csv")

    assert (desk.sent(copy), copy.state) == ([], SAME)


def test_a_line_that_is_in_the_file_once_more_each_time_is_added_each_time() -> None:
    """The lines that are in are those of the first file, so it has none for the new one."""
    desk = Desk()
    line = "p0@example.com"
    desk.drop([line])
    desk.drop([line] * 2)
    desk.drop([line] * 3)

    assert [row[0] for row in desk.bigin.records()] == [line] * 3


@pytest.mark.parametrize("between", [["q@example.com"], ["new@example.com"]])
def test_a_file_that_is_in_by_other_columns_is_asked_about_after_others(between: list[str]) -> None:
    """Whether its latest version had other rows, or one of the new columns and rows."""
    desk = Desk()
    first = desk.drop(TEN)
    if between == ["q@example.com"]:
        desk.drop(between)
        desk.harness.drop(SIDECAR, FEWER)
    else:
        desk.harness.drop(SIDECAR, FEWER)
        desk.drop(between)

    again = desk.drop([*TEN, "new@example.com"])

    assert again.state is ImportState.REJECTED
    told = desk.harness.notices.published[-1].body
    assert f"import {first.import_id} has got 10 rows of this file in" in told


def test_a_grown_file_is_not_asked_about_whose_other_rows_are_known() -> None:
    desk = Desk()
    desk.drop(TEN)
    desk.harness.drop(SIDECAR, FEWER)
    night = [f"q{number}@example.com" for number in range(10)]
    desk.drop(night)

    grown = desk.drop([*night, "new@example.com"])

    assert grown.counts is not None
    assert (grown.state, grown.counts.added, grown.counts.existing) == (DONE, 1, 10)


def test_a_mended_file_whose_row_results_are_gone_is_sent_and_told() -> None:
    desk = Desk(refused="bad")
    first = desk.drop([*TEN, "bad@example.com"])
    versions = desk.harness.files.versions
    for key in [key for key in versions if key.startswith(first.results or "-")]:
        del versions[key]

    mended = desk.drop([*TEN, "good@example.com"])
    grown = desk.drop([*TEN, "good@example.com", "more@example.com"])

    assert len(desk.sent(mended)) == 11
    told = f"Import {first.import_id} of a file of this name got 10 rows in, and which"
    assert told in desk.report(mended)
    assert desk.sent(grown) == ["more@example.com"]
    assert told not in desk.report(grown)


@pytest.mark.parametrize("versions", [1, 2, 3, 4])
def test_a_line_that_a_later_version_repeats_is_added(versions: int) -> None:
    """Of the versions each line is in once, however many of them say so."""
    desk = Desk()
    rows = list(TEN)
    desk.drop(rows)
    for number in range(1, versions):
        rows.append(f"q{number}@example.com")
        desk.drop(rows)

    assert desk.sent(desk.drop([*rows, TEN[0]])) == [TEN[0]]


@pytest.mark.parametrize("key", [KEY, "incoming/shop/contacts.csv"])
def test_a_trial_by_fewer_columns_does_not_stop_the_file_that_has_grown(key: str) -> None:
    """Of its new row the one column that the trial had mapped is in."""
    desk = Desk(FEWER)
    desk.drop(["trial@example.com,Smith\n"])
    desk.harness.drop(SIDECAR, MAPPING)
    rows = [f"{address},{address[:2].title()}\n" for address in TEN]
    desk.drop(rows, key)

    assert desk.sent(desk.drop([*rows, "john@example.com,Smith\n"], key)) == ["john@example.com"]
