"""Which package a module is in; a module beside the packages is one of its own name."""

from __future__ import annotations

from tests.unit.architecture.source import PACKAGE, Module, modules

MODULES = modules()

# Package -> packages that it may import from, its own always included; the lowest first.
ARROWS: dict[str, set[str]] = {
    "package": set(),
    "domain": set(),
    "errors": {"domain"},
    "plain_values": set(),
    "error codes": {"errors"},
    "settings": {"errors"},
    "ports": {"domain", "errors"},
    "object_keys": {"domain"},
    "callback_url": {"domain"},
    "ledger": {"ports", "domain", "errors"},
    "telemetry": {"ports", "domain", "errors"},
    "stored_plan": {"plain_values", "ports", "domain", "errors", "object_keys"},
    "reading": {"ports", "domain", "errors"},
    "splitting": {"reading", "domain", "errors"},
    "mapping": {"splitting", "reading", "domain", "errors"},
    "identity": {"object_keys", "domain"},
    "row_results": {"reading", "domain", "errors", "error codes"},
    "report": {"row_results", "object_keys", "domain", "errors"},
    "corrections": {
        *("mapping", "splitting", "row_results", "report", "reading"),
        *("stored_plan", "object_keys", "ledger", "ports", "domain", "errors"),
    },
    "deduplication": {
        *("corrections", "mapping", "reading"),
        *("splitting", "row_results", "report", "stored_plan", "object_keys", "identity"),
        *("ledger", "ports", "domain", "errors"),
    },
    "importing": {
        *(
            "deduplication",
            "corrections",
            "mapping",
            "splitting",
            "row_results",
            "report",
            "reading",
        ),
        *("stored_plan", "object_keys", "identity", "callback_url", "ledger", "telemetry"),
        *("plain_values", "ports", "domain", "errors"),
    },
    "settling": {
        *(
            "importing",
            "error codes",
            "corrections",
            "mapping",
            "splitting",
            "row_results",
            "report",
            "reading",
        ),
        *("stored_plan", "object_keys", "identity", "callback_url", "ledger", "telemetry"),
        *("plain_values", "ports", "domain", "errors"),
    },
    "undoing": {
        *("settling", "importing", "deduplication", "row_results", "report", "reading"),
        *("stored_plan", "object_keys", "identity", "ledger", "telemetry"),
        *("ports", "domain", "errors"),
    },
    "bigin": {"error codes", "settings", "ports", "domain", "errors"},
    "aws": {"plain_values", "ports", "domain", "errors"},
    "wiring": {
        *("bigin", "settings", "undoing", "settling", "importing", "corrections", "splitting"),
        "deduplication",
        *("ports", "domain", "errors"),
    },
    "container": {
        *("wiring", "bigin", "aws", "settings", "settling", "callback_url"),
        *("telemetry", "domain", "errors"),
    },
    # The operators' command stands beside the functions; nothing imports it.
    "operating": {
        *("bigin", "aws", "settings", "settling", "importing", "report", "ledger", "identity"),
        *("object_keys", "callback_url", "error codes", "domain", "errors"),
        *("mapping", "reading", "splitting", "corrections", "stored_plan", "ports", "plain_values"),
    },
    "__main__": {"operating"},
    # Handlers parse: an S3 event, a queue message, a signature, a decision's word.
    "functions": {
        *(
            "container",
            "wiring",
            "aws",
            "settings",
            "importing",
            "callback_url",
            "telemetry",
            "errors",
        ),
    },
}

# Packages whose modules do the same thing whenever and wherever they run.
GUARDED_PACKAGES = frozenset(ARROWS) - {
    *(
        "settings",
        "bigin",
        "aws",
        "wiring",
        "container",
        "functions",
        "operating",
        "__main__",
    ),
}


def package_of(module: Module) -> str:
    """A test forbids a module that no arrow is drawn for."""
    first, _, rest = module.name.partition(".")
    if first != PACKAGE:
        return first
    if rest == "bigin.error_codes":
        return "error codes"
    return rest.partition(".")[0] or "package"
