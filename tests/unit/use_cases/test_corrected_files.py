"""Result files that come back: what people and spreadsheets do to them, and what they inherit."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.row_results.result_files import RESULT_COLUMNS
from tests.fakes.harness import MAPPING, Harness, as_json
from tests.fakes.refusing_bigin import RefusingBigin
from tests.unit.use_cases.test_excel_files import workbook

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
AGAIN = "incoming/fixed/again.csv"
HEADER = ("No", "E-mail", "Note", "Surname")
COUNTED = {
    "module": "Contacts",
    "operation": "insert",
    "field_mappings": [
        {"index": 1, "api_name": "Email"},
        {"index": 3, "api_name": "Last_Name"},
        {"index": 0, "api_name": "Phone"},
    ],
}
NAMED = {**MAPPING, "columns": {"No": "Phone", "E-mail": "Email", "Surname": "Last_Name"}}
ROWS = [[f"00{n}", f"person{n}@example.com", "ask", f"Name {n}"] for n in range(1, 11)]


def csv_of(rows: Sequence[Sequence[str]], encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


class Desk:
    """
    An application whose Bigin refuses every row of the first drop, and that drop's failed file.

    Attributes:
        table: Header and rows of the failed file, to be changed and dropped.
    """

    def __init__(
        self,
        mapping: Mapping[str, object] = NAMED,
        *,
        header: Sequence[str] = HEADER,
        rows: Sequence[Sequence[str]] = ROWS,
        encoding: str = "utf-8",
        error: str = "INVALID_DATA-Email",
    ) -> None:
        self.harness = Harness()
        refusing = RefusingBigin(lambda _: ("SKIPPED", error))
        refusing.module_fields["Contacts"] += (Field("Date_of_Birth", "Birthday", "date"),)
        self.harness.bigin = refusing
        self.harness.drop(SIDECAR, mapping)
        self.source = self.harness.drop(CSV, csv_of([header, *rows], encoding))
        self.harness.tick(minutes=2)
        refusing.judge = lambda _: ("ADDED", "")
        body = self.harness.result(self.source, "contacts.failed.csv").decode("utf-8-sig")
        self.table = list(csv.reader(io.StringIO(body, newline="")))

    def column(self, name: str) -> int:
        return self.table[0].index(name)

    def set(self, name: str, *cells: str) -> None:
        """Write *cells* into the first rows of a column."""
        for row, cell in zip(self.table[1:], cells, strict=False):
            row[self.column(name)] = cell

    def remove(self, name: str) -> None:
        at = self.column(name)
        for row in self.table:
            del row[at]

    def again(self, *, encoding: str = "utf-8", key: str = AGAIN) -> ObjectVersion:
        """Drop the table as it is now."""
        source = self.harness.drop(key, csv_of(self.table, encoding))
        self.harness.tick(minutes=2)
        return source

    def state(self, source: ObjectVersion) -> ImportState:
        return self.harness.import_of(source).state

    def facts(self, source: ObjectVersion) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.harness.result(source, "import.json"))
        return facts

    @property
    def said(self) -> str:
        return self.harness.notices.published[-1].body

    @property
    def last_sent(self) -> list[list[str]]:
        """What was sent last, in the order of the job's fields."""
        return self.harness.bigin.records()

    def forget(self, name: str) -> None:
        """Let what is kept beside the parts of the first import expire."""
        stem, _, ending = name.partition(".")
        prefix = f"parts/{self.harness.import_of(self.source).import_id}/{stem}."
        (key,) = (key for key in self.harness.files.versions if key.startswith(prefix))
        assert key.endswith(ending)
        del self.harness.files.versions[key]


def test_a_column_that_was_deleted_does_not_shift_the_values_of_a_counting_mapping() -> None:
    desk = Desk(COUNTED)
    desk.remove("Note")

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert desk.last_sent[-10:] == [[row[1], row[3], row[0]] for row in ROWS]


