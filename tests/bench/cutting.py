"""
How fast a drop is read, checked, cut and packed, and in how much memory, next to peers.

Rounds are interleaved: every way runs once, then every way again, so that a busy moment of the
machine meets all of them. Reported are medians of the seconds of one processor. The largest size
only ours, once: there it is memory that counts. After the timing the zips of the first round are
unpacked and compared with the drop, record by record.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Any

from tests.bench import baseline
from tests.bench.cutting_drops import KINDS, ROWS, drop_file
from tests.bench.cutting_ways import PEERS, WAYS
from tests.bench.figures import LOCAL, ROOT, Budget, Most, Report, Target, progress, publish

BASELINE = "standard library"
SPLITTER = "simple-salesforce"
LARGEST = "1.3 GB"
ROUNDS_OF_PEERS = 3  # at most: they take half of the time, and no budget hangs on their decimals
LARGEST_WAYS = ("ours", "ours, keys+types")
OLD = " (baseline)"  # behind the name of one of our ways: the same by the baseline's build
# Times the baseline: goal and floor, without checks and with keys and types.
GOALS = {
    "plain": {"ours": (1.7, 1.5), "ours, keys+types": (1.9, 1.6)},
    "newlines": {"ours": (1.9, 1.5), "ours, keys+types": (2.0, 1.7)},
    "quoted": {"ours": (1.6, 1.3), "ours, keys+types": (1.7, 1.4)},
}

# Times as fast as the standard-library way at a million rows; MiB above idle at every size.
LEAST_RATIO = {"plain": 2.5, "newlines": 2.0, "quoted": 1.6}
COMPARED_SIZE = "130 MB"
GOAL_MIB, MOST_MIB = 20, 25


@dataclass(frozen=True)
class Line:
    """One line of the table: a way, on a kind of drop, of a size."""

    way: str
    kind: str
    size: str
    rows: int
    megabytes: float
    seconds: float
    peak_mib: float
    ratio: float | None

    @property
    def name(self) -> str:
        return f"{self.way}: {self.kind}, {self.size}"

    def as_json(self) -> dict[str, Any]:
        return {
            "way": self.way,
            "kind": self.kind,
            "size": self.size,
            "rows_per_second": round(self.rows / self.seconds),
            "mb_per_second": round(self.megabytes / self.seconds, 1),
            "seconds": round(self.seconds, 3),
            "times_the_standard_library": self.ratio and round(self.ratio, 2),
            "peak_mib_above_idle": round(self.peak_mib, 1),
        }


def run(
    *, rounds: int = 5, sizes: Iterable[str] = tuple(ROWS), kinds: Iterable[str] = KINDS
) -> Report:
    """Measure every way that is installed on every drop."""
    sizes = list(sizes)
    lines = [line for kind in kinds for size in sizes for line in _lines(kind, size, rounds)]
    figures = {line.name: line.as_json() for line in lines}
    return Report(figures, table(lines), tuple(budgets(lines)), tuple(targets(lines)))


def targets(lines: Iterable[Line]) -> Iterator[Target | Most]:
    """Yield how much faster than the baseline each kind of drop is cut, and in what memory."""
    at = {(line.way, line.kind, line.size): line for line in lines}
    for (way, kind, size), line in at.items():
        old = at.get((way + OLD, kind, size))
        if old and way in GOALS[kind]:
            times = {"baseline": old.seconds / line.seconds}
            times |= {"the standard library": line.ratio} if line.ratio else {}
            checks = "keys and types" if way != "ours" else "no checks"
            what = f"cut {kind}, {checks}, {size}"
            yield Target(what, line.rows / line.seconds, times, *GOALS[kind][way])
        if way in GOALS[kind]:
            yield Most(f"memory, {line.name}", line.peak_mib, "MiB above idle", GOAL_MIB, MOST_MIB)


def budgets(lines: Iterable[Line]) -> Iterator[Budget]:
    """Yield what memory each of our lines may take, and how fast it must be."""
    at = {(line.way, line.kind, line.size): line for line in lines}
    for line in at.values():
        if line.way.startswith("ours") and not line.way.endswith(OLD):
            yield Budget(
                f"memory, {line.name}", round(line.peak_mib, 1), MOST_MIB, "MiB above idle"
            )
    for kind, least in LEAST_RATIO.items():
        ours = at.get(("ours", kind, COMPARED_SIZE))
        splitter = at.get((SPLITTER, kind, COMPARED_SIZE))
        if ours and ours.ratio:
            unit = "times the standard library"
            yield Budget(f"speed, {ours.name}", round(ours.ratio, 2), least, unit, is_least=True)
        if ours and splitter:
            times = round(splitter.seconds / ours.seconds, 2)
            yield Budget(f"speed, {ours.name}", times, 1, f"times {SPLITTER}", is_least=True)


def table(lines: Iterable[Line]) -> str:
    """Return the lines as a text table."""
    head = f"{'drop':<17} {'way':<18} {'rows/s':>9} {'MB/s':>6} {'ratio':>6} {'MiB':>7}"
    body = (
        f"{line.kind:<9}{line.size:<8} {line.way:<18} {line.rows / line.seconds:>9,.0f} "
        f"{line.megabytes / line.seconds:>6.1f} {f'{line.ratio:.2f}' if line.ratio else '':>6} "
        f"{line.peak_mib:>7.1f}"
        for line in lines
    )
    return "\n".join([head, *body])


def _lines(kind: str, size: str, rounds: int) -> list[Line]:
    path = drop_file(LOCAL / "bench", kind, ROWS[size])
    ways = LARGEST_WAYS if size == LARGEST else tuple(filter(_is_installed, WAYS))
    if size != LARGEST and baseline.tree():
        ways += tuple(way + OLD for way in LARGEST_WAYS)
    last = 1 if size == LARGEST else rounds
    tries: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for number in range(1, last + 1):
        progress(f"cutting of {kind} drop, {size}, round {number} of {last}")
        for way in ways if number <= ROUNDS_OF_PEERS else filter(_has_budget, ways):
            tries[way].append(tried(way, path, is_checked=not tries[way]))
    medians = {way: _median(tries[way], "seconds") for way in ways}
    return [
        Line(
            way=way,
            kind=kind,
            size=size,
            rows=ROWS[size],
            megabytes=path.stat().st_size / 1e6,
            seconds=medians[way],
            peak_mib=max(each["peak_mib"] for each in tries[way]),
            ratio=medians[BASELINE] / medians[way] if BASELINE in medians else None,
        )
        for way in ways
    ]


def _has_budget(way: str) -> bool:
    return way not in PEERS


def _is_installed(way: str) -> bool:
    return way not in PEERS or importlib.util.find_spec(PEERS[way].partition(".")[0]) is not None


def _median(tries: list[dict[str, float]], what: str) -> float:
    return statistics.median(each[what] for each in tries)


def tried(way: str, path: Path, *, is_checked: bool) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        name = way.removesuffix(OLD)
        tree = (baseline.tree() if way != name else None) or ROOT
        answer = subprocess.run(
            [sys.executable, "-m", "tests.bench.cutting_ways", name, str(path), str(folder)],
            check=True,
            capture_output=True,
            text=True,
            cwd=tree,
            env=baseline.environment(tree),
        )
        if is_checked and _digest(_parted(folder)) != _drop_digest(path):
            raise AssertionError(f"{way}: the parts of {path.name} are not the drop")
        result: dict[str, float] = json.loads(answer.stdout)
        return result
    finally:
        shutil.rmtree(folder)


def _parted(folder: Path) -> Iterator[list[str]]:
    for archive in sorted(folder.iterdir()):
        with zipfile.ZipFile(archive) as opened, opened.open(opened.namelist()[0]) as entry:
            yield from _records(entry)


@lru_cache(1)  # the ways of a size ask for the same drop
def _drop_digest(path: Path) -> str:
    return _digest(_records_of(path))


def _records_of(path: Path) -> Iterator[list[str]]:
    with path.open("rb") as stream:
        yield from _records(stream)


def _records(stream: IO[bytes]) -> Iterator[list[str]]:
    """Yield what stands below the header; *stream* stays open and belongs to the caller."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    try:
        yield from islice(csv.reader(text), 1, None)
    finally:
        text.detach()


def _digest(records: Iterator[list[str]]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update("\0".join(record).encode() + b"\1")
    return digest.hexdigest()


if __name__ == "__main__":
    publish("cutting", run())
