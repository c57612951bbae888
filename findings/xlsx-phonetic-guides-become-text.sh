#!/usr/bin/env bash
# Four readers of Excel files hand out the reading aid of a Japanese name as part of the name.
#
# Excel keeps what was typed to get a kanji beside the text, as a phonetic run (`rPh` in the shared
# or inline string); every name typed on a Japanese keyboard has one, and no cell shows it. sxl
# 0.0.1a10 and xlsx-streamer 0.1.0 append it to the text, xlsx2csv 0.8.6 does so only where the
# string stands in the cell, and pyexcel-xlsxr 0.6.2 gives the aid instead of an inline text.
# openpyxl 3.1.5 and python-calamine 0.9.1 leave it out, as Excel's own CSV does.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" openpyxl==3.1.5 python-calamine==0.9.1 pyexcel-xlsxr==0.6.2 sxl==0.0.1a10 \
  xlsx2csv==0.8.6 xlsx-streamer==0.1.0 XlsxWriter==3.3.1
python - <<'PYTHON'
import io
import logging
import zipfile

import openpyxl
import pyexcel_xlsxr
import python_calamine
import sxl
import xlsx2csv
import xlsx_streamer
import xlsxwriter

logging.disable()
CITY, AID = "東京", "トウキョウ"
SHARED, INLINE = "shared.xlsx", "inline.xlsx"
SEEN = {  # reader: the cell as a shared string, and as an inline one
    "openpyxl": (CITY, CITY),
    "python-calamine": (CITY, CITY),
    "pyexcel-xlsxr": (CITY, AID),
    "sxl": (CITY + AID, CITY),
    "xlsx2csv": (CITY, CITY + AID),
    "xlsx-streamer": (CITY + AID, CITY + AID),
}


def write(name: str, *, in_cells: bool) -> None:
    """XlsxWriter writes no phonetic runs: they are put behind the text as Excel writes them."""
    plain = io.BytesIO()
    with xlsxwriter.Workbook(plain, {"constant_memory": in_cells}) as book:
        book.add_worksheet("S").write(0, 0, CITY)
    text = f"<t>{CITY}</t>"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(name, "w") as new:
        for member in old.namelist():
            xml = old.read(member).decode()
            new.writestr(member, xml.replace(text, f'{text}<rPh sb="0" eb="2"><t>{AID}</t></rPh>'))


def convert(name: str) -> str:
    out = io.StringIO()
    xlsx2csv.Xlsx2csv(name).convert(out)
    return out.getvalue().strip()


READERS = {
    "openpyxl": lambda name: openpyxl.load_workbook(name).active["A1"].value,
    "python-calamine": lambda name: (
        python_calamine.CalamineWorkbook.from_path(name).get_sheet_by_index(0).to_python()[0][0]
    ),
    "pyexcel-xlsxr": lambda name: pyexcel_xlsxr.get_data(name)["S"][0][0],
    "sxl": lambda name: next(iter(sxl.Workbook(name).sheets[1].rows))[0],
    "xlsx2csv": convert,
    "xlsx-streamer": lambda name: next(iter(xlsx_streamer.XLSXReader(name).stream_rows()))[0],
}
write(SHARED, in_cells=False)
write(INLINE, in_cells=True)
found = {reader: (read(SHARED), read(INLINE)) for reader, read in READERS.items()}
for reader, (shared, inline) in found.items():
    print(f"{reader:16} shared: {shared}  inline: {inline}")
assert found == SEEN, found
PYTHON
