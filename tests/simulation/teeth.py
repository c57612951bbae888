"""Do the searches notice mistakes? Each mutation must be caught by the corpus or search (a)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

from tests.simulation.mutations import MUTATIONS, applied
from tests.simulation.run import simulate
from tests.simulation.searches import Case, complete
from tests.simulation.shrink import corpus


@dataclass(frozen=True, slots=True)
class Bite:
    """
    What noticed a mutation.

    Attributes:
        caught_by: "corpus: <name>", or "search (a)"; None if nothing did.
        runs: How many runs that took.
        violation: What was noticed.
    """

    mutation: str
    caught_by: str | None
    runs: int
    violation: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def bites(*, processes: int = 1) -> tuple[Bite, ...]:
    """Try every mutation."""
    bite = partial(bitten, cases=complete())
    if processes == 1:
        return tuple(map(bite, MUTATIONS))
    with get_context("fork").Pool(processes) as pool:
        return tuple(pool.imap(bite, MUTATIONS, chunksize=1))


def bitten(mutation: str, cases: tuple[Case, ...]) -> Bite:
    """Put one mutation in place and look for it: in the corpus case for it, else by search (a)."""
    runs = 0
    for where, case in _tried(mutation, cases):
        runs += 1
        noticed = _noticed(mutation, case)
        if noticed:
            return Bite(mutation, where, runs, noticed)
    return Bite(mutation, None, runs)


def _tried(mutation: str, cases: tuple[Case, ...]) -> Iterator[tuple[str, Case]]:
    for kept in corpus():
        if mutation in kept.catches:
            yield from ((f"corpus: {kept.name}", case) for case in kept.cases())
    yield from (("search (a)", case) for case in cases)


def _noticed(mutation: str, case: Case) -> str:
    """Return the promise that *mutation* breaks in a run, "" if none, or not by its doing."""
    with applied(MUTATIONS[mutation]):
        violations = _violations(case, stops_early=True)
    return violations[0] if violations and not _violations(case) else ""


def _violations(case: Case, *, stops_early: bool = False) -> tuple[str, ...]:
    done = simulate(case.scenario, case.seed, case.planned, stops_early=stops_early)
    return done.violations
