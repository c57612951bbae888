"""`bigin-drop check`: a file and its mapping are checked here, without any network."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from bigin_import.domain.job_request import Field
from bigin_import.operating import saved_fields
from bigin_import.operating.check import check_file
from bigin_import.operating.saved_fields import SavedModule
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal

FIELDS = (
    Field("Email", "Email", "email", unique=True),
    Field("Last_Name", "Last Name", "text", length=80, mandatory=True),
)
MAPPING = {
    "module": "Contacts",
    "operation": "insert",
    "columns": {"E-mail": "Email", "Surname": "Last_Name"},
}


@dataclass
class Folder:
    """A file, its mapping, and fields that were saved before; no stack can be reached."""

    path: Path

    def check(self, *, fields: bool = True) -> tuple[Exit, str]:
        out = io.StringIO()
        ended = check_file(
            Stack("none", boto3.session.Session(region_name="eu-central-1")),
            Terminal(out, out, None),
            self.path / "people.csv",
            mapping=self.path / "people.mapping.json",
            fields=self.path / "Contacts.json" if fields else None,
        )
        return ended, out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "people.csv").write_text("E-mail,Surname,Note\na@example.com,Ada,x\nno,X,y\n")
    (tmp_path / "people.mapping.json").write_text(json.dumps(MAPPING))
    saved_fields.save(SavedModule("Contacts", FIELDS), tmp_path / "Contacts.json")
    return Folder(tmp_path)


def test_a_row_that_bigin_would_refuse_is_named(folder: Folder) -> None:
    ended, said = folder.check()

    assert ended is Exit.FINDINGS
    assert "people.csv: 1 of 2 rows would be sent in 1 jobs, for 500 credits." in said
    assert "row 3: " in said
    assert "Not mapped, stays here: Note." in said
    assert "Nothing was sent." in said


def test_a_good_file_ends_well(folder: Folder) -> None:
    (folder.path / "people.csv").write_text("E-mail,Surname\na@example.com,Ada\n")

    ended, said = folder.check()

    assert ended is Exit.GOOD
    assert "1 of 1 row would be sent" in said


def test_everything_that_is_wrong_is_told_at_once(folder: Folder) -> None:
    wrong = {**MAPPING, "columns": {"E-mail": "Emial", "Surname": "Last_Name", "Age": "Age"}}
    (folder.path / "people.mapping.json").write_text(json.dumps(wrong))

    ended, said = folder.check()

    assert ended is Exit.FINDINGS
    assert "people.csv would not be imported" in said
    assert "Emial" in said
    assert '"Age"' in said


def test_without_saved_fields_it_is_said_that_nothing_was_compared(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder.path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    _, said = folder.check(fields=False)

    assert "Not compared with Bigin's fields" in said


def test_what_holds_no_fields_is_refused_without_showing_it(folder: Folder) -> None:
    (folder.path / "Contacts.json").write_text('{"module": 3, "fields": "PLANTED"}')

    with pytest.raises(CommandRefusedError) as refused:
        folder.check()

    assert "does not hold the fields" in str(refused.value)
    assert "PLANTED" not in str(refused.value)
