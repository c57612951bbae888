#!/usr/bin/env bash
# csvkit 2.2.0 (agate 1.14.2) makes a price a hundred times larger, without a word.
#
# Its types are guessed by default, and its numbers are read the American way whatever the file:
# the decimal comma of "1,50" is dropped as a separator of thousands, in any place and any number
# ("1,2,3" is 123), and "1.250,50" becomes 1.2505. So a file of a European shop passes csvjson,
# csvsort or csvsql with exit 0, no message, and other amounts. The same guess turns a column of
# the country code NO into false. `--no-inference` (or `--locale` for the numbers) must be asked for.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" csvkit==2.2.0 agate==1.14.2 babel==2.19.0
printf 'price,list price,country\n"1,50","1.250,50",NO\n"12,5","2.000,75",NO\n' > shop.csv
found=$(environment/bin/csvjson shop.csv 2>&1)
kept=$(environment/bin/csvjson --no-inference shop.csv)
cat shop.csv
echo "csvjson:                $found"
echo "csvjson --no-inference: $kept"
python - "$found" "$kept" <<'PYTHON'
import json
import sys

found, kept = (json.loads(text) for text in sys.argv[1:])
assert found == [
    {"price": 150.0, "list price": 1.2505, "country": False},
    {"price": 125.0, "list price": 2.00075, "country": False},
], found
assert kept[0] == {"price": "1,50", "list price": "1.250,50", "country": "NO"}, kept
PYTHON
