#!/usr/bin/env bash
# exceljs 4.4.0 makes months of days, and numbers of phone numbers, when it reads a CSV.
#
# Of a column of dates written day-month-year, 03-04-2024 becomes the 4th of March and 25-04-2024
# stays text, so that one column holds both. +4930123456 loses its plus, 00123 its zeros, and an id
# such as 0x1F becomes 31: whatever JavaScript takes for a number is one, in every column, and there
# is no option per column; `map` replaces all of it with a function of one's own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit exceljs@4.4.0 > installed.txt 2>&1
cat > read.js <<'JS'
const assert = require("node:assert");
const { Readable } = require("node:stream");
const { Workbook } = require("exceljs");

const CSV = "Born,Phone,Id\n03-04-2024,+4930123456,00123\n25-04-2024,0301234,0x1F\n";
const plain = (cell) =>
  cell instanceof Date ? `${cell.getMonth() + 1}/${cell.getDate()}` : cell;

(async () => {
  const sheet = await new Workbook().csv.read(Readable.from([CSV]));
  const rows = [2, 3].map((at) => sheet.getRow(at).values.slice(1).map(plain));
  console.log(rows);
  assert.deepStrictEqual(rows, [
    ["3/4", 4930123456, 123],
    ["25-04-2024", 301234, 31],
  ]);
})();
JS
node read.js
