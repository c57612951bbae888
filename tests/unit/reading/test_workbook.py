"""Excel workbooks as numbered rows: what each type of cell becomes, and what is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial

import openpyxl
import pytest
import xlsxwriter

from bigin_import.domain.plan import ValueRule
from bigin_import.errors import DropRejectedError
from bigin_import.reading import workbook
from bigin_import.reading.workbook import WorkbookText, as_file, text_of

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


def read(body: bytes, **how: object) -> tuple[str, WorkbookText]:
    with as_file(io.BytesIO(body), "a.xlsx") as file:
        text = WorkbookText(file, name="a.xlsx", **how)  # type: ignore[arg-type]
        return "".join(text), text


def refused(body: bytes, **how: object) -> str:
    with pytest.raises(DropRejectedError) as caught:
        read(body, **how)
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
        3: "cell B3 shows the error #N/A",
        4: "cell B4 has a formula without a value; open the file in Excel and save it",
    }


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
