"""
The searches for a broken promise.

(a) complete: every single fault on the fixed scenarios; (b) pairs of them; (c) seeds, where
chance decides about everything.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from multiprocessing import get_context

from tests.simulation.faults import Fault, by_kind
from tests.simulation.run import Outcome, simulate
from tests.simulation.scenarios import Callbacks, Scenario, Twin, fixed_scenarios, random_scenario

# A process that dies between two effects leaves the same world wherever it dies: so it is killed
# after each effect. It is late with what it has read when it stalls before the next effect.
EFFECTS = ("ledger.save", "ledger.delete", "files.write", "queue.", "resumer.", "notices.",
           "bigin.create", "bigin.upload", "bigin.delete", "zoho.refresh", "failures.")  # fmt: skip
ORDINARY = ("kill", "stall", "aws_error")
FIXED_SEED = 1


@dataclass(frozen=True, slots=True)
class Case:
    """One run to make; *planned* None lets chance decide about faults."""

    scenario: Scenario
    seed: int
    planned: tuple[Fault, ...] | None


@dataclass(slots=True)
class Found:
    """What a search came to."""

    runs: int = 0
    hours: float = 0.0
    steps: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    cells: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    failures: list[tuple[Case, Outcome]] = field(default_factory=list)

    def add(self, case: Case, outcome: Outcome) -> None:
        self.runs += 1
        self.hours += outcome.hours
        self.steps += outcome.steps
        self.fired.update(by_kind(outcome.fired))
        self.cells.update(outcome.cells)
        if outcome.violations:
            self.failures.append((case, outcome))


def single_faults(scenario: Scenario) -> Iterator[Case]:
    """Yield the run without any fault, and one run for each single fault."""
    yield Case(scenario, FIXED_SEED, ())
    for fault in simulate(scenario, FIXED_SEED, reached=True).reached:
        if is_worth_it(scenario, fault):
            yield Case(scenario, FIXED_SEED, (fault,))


def complete() -> tuple[Case, ...]:
    """Return search (a): what strikes at a create or in its own way first, then by chance."""
    cases = [case for scenario in fixed_scenarios() for case in single_faults(scenario)]
    return tuple(sorted(cases, key=_order))


def _order(case: Case) -> tuple[bool, str]:
    ordinary = all(
        fault.kind in ORDINARY and not fault.label.startswith("bigin.create")
        for fault in case.planned or ()
    )
    return ordinary, blake2b(repr(case).encode(), digest_size=8).hexdigest()


def pairs(seeds: Iterable[int]) -> Iterator[Case]:
    """Search (b): each seed chooses a fixed scenario, a first fault, and one that follows it."""
    scenarios = tuple(fixed_scenarios())
    for seed in seeds:
        scenario = scenarios[_chosen(seed, "scenario", len(scenarios))]
        first = _one_of(simulate(scenario, FIXED_SEED, reached=True).reached, seed, "first")
        then = simulate(scenario, FIXED_SEED, (first,), reached=True).reached
        later = [fault for fault in then if fault[:2] != first[:2]]
        yield Case(scenario, FIXED_SEED, (first, _one_of(later, seed, "second")))


def seeds(numbers: Iterable[int]) -> Iterator[Case]:
    """Search (c)."""
    for seed in numbers:
        yield Case(random_scenario(seed), seed, None)


def is_worth_it(scenario: Scenario, fault: Fault) -> bool:
    """
    Leave out what cannot differ from a fault at the next or the last effect.

    Kills and stalls strike in every scenario, the other kinds in those where nothing else is odd.
    """
    at_effect = fault.label.startswith(EFFECTS)
    is_plain = scenario.twin is Twin.NONE and scenario.callbacks is Callbacks.NORMAL
    is_plain = is_plain and not scenario.is_odd
    is_plain = is_plain and not scenario.clerk
    is_plain = is_plain and scenario.undone_after is None
    match fault.kind:
        case "kill":
            return at_effect and fault.label.endswith("after")
        case "stall":
            return at_effect and fault.label.endswith("before")
        case "freeze":
            return is_plain and at_effect and fault.label.endswith("before")
        case "aws_error":
            return is_plain and at_effect
        case _:
            return is_plain


def search(cases: Iterable[Case], *, processes: int = 1, enough: int | None = None) -> Found:
    """Make all runs; stop after *enough* failures."""
    found = Found()
    for case, outcome in _made(cases, processes):
        found.add(case, outcome)
        if enough is not None and len(found.failures) >= enough:
            break
    return found


def made(case: Case) -> tuple[Case, Outcome]:
    return case, simulate(case.scenario, case.seed, case.planned)


def _made(cases: Iterable[Case], processes: int) -> Iterator[tuple[Case, Outcome]]:
    if processes == 1:
        yield from map(made, cases)
        return
    gc.freeze()
    with get_context("fork").Pool(processes) as pool:
        yield from pool.imap_unordered(made, cases, chunksize=16)


def _one_of(faults: Sequence[Fault], seed: int, what: str) -> Fault:
    return faults[_chosen(seed, what, len(faults))]


def _chosen(seed: int, what: str, among: int) -> int:
    digest = blake2b(f"{seed}/{what}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % among
