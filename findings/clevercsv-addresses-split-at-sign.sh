#!/usr/bin/env bash
# clevercsv 0.8.5 splits a list of e-mail addresses at the @, and a list of names at the space.
#
# It picks the delimiter that makes the most regular table, and one column is the least regular of
# all: a mailing list of one column comes out as names and hosts, in two columns under a header of
# one. With a second column (the last file) the comma wins and the addresses stay whole.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" clevercsv==0.8.5
python - <<'PYTHON'
from pathlib import Path

import clevercsv

FILES = {
    "addresses": ["Email", "ada@example.com", "bob@mail.example.org", "eve.stone@example.net"],
    "names": ["Name", "Ada Lovelace", "Bob Ray", "Eve Stone"],
    "both": ["Email,Team", "ada@example.com,Sales", "bob@mail.example.org,Ops", "eve.stone@example.net,Ops"],
}
SEEN = {
    "addresses": [["Email"], ["ada", "example.com"], ["bob", "mail.example.org"], ["eve.stone", "example.net"]],
    "names": [["Name"], ["Ada", "Lovelace"], ["Bob", "Ray"], ["Eve", "Stone"]],
    "both": [line.split(",") for line in FILES["both"]],
}

found = {}
for name, lines in FILES.items():
    Path(name).write_text("\n".join(lines) + "\n")
    found[name] = clevercsv.read_table(name)
    print(f"{name:10} {found[name]}")
assert found == SEEN, found
PYTHON
