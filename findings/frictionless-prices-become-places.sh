#!/usr/bin/env bash
# frictionless 5.21.0 reads a column of prices with a decimal comma as places on a map, and calls it valid.
#
# Where every cell has the form "1,50", the schema it infers says `geopoint`: a longitude and a
# latitude, [1.0, 50.0]. Reading and validating the file report nothing. With one price above 180
# the same column is `string`, so it depends on the rows that come. Postcodes beside them lose
# their zeros (`01067` is the integer 1067). A schema must be stated for files of this kind.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" frictionless==5.21.0
printf 'postcode,price\n01067,"1,50"\n00501,"12,75"\n' > shop.csv
printf 'postcode,price\n01067,"1,50"\n00501,"199,00"\n' > dearer.csv
python - <<'PYTHON'
from frictionless import Resource, describe, validate


def types(path):
    return {field.name: field.type for field in describe(path).schema.fields}


rows = [(row["postcode"], *row["price"]) for row in Resource("shop.csv").read_rows()]
print("types: ", types("shop.csv"), "and with a price of 199,00:", types("dearer.csv"))
print("rows:  ", rows)
print("valid: ", validate("shop.csv").valid)
assert types("shop.csv") == {"postcode": "integer", "price": "geopoint"}
assert types("dearer.csv") == {"postcode": "integer", "price": "string"}
assert rows == [(1067, 1, 50), (501, 12, 75)]
assert validate("shop.csv").valid
PYTHON
