#!/usr/bin/env bash
# A line end (CR LF) that XlsxWriter writes into a cell comes out of openpyxl as `_x000D_` and LF.
#
# OOXML writes characters that XML would change as `_xHHHH_`, and XlsxWriter 3.3.1 does so for CR.
# openpyxl 3.1.5 undoes the escape of the escape (`_x005F_`) and no other, so the seven characters
# `_x000D_` stand in the text. pylightxl 1.61 does the same, and leaves `_x005F_` as well;
# python-calamine 0.9.1 undoes both. Whoever reads cells with openpyxl has to undo the escapes.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" openpyxl==3.1.5 pylightxl==1.61 python-calamine==0.9.1 XlsxWriter==3.3.1
python - <<'PYTHON'
import openpyxl
import pylightxl
import python_calamine
import xlsxwriter

TEXTS = ["one\r\ntwo", "_x0041_"]
SEEN = {
    "openpyxl": ["one_x000D_\ntwo", "_x0041_"],
    "pylightxl": ["one_x000D_\ntwo", "_x005F_x0041_"],
    "python-calamine": TEXTS,
}

with xlsxwriter.Workbook("texts.xlsx") as book:
    book.add_worksheet().write_column(0, 0, TEXTS)

light = pylightxl.readxl("texts.xlsx")
calamine = python_calamine.CalamineWorkbook.from_path("texts.xlsx").get_sheet_by_index(0)
found = {
    "openpyxl": [row[0].value for row in openpyxl.load_workbook("texts.xlsx").active.rows],
    "pylightxl": [row[0] for row in light.ws(light.ws_names[0]).rows],
    "python-calamine": [row[0] for row in calamine.to_python()],
}
for reader, texts in found.items():
    print(f"{reader:16} {texts}")
assert found == SEEN, found
PYTHON
