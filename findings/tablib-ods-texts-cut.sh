#!/usr/bin/env bash
# tablib 3.10.0 cuts the texts of an .ods file at the first line end and at the first double space.
#
# A cell of OpenDocument holds a paragraph for each of its lines, and writes several spaces as one
# and an element `text:s`. tablib takes the first piece of text of the first paragraph: of an
# address in two lines one is left, and of "Ada  Lovelace" the first name and a space. LibreOffice
# writes cells in just this way; pyexcel-ods3 0.6.1 and python-calamine 0.9.1 read them whole.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" tablib==3.10.0 odfpy==1.4.1 pyexcel-ods3==0.6.1 python-calamine==0.9.1
python - <<'PYTHON'
import pyexcel_ods3
import python_calamine
import tablib
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P, S

WHOLE = ["Ada  Lovelace", "12 High Street\nLondon"]
SEEN = {"tablib": ["Ada ", "12 High Street"], "pyexcel-ods3": WHOLE, "python-calamine": WHOLE}


def add_cell(row: TableRow, *paragraphs: P) -> None:
    cell = TableCell(valuetype="string")
    for paragraph in paragraphs:
        cell.addElement(paragraph)
    row.addElement(cell)


book, table, header, row = OpenDocumentSpreadsheet(), Table(name="S"), TableRow(), TableRow()
add_cell(header, P(text="Name"))
add_cell(header, P(text="Address"))
name = P(text="Ada ")
name.addElement(S(c=1))
name.addText("Lovelace")
add_cell(row, name)
add_cell(row, P(text="12 High Street"), P(text="London"))
for element in (header, row):
    table.addElement(element)
book.spreadsheet.addElement(table)
book.save("people.ods")

with open("people.ods", "rb") as file:
    cut = list(tablib.Dataset().load(file.read(), format="ods")[0])
sheet = python_calamine.CalamineWorkbook.from_path("people.ods").get_sheet_by_index(0)
found = {
    "tablib": cut,
    "pyexcel-ods3": pyexcel_ods3.get_data("people.ods")["S"][1],
    "python-calamine": sheet.to_python()[1],
}
for reader, texts in found.items():
    print(f"{reader:16} {texts}")
assert found == SEEN, found
PYTHON
