"""`python -m tests.bench`: measure, print a table, keep the figures in .local/bench.json."""

from __future__ import annotations

import argparse
import json
import sys

from tests.bench import collecting, cutting
from tests.bench.cutting_drops import ROWS


def main() -> int:
    """Return 1 if a budget is not kept."""
    arguments = argparse.ArgumentParser(prog="python -m tests.bench")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--sizes", nargs="+", choices=ROWS, default=list(ROWS))
    chosen = arguments.parse_args()
    cut = cutting.run(rounds=chosen.rounds, sizes=chosen.sizes)
    collected = collecting.run(sizes=chosen.sizes)
    cutting.LOCAL.mkdir(exist_ok=True)
    figures = {
        "cutting": [line.as_json() for line in cut],
        "collecting": [line.as_json() for line in collected],
    }
    (cutting.LOCAL / "bench.json").write_text(json.dumps(figures, indent=1) + "\n")
    broken = [*cutting.broken_budgets(cut), *collecting.broken_budgets(collected)]
    tables = (cutting.table(cut), "", collecting.table(collected))
    sys.stdout.write("\n".join([*tables, *broken, ""]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
