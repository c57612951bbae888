"""Importing a module does nothing: no environment, no client, no connection."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

from bigin_import.aws.telemetry import SIGNALS
from tests.unit.architecture.packages import MODULES, package_of
from tests.unit.architecture.source import LAYER, ROOT, Module

IMPORT_ALL = """
import importlib, json, os, socket, sys
assert not [name for name in os.environ if name != "LC_CTYPE"], dict(os.environ)
paths, names = json.load(sys.stdin)
sys.path[:0] = paths
import boto3

def refuse(*_, **__):
    raise AssertionError("a client was made, or a connection")

boto3.client = boto3.resource = boto3.Session.client = boto3.Session.resource = refuse
socket.socket.connect = refuse
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def test_every_module_can_be_imported_with_an_empty_environment_and_makes_no_client() -> None:
    given = json.dumps([[str(ROOT), str(LAYER)], list(MODULES)])

    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        input=given,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout == f"{len(MODULES)}\n"


def test_a_tick_starts_without_what_makes_plans_of_mappings() -> None:
    code = "import sys, bigin_import.settling.tick; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(LAYER)},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = set(done.stdout.split())
    assert "bigin_import.settling.tick" in loaded
    assert not loaded & {
        f"bigin_import.mapping.{name}" for name in ("keys", "model", "column_plan")
    }


def test_each_settings_class_is_read_by_exactly_one_function() -> None:
    settings = MODULES["bigin_import.settings"]
    named = [node.name for node in settings.tree.body if isinstance(node, ast.ClassDef)]
    classes = {name for name in named if not name.startswith("_")}
    handlers = [module for module in MODULES.values() if package_of(module) == "functions"]

    readers = Counter(name for handler in handlers for name in _read_from_env(handler))

    assert readers == Counter(classes - {"BiginSettings"})  # that is a part of the others
    assert all(len(set(_read_from_env(handler))) <= 1 for handler in handlers)


def test_every_event_that_is_measured_is_seen_somewhere() -> None:
    """An alarm on an event that nobody reports would never ring."""
    seen = {event for module in MODULES.values() for event in _seen_events(module)}
    measured = {event for event, signal in SIGNALS.items() if signal.gauges}

    assert measured - seen == set()


def _read_from_env(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="from_env")):
                yield name


def _seen_events(module: Module) -> Iterator[str]:
    """Yield the names that are given to `emit` as they stand."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="emit" | "_emit"), args=[ast.Constant(value=str(event)), *_]
            ):
                yield event
