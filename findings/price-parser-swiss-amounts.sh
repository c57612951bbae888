#!/usr/bin/env bash
# price-parser 0.5.1 reads 1’250.50 as 1: the thousand is lost with the apostrophe that Excel writes.
#
# Windows' and macOS' Swiss formats separate thousands with U+2019. price-parser knows the straight
# apostrophe only and takes what stands before the other for the whole amount. Nor does it keep a
# sign or accounting brackets, and 0.250 (a quarter) becomes 250, since three digits behind a mark
# are thousands to it even behind a zero. No error in any of these: right for a shop's page, from
# which it is meant to read, wrong for a column of amounts.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" price-parser==0.5.1
python - <<'PYTHON'
from price_parser import Price

SEEN = {
    "1'250.50": "1250.50",
    "1\u2019250.50": "1",
    "CHF 12\u2019000.\u2013": "12",
    "0.250": "250",
    "-5.00": "5.00",
    "(5.00)": "5.00",
}
found = {text: str(Price.fromstring(text).amount) for text in SEEN}
for text, amount in found.items():
    print(f"{text:14} -> {amount}")
assert found == SEEN, found
PYTHON
