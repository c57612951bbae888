"""`python -m tests.bench`: measure, print a table, keep the figures in .local/bench.json."""

from __future__ import annotations

import argparse
import json
import sys

from tests.bench import cutting
from tests.bench.cutting_drops import ROWS


def main() -> int:
    """Return 1 if a budget is not kept."""
    arguments = argparse.ArgumentParser(prog="python -m tests.bench")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--sizes", nargs="+", choices=ROWS, default=list(ROWS))
    chosen = arguments.parse_args()
    lines = cutting.run(rounds=chosen.rounds, sizes=chosen.sizes)
    cutting.LOCAL.mkdir(exist_ok=True)
    figures = {"cutting": [line.as_json() for line in lines]}
    (cutting.LOCAL / "bench.json").write_text(json.dumps(figures, indent=1) + "\n")
    broken = cutting.broken_budgets(lines)
    sys.stdout.write("\n".join([cutting.table(lines), *broken, ""]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
