#!/usr/bin/env bash
# sqlite-utils 4.2.1 makes numbers of phone numbers and customer ids when it imports a CSV.
#
# Since version 4 `insert --csv` guesses the type of each column unless it is told not to. A column in
# which every cell is an integer to Python becomes INTEGER, and SQLite then stores +4930123456 without
# its plus, 0301234 without its zero, and 1e5 as 100000.0. One cell that is no number keeps the whole
# column as text, so that the same export is stored whole on one day and not on the next.
# Version 3.39.1 keeps every cell as it is. `--no-detect-types` does so in version 4.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" sqlite-utils==4.2.1
printf '%s\n' 'Id,Phone,Code' '00123,+4930123456,1e5' '00124,0301234,2e3' > people.csv
{ cat people.csv; echo '00125,ext. 7,n/a'; } > with-text.csv

stored() { # stored FILE [OPTION …]: the rows that come back
    rm -f people.db
    environment/bin/sqlite-utils insert people.db people "$1" --csv "${@:2}" 2>/dev/null
    environment/bin/sqlite-utils rows people.db people --arrays
}

seen=$(stored people.csv)
text=$(stored with-text.csv)
kept=$(stored people.csv --no-detect-types)
printf 'guessed:\n%s\none cell is text:\n%s\ntold not to guess:\n%s\n' "$seen" "$text" "$kept"
SEEN="$seen" TEXT="$text" KEPT="$kept" python - <<'PYTHON'
import json
import os

seen, text, kept = (json.loads(os.environ[name]) for name in ("SEEN", "TEXT", "KEPT"))
assert seen == [[123, 4930123456, 100000.0], [124, 301234, 2000.0]], seen
assert text[0] == [123, "+4930123456", "1e5"], text
assert kept == [["00123", "+4930123456", "1e5"], ["00124", "0301234", "2e3"]], kept
PYTHON
