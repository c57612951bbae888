"""Excel workbooks as numbered rows: what each type of cell becomes, and what is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from bigin_import.domain.plan import ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.reading import workbook
from bigin_import.reading.workbook import SheetColumns, WorkbookText, as_file, text_of

# Excel's dates have no zone.
moment = partial(datetime, tzinfo=None)

type Fill = Callable[[xlsxwriter.Workbook], None]


def made(fill: Fill) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        fill(book)
    return out.getvalue()


def of_rows(*rows: list[object]) -> bytes:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)

    return made(fill)


def read(
    body: bytes,
    *,
    sheet: str | None = None,
    rules: Mapping[Any, ValueRule] | None = None,
    mapped: Iterable[str | int] | None = None,
    numbers: Iterable[str | int] = (),
) -> tuple[str, WorkbookText]:
    sent = None if mapped is None else frozenset(mapped)
    columns = SheetColumns(rules or {}, sent, frozenset(numbers))
    with as_file(io.BytesIO(body), "a.xlsx") as file:
        text = WorkbookText(file, name="a.xlsx", sheet=sheet, columns=columns)
        return "".join(text), text


def refused(body: bytes, sheet: str | None = None) -> str:
    with pytest.raises(DropRejectedError) as caught:
        read(body, sheet=sheet)
    (problem,) = caught.value.problems
    return f"{problem.what}. {problem.remedy}"


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (7, "General", "7"),
        (3.0, "0.00", "3"),
        (1234.5, '#,##0.00 "€"', "1234.5"),
        (0.1 + 0.2, "General", "0.3"),
        (8.125, "General", "8.125"),
        (1e-7, "General", "0.0000001"),
        (-5, "General", "-5"),
        (999_999_999_999_999, "General", "999999999999999"),
        (12_345_678_901_234_567, "0", "1.23456789012346E+16"),  # digits behind the 15th are lost
        (1067, "00000", "01067"),
        (123_456_789, "00000\\-0000", "12345-6789"),
        (5_550_100, '"0"00\\ 0000000', "000 5550100"),
        (12, '0 "days"', "12"),
        (12, '[Red]#,##0;"d" 0', "12"),
        (0.15, "0%", "15%"),
        (0.155, "0.0%", "15.5%"),
        (True, "General", "TRUE"),
        (False, "General", "FALSE"),
        (moment(2024, 2, 29), "mm-dd-yy", "2024-02-29"),
        (moment(2024, 2, 29), "dd.mm.yyyy hh:mm", "2024-02-29T00:00:00"),
        (moment(2024, 2, 29, 13, 5), "mm-dd-yy", "2024-02-29T13:05:00"),
        (moment(1899, 12, 31), "mm-dd-yy", "1899-12-31"),
        (time(13, 5), "hh:mm", "13:05:00"),
        (timedelta(hours=30, minutes=5), "[h]:mm", "30:05:00"),
        (date(2024, 2, 29), "mm-dd-yy", "2024-02-29"),
    ],
)
def test_a_typed_cell_becomes(value: object, number_format: str, text: str) -> None:
    assert text_of(value, number_format) == text


@pytest.mark.parametrize(
    ("value", "rule", "text"),
    [
        (1234.5, ValueRule(decimal=","), "1234,5"),
        (0.155, ValueRule(decimal=","), "15,5%"),
        (moment(2024, 2, 9), ValueRule(date_format="dd.MM.yyyy"), "09.02.2024"),
        (moment(2024, 2, 9), ValueRule(date_format="d/M/yy"), "9/2/24"),
        (moment(2024, 2, 9), ValueRule(date_format="MMM dd, yyyy"), "Feb 09, 2024"),
        (
            moment(2024, 2, 9, 15, 4, 5),
            ValueRule(date_format="yyyy-MM-dd'T'HH:mm:ss.SSS"),
            "2024-02-09T15:04:05.000",
        ),
        (
            moment(2024, 2, 9, 15, 4),
            ValueRule(date_format="MM/dd/yyyy h:mm a"),
            "02/09/2024 3:04 PM",
        ),
    ],
)
def test_it_is_written_as_the_mapping_says_of_its_column(
    value: object, rule: ValueRule, text: str
) -> None:
    number_format = "0.0%" if value == 0.155 else "General"
    assert text_of(value, number_format, rule) == text


def test_rows_have_the_numbers_of_the_sheet() -> None:
    body = of_rows(["Name", "Note"], ["Ada", 'says "hi"\nand, more'], [], ["Bo"], [], [])
    assert read(body)[0] == '"Name","Note"\n"Ada","says ""hi""\nand, more"\n\n"Bo",""\n'


def test_rules_are_found_by_header_even_below_a_title() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Members"])
        sheet.write_row(2, 0, ["Name", " Since "])
        sheet.write(3, 0, "Ada")
        sheet.write_datetime(3, 1, moment(2024, 2, 9), book.add_format({"num_format": "d.m.yy"}))

    rules = {"Since": ValueRule(date_format="dd/MM/yyyy")}
    assert '"Ada","09/02/2024"' in read(made(fill), rules=rules)[0]


def test_rules_of_a_mapping_by_index() -> None:
    body = of_rows(["Ada", 1.5])
    assert read(body, rules={1: ValueRule(decimal=",")})[0] == '"Ada","1,5"\n'


def test_the_first_sheet_that_is_shown_is_read_and_named() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        hidden = book.add_worksheet("Lists")
        hidden.hide()
        hidden.write(0, 0, "no")
        shown = book.add_worksheet("People")
        shown.activate()
        shown.write(0, 0, "yes")

    text, found = read(made(fill))
    assert (text, found.sheet) == ('"yes"\n', "People")
    assert found.notes == ("Of the workbook only the sheet 'People' was read; it has one other.",)
    assert read(made(fill), sheet="Lists")[0] == '"no"\n'
    assert "it has no sheet 'people'; its sheets are 'Lists', 'People'" in refused(
        made(fill), sheet="people"
    )


def test_errors_and_formulas_without_a_value_stop_their_row() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "Sum"])
        sheet.write(1, 0, "good")
        sheet.write_formula(1, 1, "=1+1", None, 2)
        sheet.write_formula(2, 1, "=NA()", None, "#N/A")
        sheet.write_formula(3, 1, "=1+1", None, "")

    text, found = read(made(fill))
    assert '"good","2"' in text
    assert found.faults == {
        3: "cell B3 shows the error #N/A; to leave it empty, write "
        '"values": {"#N/A": ""} in the mapping',
        4: "cell B4 has a formula without a value; open the file in Excel and save it",
    }


def _with_an_error(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Name", "Other"])
    sheet.write_row(1, 0, ["Ada"])
    sheet.write_formula(1, 1, "=NA()", None, "#N/A")
    sheet.write_row(2, 0, ["Bob"])
    sheet.write_formula(2, 1, "=1+1", None, "")


@pytest.mark.parametrize("mapped", [{"name"}, {0}])
def test_what_is_in_a_column_that_is_not_mapped_stops_no_row(mapped: set[str | int]) -> None:
    assert read(made(_with_an_error), mapped=mapped)[1].faults == {}
    assert read(made(_with_an_error), mapped={*mapped, 1})[1].faults.keys() == {2, 3}


def test_an_error_that_the_mapping_replaces_stops_no_row() -> None:
    rules = {"Other": ValueRule(values=(("#N/A", ""),))}

    assert read(made(_with_an_error), rules=rules)[1].faults.keys() == {3}


def test_columns_are_counted_without_those_of_a_result_file() -> None:
    body = of_rows(["bigin__Row", "Name", "Sum"], ["2", "Ada", 1.5])

    assert '"Ada","1,5"' in read(body, rules={1: ValueRule(decimal=",")})[0]


@pytest.mark.parametrize("name", ["born", " Born", "Bo\u200brn"])
def test_rules_are_found_as_headers_are_compared(name: str) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "Born"])
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        sheet.write_datetime(1, 1, moment(2024, 2, 9), day)

    rules = {name: ValueRule(date_format="dd/MM/yyyy")}
    assert '"09/02/2024"' in read(made(fill), rules=rules)[0]


@pytest.mark.parametrize("cell", ["8.000", "8,000", "€ 8.000", "8.000 EUR"])
def test_a_number_kept_as_a_text_that_can_be_read_in_two_ways_stops_its_row(cell: str) -> None:
    body = of_rows(["Name", "Sum"], ["Ada", cell], ["Bob", 8.125], ["Cid", "1.250,50"])

    faults = read(body, numbers={"Sum"})[1].faults
    assert faults.keys() == {2}
    assert 'write its decimal mark as "decimal" in the mapping' in faults[2]
    assert read(body)[1].faults == {}


def test_rows_that_are_hidden_are_told() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        for number, cell in enumerate(["Name", "Ada", "Bob", "Cid"]):
            sheet.write(number, 0, cell)
        for number in (0, 1, 3, 7):
            sheet.set_row(number, None, None, {"hidden": True})

    text, found = read(made(fill))
    assert text == '"Name"\n"Ada"\n"Bob"\n"Cid"\n'
    (warning,) = found.warnings
    assert warning.startswith("Rows 2, 4 are hidden in the sheet")


def _merged(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet()
    sheet.merge_range("A1:C1", "Customers")
    sheet.write_row(1, 0, ["Name", "City", "Note"])
    sheet.write_row(2, 0, ["Ada"])
    sheet.write_row(3, 0, ["Bob"])
    sheet.merge_range("B3:B4", "Paris")


def test_merged_cells_of_mapped_columns_are_told() -> None:
    (warning,) = read(made(_merged), mapped={"Name", "City"})[1].warnings

    assert warning.startswith("Cells are merged, B3:B4: only the first")
    assert read(made(_merged), mapped={"Name", "Note"})[1].warnings == ()


def test_the_row_of_totals_of_a_table_is_no_record() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        columns = [
            {"header": "Name", "total_function": "count", "total_value": 2},
            {"header": "Sum", "total_function": "average", "total_value": 15},
        ]
        data = [["Ada", 10], ["Bob", 20]]
        sheet.add_table("B3:C6", {"data": data, "columns": columns, "total_row": True})
        sheet.add_table("E1:E3", {"data": [["x"], ["y"]], "columns": [{"header": "Other"}]})

    assert read(made(fill))[1].left_out == {6: "is the row of totals of a table in Excel"}
    assert read(of_rows(["Name"], ["Ada"]))[1].left_out == {}


def test_an_empty_sheet_is_passed_over() -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("Empty")
        book.add_worksheet("Data").write(0, 0, "yes")
        book.add_worksheet("More").write(0, 0, "no")

    text, found = read(made(fill))
    assert (text, found.sheet, found.others) == ('"yes"\n', "Data", ("Empty", "More"))


def test_a_strict_workbook_is_refused_with_the_way_to_save_it() -> None:
    changed = io.BytesIO()
    stored = io.BytesIO(of_rows(["Name"], ["Ada"]))
    usual = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with zipfile.ZipFile(stored) as book, zipfile.ZipFile(changed, "w") as out:
        for entry in book.infolist():
            body = book.read(entry)
            strict = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
            out.writestr(entry, body.replace(usual, strict))

    assert "Strict Open XML Spreadsheet" in refused(changed.getvalue())
    assert "Excel Workbook (.xlsx)" in refused(changed.getvalue())


def test_strings_within_the_cells_and_dates_as_texts_of_iso_8601_are_read() -> None:
    stored = io.BytesIO(of_rows(["Name", "Day"], ["Ada", 1]))
    changed = io.BytesIO()
    with zipfile.ZipFile(stored) as book, zipfile.ZipFile(changed, "w") as out:
        for entry in book.infolist():
            body = book.read(entry).decode()
            body = body.replace('<c r="B2"><v>1</v></c>', '<c r="B2" t="d"><v>2026-02-03</v></c>')
            name = '<c r="A2" t="inlineStr"><is><t>Ada</t></is></c>'
            out.writestr(entry, body.replace('<c r="A2" t="s"><v>2</v></c>', name))

    assert read(changed.getvalue())[0] == '"Name","Day"\n"Ada","2026-02-03"\n'


def test_a_sheet_whose_extent_is_wrong_is_read_to_its_end() -> None:
    changed = io.BytesIO()
    stored = io.BytesIO(of_rows(["a", "b"], [1, 2], [3, 4]))
    with zipfile.ZipFile(stored) as book, zipfile.ZipFile(changed, "w") as out:
        for entry in book.infolist():
            body = book.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                assert b'ref="A1:B3"' in body
                body = body.replace(b'ref="A1:B3"', b'ref="A1:A1"')
            out.writestr(entry, body)
    assert read(changed.getvalue())[0] == '"a","b"\n"1","2"\n"3","4"\n'


def test_characters_that_xml_has_not_are_given_back() -> None:
    assert read(of_rows(["two\rlines"]))[0] == '"two\rlines"\n'


def test_what_openpyxl_writes_is_read_too() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Name", "Born"])
    sheet.append(["Ada", date(2024, 2, 29)])
    out = io.BytesIO()
    book.save(out)
    assert read(out.getvalue())[0] == '"Name","Born"\n"Ada","2024-02-29"\n'


def _ole(*names: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"".join(
        name.encode("utf-16-le") for name in names
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (_ole("Root Entry", "Workbook"), "it is an old Excel workbook (.xls)"),
        (_ole("Root Entry", "EncryptedPackage"), "the workbook has a password"),
        (b"Name,Note\nAda,1\n", "it is no Excel workbook"),
        (b"", "it is no Excel workbook"),
    ],
)
def test_what_is_no_workbook_is_said(body: bytes, said: str) -> None:
    assert said in refused(body)


def test_a_container_of_something_else_is_said() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as container:
        container.writestr("word/document.xml", "<a/>")
    assert "the workbook is broken and cannot be read" in refused(out.getvalue())


def test_the_limits_are_measured_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    body = of_rows(["a", "b"], [1, 2], [3, 4])
    monkeypatch.setattr(workbook, "MOST_CELLS", 5)
    assert "its sheet 'Sheet1' has more than 5 cells" in refused(body)
    monkeypatch.setattr(workbook, "MOST_UNPACKED_BYTES", 100)
    assert "it unpacks to more than 100 bytes" in refused(body)
    monkeypatch.setattr(workbook, "MOST_STORED_BYTES", 100)
    assert "the workbook has more than 100 bytes" in refused(body)
