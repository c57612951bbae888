"""
`python -m tests.bench.imports`: how long a new container takes to import each handler,
and the same with the use case that it begins with, which the wiring imports when it is asked for.

The measure is `import boto3` and its two clients, which every function that talks to S3 and
DynamoDB has to pay. Each import runs in a process of its own; processes are interleaved, so that
a busy moment of the machine meets all of them, and seconds of one core are counted, not waiting.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tests.bench.figures import ROOT, Budget, Report, progress, publish

MOST_TIMES = 1.4
BASELINE = "boto3 and two clients"
BEGINS_WITH = {
    "import_csv": "importing.importer",
    "job_callback": "settling.match_job",
    "settle_jobs": "settling.tick",
}
STATEMENTS = {
    BASELINE: "import boto3; boto3.client('s3'); boto3.client('dynamodb')",
    **{name: f"import bigin_import.functions.{name}" for name in BEGINS_WITH},
    **{
        f"{name}, {used}": f"import bigin_import.functions.{name}, bigin_import.{used}"
        for name, used in BEGINS_WITH.items()
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


def run(*, rounds: int = 9) -> Report:
    """Take the median seconds of each import, and the times of the baseline that it takes."""
    progress("imports of the handlers")
    _seconds_of_all()  # the first round compiles, and is not counted
    taken = [_seconds_of_all() for _ in range(rounds)]
    medians = {name: statistics.median(each[name] for each in taken) for name in STATEMENTS}
    figures = {
        name: {"seconds": round(seconds, 3), "times": round(seconds / medians[BASELINE], 2)}
        for name, seconds in medians.items()
    }
    return Report(figures, table(figures), tuple(budgets(figures)))


def budgets(figures: dict[str, Any]) -> Iterator[Budget]:
    """Yield what each handler may take; what it wants later is reported only."""
    for name in BEGINS_WITH:
        times = figures[name]["times"]
        yield Budget(f"import of {name}", times, MOST_TIMES, f"times {BASELINE}")


def table(figures: dict[str, Any]) -> str:
    """Return the figures as a text table."""
    head = f"{'import of':<32} {'seconds':>8} {'times':>6}"
    body = (
        f"{name:<32} {line['seconds']:>8.3f} {line['times']:>6.2f}"
        for name, line in figures.items()
    )
    return "\n".join([head, *body])


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


if __name__ == "__main__":
    publish("imports", run())
