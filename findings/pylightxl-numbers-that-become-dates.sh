#!/usr/bin/env bash
# pylightxl 1.61 reads numbers as dates by the letters of their format, and durations without days.
#
# A number in the format `"Day" 0` (3 is shown as `Day 3`) comes back as the text 1900/01/02, since
# the D of the quoted text counts as a day. A duration of 36 hours in `[h]:mm`, stored as 1.5, comes
# back as 12:00:00: the day is lost. Both are texts, so nothing tells them from cells that were
# texts. openpyxl 3.1.5 gives 3 and a timedelta of one day and a half.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" pylightxl==1.61 XlsxWriter==3.3.1
python - <<'PYTHON'
import pylightxl
import xlsxwriter

CELLS = [(3, "0"), (3, '"Day" 0'), (1.5, "[h]:mm"), (0.5, "[h]:mm")]
SEEN = [3, "1900/01/02", "12:00:00", "12:00:00"]

with xlsxwriter.Workbook("cells.xlsx") as book:
    sheet = book.add_worksheet()
    for row, (number, number_format) in enumerate(CELLS):
        sheet.write_number(row, 0, number, book.add_format({"num_format": number_format}))

read = pylightxl.readxl("cells.xlsx")
found = [row[0] for row in read.ws(read.ws_names[0]).rows]
for (number, number_format), cell in zip(CELLS, found, strict=True):
    print(f"{number} in the format {number_format:8} -> {cell!r}")
assert found == SEEN, found
PYTHON
