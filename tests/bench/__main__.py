"""
`python -m tests.bench`: measure, print tables and budgets, keep the figures in .local/bench.json.

Without options it measures what the design asks for: three kinds of drops at 10 MB, 130 MB and
1.3 GB, medians of five rounds. That takes about 20 minutes and 5 GB of disk. Benchmarks measure
and tests do not time: a broken budget is said clearly, and the exit code is 0 all the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from tests.bench import callback, collecting, cutting, imports
from tests.bench.cutting_drops import KINDS, ROWS
from tests.bench.figures import Budget, Report, publish, summary

PARTS: dict[str, Callable[[argparse.Namespace], Report]] = {
    "imports": lambda _chosen: imports.run(),
    "callback": lambda _chosen: callback.run(),
    "cutting": lambda chosen: cutting.run(
        rounds=chosen.rounds, sizes=chosen.sizes, kinds=chosen.kinds
    ),
    "collecting": lambda chosen: collecting.run(sizes=chosen.sizes),
}


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.bench")
    arguments.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--sizes", nargs="+", choices=ROWS, default=list(ROWS))
    arguments.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    chosen = arguments.parse_args()
    load = os.getloadavg()[0]
    sys.stdout.write(
        f"{os.cpu_count()} processors, load {load:.1f} before the start. Seconds are those of one "
        "processor, rounds are interleaved: others at work on this machine blur figures little.\n"
    )
    budgets: list[Budget] = []
    for part in chosen.parts:
        report = PARTS[part](chosen)
        publish(part, report)
        budgets += report.budgets
    sys.stdout.write(f"\n{summary(budgets)}\n")


if __name__ == "__main__":
    main()
