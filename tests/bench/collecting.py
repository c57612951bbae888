"""
How fast, and in how much memory, the result of every row is found out and written down.

Collecting joins Bigin's row results with what was sent, part by part; closing reads the drop
again and writes result files, report and `import.json` to S3, which is MiniStack, in a process
of its own. Afterwards the result files are read back: every row must be there, with its own id.

    python -m tests.bench.collecting
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bigin_import import object_keys
from bigin_import.aws.files import S3Files
from tests.bench.collecting_import import (
    FILES,
    ORDERS,
    RECEIVED_AT,
    Prepared,
    file_of,
    prepare,
    record_id,
)
from tests.bench.cutting_drops import ROWS, drop_file
from tests.bench.figures import Budget, Most, Report, progress, publish
from tests.local_stack import certificates, emulator, workspace

SIZES = ("10 MB", "130 MB")
BUCKET = "bench"
MOST_MIB = 60  # above the idle process, at every size
GOALS = {"collecting": (25, 30), "closing": (40, 50)}
"""MiB above the idle process: goal and floor."""
TINY_ROWS = 100


@dataclass(frozen=True)
class Line:
    """One line of the table: a phase, of an import of a size."""

    phase: str
    order: str
    size: str
    rows: int
    seconds: float
    processor_seconds: float
    peak_mib: float

    @property
    def name(self) -> str:
        return f"{self.phase} row results {self.order}, {self.size}"

    def as_json(self) -> dict[str, Any]:
        return {
            "phase": self.phase,
            "row_results": self.order,
            "size": self.size,
            "rows_per_second": round(self.rows / self.seconds),
            "seconds": round(self.seconds, 2),
            "processor_seconds": round(self.processor_seconds, 2),
            "peak_mib_above_idle": round(self.peak_mib, 1),
        }


def run(*, sizes: Iterable[str] = SIZES) -> Report:
    """Measure both orders of row results at every size; sizes that are not ours are left out."""
    lines = _measured([size for size in sizes if size in SIZES])
    figures = {line.name: line.as_json() for line in lines}
    memory = (
        Most(f"memory, {line.name}", line.peak_mib, "MiB above idle", *GOALS[line.phase])
        for line in lines
    )
    return Report(figures, table(lines), tuple(budgets(lines)), tuple(memory))


def _measured(sizes: Iterable[str]) -> list[Line]:
    with workspace.claimed("bench") as folder:
        issued = certificates.issue(folder)
        with emulator.running(folder, issued) as aws:
            client = aws.client("s3")
            client.create_bucket(
                Bucket=BUCKET,
                CreateBucketConfiguration={"LocationConstraint": emulator.REGION},
            )
            client.put_bucket_versioning(
                Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
            )
            bench = _Bench(S3Files(client, BUCKET), folder, aws.environment())
            return [line for size in sizes for order in ORDERS for line in bench.lines(size, order)]


def budgets(lines: Iterable[Line]) -> Iterator[Budget]:
    """Yield the memory that each phase may take."""
    for line in lines:
        yield Budget(f"memory of {line.name}", round(line.peak_mib, 1), MOST_MIB, "MiB above idle")


def table(lines: Iterable[Line]) -> str:
    """Return the lines as a text table."""
    head = (
        f"{'phase':<11} {'row results':<12} {'rows':>9} {'rows/s':>8} "
        f"{'s':>6} {'CPU s':>6} {'MiB':>6}"
    )
    body = (
        f"{line.phase:<11} {line.order:<12} {line.rows:>9,} {line.rows / line.seconds:>8,.0f} "
        f"{line.seconds:>6.1f} {line.processor_seconds:>6.1f} {line.peak_mib:>6.1f}"
        for line in lines
    )
    return "\n".join([head, *body])


@dataclass(frozen=True)
class _Bench:
    files: S3Files
    folder: Path
    environment: dict[str, str]

    def lines(self, size: str, order: str) -> Iterator[Line]:
        progress(f"collecting and closing, row results {order}, {size}")
        rows = ROWS[size]
        tiny, large = (self._prepared(count, order) for count in (TINY_ROWS, rows))
        phases = self._measured(tiny, large)
        self._check(large, rows)
        for phase, figures in phases.items():
            yield Line(phase=phase, order=order, size=size, rows=rows, **figures)

    def _prepared(self, rows: int, order: str) -> Prepared:
        drop = drop_file(workspace.LOCAL / "bench", "plain", rows)
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        return prepare(self.files, drop, folder, order=order)

    def _measured(self, *imports: Prepared) -> dict[str, dict[str, float]]:
        job = {
            "bucket": BUCKET,
            "imports": [
                {
                    "source": asdict(one.source),
                    "plan_sha256": one.plan_sha256,
                    "folder": str(one.row_results),
                }
                for one in imports
            ],
        }
        answer = subprocess.run(
            [sys.executable, "-m", "tests.bench.collecting_run", json.dumps(job)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            cwd=workspace.ROOT,
            env=self.environment | {"PYTHONPATH": ".:layers/common"},
        )
        phases: dict[str, dict[str, float]] = json.loads(answer.stdout)
        return phases

    def _check(self, of: Prepared, rows: int) -> None:
        """
        Read the result files back.

        Raises:
            AssertionError: A row is missing, or has the result or the cells of another.
        """
        for name in FILES:
            expected = (row for row in range(2, rows + 2) if file_of(row) == name)
            for row, line in zip(expected, self._result(of, name), strict=True):
                told = (line["bigin__Row"], line["bigin__Id"], line["Email"])
                record = record_id(row) if name == "success" else ""
                if told != (str(row), record, f"person{row - 2}@example.com"):
                    raise AssertionError(f"row {row} was taken for another")

    def _result(self, of: Prepared, name: str) -> Iterator[dict[str, str]]:
        prefix = object_keys.results_prefix(of.source, of.import_id, RECEIVED_AT)
        key = f"{prefix}{object_keys.result_name(of.source.key)}.{name}.csv"
        found = self.files.find_newest(key)
        if found is None:
            raise AssertionError(f"{key} was not written")
        with self.files.open_stream(found) as stream:
            yield from csv.DictReader(io.TextIOWrapper(stream, encoding="utf-8-sig", newline=""))


if __name__ == "__main__":
    publish("collecting", run())
