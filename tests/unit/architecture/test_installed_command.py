"""`uv tool install .`: what it installs is all that the command imports, and the command starts."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import EntryPoint
from typing import Any

from bigin_import.operating.command_line import main
from tests.unit.architecture.packages import MODULES
from tests.unit.architecture.source import LAYER, PACKAGE, ROOT

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# Imported by another name, or of a package that another one brings along.
DISTRIBUTIONS = {"botocore": "boto3", "urllib3": "requests", "pydantic_core": "pydantic"}
ONLY_IN_LAMBDA = {"aws-lambda-powertools"}


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w-]", each, maxsplit=1)[0].casefold() for each in requirements}


def reached() -> set[str]:
    """Return what the command imports from other packages, at once or later."""
    waiting, seen = [f"{PACKAGE}.__main__"], set[str]()
    while waiting:
        if (name := waiting.pop()) not in seen:
            seen.add(name)
            waiting += MODULES[name].own_imports
    foreign = {each for name in seen for each in MODULES[name].foreign_imports}
    return {DISTRIBUTIONS.get(each, each) for each in foreign}


def test_all_that_the_command_imports_is_installed_with_it() -> None:
    installed = names([*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["rich"]])

    imported = names(sorted(reached() - sys.stdlib_module_names))

    assert "openpyxl" in imported  # a workbook is opened late, and by few commands
    assert imported - installed == set()


def test_the_command_reads_files_with_what_the_functions_read_them_with() -> None:
    lines = (LAYER / "requirements.in").read_text("utf-8").splitlines()
    layer = names([line for line in lines if not line.startswith("#")])

    assert layer - ONLY_IN_LAMBDA == names(PROJECT["dependencies"]) - {"boto3"}


def test_what_only_a_terminal_shows_is_not_in_the_layer() -> None:
    lines = (LAYER / "requirements.txt").read_text("utf-8").splitlines()
    locked = names([line for line in lines if re.match(r"\w", line)])

    assert "isal" in locked
    assert locked.isdisjoint(PROJECT["optional-dependencies"]["rich"])


def test_the_script_that_is_installed_starts_the_command() -> None:
    ((name, value),) = PROJECT["scripts"].items()

    assert name == "bigin-drop"
    assert EntryPoint(name, value, "console_scripts").load() is main
