"""
The product's own failed.csv, opened and saved by LibreOffice, comes back as it was.

Skipped where there is no LibreOffice: Debian's libreoffice-calc.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from tests.fakes.harness import Harness
from tests.fakes.refusing_bigin import RefusingBigin

SOFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(
    SOFFICE is None, reason="LibreOffice is not installed: nothing is proven of spreadsheets"
)

HEADER = ["E-mail", "Surname", "Phone", "Born", "Zip", "Card", "Sum", "Code", "Note"]
NAMES = ["Müller", "Čapek", "Ñandú", "O'Brien", "Weiß", "Łukasz"]
CODES = ["1E5", "1/2", "9:05", "=1+1", "1,234", "Jan-26", "A7"]
FIELDS = (
    Field("Phone", "Phone", "phone", length=30),
    Field("Date_of_Birth", "Birthday", "date"),
    Field("Mailing_Zip", "Zip", "text", length=30),
    Field("Card", "Card", "text", length=30),
    Field("Revenue", "Revenue", "currency"),
    Field("Code", "Code", "text", length=30),
    Field("Title", "Title", "text", length=100),
)
# In what LibreOffice opens: separator, quote, UTF-8, first row, language, all quoted are texts,
# special numbers are detected. In what it saves: separator, quote, windows-1252, first row.
DETECTING = "CSV:44,34,76,1,,{language},false,true"
IN_1252 = "csv:Text - txt - csv (StarCalc):44,34,1,1"
ENGLISH, GERMAN = 1033, 1031
AS_IT_DOES = ("--convert-to", "csv")


def saved_in_1252(language: int) -> tuple[str, ...]:
    return (f"--infilter={DETECTING.format(language=language)}", "--convert-to", IN_1252)


def opened_and_saved(body: bytes, folder: Path, how: Sequence[str]) -> bytes:
    """Let LibreOffice open a CSV and save it as CSV."""
    (folder / "failed.csv").write_bytes(body)
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    assert SOFFICE is not None
    saved = folder / "saved"
    subprocess.run(
        [SOFFICE, "--headless", profile, *how, "--outdir", saved, folder / "failed.csv"],
        check=True,
        capture_output=True,
        timeout=180,
    )
    return (saved / "failed.csv").read_bytes()


class Desk:
    """An application whose Bigin has refused every e-mail address of a drop."""

    def __init__(self, dates: Sequence[str], date_format: str) -> None:
        self.harness = Harness()
        self.bigin = RefusingBigin(lambda _: ("SKIPPED", "INVALID_DATA-Email"))
        self.bigin.module_fields["Contacts"] += FIELDS
        self.harness.bigin = self.bigin
        api_names = ["Email", "Last_Name", *(field.api_name for field in FIELDS)]
        entries: list[dict[str, str]] = [
            {"column": name, "api_name": api_name}
            for name, api_name in zip(HEADER, api_names, strict=True)
        ]
        entries[3]["format"] = date_format
        entries[6]["decimal"] = "."
        mapping = {"module": "Contacts", "operation": "insert", "field_mappings": entries}
        self.harness.drop("incoming/c.mapping.json", mapping)
        text = io.StringIO(newline="")
        csv.writer(text).writerows([HEADER, *map(self._row, range(14), [*dates] * 7)])
        self.source = self.harness.drop("incoming/c.csv", text.getvalue().encode())
        self.harness.tick(minutes=2)
        self.sent = self.bigin.records()

    def _row(self, number: int, date: str) -> list[str]:
        return [
            f"p{number}@example.com",
            NAMES[number % len(NAMES)],
            f"+4930123456{number:02}",
            date,
            f"010{number:02}",
            f"1234567890123456{number:02}",
            f"{number}.50",
            CODES[number % len(CODES)],
            "first\r\nsecond" if number % 2 else "",
        ]

    def corrected(self) -> bytes:
        """Return the failed file with every address corrected, as its reasons ask for."""
        failed = self.harness.result(self.source, "c.failed.csv")
        return failed.replace(b"@example.com", b"@example.org")

    def drop(self, body: bytes) -> ObjectVersion:
        self.bigin.judge = lambda _: ("ADDED", "")
        again = self.harness.drop("incoming/again.csv", body)
        self.harness.tick(minutes=2)
        return again

    @property
    def added(self) -> list[list[str]]:
        return self.bigin.records()[len(self.sent) :]


@pytest.mark.parametrize(
    ("how", "dates", "date_format"),
    [
        (AS_IT_DOES, ["2020-11-28", "2021-01-02"], "yyyy-MM-dd"),
        (saved_in_1252(GERMAN), ["28.11.2020", "02.01.2021"], "dd.MM.yyyy"),
        (saved_in_1252(ENGLISH), ["11/28/2020", "01/02/2021"], "MM/dd/yyyy"),
    ],
    ids=["as it does by itself", "German, in windows-1252", "English, in windows-1252"],
)
def test_what_libreoffice_rewrote_is_restored_and_the_correction_is_sent(
    how: Sequence[str], dates: list[str], date_format: str, tmp_path: Path
) -> None:
    desk = Desk(dates, date_format)
    corrected = desk.corrected()
    saved = opened_and_saved(corrected, tmp_path, how)
    assert saved != corrected

    again = desk.drop(saved)

    facts = json.loads(desk.harness.result(again, "import.json"))
    assert desk.harness.import_of(again).state is ImportState.COMPLETED, facts
    assert desk.added == [[cell.replace(".com", ".org") for cell in row] for row in desk.sent]
    assert "that the spreadsheet had rewritten were restored: " in "\n".join(facts["notes"])


def test_windows_1252_is_asked_about_where_no_unchanged_cell_proves_it(tmp_path: Path) -> None:
    desk = Desk(["2020-11-28"], "yyyy-MM-dd")
    corrected = desk.corrected().decode("utf-8-sig")
    for name in NAMES:  # so all that is left beyond ASCII is what the person wrote
        corrected = corrected.replace(name, "Ødegård")
    saved = opened_and_saved(corrected.encode("utf-8-sig"), tmp_path, saved_in_1252(ENGLISH))

    again = desk.drop(saved)

    assert desk.harness.import_of(again).state is ImportState.REJECTED
    assert "the file is not UTF-8, and nothing says what it is" in (
        desk.harness.notices.published[-1].body
    )
    assert desk.added == []