def test_a_counted_column_that_has_no_name_of_its_own_must_stay_where_it_was() -> None:
    header = ("", "E-mail", "Note", "Surname")
    desk = Desk(COUNTED, header=header)
    desk.remove("Note")

    source = desk.again()

    assert desk.state(source) is ImportState.REJECTED
    assert "its columns are not those of the file that it corrects" in desk.said
    assert "Bring back the columns: column 1 (no header), E-mail, Note, Surname" in desk.said


def test_a_counted_column_without_a_name_is_taken_where_it_was() -> None:
    desk = Desk(COUNTED, header=("", "E-mail", "Note", "Surname"))

    assert desk.state(desk.again()) is ImportState.COMPLETED


def test_a_corrected_file_tells_the_mapping_that_its_parent_was_started_with() -> None:
    desk = Desk()
    pin = desk.harness.import_of(desk.source).mapping
    assert pin is not None

    source = desk.again()

    assert desk.facts(source)["mapping"] == {"key": SIDECAR, "version_id": pin.version_id}
    assert pin.version_id
    assert SIDECAR in desk.harness.result(source, "report.html").decode()


def test_a_corrected_file_of_a_corrected_file_still_tells_that_mapping() -> None:
    desk = Desk()
    desk.harness.bigin = RefusingBigin(lambda _: ("SKIPPED", "INVALID_DATA-Email"))
    child = desk.again()
    body = desk.harness.result(child, "again.failed.csv").decode("utf-8-sig")
    desk.table = list(csv.reader(io.StringIO(body, newline="")))
    desk.harness.bigin = RefusingBigin()

    grandchild = desk.again(key="incoming/fixed/third.csv")

    assert desk.state(grandchild) is ImportState.COMPLETED
    assert desk.facts(grandchild)["mapping"]["key"] == SIDECAR


def test_a_file_that_excel_saved_as_windows_1252_is_rejected_at_once() -> None:
    desk = Desk()
    desk.set("Surname", "Müller")

    source = desk.harness.drop(AGAIN, csv_of(desk.table, "windows-1252"))
    desk.harness.settle()

    assert desk.state(source) is ImportState.REJECTED
    assert "the file is not UTF-8, and nothing says what it is" in desk.said
    report = desk.harness.result(source, "report.html").decode()
    assert "windows-1252: Müller" in report
    assert "Müller" not in desk.said


UMLAUTS = [[*row[:3], f"Müller {row[0]}"] for row in ROWS]


def test_windows_1252_is_taken_where_unchanged_cells_prove_it() -> None:
    desk = Desk(rows=UMLAUTS)
    desk.set("Surname", "Žižka")

    source = desk.again(encoding="windows-1252")

    assert desk.state(source) is ImportState.COMPLETED
    assert [row[2] for row in desk.last_sent[-10:-8]] == ["Žižka", "Müller 002"]
    assert "The file was read as windows-1252" in desk.said


@pytest.mark.parametrize("encoding", ["macroman", "cp850"])
def test_another_encoding_is_asked_about_whatever_its_cells_were(encoding: str) -> None:
    desk = Desk(rows=UMLAUTS)

    source = desk.harness.drop(AGAIN, csv_of(desk.table, encoding))
    desk.harness.settle()

    assert desk.state(source) is ImportState.REJECTED
    assert "the file is not UTF-8, and nothing says what it is" in desk.said


def test_a_change_that_may_be_damage_stops_its_row_and_is_sent_once_it_was_looked_at() -> None:
    desk = Desk(rows=[ROWS[0], ["7", *ROWS[1][1:]], ["8", *ROWS[2][1:]], ROWS[3]])
    desk.set("No", "1")

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED_WITH_ERRORS
    assert [row[0] for row in desk.last_sent[-3:]] == ["7", "8", "004"]
    assert 'column "No" was changed as a spreadsheet does it' in desk.said
    failed = desk.harness.result(source, "again.failed.csv")
    again = desk.harness.drop("incoming/fixed/third.csv", failed)
    desk.harness.tick(minutes=2)
    assert desk.state(again) is ImportState.COMPLETED
    assert desk.last_sent[-1][0] == "1"


