"""Every command that a page, a notice or an alarm names is one that there is."""

from __future__ import annotations

import re
import shlex

import pytest

from bigin_import.operating.command_line import parser
from tests.unit.architecture.source import LAYER, PACKAGE, ROOT

PAGES = (*ROOT.glob("*.md"), *ROOT.glob(".github/*.md"), *ROOT.glob("tests/**/*.md"))
SOURCES = (*PAGES, ROOT / "template.yaml", *(LAYER / PACKAGE).rglob("*.py"))
NAMED = re.compile(r"(?:`|\")bigin-drop\s([a-z][a-z-]*)")
LINE = re.compile(r"^bigin-drop (.+?)(?: +#.*)?$", re.MULTILINE)
TARGET = re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)


def commands() -> set[str]:
    return {name for path in SOURCES for name in NAMED.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("command", sorted(commands()))
def test_a_command_that_is_named_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([command, "--help"])

    assert ended.value.code == 0, capsys.readouterr().err


@pytest.mark.parametrize("line", LINE.findall((ROOT / "README.md").read_text(encoding="utf-8")))
def test_a_line_of_the_readme_can_be_typed_as_it_stands(line: str) -> None:
    assert parser().parse_args(shlex.split(line)).command


def test_every_target_that_a_page_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for page in PAGES for name in TARGET.findall(page.read_text(encoding="utf-8"))}

    assert named
    assert named - targets == set()
