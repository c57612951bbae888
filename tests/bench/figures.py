"""What each part of the bench makes of its measurements: a table, budgets, figures to keep."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / ".local"
FILE = LOCAL / "bench.json"


@dataclass(frozen=True)
class Budget:
    """A limit of the design, and what was measured."""

    what: str
    measured: float
    limit: float
    unit: str
    is_least: bool = False

    @property
    def is_kept(self) -> bool:
        return self.measured >= self.limit if self.is_least else self.measured <= self.limit

    def __str__(self) -> str:
        kept = "kept" if self.is_kept else "BROKEN"
        bound = "at least" if self.is_least else "at most"
        return f"{kept}: {self.what}: {self.measured:g} {self.unit}, {bound} {self.limit:g}"


@dataclass(frozen=True)
class Target:
    """
    How much faster than the baseline something is to be, and what was measured.

    Attributes:
        times: By the name of another way: how many times its speed ours is.
        goal, floor: Times the baseline.
    """

    what: str
    rows_per_second: float
    times: dict[str, float]
    goal: float
    floor: float

    def as_json(self) -> dict[str, Any]:
        times = {way: round(each, 2) for way, each in self.times.items()}
        return {"rows_per_second": round(self.rows_per_second), "times": times}

    def line(self) -> str:
        """Return it as a line of the table."""
        old = f"{self.times['baseline']:.2f}" if "baseline" in self.times else "-"
        others = [f"{each:.2f} {way}" for way, each in self.times.items() if way != "baseline"]
        return (
            f"{self.what:<52} {self.rows_per_second:>9,.0f} {old:>9} {self.goal:>5} "
            f"{self.floor:>6}  {', '.join(others)}"
        )


@dataclass(frozen=True)
class Most:
    """
    What something may take at most, and what was measured.

    Attributes:
        goal, floor: In *unit*, as *measured* is.
    """

    what: str
    measured: float
    unit: str
    goal: float
    floor: float

    def line(self) -> str:
        """Return it as a line of the table."""
        return (
            f"{self.what:<52} {'':>9} {self.measured:>9.2f} {self.goal:>5} {self.floor:>6}  "
            f"{self.unit}, at most"
        )


def table_of(targets: Iterable[Target | Most]) -> str:
    """Return the one table: what is compared with the baseline, and what has a most of its own."""
    head = f"{'what':<52} {'rows/s':>9} {'measured':>9} {'goal':>5} {'floor':>6}  others, unit"
    return "\n".join([head, *(target.line() for target in targets)])


@dataclass(frozen=True)
class Report:
    """
    What a part of the bench found.

    Attributes:
        figures: By a name that stays the same from run to run.
    """

    figures: dict[str, Any]
    table: str
    budgets: tuple[Budget, ...]
    targets: tuple[Target | Most, ...] = ()


def publish(part: str, report: Report) -> None:
    """Print a report and keep its figures. A broken budget is told, and fails nothing."""
    keep(part, report.figures)
    sys.stdout.write("\n".join(["", report.table, "", *map(str, report.budgets), ""]))
    sys.stdout.flush()


def keep(part: str, figures: dict[str, Any]) -> None:
    """Put figures into .local/bench.json; those of other parts, sizes and ways stay."""
    FILE.parent.mkdir(exist_ok=True)
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    known[part] = known.get(part, {}) | figures
    FILE.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def summary(budgets: Iterable[Budget]) -> str:
    """Say how many budgets are kept, and repeat those that are not."""
    found = list(budgets)
    broken = [str(budget) for budget in found if not budget.is_kept]
    return "\n".join([f"{len(found) - len(broken)} of {len(found)} budgets are kept.", *broken])


def progress(doing: str) -> None:
    """Tell whoever waits what is measured now."""
    sys.stderr.write(f"measuring {doing}\n")
