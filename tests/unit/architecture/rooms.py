"""Which room of the house each module is in."""

from __future__ import annotations

from tests.unit.architecture.source import PACKAGE, Module, modules

MODULES = modules()

# Room of each module, by the longest prefix of its name; what is not here is a use case.
ROOMS = {
    "": "package",
    **dict.fromkeys(("errors", "models", "records", "findings"), "words"),
    **dict.fromkeys(("mapping", "tabular", "report"), "pure"),
    **dict.fromkeys(("callback", "places", "steps", "edges", "comparison", "problems"), "pure"),
    "settings": "settings",
    "ports": "ports",
    **dict.fromkeys(("lambda_clock", "threads"), "platform"),
    "bigin": "bigin",
    "aws": "aws",
    "assembly": "assembly",
    "functions": "handlers",
}
USE_CASES = "use cases"


def room_of(module: Module) -> str:
    name = module.short if module.name != PACKAGE else ""
    head = name.split(".")[0]
    return ROOMS.get(head, USE_CASES)
