"""What template.yaml puts into a function's environment, its references resolved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.template_reading import properties, template


def environment_of(function: str, names: Mapping[str, str]) -> dict[str, str]:
    """
    Return the variables of *function* (its logical id).

    Args:
        names: Values of parameters, and of resources as `Ref` ("LedgerTable") or `GetAtt`
            ("SigningSecret.Id") gives them. Other parameters have their defaults.
    """
    known = _defaults() | dict(names)
    written: dict[str, Any] = template()["Globals"]["Function"]["Environment"]["Variables"]
    written |= properties(function)["Environment"]["Variables"]
    return {name: _resolved(value, known) for name, value in written.items()}


def _defaults() -> dict[str, str]:
    parameters = template()["Parameters"]
    return {name: str(each["Default"]) for name, each in parameters.items() if "Default" in each}


def _resolved(value: object, names: Mapping[str, str]) -> str:
    match value:
        case {"Ref": str(name)}:
            return names[name]
        case {"Fn::GetAtt": [resource, attribute]}:
            return names[f"{resource}.{attribute}"]
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([^}]+)\}", lambda found: names[found[1]], text)
        case {"Fn::If": [condition, if_true, if_false]}:
            holds = _holds(template()["Conditions"][condition], names)
            return _resolved(if_true if holds else if_false, names)
    return str(value)


def _holds(condition: object, names: Mapping[str, str]) -> bool:
    match condition:
        case {"Fn::Not": [inverted]}:
            return not _holds(inverted, names)
        case {"Fn::Equals": [left, right]}:
            return _resolved(left, names) == _resolved(right, names)
    raise ValueError(f"not a condition that is understood here: {condition}")
