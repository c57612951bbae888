"""
What a workbook of a million cells takes to be read, checked, cut and packed, beside the same CSV.

    python -m tests.bench --parts excel
"""

from __future__ import annotations

import csv
import statistics
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from tests.bench import cutting
from tests.bench.cutting_drops import HEADER, drop_file
from tests.bench.figures import LOCAL, Budget, Report, progress

CELLS = 1_000_000
ROWS = CELLS // len(HEADER)
WAY = "ours, keys+types"
CREATED, AMOUNT = HEADER.index("Created"), HEADER.index("Amount")


def run(*, rounds: int = 5) -> Report:
    """Measure both, interleaved; that openpyxl is loaded counts."""
    drop = drop_file(LOCAL / "bench", "plain", ROWS)
    paths = {"CSV": drop, "Excel": workbook_of(drop)}
    tries: dict[str, list[dict[str, float]]] = {kind: [] for kind in paths}
    for number in range(1, rounds + 1):
        progress(f"{CELLS:,} cells of a workbook and of a CSV, round {number} of {rounds}")
        for kind, path in paths.items():
            tries[kind].append(cutting.tried(WAY, path, is_checked=False))
    figures = {kind: _figures(each, paths[kind]) for kind, each in tries.items()}
    peak = figures["Excel"]["peak_mib_above_idle"]
    what = f"memory, {CELLS:,} cells of a workbook"
    budget = Budget(what, peak, cutting.MOST_MIB, "MiB above idle")
    return Report(figures, _table(figures), (budget,))


def workbook_of(drop: Path) -> Path:
    """Return a workbook of the rows of a CSV, with dates and numbers as such; made once."""
    path = drop.with_suffix(".xlsx")
    if not path.exists():
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Contacts")
        with drop.open(encoding="utf-8", newline="") as lines:
            rows = csv.reader(lines)
            sheet.append(next(rows))
            for row in rows:
                sheet.append(_typed(row))
        unfinished = path.with_suffix(".part")
        book.save(unfinished)
        unfinished.rename(path)
    return path


def _typed(row: list[str]) -> list[object]:
    cells: list[object] = list(row)
    cells[CREATED], cells[AMOUNT] = date.fromisoformat(row[CREATED]), float(row[AMOUNT])
    return cells


def _figures(tries: list[dict[str, float]], path: Path) -> dict[str, Any]:
    return {
        "megabytes": round(path.stat().st_size / 1e6, 1),
        "seconds": round(statistics.median(each["seconds"] for each in tries), 2),
        "peak_mib_above_idle": round(max(each["peak_mib"] for each in tries), 1),
    }


def _table(figures: dict[str, dict[str, Any]]) -> str:
    head = f"{f'{CELLS:,} cells':<20} {'MB':>6} {'seconds':>8} {'MiB above idle':>15}"
    lines = (
        f"{kind:<20} {each['megabytes']:>6} {each['seconds']:>8} {each['peak_mib_above_idle']:>15}"
        for kind, each in figures.items()
    )
    return "\n".join([head, *lines])
