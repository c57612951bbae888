"""
`python -m tests.bench.imports`: how long a new sandbox takes to import each handler.

The measure is `import boto3` and its two clients, which every function that talks to S3 and
DynamoDB has to pay. Each import runs in a process of its own; processes are interleaved, so that
a busy moment of the machine meets all of them, and seconds of one core are counted, not waiting.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".local" / "bench.json"
MOST_TIMES = 1.4
BASELINE = "boto3 and two clients"
STATEMENTS = {
    BASELINE: "import boto3; boto3.client('s3'); boto3.client('dynamodb')",
    **{
        name: f"import functions.{name}.app"
        for name in ("import_csv", "job_callback", "settle_jobs")
    },
}

# The development environment has packages that boto3 imports if it finds them, and that
# neither Lambda nor our layer has; they would slow the baseline down.
TIMED = """
import sys, time
sys.path[:0] = {paths!r}
sys.modules["awscrt"] = sys.modules["OpenSSL"] = None
started = time.process_time()
{statement}
print(time.process_time() - started)
"""


def run(*, rounds: int = 9) -> dict[str, Any]:
    """Return the median seconds of each import, and the times of the baseline that it takes."""
    _seconds_of_all()  # the first round compiles, and is not counted
    taken = [_seconds_of_all() for _ in range(rounds)]
    medians = {name: statistics.median(each[name] for each in taken) for name in STATEMENTS}
    return {
        name: {"seconds": round(seconds, 3), "times": round(seconds / medians[BASELINE], 2)}
        for name, seconds in medians.items()
    }


def broken_budgets(figures: dict[str, Any]) -> list[str]:
    """Return a sentence for each handler that takes too long."""
    return [
        f"importing {name} takes {line['times']} times {BASELINE}, more than {MOST_TIMES}"
        for name, line in figures.items()
        if line["times"] > MOST_TIMES
    ]


def table(figures: dict[str, Any]) -> str:
    """Return the figures as a text table."""
    head = f"{'import of':<24} {'seconds':>8} {'times':>6}"
    body = (
        f"{name:<24} {line['seconds']:>8.3f} {line['times']:>6.2f}"
        for name, line in figures.items()
    )
    return "\n".join([head, *body])


def keep(key: str, figures: object) -> None:
    """Put figures into .local/bench.json under their own key."""
    FILE.parent.mkdir(exist_ok=True)
    known = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    FILE.write_text(json.dumps(known | {key: figures}, indent=1) + "\n", encoding="utf-8")


def _seconds_of_all() -> dict[str, float]:
    return {name: _seconds(statement) for name, statement in STATEMENTS.items()}


def _seconds(statement: str) -> float:
    code = TIMED.format(paths=_paths(), statement=statement)
    environment = {"AWS_DEFAULT_REGION": "eu-central-1"}
    command: Sequence[str] = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _paths() -> Iterable[str]:
    return [str(ROOT), str(ROOT / "layers" / "common")]


def main() -> int:
    """Return 1 if a budget is not kept."""
    figures = run()
    keep("imports", figures)
    broken = broken_budgets(figures)
    sys.stdout.write("\n".join([table(figures), *broken, ""]))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
