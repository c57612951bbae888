"""What may be typed after `bigin-drop`, and how a command ends that cannot do its work."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from bigin_import.operating import saved_fields
from bigin_import.operating.command_line import main, parser
from bigin_import.operating.saved_fields import SavedModule
from bigin_import.operating.terminal import Exit

(COMMANDS,) = (
    dict(action.choices or {})
    for action in parser()._subparsers._group_actions  # type: ignore[union-attr]
)
COMMON = {"--stack", "--region", "--profile", "--json", "--yes"}


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An account in which nothing is deployed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "people.mapping.json"
    columns = {"Surname": "Last_Name"}
    path.write_text(json.dumps({"module": "Contacts", "operation": "insert", "columns": columns}))
    return path


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_options_that_all_have(name: str) -> None:
    command = COMMANDS[name]

    assert {word for action in command._actions for word in action.option_strings} >= COMMON


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "nobody"), "(nobody) could not be found"),
        (("--region", "Mars North"), "Mars North"),
    ],
)
def test_a_profile_or_region_that_there_is_not_is_refused(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = main(["status", *words])

    shown = capsys.readouterr()
    assert ended == Exit.REFUSED
    assert said in shown.err
    assert shown.err.endswith("See aws configure, --profile and --region.\n")
    assert shown.out == ""


@pytest.mark.parametrize("file", ["gone.csv", "folder.csv"])
def test_a_file_that_cannot_be_read_is_refused_and_named(
    file: str, mapping: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.csv").mkdir()
    path = str(tmp_path / file)

    fields = tmp_path / "Contacts.json"
    saved_fields.save(SavedModule("Contacts"), fields)

    ended = main(["check", path, "--mapping", str(mapping), "--fields", str(fields)])

    assert ended == Exit.REFUSED
    assert capsys.readouterr().err.startswith(f"bigin-drop: {path}: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data-center", "XX"], "invalid choice: 'XX' (choose from "),
        (["--data-center", "EU", "--accounts-url", "http://x.example"], "begin with https://"),
        (["--data-center", "EU", "--api-url", "x.example"], "begin with https://"),
    ],
)
def test_a_place_that_no_secret_may_go_to_is_usage(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["connect", *words])

    assert ended.value.code == Exit.USAGE
    assert said in capsys.readouterr().err


def test_a_data_centre_may_be_typed_in_small_letters() -> None:
    assert parser().parse_args(["connect", "--data-center", "eu"]).data_center == "EU"


def test_the_help_says_how_commands_end(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    told = " ".join(capsys.readouterr().out.split())
    for code in Exit:
        assert f" {code:d} " in told.partition("Exit codes:")[2]


class Interrupting(io.StringIO):
    """A keyboard on which control and C are pressed at the first question."""

    def readline(self, _size: int = -1, /) -> str:  # type: ignore[override]  # as StringIO
        raise KeyboardInterrupt


def test_whoever_interrupts_a_command_sees_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Interrupting())

    ended = main(["connect", "--data-center", "EU"])

    assert ended == 130  # as a shell says of what ^C has ended
    assert capsys.readouterr().err.endswith("Client ID: \n")
