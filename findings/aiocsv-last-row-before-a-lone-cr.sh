#!/usr/bin/env bash
# aiocsv 1.4.1 drops the last row of a file that ends with a lone carriage return.
#
# Excel for Mac's "CSV (Macintosh)" ends its lines so. Where the file ends behind the CR, the reader
# still waits for the LF that might follow, and the row that it holds is never given: no error, one
# row less, and of a file of one row nothing. Python's csv module, whose answers it promises, reads
# the row; so does aiocsv without the last line end, or with LF.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" aiocsv==1.4.1
python - <<'PYTHON'
import asyncio
import csv
import io

import aiocsv

ROWS = [["name"], ["Ada"], ["Bob"]]
SEEN = {
    "name\nAda\nBob\n": ROWS,
    "name\r\nAda\r\nBob\r\n": ROWS,
    "name\rAda\rBob": ROWS,
    "name\rAda\rBob\r": ROWS[:2],
    "name\r": [],
}


class File:
    def __init__(self, text: str) -> None:
        self.text = io.StringIO(text, newline="")

    async def read(self, size: int = -1) -> str:
        return self.text.read(size)


async def read(text: str) -> list[list[str]]:
    return [row async for row in aiocsv.AsyncReader(File(text))]


found = {text: asyncio.run(read(text)) for text in SEEN}
for text, rows in found.items():
    print(f"{text!r:24} csv {list(csv.reader(io.StringIO(text, newline='')))}  aiocsv {rows}")
assert found == SEEN, found
PYTHON
