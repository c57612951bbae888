#!/usr/bin/env bash
# pylightxl 1.61 reads every text of a workbook that XlsxWriter wrote in constant memory as empty.
#
# With `constant_memory`, which its documentation advises for large files, XlsxWriter 3.3.1 puts
# texts into the cells (`t="inlineStr"`) and not into the shared table. pylightxl knows only the
# table: headers and names are '', numbers stay, and nothing is said. The same rows written without
# the option arrive whole.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" pylightxl==1.61 XlsxWriter==3.3.1
python - <<'PYTHON'
import pylightxl
import xlsxwriter

ROWS = [["Name", "Orders"], ["Ada", 7], ["Bob", 8]]
SEEN = {False: ROWS, True: [["", ""], ["", 7], ["", 8]]}

found = {}
for constant_memory in SEEN:
    with xlsxwriter.Workbook("orders.xlsx", {"constant_memory": constant_memory}) as book:
        sheet = book.add_worksheet("S")
        for number, row in enumerate(ROWS):
            sheet.write_row(number, 0, row)
    found[constant_memory] = list(pylightxl.readxl("orders.xlsx").ws("S").rows)
    print(f"constant_memory={constant_memory!s:6}{found[constant_memory]}")
assert found == SEEN, found
PYTHON
