"""A drop for each class of mistake: nothing is sent, and the notice names every problem."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bigin_import.domain.states import ImportState
from tests.e2e.desk import CONTACTS, PLANTED, Desk, as_csv
from tests.e2e.seen_bigin import SeenBigin

SAMPLES = Path(__file__).parents[1] / "samples" / "mappings"
WRONG_MAPPING = (SAMPLES / "wrong-in-many-ways.mapping.json").read_bytes()
WRONG_MAPPING_PROBLEMS = (SAMPLES / "wrong-in-many-ways.problems.txt").read_text()
HEADER = ["E-mail", "Surname"]
ROW = [f"{PLANTED}@mistakes.example", PLANTED]
GOOD = as_csv([HEADER, ROW])


@dataclass(frozen=True, slots=True)
class Mistake:
    """
    A wrong drop.

    Attributes:
        said: What the notice must say, each in one of its lines; `{}` stands for the drop's key.
        name: Of the file, if that is what is wrong.
    """

    body: bytes
    said: tuple[str, ...]
    mapping: Mapping[str, object] | bytes = field(default_factory=lambda: CONTACTS)
    name: str = "drop.csv"


def with_column(header: str, api_name: str) -> dict[str, object]:
    columns = {"E-mail": "Email", "Surname": "Last_Name", header: api_name}
    return CONTACTS | {"columns": columns}


def of_ids(*ids: str) -> bytes:
    return as_csv([["Record", *HEADER], *([each, *ROW] for each in ids)])


BY_ID = with_column("Record", "id") | {"operation": "update", "find_by": "id"}
MANY = {f"Column {number}": f"Field_{number}" for number in range(1, 200)}
MISTAKES: dict[str, Mistake] = {
    "mapping not json": Mistake(
        GOOD,
        ("drop.mapping.json, line 1, column 23: a key in double quotes is expected here",),
        b'{"module": "Contacts",',
    ),
    "mapping wrong in many ways": Mistake(
        GOOD,
        tuple(line.partition(", ")[2] for line in WRONG_MAPPING_PROBLEMS.splitlines()),
        WRONG_MAPPING,
    ),
    "columns that the file lacks": Mistake(
        GOOD,
        (
            'line 5, columns["E-Mial"]: {} has no column "E-Mial". Did you mean "E-mail"?',
            'line 7, columns["Phone no"]: {} has no column "Phone no". Its columns are: E-mail, S',
        ),
        CONTACTS | {"columns": {"E-Mial": "Email", "Surname": "Last_Name", "Phone no": "Phone"}},
    ),
    "fields that Bigin lacks": Mistake(
        as_csv([[*HEADER, "Company"], [*ROW, PLANTED]]),
        (
            'line 5, columns["E-mail"]: Contacts has no field "Mail". Did you mean "Email"?',
            'line 6, columns["Surname"]: Full_Name ("Full Name") is read-only in Bigin',
            'columns["Company"]: Contacts has no field "Company". Did you mean "Account_Name"?',
            'Last_Name ("Last Name") is mandatory in Contacts, and nothing fills it',
        ),
        CONTACTS | {"columns": {"E-mail": "Mail", "Surname": "Full_Name", "Company": "Company"}},
    ),
    "a module that Bigin lacks": Mistake(
        GOOD,
        (
            "drop.mapping.json, module: Bigin does not know the module 'Kontakte' (INVALID_MODUL",
            "Correct the module in the mapping: Contacts, Accounts (companies), Pipelines (deals)",
        ),
        CONTACTS | {"module": "Kontakte"},
    ),
    "more than 200 fields": Mistake(
        as_csv([[*HEADER, *MANY], [*ROW, *MANY]]),
        (
            "drop.mapping.json: 201 fields are mapped; Bigin takes 200 at most. Leave out columns",
            'columns["Column 1"]: Contacts has no field "Field_1". Write the API name of a field ',
            "more in the report",
        ),
        CONTACTS | {"columns": {"E-mail": "Email", "Surname": "Last_Name", **MANY}},
    ),
    "a column that is there twice": Mistake(
        as_csv([[*HEADER, "e-mail "], [*ROW, PLANTED]]),
        ('line 5, columns["E-Mail"]: "E-Mail" fits columns 1 and 3 of {} alike. Rename one in t',),
        CONTACTS | {"columns": {"E-Mail": "Email", "Surname": "Last_Name"}},
    ),
    "all at once": Mistake(
        as_csv([HEADER, ROW, ["a@b.example", "Nu\xf1ez"]]).decode().encode("cp1252"),
        (
            'line 4, column 3, ignore_emtpy: "ignore_emtpy" is not a known key. Did you mean "ign',
            'line 6, columns["E-Mial"]: {} has no column "E-Mial". Did you mean "E-mail"?',
            'line 7, columns["Surname"]: Full_Name ("Full Name") is read-only in Bigin',
            'drop.mapping.json: Last_Name ("Last Name") is mandatory in Contacts, and nothing fil',
            "{}: the file is not UTF-8, and nothing says what it is",
        ),
        {
            "module": "Contacts",
            "operation": "insert",
            "ignore_emtpy": True,
            "columns": {"E-Mial": "Email", "Surname": "Full_Name"},
        },
    ),
    "key not mapped": Mistake(
        GOOD,
        (
            "drop.mapping.json, find_by: find_by is Customer_Number, but nothing fills Customer_N",
            "Map a column to Customer_Number, or use another find_by",
        ),
        CONTACTS | {"operation": "upsert", "find_by": "Customer_Number"},
    ),
    "dates without a format": Mistake(
        as_csv([[*HEADER, "Born"], [*ROW, "31.01.1970"], [*ROW, "02.03.1970"]]),
        (
            'drop.mapping.json, line 7, columns["Born"]: "Born" goes into the date field Date_of_',
            "but nothing says how the file writes dates. Write ",
            '"format": "dd.MM.yyyy"',
        ),
        with_column("Born", "Date_of_Birth"),
    ),
    "no value fits": Mistake(
        as_csv([[*HEADER, "Visits"], [*ROW, PLANTED], [*ROW, "often"]]),
        ('{}, column "Visits": none of 2 values fits the field Visits (integer)',),
        with_column("Visits", "Visits"),
    ),
    "ids as powers of ten": Mistake(
        of_ids("1.11111E+17", "1.11111E+17"),
        (
            '{}, column "Record": 2 ids are in scientific notation (1.11E+17). A spreadsheet keeps',
            "export the file again and do not save it from a spreadsheet, or read the column as t",
        ),
        BY_ID,
    ),
    "ids that were rounded": Mistake(
        of_ids("111111000000541000", "111111000000542000"),
        ('{}, column "Record": most ids of 18 or 19 digits end in 000: they were rounded. A spr',),
        BY_ID,
    ),
    "keys twice": Mistake(
        as_csv([HEADER, ROW, ROW]),
        ('{}, column "E-mail": 1 rows have the key of an earlier row; see row 2, 3',),
        CONTACTS | {"operation": "upsert", "find_by": "Email", "duplicate_keys": "reject"},
    ),
    "empty": Mistake(b"", ("{}: the file is empty. Export the data again",)),
    "header only": Mistake(as_csv([HEADER]), ("{}: there is a header and no row below it",)),
    "a title above the header": Mistake(
        as_csv([[f"Customers of {PLANTED}"], [], HEADER, ROW, ROW]),
        ("{}, row 1: the first row is not the header: the table seems to begin in row 3. Delet",),
    ),
    "too many cells": Mistake(
        as_csv([HEADER, ROW, [*ROW, "more"], ROW, [*ROW, "", "yet more"]]),
        (
            "{}: 2 of 4 rows cannot be sent; up to ten rows or 1%, but no more than a ",
            "but no more than a quarter of them, are left out, more stop the drop",
            "{}, row 3: it has 3 cells, the header has 2",
            "{}, row 5: it has 4 cells, the header has 2",
        ),
    ),
    "an open quote": Mistake(
        GOOD + b'"a@b.example,' + GOOD * 3, ("{}, row 3: a quote in this row is never closed",)
    ),
    "quotes behind backslashes": Mistake(
        GOOD + b'a@b.example,"the \\"%s\\" one"\r\n' % PLANTED.encode(),
        ("{}: quotes inside cells are escaped with a backslash, which is not CSV. Export it ag",),
    ),
    "encoding not said": Mistake(
        as_csv([HEADER, ROW]) + "a@b.example,Nu\xf1ez\r\n".encode("cp1252"),
        (
            "{}: the file is not UTF-8, and nothing says what it is",
            '"character_encoding": "windows-1252"',
        ),
    ),
    "UTF-16 without its mark": Mistake(
        GOOD.decode().encode("utf-16-le"),
        (
            "{}: it is full of NUL bytes: UTF-16 without a byte order mark, or no text at all",
            'add "character_encoding": "utf-16-le" or "utf-16-be" to the mapping',
        ),
    ),
    "half of a gzip file": Mistake(
        gzip.compress(GOOD)[:-9],
        ("{}: it is named .gz but is not a whole gzip file. Pack it again and drop it again",),
        name="drop.csv.gz",
    ),
    "an image": Mistake(
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)), ("{}: this is a picture, not a CSV",)
    ),
    "a workbook called csv": Mistake(
        b"PK\x03\x04" + bytes(200),
        ("{}: this is an Excel workbook or another zip archive, not a CSV. If it is a workbook,",),
    ),
    "a web page called csv": Mistake(
        b"<!DOCTYPE html><html><body>503</body></html>",
        ("{}: this is a web page, perhaps an error page of the program that exported it",),
    ),
    "a broken workbook": Mistake(
        b"PK\x03\x04",
        ("{}: it is no Excel workbook, whatever its name says. Open it in Excel",),
        name="contacts.xlsx",
    ),
    "an old workbook": Mistake(
        b"x",
        ("{}: it is neither a CSV, nor an Excel workbook, nor a mapping. In Excel choose",),
        name="contacts.xls",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_nothing_is_sent_and_the_notice_names_every_problem(
    mistake: Mistake, desk: Desk, bigin: SeenBigin
) -> None:
    source = desk.drop(mistake.name, mistake.body, mistake.mapping)

    record = desk.closed(source)

    assert record.state is ImportState.REJECTED
    assert bigin.sent_for(record.import_id) == []
    said = desk.notice(record).body
    missing = [line for line in mistake.said if line.replace("{}", source.key) not in said]
    assert missing == [], said
    assert PLANTED not in said
