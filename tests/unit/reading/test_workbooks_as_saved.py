"""The same cells as XlsxWriter writes them and as LibreOffice saves them again: what arrives."""

from __future__ import annotations

import io
import shutil
import subprocess
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
import xlsxwriter

from bigin_import import mapping
from bigin_import.reading.workbook import WorkbookText, as_file

# Excel's dates have no zone.
moment = partial(datetime, tzinfo=None)

ARRIVES: dict[str, tuple[object, str, str]] = {
    "text with zeros": ("01067", "@", "01067"),
    "padded number": (1067, "00000", "01067"),
    "postcode with a hyphen": (123456789, "00000\\-0000", "12345-6789"),
    "whole number": (3.0, "0.00", "3"),
    "sum of floats": (0.1 + 0.2, "General", "0.3"),
    "currency": (1234.5, "[$€-407] #,##0.00", "1234.5"),
    "accounting, negative": (-1234.5, "#,##0.00_);(#,##0.00)", "-1234.5"),
    "percent": (0.155, "0.0%", "15.5%"),
    "whole percent": (0.5, "0%", "50%"),
    "number with three decimals": (8.125, "#,##0.00", "8.125"),
    "phone as a number": (491512345678, "General", "491512345678"),
    "sixteen digits": (1234567890123456, "0", "1.23456789012346E+15"),
    "date": (moment(2024, 2, 29), "dd.mm.yyyy", "2024-02-29"),
    "date with a time": (moment(2024, 2, 29, 13, 5), "dd.mm.yyyy hh:mm", "2024-02-29T13:05:00"),
    "time of day": (0.5, "hh:mm", "12:00:00"),
    "duration": (30.5 / 24, "[h]:mm", "30:30:00"),
    "boolean": (True, "General", "TRUE"),
    "text with spaces": (" Ada ", "General", " Ada "),
    "apostrophe of a text": ("'47 Brand", "@", "'47 Brand"),
    "lines": ("two\nlines", "General", "two\nlines"),
    "not a formula": ("=1+1", "@", "=1+1"),
}


def _written(path: Path, *, date_1904: bool) -> None:
    options = {"date_1904": date_1904, "strings_to_formulas": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        for number, (what, (value, number_format, _)) in enumerate(ARRIVES.items()):
            style = book.add_format({"num_format": number_format})
            sheet.write_string(number, 0, what)
            sheet.write(number, 1, value, style)
        below = len(ARRIVES)
        bold = book.add_format({"bold": True})
        sheet.write_string(below, 0, "rich text")
        sheet.write_rich_string(below, 1, "Ada ", bold, "Lovelace")
        sheet.write_string(below + 1, 0, "formula")
        sheet.write_formula(below + 1, 1, "=6*7", None, 42)
        sheet.write_string(below + 2, 0, "error")
        sheet.write_formula(below + 2, 1, "=NA()", None, "#N/A")
        sheet.set_row(0, None, None, {"hidden": True})


def _saved_by_libreoffice(path: Path) -> Path:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice (soffice) is not installed: its workbooks are NOT tested")
    folder = path.parent / "saved"
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(folder)]
    subprocess.run([*command, str(path)], check=True, capture_output=True, timeout=120)
    return folder / path.name


@pytest.mark.parametrize("date_1904", [False, True], ids=["dates of 1900", "dates of 1904"])
@pytest.mark.parametrize("saved_by", ["XlsxWriter", "LibreOffice"])
def test_what_arrives_of_each_kind_of_cell(saved_by: str, date_1904: bool, tmp_path: Path) -> None:
    path = tmp_path / "cells.xlsx"
    _written(path, date_1904=date_1904)
    if saved_by == "LibreOffice":
        path = _saved_by_libreoffice(path)
    with as_file(io.BytesIO(path.read_bytes()), path.name) as file:
        text = WorkbookText(file, name=path.name)
        found = "".join(text)
    expected = {what: arrives for what, (_, _, arrives) in ARRIVES.items()}
    expected |= {"rich text": "Ada Lovelace", "formula": "42", "error": "#N/A"}
    assert found == "".join(f'"{what}","{arrives}"\n' for what, arrives in expected.items())
    assert text.faults.keys() == {len(expected)}
    assert f"cell B{len(expected)} shows the error #N/A" in text.faults[len(expected)]


REFERENCE = Path(mapping.__file__).with_name("README.md")


def test_the_page_on_mappings_tells_what_arrives_of_each_kind_of_cell() -> None:
    table = REFERENCE.read_text(encoding="utf-8").partition("| cell | format in Excel |")[2]
    lines = (line for line in table.partition("\n\n")[0].splitlines()[2:])
    told = [tuple(part.strip(" `") for part in line.strip("|").split(" | ")) for line in lines]

    assert told == [
        (what, number_format, arrives.strip().replace("\n", "\\n"))
        for what, (_, number_format, arrives) in ARRIVES.items()
    ]
