"""Which room of the house each module is in."""

from __future__ import annotations

from tests.unit.architecture.source import PACKAGE, Module, modules

MODULES = modules()

# Room of each module, by the longest prefix of its name; what is not here is a use case.
ROOMS = {
    "": "package",
    **dict.fromkeys(("errors", "models", "records"), "words"),
    **dict.fromkeys(("mapping", "tabular", "report"), "pure"),
    **dict.fromkeys(("callback", "places", "records.steps", "records.doubts"), "pure"),
    **dict.fromkeys(("records.edges", "records.holds"), "pure"),
    **dict.fromkeys(("importing.comparison", "importing.problems", "importing.pauses"), "pure"),
    "settings": "settings",
    "ports": "ports",
    "runtime": "runtime",
    "bigin": "bigin",
    "aws": "aws",
    "assembly": "assembly",
    "functions": "handlers",
}
USE_CASES = "use cases"


def room_of(module: Module) -> str:
    name = module.short if module.name != PACKAGE else ""
    inside = [prefix for prefix in ROOMS if prefix and f"{name}.".startswith(f"{prefix}.")]
    return ROOMS[max(inside, key=len)] if inside else (USE_CASES if name else ROOMS[""])
