"""A workbook of Excel is a drop like any other, from its cells to Bigin and back corrected."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import openpyxl
import pytest
import xlsxwriter

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from tests.fakes.fake_bigin import CONTACT_FIELDS
from tests.fakes.harness import Harness

FIELDS = (
    *CONTACT_FIELDS,
    Field("Date_of_Birth", "Born", "date"),
    Field("Zip", "Zip", "text"),
    Field("Revenue", "Revenue", "currency"),
)
HEADER = ("E-mail", "Surname", "Born", "Zip", "Revenue")
COLUMNS = {
    "E-mail": "Email",
    "Surname": "Last_Name",
    "Born": "Date_of_Birth",
    "Zip": "Zip",
    "Revenue": "Revenue",
}
MAPPING = {"module": "Contacts", "operation": "insert", "columns": COLUMNS}


def workbook(rows: Iterable[Sequence[object]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    for cell in sheet["D"]:
        cell.number_format = "00000"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class Office:
    """The application, people who drop files in it, and what they are told."""

    def __init__(self) -> None:
        self.world = Harness()
        self.world.bigin.module_fields["Contacts"] = FIELDS

    def drop(
        self, key: str, body: bytes, mapping: Mapping[str, object] | None = None
    ) -> ImportState:
        if mapping:
            self.world.drop(f"{key.rpartition('.')[0]}.mapping.json", mapping)
        self.source: ObjectVersion = self.world.drop(key, body)
        self.world.settle()
        self.world.tick()
        self.world.tick()
        return self.world.import_of(self.source).state

    @property
    def records(self) -> list[list[str]]:
        return self.world.bigin.records()

    def result(self, kind: str) -> list[dict[str, str]]:
        results = self.world.import_of(self.source).results
        assert results is not None
        (key,) = (k for k in self.world.files.list_keys(results) if k.endswith(f".{kind}.csv"))
        text = self.world.files.read(key).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def office() -> Office:
    return Office()


ADA = ("ada@example.com", "Lovelace", date(1990, 12, 10), 1067, 1234.5)
BAD = ("bad@example.com", "Bad", "soon", 501, 8.125)


def test_dates_numbers_and_padded_postcodes_need_no_words_of_the_mapping(office: Office) -> None:
    assert office.drop("incoming/a.xlsx", workbook([HEADER, ADA]), MAPPING) is ImportState.COMPLETED
    assert office.records == [["ada@example.com", "Lovelace", "1990-12-10", "01067", "1234.5"]]


def test_a_mapping_made_for_the_csv_of_the_same_table_fits_too(office: Office) -> None:
    mapping = {
        "module": "Contacts",
        "operation": "insert",
        "field_mappings": [
            {"column": "E-mail", "api_name": "Email"},
            {"column": "Surname", "api_name": "Last_Name"},
            {"column": "Born", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},
            {"column": "Zip", "api_name": "Zip"},
            {"column": "Revenue", "api_name": "Revenue", "decimal": ","},
        ],
    }
    text = ("bo@example.com", "Text", "11.12.1990", "00501", "1.250,50")
    office.drop("incoming/a.xlsx", workbook([HEADER, ADA, text]), mapping)
    assert office.records == [
        ["ada@example.com", "Lovelace", "1990-12-10", "01067", "1234.5"],
        ["bo@example.com", "Text", "1990-12-11", "00501", "1250.50"],
    ]


def test_a_number_with_three_decimals_is_certain_and_nobody_is_asked(office: Office) -> None:
    row = (*ADA[:4], 8.125)
    assert office.drop("incoming/a.xlsx", workbook([HEADER, row]), MAPPING) is ImportState.COMPLETED
    assert office.records[0][-1] == "8.125"


@pytest.mark.parametrize("comes_back_as", ["csv", "xlsx"])
def test_what_failed_is_corrected_in_a_csv_or_saved_as_a_workbook(
    office: Office, comes_back_as: str
) -> None:
    other = ("cy@example.com", "Cy", "later", 501, 8.125)
    state = office.drop("incoming/a.xlsx", workbook([HEADER, ADA, BAD, other]), MAPPING)
    assert state is ImportState.REJECTED  # half of the rows cannot be right

    rows = [HEADER, *[(f"{n}@example.com", *ADA[1:]) for n in range(20)], BAD]
    office.drop("incoming/b.xlsx", workbook(rows), MAPPING)
    (failed,) = office.result("failed")
    assert (failed["Born"], failed["Zip"], failed["Revenue"]) == ("soon", "00501", "8.125")
    assert failed["bigin__Row"] == "22"

    failed["Born"] = "1991-01-02"
    if comes_back_as == "csv":
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, failed)
        writer.writeheader()
        writer.writerow(failed)
        body = out.getvalue().encode()
    else:
        cells = {**failed, "bigin__Row": 22, "Born": date(1991, 1, 2), "Revenue": 8.125}
        body = workbook([list(cells), list(cells.values())])
    before = len(office.records)
    state = office.drop(f"incoming/corrected.{comes_back_as}", body)
    assert state is ImportState.COMPLETED
    assert office.records[before:] == [["bad@example.com", "Bad", "1991-01-02", "00501", "8.125"]]


def test_numbers_of_a_corrected_workbook_mean_what_they_say_whatever_mark_the_csv_had(
    office: Office,
) -> None:
    columns = {header: name for header, name in COLUMNS.items() if header != "Born"}
    mapping = {**MAPPING, "columns": columns}
    rows = "".join(f'{n}@example.com,N,x,01067,"1.250,50"\n' for n in range(20))
    csv_file = ",".join(HEADER) + "\n" + rows + 'no address,N,x,01067,"8,125"\n'
    office.drop("incoming/c.csv", csv_file.encode(), mapping)
    (failed,) = office.result("failed")
    cells = {**failed, "E-mail": "bo@example.com", "Revenue": 8.125}
    before = len(office.records)
    office.drop("incoming/fixed.xlsx", workbook([list(cells), list(cells.values())]))
    assert [row[-1] for row in office.records[before:]] == ["8.125"]


def test_a_cell_with_an_error_stops_its_row_and_names_the_cell(office: Office) -> None:
    rows = [HEADER, *[(f"{n}@example.com", *ADA[1:]) for n in range(20)]]
    rows.append(("err@example.com", "#N/A", date(1990, 1, 1), 1, 1))
    assert office.drop("incoming/a.xlsx", workbook(rows), MAPPING) is (
        ImportState.COMPLETED_WITH_ERRORS
    )
    (failed,) = office.result("failed")
    assert "cell B22 shows the error #N/A" in failed["bigin__Reason"]


def test_the_sheet_is_chosen_by_the_mapping_and_read_again_at_the_closing(office: Office) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([HEADER, ADA])))
    other = book.create_sheet("Second")
    other.append(HEADER)
    other.append(("second@example.com", *ADA[1:]))
    out = io.BytesIO()
    book.save(out)
    mapping = {**MAPPING, "sheet": "Second"}
    assert office.drop("incoming/a.xlsx", out.getvalue(), mapping) is ImportState.COMPLETED
    assert office.records[0][0] == "second@example.com"
    assert office.result("success")[0]["E-mail"] == "second@example.com"


def test_the_suggestion_of_a_workbook_can_be_dropped_as_it_is(office: Office) -> None:
    office.drop("incoming/a.xlsx", workbook([HEADER, ADA]))
    (key,) = (k for k in office.world.files.list_keys("results/") if "suggested" in k)
    office.world.drop("incoming/a.mapping.json", office.world.files.read(key))
    office.world.settle()
    office.world.tick()
    office.world.tick()
    assert office.world.import_of(office.source).state is ImportState.COMPLETED


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("a.xls", "Excel Workbook (.xlsx)"),
        ("a.xlsb", "Excel Workbook (.xlsx)"),
        ("a.ods", "In LibreOffice choose"),
        ("a.numbers", "In Numbers choose File, Export To, Excel"),
    ],
)
def test_other_spreadsheets_are_refused_with_the_way_to_save_them(
    office: Office, name: str, remedy: str
) -> None:
    assert office.drop(f"incoming/{name}", b"x") is ImportState.REJECTED
    assert remedy in office.world.notices.published[-1].body


def test_the_same_workbook_again_is_unchanged(office: Office) -> None:
    body = workbook([HEADER, ADA])
    office.drop("incoming/a.xlsx", body, MAPPING)
    assert office.drop("incoming/a.xlsx", body) is ImportState.UNCHANGED
    assert len(office.records) == 1


@pytest.mark.parametrize("header", [("Last_Name", "Date_of_Birth"), ("Last Name", "Born")])
def test_dates_need_no_format_where_the_headers_name_the_fields(
    office: Office, header: tuple[str, str]
) -> None:
    body = workbook([header, ("Ada", date(1990, 12, 10)), ("Bob", datetime(1991, 2, 3, 4, 5))])  # noqa: DTZ001  # Excel has no zones

    state = office.drop("incoming/a.xlsx", body, {"module": "Contacts", "operation": "insert"})
    assert state is ImportState.COMPLETED
    assert office.records == [["Ada", "1990-12-10"], ["Bob", "1991-02-03"]]


def test_numbers_kept_as_texts_are_never_read_as_thousandths(office: Office) -> None:
    rows = [(*ADA[:4], text) for text in ("1.250,50", "8.000", "7", "6", "5")]
    assert office.drop("incoming/a.xlsx", workbook([HEADER, *rows]), MAPPING) is (
        ImportState.COMPLETED_WITH_ERRORS
    )
    assert [row[-1] for row in office.records] == ["1250.50", "7", "6", "5"]
    (failed,) = office.result("failed")
    assert "cell E3 holds a number as a text" in failed["bigin__Reason"]

    mended = {"field_mappings": [{"column": "Revenue", "api_name": "Revenue", "decimal": ","}]}
    others = {name: field for name, field in COLUMNS.items() if name != "Revenue"}
    office.drop(
        "incoming/b.xlsx", workbook([HEADER, *rows]), MAPPING | mended | {"columns": others}
    )
    assert [row[-1] for row in office.records[4:]] == ["1250.50", "8000", "7", "6", "5"]


def test_where_columns_are_missing_the_other_sheets_are_named(office: Office) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["This workbook holds our customers"])
    sheet = book.create_sheet("Customers")
    sheet.append(["E-mail", "Surname"])
    sheet.append(["ada@example.com", "Lovelace"])
    out = io.BytesIO()
    book.save(out)
    mapping = MAPPING | {"columns": {"E-mail": "Email", "Surname": "Last_Name"}}

    assert office.drop("incoming/a.xlsx", out.getvalue(), mapping) is ImportState.REJECTED
    told = office.world.notices.published[-1].body
    assert 'If the table is in another one, write "sheet": "Customers" in the mapping' in told
    state = office.drop("incoming/b.xlsx", out.getvalue(), mapping | {"sheet": "Customers"})
    assert state is ImportState.COMPLETED


def test_the_totals_of_a_table_and_hidden_rows_are_told(office: Office) -> None:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        columns = [
            {"header": "E-mail", "total_function": "count", "total_value": 2},
            {"header": "Surname"},
        ]
        data = [["ada@example.com", "Lovelace"], ["bob@example.com", "Boole"]]
        sheet.add_table("A1:B4", {"data": data, "columns": columns, "total_row": True})
        sheet.set_row(2, None, None, {"hidden": True})
    mapping = MAPPING | {"columns": {"E-mail": "Email", "Surname": "Last_Name"}}

    assert office.drop("incoming/a.xlsx", out.getvalue(), mapping) is ImportState.COMPLETED
    assert len(office.records) == 2
    told = office.world.notices.published[-1].body
    assert "Row 4 was left out: it is the row of totals of a table in Excel." in told
    assert "Row 3 is hidden in the sheet" in told
    assert "Nothing to do." not in told
