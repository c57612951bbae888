#!/usr/bin/env bash
# A number that is formatted as a date and too large for one comes out of openpyxl as `#VALUE!`.
#
# Excel shows such a cell as #####, and keeps the number: a phone in a column that somebody has
# formatted as dates. openpyxl 3.1.5 gives the text `#VALUE!` with the data type of an error, which
# the file does not hold, and warns by Python's warnings alone. python-calamine 0.9.1 gives the
# number. Of a negative one openpyxl makes a day before 1900, which Excel does not have, and
# python-calamine midnight.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" openpyxl==3.1.5 python-calamine==0.9.1 XlsxWriter==3.3.1
python - <<'PYTHON'
import warnings

import openpyxl
import python_calamine
import xlsxwriter

NUMBERS = [45000, 4930123456, -5]

with xlsxwriter.Workbook("days.xlsx") as book:
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    book.add_worksheet().write_column(0, 0, NUMBERS, day)

with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    cells = [row[0] for row in openpyxl.load_workbook("days.xlsx").active.rows]
calamine = python_calamine.CalamineWorkbook.from_path("days.xlsx").get_sheet_by_index(0)
found = {
    "openpyxl": [f"{cell.data_type} {cell.value}" for cell in cells],
    "its warnings": [str(each.message).partition(" is marked")[0] for each in warned],
    "python-calamine": [str(row[0]) for row in calamine.to_python()],
}
for reader, values in found.items():
    print(f"{reader:16} {values}")
assert found["openpyxl"] == ["d 2023-03-15 00:00:00", "e #VALUE!", "d 1899-12-25 00:00:00"], found
assert found["its warnings"] == ["Cell A2"], found
assert found["python-calamine"] == ["2023-03-15", "4930123456.0", "00:00:00"], found
PYTHON
