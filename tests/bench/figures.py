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
class Report:
    """
    What a part of the bench found.

    Attributes:
        figures: By a name that stays the same from run to run.
    """

    figures: dict[str, Any]
    table: str
    budgets: tuple[Budget, ...]


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
