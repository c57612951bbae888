"""
`python -m tests.simulation --seeds 100000 --seed-base 5`: look for a broken promise.

Writes what it found to .local/simulate.json; a failing run is printed with the command that
repeats it, and shrunk to the few faults that it needs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.simulation import coverage
from tests.simulation.mutations import SABOTAGES, applied
from tests.simulation.run import simulate
from tests.simulation.searches import Case, Found, complete, pairs, search, seeds
from tests.simulation.shrink import as_json, corpus, from_json, shrunk
from tests.simulation.teeth import Bite, bites

REPORT = Path(__file__).resolve().parents[2] / ".local" / "simulate.json"
SHOWN_FAILURES = 3


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; 1 if a promise was broken."""
    asked = _parser().parse_args(arguments)
    if asked.replay is not None:
        return _replay(asked.replay)
    with applied(SABOTAGES[asked.sabotage] if asked.sabotage else ()):
        return _search(asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=2000, help="how many")
    parser.add_argument("--seed-base", type=int, default=0, help="the first of them")
    parser.add_argument("--pairs", type=int, default=0, help="how many pairs of faults")
    parser.add_argument("--sabotage", choices=SABOTAGES, help="break a fake: this must fail")
    parser.add_argument("--replay", help="a seed, or a case as it was printed, or a corpus file")
    parser.add_argument("--only-seeds", action="store_true", help="no complete search, no mutants")
    parser.add_argument("--keep-coverage", action="store_true", help="rewrite coverage.json")
    return parser


def _search(asked: argparse.Namespace) -> int:
    began = time.monotonic()
    cores = os.cpu_count() or 1
    enough = 1 if asked.sabotage else 50
    numbers = range(asked.seed_base, asked.seed_base + asked.seeds)
    found: dict[str, Found] = {}
    if not asked.only_seeds:
        found["corpus"] = search((kept.case for kept in corpus()), processes=cores, enough=enough)
        found["complete"] = search(complete(), processes=cores, enough=enough)
    if asked.pairs:
        chosen = pairs(range(asked.seed_base, asked.seed_base + asked.pairs))
        found["pairs"] = search(chosen, processes=cores, enough=enough)
    found["seeds"] = search(seeds(numbers), processes=cores, enough=enough)
    whole = not asked.only_seeds and not asked.sabotage
    teeth = bites(processes=cores) if whole else ()
    if asked.keep_coverage:
        coverage.keep(found["complete"].cells)
    report = _report(asked, found, teeth, time.monotonic() - began)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    _print(report, found)
    broken = any(one.failures for one in found.values())
    return 1 if broken or any(bite.caught_by is None for bite in teeth) else 0


def _report(
    asked: argparse.Namespace, found: dict[str, Found], teeth: Sequence[Bite], seconds: float
) -> dict[str, Any]:
    fired = sum((one.fired for one in found.values()), start=type(found["seeds"].fired)())
    cells = coverage.merged(cell for one in found.values() for cell in one.cells)
    return {
        "seeds": asked.seeds,
        "seed_base": asked.seed_base,
        "sabotage": asked.sabotage,
        "seconds": round(seconds, 1),
        "runs": {name: one.runs for name, one in found.items()},
        "virtual_hours": round(sum(one.hours for one in found.values())),
        "steps": sum(one.steps for one in found.values()),
        "fired": dict(fired.most_common()),
        "cells": len(cells),
        "coverage": sorted(map(list, cells)),
        "mutations": [bite.as_json() for bite in teeth],
        "violations": sum(len(one.failures) for one in found.values()),
        "failures": [
            as_json(case) | {"violations": outcome.violations}
            for one in found.values()
            for case, outcome in one.failures
        ],
    }


def _print(report: dict[str, Any], found: dict[str, Found]) -> None:
    write = sys.stdout.write
    write(coverage.as_table(tuple(cell) for cell in report["coverage"]) + "\n\n")
    write("fired: " + ", ".join(f"{kind} {n:,}" for kind, n in report["fired"].items()) + "\n")
    for bite in report["mutations"]:
        write(f"{bite['mutation']:44} {bite['caught_by'] or 'NOT CAUGHT'} ({bite['runs']} runs)\n")
    failures = [failure for one in found.values() for failure in one.failures]
    for case, outcome in failures[:SHOWN_FAILURES]:
        write(f"\nBROKEN: {'; '.join(outcome.violations)}\n")
        write(f"python -m tests.simulation --replay '{json.dumps(as_json(shrunk(case)))}'\n")
    runs = ", ".join(f"{n:,} {name}" for name, n in report["runs"].items())
    write(
        f"\n{runs}; {report['virtual_hours']:,} virtual hours, {report['cells']} cells, "
        f"{report['violations']} violations in {report['seconds']} s\n"
    )


def _replay(what: str) -> int:
    """Show everything that happens in one run."""
    case = _case(what)
    outcome = simulate(case.scenario, case.seed, case.planned, trace=True)
    sys.stdout.write("\n".join((*outcome.trace, "", *map(repr, outcome.fired), "")))
    sys.stdout.write("\n".join((*outcome.violations, f"{len(outcome.violations)} violations\n")))
    return 1 if outcome.violations else 0


def _case(what: str) -> Case:
    if what.isdecimal():
        return next(seeds([int(what)]))
    text = what if what.lstrip().startswith("{") else Path(what).read_text(encoding="utf-8")
    return from_json(json.loads(text))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