def test_the_encoding_that_the_parents_mapping_states_reads_the_corrected_file_too() -> None:
    desk = Desk({**NAMED, "character_encoding": "windows-1252"}, encoding="windows-1252")
    desk.set("Surname", "Müller")

    source = desk.again(encoding="windows-1252")

    assert desk.state(source) is ImportState.COMPLETED
    assert "Müller" in desk.last_sent[-10]


def test_a_header_without_rows_is_rejected_at_once() -> None:
    desk = Desk()

    source = desk.harness.drop(AGAIN, csv_of(desk.table[:1]))
    desk.harness.settle()

    assert desk.state(source) is ImportState.REJECTED
    assert "a result file with a header and no row below it" in desk.said


@pytest.mark.parametrize("has_rows", [True, False])
@pytest.mark.parametrize("key", [AGAIN, "incoming/fixed/again.xlsx"])
@pytest.mark.parametrize("mapping", [NAMED, COUNTED, {**COUNTED, "header": False}])
def test_a_file_of_our_columns_alone_is_rejected_at_once(
    mapping: Mapping[str, object], key: str, has_rows: bool
) -> None:
    desk = Desk()
    desk.harness.files.put("incoming/fixed/again.mapping.json", as_json(mapping))
    width = len(RESULT_COLUMNS)
    desk.table = [row[:width] for row in desk.table[: None if has_rows else 1]]

    body = workbook(desk.table) if key.endswith(".xlsx") else csv_of(desk.table)
    source = desk.harness.drop(key, body)
    desk.harness.settle()

    assert desk.state(source) is ImportState.REJECTED
    assert "row 1: all its columns begin with bigin__, and yours are not there" in desk.said
    assert "Put your own columns back" in desk.said


def test_a_new_row_on_top_does_not_hide_the_parent() -> None:
    desk = Desk()
    new = [*[""] * len(RESULT_COLUMNS), "0099", "new@example.com", "", "New"]
    desk.table.insert(1, new)

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert desk.facts(source)["added"] == 11


@pytest.mark.parametrize("forgotten", [["plan.json"], ["plan.json", "mapping.json"]])
def test_a_parent_whose_parts_have_expired_makes_no_drop_withdrawn(forgotten: list[str]) -> None:
    desk = Desk()
    for name in forgotten:
        desk.forget(name)
    desk.harness.files.put("incoming/fixed/mapping.json", as_json(NAMED))

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert "It was not checked whether a spreadsheet has changed cells" in desk.said


def test_a_counting_mapping_is_not_handed_on_without_the_names_of_its_columns() -> None:
    desk = Desk(COUNTED)
    desk.forget("plan.json")

    source = desk.again()

    assert desk.state(source) is ImportState.WAITING_FOR_MAPPING


def test_a_parent_whose_drop_is_gone_is_no_reason_to_refuse() -> None:
    desk = Desk()
    del desk.harness.files.versions[CSV]

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert "It was not checked whether a spreadsheet has changed cells" in desk.said


@pytest.mark.parametrize("mapping", [NAMED, {**NAMED, "on_bad_rows": "0%"}])
@pytest.mark.parametrize("has_its_own", [False, True])
def test_a_row_that_is_wrong_still_does_not_stop_the_corrected_ones(
    mapping: Mapping[str, object], has_its_own: bool
) -> None:
    mapping = {**mapping, "operation": "upsert", "find_by": "Email"}
    desk = Desk(mapping, rows=ROWS[:3])
    desk.set("E-mail", "corrected@example.com", "")
    if has_its_own:
        desk.harness.files.put("incoming/fixed/again.mapping.json", as_json(mapping))

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED_WITH_ERRORS
    assert (desk.facts(source)["added"], desk.facts(source)["invalid"]) == (2, 1)


def test_rows_that_are_all_wrong_still_are_not_sent() -> None:
    desk = Desk({**NAMED, "operation": "upsert", "find_by": "Email"}, rows=ROWS[:1])
    desk.set("E-mail", "")

    assert desk.state(desk.again()) is ImportState.REJECTED


def test_files_of_two_imports_that_were_put_together_are_rejected() -> None:
    desk = Desk()
    other = "b" * 26
    desk.set("bigin__Import", *[desk.table[1][desk.column("bigin__Import")]] * 9, other)

    source = desk.again()

    assert desk.state(source) is ImportState.REJECTED
    assert "its rows come from the result files of several imports" in desk.said
    assert other in desk.said


def test_a_second_import_far_down_in_the_file_is_seen_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigin_import.corrections.corrections.WINDOW_ROWS", 1)
    rows = [[f"00{n}", f"person{n}@example.com", "ask", f"Name {n}"] for n in range(1, 1_502)]
    desk = Desk(rows=rows)
    desk.table[-1][desk.column("bigin__Import")] = "b" * 26

    assert desk.state(desk.again()) is ImportState.REJECTED


def lost_zeros(desk: Desk) -> None:
    desk.set("No", *(str(int(row[0])) for row in ROWS))


def with_a_new_column(desk: Desk) -> None:
    for row, cell in zip(desk.table, ["Checked by", *["Ada"] * 10], strict=True):
        row.insert(desk.column("No"), cell)


def with_columns_reordered(desk: Desk) -> None:
    desk.table = [[*row[:6], *reversed(row[6:])] for row in desk.table]


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: None,
        with_a_new_column,
        with_columns_reordered,
        lambda desk: desk.remove("Note"),
        lambda desk: desk.remove("bigin__Row"),
        lambda desk: desk.set("bigin__Row", *[""] * 10),
    ],
    ids=["as it was", "a new column", "reordered", "a column less", "no numbers", "numbers lost"],
)
def test_what_a_spreadsheet_rewrote_is_restored_whatever_else_was_changed(change: Any) -> None:  # noqa: ANN401
    desk = Desk()
    change(desk)
    lost_zeros(desk)

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert "1 column that the spreadsheet had rewritten was restored: No." in desk.said
    assert [row[0] for row in desk.last_sent[-10:]] == [row[0] for row in ROWS]


def test_a_change_of_a_column_that_bigin_named_for_the_row_is_the_correction() -> None:
    desk = Desk(error="INVALID_DATA-Phone")
    lost_zeros(desk)

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert [row[0] for row in desk.last_sent[-10:]] == [str(int(row[0])) for row in ROWS]


LONG = "How many times did you call us? " * 4


@pytest.mark.parametrize(
    ("before", "after"),
    [("No", "NO"), ("No", " No "), (" No ", " No "), ("No", "N\u200bo"), (LONG, LONG.upper())],
)
def test_a_correction_is_known_though_its_header_is_written_otherwise(
    before: str, after: str
) -> None:
    mapping = {**NAMED, "columns": {before: "Phone", "E-mail": "Email", "Surname": "Last_Name"}}
    desk = Desk(mapping, header=(before, *HEADER[1:]), error="INVALID_DATA-Phone")
    desk.set(before, *(str(int(row[0])) for row in ROWS))
    desk.table[0][desk.column(before)] = after

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert [row[0] for row in desk.last_sent[-10:]] == [str(int(row[0])) for row in ROWS]


