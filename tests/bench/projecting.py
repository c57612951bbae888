"""
How fast 6 of 20 columns are cut, with a date and a decimal rule, beside the baseline.

    python -m tests.bench.projecting
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.bench import baseline
from tests.bench.cutting_drops import ROWS
from tests.bench.figures import LOCAL, ROOT, Report, Target, progress, publish

HEADER = (
    "Email", "Last_Name", "Phone", "City", "Created", "Amount",
    *(f"Other_{number}" for number in range(1, 15)),
)  # fmt: skip
GOAL, FLOOR = 1.6, 1.3


def run(*, rounds: int = 5, sizes: Iterable[str] = tuple(ROWS)) -> Report:
    """Measure both builds, interleaved, with the largest of *sizes* up to 1,000,000 rows."""
    rows = max((ROWS[size] for size in sizes if ROWS[size] <= ROWS["130 MB"]), default=77_000)
    drop = projected_drop(LOCAL / "bench", rows)
    trees = {"ours": ROOT}
    if (old := baseline.tree()) is not None:
        trees["baseline"] = old
    seconds: dict[str, list[float]] = {way: [] for way in trees}
    for number in range(1, rounds + 1):
        progress(f"6 of 20 columns, {rows:,} rows, round {number} of {rounds}")
        answers = {way: tried(drop, tree) for way, tree in trees.items()}
        if len({answer["sent"] for answer in answers.values()}) > 1:
            raise AssertionError("the builds do not send the same rows")
        for way, answer in answers.items():
            seconds[way].append(answer["seconds"])
    medians = {way: statistics.median(taken) for way, taken in seconds.items()}
    ours = medians.pop("ours")
    times = {way: taken / ours for way, taken in medians.items()}
    target = Target("cut 6 of 20 columns, two rules", rows / ours, times, GOAL, FLOOR)
    return Report({target.what: target.as_json()}, "", (), (target,))


def tried(drop: Path, tree: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "projecting_ways.py"), str(drop)],
        check=True,
        capture_output=True,
        text=True,
        cwd=tree,
        env=baseline.environment(tree),
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def projected_drop(folder: Path, rows: int) -> Path:
    """Return the drop, written once and kept."""
    path = folder / f"projected-{rows}.csv"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            out.writelines(";".join(cells) + "\n" for cells in _rows(rows))
        unfinished.rename(path)
    return path


def _rows(rows: int) -> Iterator[tuple[str, ...]]:
    chance = random.Random(20240229)
    yield HEADER
    for number in range(rows):
        draw = chance.randrange(10**9)
        yield (
            f"person{number}@example.com",
            f"Lastname{draw % 9973}",
            f"+49 30 {draw % 10**7}",
            f"City {draw % 499}",
            f"{10 + draw % 19}.0{1 + draw % 9}.2024",
            f"{draw % 10**6},{draw % 89 + 10}",
            *(f"other {draw % (97 + column)}" for column in range(14)),
        )


if __name__ == "__main__":
    publish("projecting", run())
