#!/usr/bin/env bash
# python-calamine 0.9.1 gives an error cell (#N/A, #REF!) as an empty text, as if nothing stood there.
#
# In a CSV that Excel saves, such a cell is `#N/A`, and openpyxl 3.1.5 gives that text. With
# calamine nothing tells a failed lookup from a cell that a person left empty, so an importer that
# reads with it erases or skips values without a word.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" openpyxl==3.1.5 python-calamine==0.9.1 XlsxWriter==3.3.1
python - <<'PYTHON'
import openpyxl
import python_calamine
import xlsxwriter

with xlsxwriter.Workbook("errors.xlsx") as book:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["empty", "", "end"])
    for row, error in enumerate(["#N/A", "#REF!"], start=1):
        sheet.write_string(row, 0, error)
        sheet.write_formula(row, 1, "=NA()", None, error)
        sheet.write_string(row, 2, "end")

sheet = python_calamine.CalamineWorkbook.from_path("errors.xlsx").get_sheet_by_index(0)
found = [row[1] for row in sheet.to_python()]
book = openpyxl.load_workbook("errors.xlsx", data_only=True)
others = [row[1].value for row in book.active.rows]
print("python-calamine", found)
print("openpyxl       ", others)
assert found == ["", "", ""], found
assert others == [None, "#N/A", "#REF!"], others
PYTHON
