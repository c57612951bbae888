"""Functions and modules stay small enough to be read at once."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.unit.architecture.packages import MODULES, package_of
from tests.unit.architecture.source import PACKAGE, ROOT, Module

MOST_LINES_OF_A_FUNCTION = 40
MOST_LINES_OF_A_HANDLER = 80
MOST_LINES_OF_CODE = 400
MOST_MODULES_OF_A_PACKAGE = 14


def short(module: Module) -> str:
    return module.short


@pytest.mark.parametrize("module", MODULES.values(), ids=short)
def test_no_function_is_longer_than_a_screen(module: Module) -> None:
    """Signature and docstring counted."""
    lengths = {
        function.name: (function.end_lineno or function.lineno) - function.lineno + 1
        for function in module.functions()
    }

    assert {n: lines for n, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("module", MODULES.values(), ids=short)
def test_no_module_has_more_than_four_hundred_lines_of_code(module: Module) -> None:
    """Docstrings, comments and blank lines not counted."""
    assert module.lines_of_code() <= MOST_LINES_OF_CODE


def test_no_package_has_more_modules_than_a_newcomer_can_look_over() -> None:
    """`__init__` is not counted: it holds a docstring and nothing else."""
    packages = Counter(
        module.path.parent.name
        for module in MODULES.values()
        if module.path.name != "__init__.py" and module.path.parent.name != PACKAGE
    )

    assert {name: n for name, n in packages.items() if n > MOST_MODULES_OF_A_PACKAGE} == {}


@pytest.mark.parametrize("module", [m for m in MODULES.values() if m.path.name == "__init__.py"])
def test_a_package_itself_holds_a_docstring_and_nothing_else(module: Module) -> None:
    assert [type(node).__name__ for node in module.tree.body] == ["Expr"]


@pytest.mark.parametrize(
    "module", [m for m in MODULES.values() if package_of(m) == "functions"], ids=short
)
def test_a_handler_is_one_short_file(module: Module) -> None:
    text = module.path.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= MOST_LINES_OF_A_HANDLER


APPS = sorted((ROOT / "functions").rglob("*.py"))


@pytest.mark.parametrize("path", APPS, ids=lambda path: path.parent.name)
def test_what_a_function_ships_beside_the_layer_only_names_its_handler(path: Path) -> None:
    """
    Lambda replaces code and layer one after the other, so for moments they are of two releases.

    What `app.py` needs must be in the layer of the release before, too: one name.
    """
    _, _, named, _ = ast.parse(path.read_text(encoding="utf-8")).body

    assert path.name == "app.py"
    assert ast.unparse(named) == (
        f"from bigin_import.functions.{path.parent.name} import lambda_handler"
    )


def test_most_functions_are_shorter_than_ten_lines() -> None:
    """The body is meant: from its first statement after the docstring."""
    bodies = [
        (function.end_lineno or 0) - function.body[-1 if len(function.body) == 1 else 1].lineno + 1
        for module in MODULES.values()
        for function in module.functions()
    ]

    assert sum(lines <= 10 for lines in bodies) > 0.8 * len(bodies)
