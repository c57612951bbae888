#!/usr/bin/env bash
# simple-salesforce 1.12.10 changes cells where it splits a CSV for the Bulk API 2.0.
#
# The file is opened with Python's universal newlines, so a CR LF inside of a quoted cell becomes
# LF, also where the job was asked for with CRLF as its line end. It is read as plain UTF-8: the
# byte order mark that Excel writes stays, as the first character of the first column's name, and
# is written into every part, where it names a field that no object has.
# `_split_csv` is what `sf.bulk2.Contact.insert("contacts.csv")` sends.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" simple-salesforce==1.12.10
python - <<'PYTHON'
from simple_salesforce import bulk2

with open("contacts.csv", "w", newline="", encoding="utf-8-sig") as file:
    file.write('Name,Note\r\nAda,"one\r\ntwo"\r\nBob,three\r\n')

parts = bulk2._split_csv(
    filename="contacts.csv", max_records=1, line_ending=bulk2.LineEnding.CRLF
)
found = [text for _, text in parts]
for text in found:
    print(repr(text))
assert found == [
    '\ufeffName,Note\r\nAda,"one\ntwo"\r\n',
    "\ufeffName,Note\r\nBob,three\r\n",
], found
PYTHON
