"""Who may import whom, read off the source."""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter

import pytest

from tests.unit.architecture.rooms import MODULES, ROOMS, USE_CASES, room_of
from tests.unit.architecture.source import Module

# Room -> rooms that it may import from, its own always included.
ARROWS = {
    "package": set[str](),
    "words": set[str](),
    "ports": {"words"},
    "settings": {"words"},
    "pure": {"words"},
    USE_CASES: {"words", "ports", "pure"},
    "runtime": {"words"},
    "bigin": {"words", "ports", "settings"},
    "aws": {"words", "ports"},
    "assembly": {
        *("words", "ports", "settings", "pure", USE_CASES),
        *("runtime", "bigin", "aws"),
    },
    # Handlers parse: an S3 event, a queue message, a signature, a decision's word.
    "handlers": {"words", "settings", "pure", USE_CASES, "assembly", "aws"},
}

# Third-party package -> rooms that may import it.
PACKAGES = {
    "pydantic": {"pure", USE_CASES, "aws", "handlers"},
    "pydantic_core": {"pure"},
    "isal": {"pure"},
    "jinja2": {"pure"},
    "requests": {"bigin"},
    "urllib3": {"bigin"},
    "boto3": {"aws", "assembly"},
    "botocore": {"aws", "assembly"},
    "aws_lambda_powertools": {"handlers", "assembly", "aws"},
}


def named(name: str) -> Module:
    return MODULES[name]


@pytest.mark.parametrize("name", MODULES)
def test_arrows_between_rooms_point_one_way(name: str) -> None:
    module = named(name)
    allowed = ARROWS[room_of(module)] | {room_of(module)}

    wrong = {other: room_of(named(other)) for other in module.own_imports}
    assert {other: room for other, room in wrong.items() if room not in allowed} == {}


@pytest.mark.parametrize("name", MODULES)
def test_a_library_is_used_only_in_its_rooms(name: str) -> None:
    module = named(name)

    foreign = module.foreign_imports - sys.stdlib_module_names
    assert {each for each in foreign if room_of(module) not in PACKAGES.get(each, set())} == set()


@pytest.mark.parametrize("name", MODULES)
def test_nothing_imports_a_handler(name: str) -> None:
    assert "functions" not in named(name).foreign_imports


def test_of_the_adapters_only_telemetry_knows_powertools() -> None:
    users = [
        module.short
        for module in MODULES.values()
        if room_of(module) == "aws" and "aws_lambda_powertools" in module.foreign_imports
    ]

    assert users == ["aws.telemetry"]


def test_of_the_adapters_handlers_use_only_readers_of_events() -> None:
    used = {
        other
        for module in MODULES.values()
        if room_of(module) == "handlers"
        for other in module.own_imports
        if room_of(named(other)) == "aws"
    }

    assert used == {"bigin_import.aws.events", "bigin_import.aws.queue"}


def test_there_are_no_cycles() -> None:
    graph = {name: set(module.own_imports) - {name} for name, module in MODULES.items()}

    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, with the cycle

    assert set(order) == set(MODULES)


def test_every_room_has_somebody_in_it() -> None:
    """A table with a misspelt module would let that module be anything."""
    assert {room_of(module) for module in MODULES.values()} == set(ARROWS)
    names = {f"{module.short}." for module in MODULES.values()}
    assert all(any(name.startswith(f"{room}.") for name in names) for room in ROOMS if room)


def test_imports_are_really_found() -> None:
    importer = named("bigin_import.importing.importer")

    assert {"bigin_import.places", "bigin_import.ports"} < importer.own_imports
    assert "mypy_boto3_s3" not in named("bigin_import.aws.files").foreign_imports
    assert "boto3" in named("bigin_import.assembly.sandbox").foreign_imports


def test_all_imports_are_absolute() -> None:
    """So that the reading above misses none."""
    for module in MODULES.values():
        for node in ast.walk(module.tree):
            assert not (isinstance(node, ast.ImportFrom) and node.level), module.name
