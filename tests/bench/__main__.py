"""
`python -m tests.bench`: measure, print tables and budgets, keep the figures in .local/bench.json.

Without options it measures what the design asks for: three kinds of drops at 10 MB, 130 MB and
1.3 GB, medians of five rounds. On two processors that nobody else uses it takes about 20 minutes
(--rounds and --sizes make it shorter), and 5 GB of disk. Whatever has a goal stands in one
table at the end: in times of the baseline, the build of one commit in a worktree beside this one,
or at most in times of a bare handler or MiB. Benchmarks
measure and tests do not time: a broken budget is said clearly, and the exit code is 0 all the same.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

from tests.bench import callback, collecting, cutting, excel, imports, projecting, results, starts
from tests.bench.cutting_drops import KINDS, ROWS
from tests.bench.figures import Budget, Most, Report, Target, publish, summary, table_of

PARTS = ("imports", "callback", "starts", "collecting", "results", "projecting", "excel", "cutting")


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
        "processor, rounds are interleaved: whoever else works on this machine matters little.\n"
    )
    budgets: list[Budget] = []
    targets: list[Target | Most] = []
    for part in chosen.parts:
        for report in _reports(part, chosen):
            publish(part, report)
            budgets += report.budgets
            targets += report.targets
    sys.stdout.write(f"\n{table_of(targets)}\n")
    sys.stdout.write(f"\n{summary(budgets)}\n")


def _reports(part: str, chosen: argparse.Namespace) -> Iterator[Report]:
    """Measure a part; what is reported is kept, so that a run can be stopped halfway."""
    match part:
        case "imports":
            yield imports.run()
        case "callback":
            yield callback.run()
        case "starts":
            yield starts.run(rounds=chosen.rounds)
        case "collecting":
            yield collecting.run(sizes=chosen.sizes)
        case "results":
            yield results.run(rounds=chosen.rounds, sizes=chosen.sizes)
        case "projecting":
            yield projecting.run(rounds=chosen.rounds, sizes=chosen.sizes)
        case "excel":
            yield excel.run(rounds=chosen.rounds)
        case "cutting":
            for kind in chosen.kinds:
                yield cutting.run(rounds=chosen.rounds, sizes=chosen.sizes, kinds=[kind])


if __name__ == "__main__":
    main()
