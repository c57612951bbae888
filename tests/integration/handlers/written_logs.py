"""What the functions have written to standard output: log lines and metrics, both JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one metric, as CloudWatch reads it out of a line."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    value: float


def log_lines(written: str) -> list[Mapping[str, Any]]:
    return [line for line in _lines(written) if "_aws" not in line]


def readings(written: str) -> list[Reading]:
    return [each for line in _lines(written) if "_aws" in line for each in _readings(line)]


def _lines(written: str) -> Iterator[Mapping[str, Any]]:
    yield from (json.loads(line) for line in written.splitlines())


def _readings(line: Mapping[str, Any]) -> Iterator[Reading]:
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = tuple((name, line[name]) for name in names)
            for metric in directive["Metrics"]:
                name = metric["Name"]
                for value in line[name]:
                    yield Reading(directive["Namespace"], name, dimensions, value)
