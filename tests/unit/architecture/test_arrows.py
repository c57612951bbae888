"""Who may import whom, read off the source."""

from __future__ import annotations

import ast
import sys
from graphlib import TopologicalSorter

import pytest

from tests.unit.architecture.packages import ARROWS, MODULES, package_of
from tests.unit.architecture.source import Module

# Third-party package -> packages that may import it.
PACKAGES = {
    "pydantic": {
        "errors",
        "mapping",
        "corrections",
        "importing",
        "settling",
        "stored_plan",
        "aws",
        "functions",
    },
    "pydantic_core": {"mapping"},
    "isal": {"reading", "splitting", "row_results"},
    "jinja2": {"report"},
    "openpyxl": {"reading"},
    "defusedxml": {"reading"},
    "requests": {"bigin", "operating"},
    "rich": {"operating"},
    "urllib3": {"bigin"},
    "boto3": {"aws", "wiring", "container", "operating"},
    "botocore": {"aws", "container", "operating"},
    "aws_lambda_powertools": {"functions", "container", "aws"},
}


def named(name: str) -> Module:
    return MODULES[name]


@pytest.mark.parametrize("name", MODULES)
def test_arrows_between_rooms_point_one_way(name: str) -> None:
    module = named(name)
    allowed = ARROWS[package_of(module)] | {package_of(module)}

    wrong = {other: package_of(named(other)) for other in module.own_imports}
    assert {other: package for other, package in wrong.items() if package not in allowed} == {}


@pytest.mark.parametrize("name", MODULES)
def test_a_library_is_used_only_in_its_packages(name: str) -> None:
    module = named(name)

    foreign = module.foreign_imports - sys.stdlib_module_names
    package = package_of(module)
    assert {each for each in foreign if package not in PACKAGES.get(each, set())} == set()


@pytest.mark.parametrize("name", MODULES)
def test_nothing_imports_a_handler(name: str) -> None:
    assert "functions" not in named(name).foreign_imports


def test_of_the_adapters_only_telemetry_knows_powertools() -> None:
    users = [
        module.short
        for module in MODULES.values()
        if package_of(module) == "aws" and "aws_lambda_powertools" in module.foreign_imports
    ]

    assert users == ["aws.telemetry"]


def test_of_the_adapters_handlers_use_only_readers_of_events() -> None:
    used = {
        other
        for module in MODULES.values()
        if package_of(module) == "functions"
        for other in module.own_imports
        if package_of(named(other)) == "aws"
    }

    assert used == {"bigin_import.aws.events", "bigin_import.aws.queue"}


def test_the_index_of_all_imports_is_read_for_people_and_nothing_decides_by_it() -> None:
    """It lags behind, and what was closed before it was there is not in it."""
    readers = {
        module.short
        for module in MODULES.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "find_listed"
    }

    shown, told = {"settling.write_overview", "operating.look"}, {"settling.waiting"}
    assert readers == shown | told


def test_there_are_no_cycles() -> None:
    graph = {name: set(module.own_imports) - {name} for name, module in MODULES.items()}

    order = list(TopologicalSorter(graph).static_order())  # raises CycleError, with the cycle

    assert set(order) == set(MODULES)


def test_every_module_is_in_a_room_and_every_room_has_somebody_in_it() -> None:
    assert {package_of(module) for module in MODULES.values()} == set(ARROWS)


def test_arrows_point_downwards_only() -> None:
    """Each package may look only at those that stand above it in the table."""
    order = list(ARROWS)
    upwards = {
        package: [other for other in others if order.index(other) >= order.index(package)]
        for package, others in ARROWS.items()
    }

    assert {package: others for package, others in upwards.items() if others} == {}


def test_imports_are_really_found() -> None:
    importer = named("bigin_import.importing.importer")

    assert {"bigin_import.object_keys", "bigin_import.ports"} < importer.own_imports
    assert "mypy_boto3_s3" not in named("bigin_import.aws.files").foreign_imports
    assert "boto3" in named("bigin_import.container").foreign_imports


def test_all_imports_are_absolute() -> None:
    """So that the reading above misses none."""
    for module in MODULES.values():
        for node in ast.walk(module.tree):
            assert not (isinstance(node, ast.ImportFrom) and node.level), module.name
