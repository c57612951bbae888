"""
No row twice, no row lost, no import forgotten: the searches, and whether they would notice.

More of them: `make simulate SEEDS=100000 SEED_BASE=1`.
"""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation import coverage
from tests.simulation.mutations import MUTATIONS, SABOTAGES, applied
from tests.simulation.run import simulate
from tests.simulation.scenarios import random_scenario
from tests.simulation.searches import Found, complete, pairs, search, seeds
from tests.simulation.shrink import Kept, as_json, corpus, shrunk
from tests.simulation.teeth import bites

ROOT = Path(__file__).resolve().parents[2]
CORES = os.cpu_count() or 1
SEEDS = 2000
PAIRS = 300
TRACE_SEED = 7


def broken(found: Found) -> str:
    """Say what was broken first, and how to see it again."""
    if not found.failures:
        return ""
    case, outcome = found.failures[0]
    replay = f"python -m tests.simulation --replay '{json.dumps(as_json(shrunk(case)))}'"
    return f"{len(found.failures)} of {found.runs} runs: {outcome.violations}\n{replay}"


@pytest.mark.parametrize("kept", corpus(), ids=lambda kept: kept.name)
def test_what_once_went_wrong_stays_right(kept: Kept) -> None:
    outcome = simulate(kept.case.scenario, kept.case.seed, kept.case.planned)

    assert outcome.violations == ()


def test_every_single_fault_is_survived_and_no_less_is_covered_than_before() -> None:
    found = search(complete(), processes=CORES, enough=1)

    assert broken(found) == ""
    assert coverage.kept() - coverage.merged(found.cells) == set()


def test_pairs_of_faults_are_survived() -> None:
    found = search(pairs(range(PAIRS)), processes=CORES, enough=1)

    assert broken(found) == ""


def test_chance_breaks_no_promise() -> None:
    found = search(seeds(range(SEEDS)), processes=CORES, enough=1)

    assert broken(found) == ""


def test_every_mutation_is_noticed() -> None:
    missed = [bite.mutation for bite in bites(processes=CORES) if bite.caught_by is None]

    assert missed == []


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_mutation_is_called_as_what_it_stands_for(mutation: str) -> None:
    for place, name, mutant in MUTATIONS[mutation]:
        original = getattr(place, name)
        if not inspect.isroutine(original):
            continue
        asked = inspect.signature(original).parameters.values()
        by_name = {each.name: None for each in asked if each.kind is each.KEYWORD_ONLY}

        inspect.signature(mutant).bind(*[None] * (len(asked) - len(by_name)), **by_name)


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_a_sabotaged_fake_is_noticed(sabotage: str) -> None:
    cases = complete()

    with applied(SABOTAGES[sabotage]):
        found = search(cases[:200], enough=1)

    assert found.failures


def test_a_failing_run_shrinks_to_the_faults_it_needs() -> None:
    cases = ((case, simulate(case.scenario, case.seed, None).fired) for case in seeds(range(50)))
    case, fired = next((case, fired) for case, fired in cases if len(fired) > 1)
    needed = fired[-1]

    small = shrunk(case, lambda one: needed in (one.planned or ()))

    assert small.planned == (needed,)


def test_one_seed_is_one_story_whatever_the_hash_seed() -> None:
    told = {_trace_with(hash_seed) for hash_seed in ("1", "2")}

    assert len(told) == 1
    assert len(told.pop()) > 1000


def test_a_run_takes_its_scenario_from_its_seed_alone() -> None:
    assert random_scenario(TRACE_SEED) == random_scenario(TRACE_SEED)
    assert len({random_scenario(seed) for seed in range(50)}) > 40


def _trace_with(hash_seed: str) -> str:
    command = [sys.executable, "-m", "tests.simulation", "--replay", str(TRACE_SEED)]
    path = f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'common'}"
    environment = dict(os.environ) | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout
