"""
The report of an import with errors, and its picture for the README.

    python -m tests.samples.report.draw folder [page]

The page may be one that `make demo` has made, as for the picture of the README. Else the import
is made by the real use cases on fakes: 60,000 contacts of people who do not exist, some of whom
Bigin refuses. Chromium takes the picture, if it is installed.
"""

from __future__ import annotations

import csv
import io
import random
import shutil
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

from faker import Faker

from bigin_import.domain.job_request import Field
from tests.fakes.fake_bigin import Verdict
from tests.fakes.harness import Harness
from tests.fakes.refusing_bigin import RefusingBigin

ROWS = 60_000
SEED = 20_261_123
HEADER = ("E-mail", "First name", "Surname", "Phone", "City", "Birthday", "Newsletter")
MAPPING = {
    "module": "Contacts",
    "operation": "upsert",
    "find_by": "Email",
    "field_mappings": [
        {"column": "E-mail", "api_name": "Email"},
        {"column": "First name", "api_name": "First_Name"},
        {"column": "Surname", "api_name": "Last_Name"},
        {"column": "Phone", "api_name": "Phone"},
        {"column": "City", "api_name": "Mailing_City"},
        {"column": "Birthday", "api_name": "Date_of_Birth", "format": "dd.MM.yyyy"},
    ],
}
MORE_FIELDS = (
    Field("Mailing_City", "Mailing City", "text", length=100),
    Field("Date_of_Birth", "Date of Birth", "date"),
)


def contacts(rows: int = ROWS) -> bytes:
    """Return a shop's export: semicolons, a blank line at the end, some cells that are wrong."""
    people = Faker("en_GB")
    people.seed_instance(SEED)
    chance = random.Random(SEED)
    firsts, lasts, towns = (
        [make() for _ in range(300)] for make in (people.first_name, people.last_name, people.city)
    )
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(HEADER)
    for number in range(rows):
        first, last = chance.choice(firsts), chance.choice(lasts)
        mail = f"{first}.{last}{number}@shop.example".lower().replace(" ", "")
        born = f"{chance.randint(1, 28):02}.{chance.randint(1, 12):02}.{chance.randint(1950, 2005)}"
        if number % 3_701 == 40:
            mail = ""
        if number % 97 == 11:
            last = ""
        if number % 2_003 == 88:
            born = "31.02.1980"
        phone = f"+44 20 7946 0{chance.randrange(1000):03}"
        writer.writerow([mail, first, last, phone, chance.choice(towns), born, "yes"])
    return text.getvalue().encode() + b"\r\n"


def judge(row: Sequence[str]) -> Verdict:
    """Refuse, add or update a row that was sent; always the same for the same e-mail."""
    luck = zlib.crc32(row[0].encode()) % 1_000
    if "" in row[:3]:
        return "SKIPPED", "MANDATORY_NOT_FOUND-Last_Name"
    if luck < 13:
        return "SKIPPED", "DUPLICATE_DATA-Phone"
    if luck < 17:
        return "SKIPPED", "INVALID_DATA-Email"
    return ("UPDATED" if luck < 290 else "ADDED"), ""


def harness() -> Harness:
    """Return an application whose Bigin judges rows."""
    made = Harness()
    made.bigin = RefusingBigin(judge)
    made.bigin.module_fields["Contacts"] += MORE_FIELDS
    return made


def report() -> str:
    """Import the contacts and return the report."""
    made = harness()
    made.drop("incoming/shop/mapping.json", MAPPING)
    source = made.drop("incoming/shop/contacts.csv", contacts())
    made.tick(minutes=3)
    return made.result(source, "report.html").decode()


def picture(page: Path, png: Path, *, width: int, height: int) -> None:
    """Let Chromium draw *page*."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise FileNotFoundError("chromium")
    size = f"--window-size={width},{height}"
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size)
    subprocess.run(
        [chromium, *options, f"--screenshot={png}", page.resolve().as_uri()],
        check=True,
        capture_output=True,
    )


if __name__ == "__main__":
    folder, *pages = map(Path, sys.argv[1:])
    drawn = pages[0] if pages else folder / "report.html"
    if not pages:
        drawn.write_text(report(), encoding="utf-8")
    picture(drawn, folder / "report.png", width=1000, height=1075)
