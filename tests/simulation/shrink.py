"""From a failing run to as few faults as make it fail, and the corpus of such runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.simulation.faults import Fault
from tests.simulation.run import simulate
from tests.simulation.scenarios import Scenario
from tests.simulation.searches import Case

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True, slots=True)
class Kept:
    """
    A run that is made again for ever.

    Attributes:
        why: What it once showed.
        catches: Mutations that it must notice.
        tries: With how many seeds, from its own on, it may notice them: what it shows needs an
            order of events that any change to the use cases may move.
    """

    name: str
    why: str
    case: Case
    catches: tuple[str, ...] = ()
    tries: int = 1

    def cases(self) -> Iterator[Case]:
        """Yield the run itself, then the same with other seeds."""
        for further in range(self.tries):
            yield replace(self.case, seed=self.case.seed + further)


def shrunk(case: Case, fails: Callable[[Case], bool] | None = None) -> Case:
    """Return *case* with as few faults as still make it fail, its chance turned into a plan."""
    fails = fails or (lambda one: bool(simulate(one.scenario, one.seed, one.planned).violations))
    faults = list(simulate(case.scenario, case.seed, case.planned).fired)
    size = max(1, len(faults) // 2)
    while size:
        at = 0
        while at < len(faults):
            fewer = faults[:at] + faults[at + size :]
            if fails(Case(case.scenario, case.seed, tuple(fewer))):
                faults = fewer
            else:
                at += size
        size //= 2
    return Case(case.scenario, case.seed, tuple(faults))


def as_json(case: Case) -> dict[str, Any]:
    planned = None if case.planned is None else [list(fault) for fault in case.planned]
    return {"scenario": case.scenario.as_json(), "seed": case.seed, "faults": planned}


def from_json(values: dict[str, Any]) -> Case:
    listed = values["faults"]
    planned = None if listed is None else tuple(Fault(*fault) for fault in listed)
    return Case(Scenario.from_json(values["scenario"]), values["seed"], planned)


def corpus() -> tuple[Kept, ...]:
    """Return all runs that are kept."""
    return tuple(_read(path) for path in sorted(CORPUS.glob("*.json")))


def _read(path: Path) -> Kept:
    values = json.loads(path.read_text(encoding="utf-8"))
    catches = tuple(values.get("catches", ()))
    return Kept(path.stem, values["why"], from_json(values), catches, values.get("tries", 1))
