"""Use cases and pure packages get time, chance and threads through ports, or not at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.unit.architecture.packages import GUARDED_PACKAGES, MODULES, package_of
from tests.unit.architecture.source import Module

# Whoever imports one of these can see or do what the simulation does not own.
BANNED_MODULES = frozenset(
    {
        *("time", "datetime", "sched", "signal"),
        *("random", "secrets", "uuid"),
        *("threading", "_thread", "concurrent", "multiprocessing", "asyncio", "queue"),
        *("os", "platform", "getpass", "locale", "socket", "subprocess", "importlib", "logging"),
    }
)
# `hash` of a str differs from process to process.
BANNED_CALLS = frozenset({"open", "input", "print", "hash", "id", "eval", "exec", "__import__"})
BANNED_ATTRIBUTES = frozenset({"now", "today", "utcnow"})

# What of a banned module is a function of its arguments alone, and who uses it.
PURE_USES = {
    ("object_keys", "time"): {"strftime", "gmtime"},
    ("domain.listing", "time"): {"strftime", "gmtime"},
    ("report.summary", "time"): {"strftime", "gmtime"},
    # Made of the numbers in a cell, or of a time that is given.
    ("splitting.dates", "datetime"): {"fromtimestamp"},
    ("reading.workbook", "datetime"): set(),
    # The type of a time that Bigin names.
    ("ports", "datetime"): set(),
    # Of times that Bigin names, in zones of its own.
    ("undoing.changes", "datetime"): {"fromisoformat", "fromtimestamp"},
}
# Hashes that are compared with hashes of the same call, and go nowhere else.
PURE_CALLS = {"row_results.join": {"hash"}}
GUARDED = [m for m in MODULES.values() if package_of(m) in GUARDED_PACKAGES]


def short(module: Module) -> str:
    return module.short


@pytest.mark.parametrize("module", GUARDED, ids=short)
def test_no_module_is_imported_that_knows_the_time_or_the_machine(module: Module) -> None:
    banned = module.foreign_imports & BANNED_MODULES

    assert {each for each in banned if (module.short, each) not in PURE_USES} == set()


@pytest.mark.parametrize("module", GUARDED, ids=short)
def test_no_built_in_is_called_whose_answer_is_not_given_by_its_arguments(module: Module) -> None:
    banned = BANNED_CALLS & set(_calls(module))

    assert banned == PURE_CALLS.get(module.short, set())


@pytest.mark.parametrize(("name", "library"), PURE_USES)
def test_of_time_only_what_a_number_decides_is_used(name: str, library: str) -> None:
    module = MODULES[f"bigin_import.{name}"]

    assert library in module.foreign_imports
    assert set(_attributes_of(module, library)) == PURE_USES[name, library]


@pytest.mark.parametrize("module", GUARDED, ids=short)
def test_nobody_asks_a_class_for_the_time(module: Module) -> None:
    """`clock.now()` is the port; `datetime.now()` would be the machine."""
    asked = [
        ast.unparse(node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in BANNED_ATTRIBUTES
    ]

    assert [text for text in asked if not text.endswith("clock.now")] == []


def test_the_environment_is_read_by_the_handlers_only() -> None:
    readers = {
        module.name
        for module in MODULES.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    }

    handlers = {"import_csv", "job_callback", "settle_jobs"}
    assert readers == {f"bigin_import.functions.{name}" for name in handlers}


def _calls(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id=name)):
                yield name


def _attributes_of(module: Module, library: str) -> Iterator[str]:
    """Yield the attributes used of a module, or of the class of the same name."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name == library:
                yield attribute
