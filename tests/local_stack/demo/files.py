"""What the demo drops: a real list of companies, and contacts made for the purpose."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faker import Faker

from tests.local_stack.workspace import ROOT

CONTACTS = 60_000
SEED = 20_261_123
COMPANIES_CSV = ROOT / "tests" / "samples" / "sp500-companies.csv"
COMPANIES_MAPPING = {
    "module": "Accounts",
    "operation": "upsert",
    "find_by": "Account_Name",
    "field_mappings": [
        {"column": "Security", "api_name": "Account_Name"},
        {"column": "Symbol", "api_name": "Ticker_Symbol"},
        {"column": "GICS Sector", "api_name": "Industry"},
        {"column": "GICS Sub-Industry", "api_name": "Sub_Industry"},
        {"column": "Headquarters Location", "api_name": "Headquarters"},
        {"column": "Date added", "api_name": "Index_Member_Since", "format": "yyyy-MM-dd"},
        {"column": "Founded", "api_name": "Founded"},
    ],
}
CONTACTS_MAPPING = {
    "module": "Contacts",
    "operation": "insert",
    "find_by": "Email",
    "columns": {
        "E-mail": "Email",
        "First name": "First_Name",
        "Surname": "Last_Name",
        "Phone": "Phone",
        "City": "Mailing_City",
    },
}


@dataclass(frozen=True, slots=True)
class DemoFile:
    """
    One CSV with its mapping, which a person may have written wrongly: nothing here reads it.

    Attributes:
        name: The key below `incoming/`.
        mapping: Its bytes; empty if the file needs none.
        key_field: Field whose values must be in Bigin afterwards, exactly *expected*; None if
            nobody knows beforehand.
    """

    name: str
    body: bytes
    mapping: bytes
    key_field: str | None = None
    expected: frozenset[str] = frozenset()


def own(csv_file: Path, mapping_file: Path | None) -> DemoFile:
    """Return the file that the command line names; its mapping may lie beside it."""
    beside = mapping_file or csv_file.with_suffix(".mapping.json")
    return DemoFile(csv_file.name, csv_file.read_bytes(), beside.read_bytes())


def companies() -> DemoFile:
    """Return the companies of the S&P 500, real data with quoted commas and accents."""
    body = COMPANIES_CSV.read_bytes()
    rows = csv.DictReader(io.StringIO(body.decode(), newline=""))
    return DemoFile(
        "companies.csv",
        body,
        json.dumps(COMPANIES_MAPPING, indent=2).encode(),
        key_field="Account_Name",
        expected=frozenset(row["Security"] for row in rows),
    )


def contacts() -> DemoFile:
    """
    Return 60,000 contacts, the same every time; some of them Bigin must refuse.

    All of them are expected in the end: what is refused at first is corrected.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["Customer", "E-mail", "First name", "Surname", "Phone", "City", "Note"])
    writer.writerows(_contact_rows())
    return DemoFile(
        "contacts.csv",
        text.getvalue().encode(),
        json.dumps(CONTACTS_MAPPING, indent=2).encode(),
        key_field="Email",
        expected=frozenset(map(_address, range(1, CONTACTS + 1))),
    )


def corrected(failed: bytes) -> DemoFile:
    """Return the failed contacts as a person corrects them; their mapping is known."""
    rows = list(csv.DictReader(io.StringIO(failed.decode("utf-8-sig"), newline="")))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    for row in rows:
        address = row["E-mail"].replace(" at ", "@")
        writer.writerow({**row, "E-mail": address, "Surname": row["Surname"] or "Miller"})
    return DemoFile("corrected/contacts.failed.csv", text.getvalue().encode(), b"")


def _address(number: int) -> str:
    return f"customer{number}@example.com"


def _contact_rows() -> Iterator[list[str]]:
    """Yield rows; without a surname, or with no address for an e-mail, Bigin takes none."""
    fake = Faker(["en_GB", "de_DE", "fr_FR"])
    fake.seed_instance(SEED)
    firsts = [fake.first_name() for _ in range(400)]
    lasts = [fake.last_name() for _ in range(800)]
    cities = [fake.city() for _ in range(200)]
    choose = random.Random(SEED)
    for number in range(1, CONTACTS + 1):
        first, last = choose.choice(firsts), choose.choice(lasts)
        email = _address(number)
        if number % 997 == 0:
            last = ""
        elif number % 1_499 == 0:
            email = f"customer{number} at example.com"
        phone = f"+44 20 7946 {choose.randrange(10_000):04d}"
        note = choose.choice(["", "", 'calls it "urgent"', "prefers e-mail, not phone"])
        yield [str(number), email, first, last, phone, choose.choice(cities), note]
