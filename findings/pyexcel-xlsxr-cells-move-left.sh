#!/usr/bin/env bash
# pyexcel-xlsxr 0.6.2 moves cells into the column on their left, and drops rows.
#
# A workbook stores no cell where nothing stands. The reader fills gaps between cells, but not the one
# before the first: where the name is empty, the city becomes a name. Rows without cells are gone,
# so that row numbers differ from Excel's, XlsxWriter's dates stay serial numbers, and a shared
# string whose words have different fonts is an empty text.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" pyexcel-xlsxr==0.6.2 XlsxWriter==3.3.1
python - <<'PYTHON'
import datetime

import pyexcel_xlsxr
import xlsxwriter

with xlsxwriter.Workbook("people.xlsx") as book:
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet("S")
    sheet.write_row(0, 0, ["Name", "City", "Since"])
    sheet.write(1, 1, "Oslo")
    sheet.write(2, 0, "Bob")
    sheet.write_datetime(2, 2, datetime.datetime(2026, 11, 29), day)
    sheet.write_rich_string(4, 0, "Ada ", bold, "Lovelace")
    sheet.write(4, 1, "London")

found = pyexcel_xlsxr.get_data("people.xlsx")["S"]
for row in found:
    print(row)
SEEN = [["Name", "City", "Since"], ["Oslo"], ["Bob", "", 46355], ["", "London"]]
assert found == SEEN, found
PYTHON
