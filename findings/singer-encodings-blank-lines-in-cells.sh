#!/usr/bin/env bash
# singer-encodings 0.6.1, which taps for files read CSV with, removes blank lines inside cells.
#
# Each line is stripped of line ends on its left before it reaches Python's csv module, to get rid
# of NUL characters and empty rows; an address or a note with a blank line between two paragraphs
# loses it, though it is quoted. With `with_duplicate_headers` another reader is used, which keeps
# the line: the same file, two texts.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" singer-encodings==0.6.1
python - <<'PYTHON'
from singer_encodings.csv import get_row_iterator

NOTE = "first paragraph\n\nsecond paragraph"
LINES = f'id,note\n1,"{NOTE}"\n'.encode().splitlines(keepends=True)
SEEN = {False: NOTE.replace("\n\n", "\n"), True: NOTE}

found = {}
for duplicates in SEEN:
    (row,) = get_row_iterator(iter(LINES), with_duplicate_headers=duplicates)
    found[duplicates] = row["note"]
    print(f"with_duplicate_headers={duplicates!s:6}{row['note']!r}")
assert found == SEEN, found
PYTHON
