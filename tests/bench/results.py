"""
How fast row results are collected and an import closed, beside the baseline and a naive script.

    python -m tests.bench.results
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench import baseline
from tests.bench.cutting_drops import ROWS, drop_file
from tests.bench.figures import LOCAL, ROOT, Report, Target, progress, publish
from tests.bench.results_ways import A_THIRD_REFUSED

GOALS = {"in order": (4.5, 3.5), "shuffled": (2.5, 1.5), A_THIRD_REFUSED: (3, 1.5)}
LARGEST = "130 MB"  # all that is written stays in memory


def run(*, rounds: int = 5, sizes: Iterable[str] = tuple(ROWS)) -> Report:
    """Measure all ways, interleaved, with the largest of *sizes* that fits into memory."""
    rows = max((ROWS[size] for size in sizes if ROWS[size] <= ROWS[LARGEST]), default=77_000)
    drop = drop_file(LOCAL / "bench", "plain", rows)
    targets = tuple(target for order in GOALS for target in _measured(drop, rows, order, rounds))
    figures = {target.what: target.as_json() for target in targets}
    return Report(figures, "", (), targets)


def _measured(drop: Path, rows: int, order: str, rounds: int) -> Iterator[Target]:
    trees = {"ours": ROOT, "naive": ROOT}
    if (old := baseline.tree()) is not None:
        trees["baseline"] = old
    seconds: dict[str, list[float]] = {way: [] for way in trees}
    for number in range(1, rounds + 1):
        progress(f"row results {order}, {rows:,} rows, round {number} of {rounds}")
        for way, tree in trees.items():
            seconds[way].append(tried(way, drop, order, tree))
    ours = statistics.median(seconds["ours"])
    goal, floor = GOALS[order]
    yield Target(
        f"collect + close, row results {order}",
        rows / ours,
        {way: statistics.median(taken) / ours for way, taken in seconds.items() if way != "ours"},
        goal,
        floor,
    )


def tried(way: str, drop: Path, order: str, tree: Path) -> float:
    script = Path(__file__).parent / "results_ways.py"
    name = "naive" if way == "naive" else "ours"
    done = subprocess.run(
        [sys.executable, str(script), name, str(drop), order],
        check=True,
        capture_output=True,
        text=True,
        cwd=tree,
        env=baseline.environment(tree),
    )
    taken: float = json.loads(done.stdout)
    return taken


if __name__ == "__main__":
    publish("results", run())
