#!/usr/bin/env bash
# xlsx2csv 0.8.6 writes a number's own format instead of the number, if the format has a d in a text.
#
# Excel's format `#,##0 "days"` shows 12 as `12 days`: what stands in quotes is text. xlsx2csv looks
# for date letters in the whole format, takes the d of "days" for a day, and writes `#,##0 "11ays"`:
# the number is gone, and the command ends with status 0. A text without date letters ("kg") does no
# harm. openpyxl 3.1.5 gives 12 for all of these cells.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" xlsx2csv==0.8.6 XlsxWriter==3.3.1
python - <<'PYTHON'
import csv
import subprocess

import xlsxwriter

SEEN = {"0": "12", '#,##0 "kg"': "12", '#,##0 "days"': '#,##0 "11ays"', '"Day" 0': '"11ay" 0'}

with xlsxwriter.Workbook("numbers.xlsx") as book:
    sheet = book.add_worksheet()
    for row, number_format in enumerate(SEEN):
        sheet.write_number(row, 0, 12, book.add_format({"num_format": number_format}))

subprocess.run(["environment/bin/xlsx2csv", "numbers.xlsx", "numbers.csv"], check=True)
with open("numbers.csv", newline="") as file:
    found = dict(zip(SEEN, (row[0] for row in csv.reader(file)), strict=True))
for number_format, cell in found.items():
    print(f"12 in the format {number_format:14} -> {cell}")
assert found == SEEN, found
PYTHON
