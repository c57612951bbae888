#!/usr/bin/env bash
# csv-diff 1.2 says nothing of rows that are missing where several share a key.
#
# It keeps one row for each value of --key, the last one, and says of no other that it was there: of
# a list in which two people share an address, one of them may be gone from the second file, or
# changed, and the two files are told to be equal, exit code 0. Without --key the row is reported.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" csv-diff==1.2
printf '%s\n' 'Email,Name' 'info@example.com,Ada' 'info@example.com,Grace' > before.csv
printf '%s\n' 'Email,Name' 'info@example.com,Grace' > after.csv

by_key=$(environment/bin/csv-diff before.csv after.csv --key Email)
by_row=$(environment/bin/csv-diff before.csv after.csv)
printf 'by key: "%s"\nby row: %s\n' "$by_key" "$by_row"
[ -z "$by_key" ]
grep -q '1 row removed' <<<"$by_row"
