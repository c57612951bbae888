#!/usr/bin/env bash
# A workbook saved as "Strict Open XML Spreadsheet" has no sheets for openpyxl, and no error.
#
# Excel offers that type under Save As: the same parts, in the namespaces of ISO/IEC 29500 Strict.
# openpyxl 3.1.5 opens it and finds no sheet, so that a loop over the sheets does nothing; only a
# Python warning speaks of something else. python-calamine 0.9.1 reads the cells.
# The file is made by giving one of XlsxWriter the strict namespaces; it has nothing else of them.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" openpyxl==3.1.5 python-calamine==0.9.1 XlsxWriter==3.3.1
python - <<'PYTHON'
import warnings
import zipfile

import openpyxl
import python_calamine
import xlsxwriter

USUAL = "http://schemas.openxmlformats.org/"
STRICT = {
    USUAL + "spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
    USUAL + "officeDocument/2006/": "http://purl.oclc.org/ooxml/officeDocument/",
}

with xlsxwriter.Workbook("usual.xlsx") as book:
    book.add_worksheet("People").write_row(0, 0, ["Ada", 1])
with zipfile.ZipFile("usual.xlsx") as usual, zipfile.ZipFile("strict.xlsx", "w") as strict:
    for entry in usual.infolist():
        text = usual.read(entry).decode()
        for name, other in STRICT.items():
            text = text.replace(name, other)
        strict.writestr(entry.filename, text.replace("<workbook ", '<workbook conformance="strict" '))

with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    opened = openpyxl.load_workbook("strict.xlsx", read_only=True)
    found = {"openpyxl": [sheet.title for sheet in opened.worksheets]}
calamine = python_calamine.CalamineWorkbook.from_path("strict.xlsx")
found["python-calamine"] = calamine.sheet_names
cells = calamine.get_sheet_by_index(0).to_python()
for reader, sheets in found.items():
    print(f"{reader:16} {sheets}")
print(f"{'its cells':16} {cells}")
print(f"{'warnings':16} {[str(each.message) for each in warned]}")
assert found == {"openpyxl": [], "python-calamine": ["People"]}, found
assert cells == [["Ada", 1.0]], cells
PYTHON
