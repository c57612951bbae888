"""Files as businesses have them, and keys as people write them, arrive whole."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from datetime import date

import openpyxl
import pytest

from bigin_import.domain.states import ImportState
from tests.e2e.desk import CONTACTS, PLANTED, Desk, as_csv, as_json
from tests.e2e.seen_bigin import SeenBigin

WITH_NOTE = CONTACTS | {
    "columns": {"E-mail": "Email", "Surname": "Last_Name", "Note": "Description"}
}


@pytest.mark.parametrize(
    "name",
    [
        "two words.csv",
        "a+b (1).csv",
        "Kund*innen Zürich 東京.CSV",
        "100% & more=less?.csv",
        "tab-as-%09.csv",
    ],
)
def test_a_key_is_taken_as_it_was_written(desk: Desk, bigin: SeenBigin, name: str) -> None:
    source = desk.drop(name, desk.contacts(), CONTACTS)

    record = desk.closed(source)

    assert record.state is ImportState.COMPLETED
    assert sorted(bigin.emails_at(desk.name)) == desk.emails()
    assert desk.facts(record)["file"] == source.key
    assert source.key in desk.notice(record).body


def test_quoted_newlines_and_quotes_arrive_in_bigin_as_they_were(
    desk: Desk, bigin: SeenBigin
) -> None:
    note = 'first line\nsecond, "quoted" line\n\nlast'
    rows = [[email, PLANTED, note] for email in desk.emails()]

    source = desk.drop("notes.csv", as_csv([["E-mail", "Surname", "Note"], *rows]), WITH_NOTE)

    assert desk.closed(source).state is ImportState.COMPLETED
    found = [bigin.records(Email=email) for email in desk.emails()]
    assert [[record["Description"] for record in records] for records in found] == [[note]] * 3


def test_a_packed_windows_1252_file_with_semicolons_arrives(desk: Desk, bigin: SeenBigin) -> None:
    (email,) = desk.emails(1)
    text = f"sep=;\r\nE-mail;Surname;Note\r\n{email};{PLANTED} Núñez;50 €\r\n"
    mapping = WITH_NOTE | {"character_encoding": "windows-1252"}

    source = desk.drop("export.csv.gz", gzip.compress(text.encode("cp1252")), mapping)

    assert desk.closed(source).state is ImportState.COMPLETED
    (record,) = bigin.records(Email=email)
    assert (record["Last_Name"], record["Description"]) == (f"{PLANTED} Núñez", "50 €")


@pytest.mark.parametrize("by_folder", [True, False], ids=["by folder", "by mapping"])
def test_a_dry_run_sends_nothing(desk: Desk, bigin: SeenBigin, by_folder: bool) -> None:
    desk.put("people.mapping.json", as_json(CONTACTS | {"dry_run": not by_folder}))
    folder = "incoming/_check" if by_folder else "incoming"

    source = desk.put_at(f"{folder}/{desk.name}/people.csv", desk.contacts())

    record = desk.closed(source)
    assert record.state is ImportState.DRY_RUN
    assert bigin.sent_for(record.import_id) == []
    assert desk.notice(record).body.startswith("Nothing was sent. people.csv was only checked.\n")
    assert desk.result(record, "report.html")
    assert bigin.emails_at(desk.name) == {}


def test_a_workbook_arrives_and_what_failed_comes_back_as_one(desk: Desk, bigin: SeenBigin) -> None:
    header = ["E-mail", "Surname", "Birthday"]
    mapping = CONTACTS | {
        "columns": {"E-mail": "Email", "Surname": "Last_Name", "Birthday": "Date_of_Birth"}
    }
    good = [[email, PLANTED, date(1990, 12, 10)] for email in desk.emails(11)]
    wrong = ["no address", PLANTED, date(1990, 12, 11)]

    record = desk.closed(desk.drop("people.xlsx", _workbook(header, *good, wrong), mapping))

    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    (first,) = bigin.records(Email=desk.emails()[0])
    assert first["Date_of_Birth"] == "1990-12-10"
    failed = desk.result(record, "failed.csv").decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(failed, newline=""))
    (email,) = desk.emails(1, first=50)
    corrected = {**row, "E-mail": email, "bigin__Row": 13, "Birthday": date(1990, 12, 11)}
    fixed = desk.closed(
        desk.put("fixed.xlsx", _workbook(list(corrected), list(corrected.values())))
    )
    assert fixed.state is ImportState.COMPLETED
    (record_of_it,) = bigin.records(Email=email)
    assert record_of_it["Date_of_Birth"] == "1990-12-11"


def _workbook(*rows: Sequence[object]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(list(row))
    book.save(out)
    return out.getvalue()