@pytest.mark.parametrize("others", [[], ["bigin__Status"], ["bigin__Error"]])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_a_correction_is_known_though_the_reason_beside_it_was_deleted(
    others: Sequence[str], is_sorted: bool
) -> None:
    desk = Desk(error="INVALID_DATA-Phone")
    lost_zeros(desk)
    for name in ("bigin__Reason", *others):
        desk.remove(name)
    if is_sorted:
        desk.table[1:] = reversed(desk.table[1:])

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert {row[0] for row in desk.last_sent[-10:]} == {str(int(row[0])) for row in ROWS}


def test_a_correction_is_known_where_some_reasons_were_emptied() -> None:
    desk = Desk(error="INVALID_DATA-Phone")
    lost_zeros(desk)
    desk.set("bigin__Reason", *[""] * 5)

    desk.again()

    assert [row[0] for row in desk.last_sent[-10:]] == [str(int(row[0])) for row in ROWS]


def test_what_a_spreadsheet_rewrote_is_restored_though_reasons_were_deleted() -> None:
    desk = Desk()
    lost_zeros(desk)
    desk.remove("bigin__Reason")

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert [row[0] for row in desk.last_sent[-10:]] == [row[0] for row in ROWS]


def test_without_the_failed_file_a_row_without_a_reason_is_restored() -> None:
    desk = Desk(error="INVALID_DATA-Phone")
    (key,) = (key for key in desk.harness.files.versions if key.endswith(".failed.csv"))
    del desk.harness.files.versions[key]
    lost_zeros(desk)
    desk.remove("bigin__Reason")

    source = desk.again()

    assert "1 column that the spreadsheet had rewritten was restored: No." in desk.said
    assert desk.state(source) is ImportState.COMPLETED


def test_rows_are_restored_a_window_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigin_import.corrections.corrections.WINDOW_ROWS", 1)
    monkeypatch.setattr("bigin_import.corrections.decider.WINDOW", 1)
    rows = [[f"00{n}", f"person{n}@example.com", "ask", f"Name {n}"] for n in range(1, 1_502)]
    desk = Desk(rows=rows)
    desk.set("No", *(str(int(row[0])) for row in rows))
    desk.table[1:] = reversed(desk.table[1:])

    source = desk.again()

    assert desk.state(source) is ImportState.COMPLETED
    assert sorted(row[0] for row in desk.last_sent[-1_501:]) == sorted(row[0] for row in rows)


def test_dates_that_a_person_wrote_as_the_mapping_wants_them_are_no_damage() -> None:
    columns = [
        {"column": "E-mail", "api_name": "Email"},
        {"column": "Surname", "api_name": "Last_Name"},
        {"column": "Born", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},
    ]
    mapping = {
        "module": "Contacts",
        "operation": "insert",
        "field_mappings": columns,
        "on_bad_rows": "100%",
    }
    rows = [[f"p{n}@example.com", f"Name {n}", f"2024-03-0{n}"] for n in range(1, 5)]
    good = [[f"p{n}@example.com", f"Name {n}", "01.02.2003"] for n in range(5, 10)]
    desk = Desk(mapping, header=("E-mail", "Surname", "Born"), rows=[*rows, *good])
    desk.set("Born", *(f"0{n}.03.2024" for n in range(1, 5)))

    assert desk.state(desk.again()) is ImportState.COMPLETED


def test_the_mapping_that_is_handed_on_lies_beside_the_parents() -> None:
    desk = Desk(COUNTED)
    parent = desk.harness.import_of(desk.source).import_id

    source = desk.again()

    pin = desk.harness.import_of(source).mapping
    assert pin is not None
    assert re.fullmatch(rf"parts/{parent}/mapping\.[0-9a-f]{{64}}\.json", pin.key)


def test_rows_that_were_corrected_once_are_not_added_again_from_another_folder() -> None:
    desk = Desk()
    first = desk.again()
    made = len(desk.harness.bigin.made)

    second = desk.again(key="incoming/elsewhere/again.csv")

    assert desk.state(first) is ImportState.COMPLETED
    assert desk.state(second) is ImportState.UNCHANGED
    assert len(desk.harness.bigin.made) == made
