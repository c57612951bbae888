"""
How fast a drop is read, checked, cut and packed, and in how much memory, next to peers.

Rounds are interleaved: every way runs once, then every way again, so that a busy moment of the
machine meets all of them. Reported are medians. After the timing the zips of the last round are
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
from itertools import islice
from pathlib import Path
from typing import IO, Any

from tests.bench.cutting_drops import KINDS, ROWS, drop_file
from tests.bench.cutting_ways import PEERS, WAYS

LOCAL = Path(__file__).parents[2] / ".local"
BASELINE = "standard library"

# Times as fast as the standard-library way at a million rows; MiB above idle at every size.
LEAST_RATIO = {"plain": 2.5, "newlines": 2.0, "quoted": 1.6}
MOST_MIB = 25


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


def run(*, rounds: int, sizes: Iterable[str], kinds: Iterable[str] = KINDS) -> list[Line]:
    """Measure every way that is installed on every drop; the largest size only ours, once."""
    return [line for kind in kinds for size in sizes for line in _lines(kind, size, rounds)]


def broken_budgets(lines: Iterable[Line]) -> list[str]:
    """Return a sentence for each budget that is not kept."""
    return [
        f"{line.way} on {line.kind}, {line.size}: {said}"
        for line in lines
        if line.way.startswith("ours")
        for said in _broken(line)
    ]


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


def _broken(line: Line) -> Iterator[str]:
    if line.peak_mib > MOST_MIB:
        yield f"{line.peak_mib:.1f} MiB above idle, more than {MOST_MIB}"
    least = LEAST_RATIO[line.kind]
    if line.way == "ours" and line.size == "130 MB" and line.ratio and line.ratio < least:
        yield f"{line.ratio:.2f} times the standard library, less than {least}"


def _lines(kind: str, size: str, rounds: int) -> list[Line]:
    path = drop_file(LOCAL / "bench", kind, ROWS[size])
    is_largest = size == "1.3 GB"
    ways = ["ours", "ours, with keys"] if is_largest else list(filter(_is_installed, WAYS))
    tries: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for round_number in range(1, 2 if is_largest else rounds + 1):
        for way in ways:
            is_checked = round_number == rounds and not is_largest
            tries[way].append(_tried(way, path, is_checked=is_checked))
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


def _is_installed(way: str) -> bool:
    return way not in PEERS or importlib.util.find_spec(PEERS[way].partition(".")[0]) is not None


def _median(tries: list[dict[str, float]], what: str) -> float:
    return statistics.median(each[what] for each in tries)


def _tried(way: str, path: Path, *, is_checked: bool) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        command = [sys.executable, "-m", "tests.bench.cutting_ways", way, str(path), str(folder)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        if is_checked and _digest(_parted(folder)) != _digest(_records_of(path)):
            raise AssertionError(f"{way}: the parts of {path.name} are not the drop")
        result: dict[str, float] = json.loads(answer.stdout)
        return result
    finally:
        shutil.rmtree(folder)


def _parted(folder: Path) -> Iterator[list[str]]:
    for archive in sorted(folder.iterdir()):
        with zipfile.ZipFile(archive) as opened, opened.open(opened.namelist()[0]) as entry:
            yield from _records(entry)


def _records_of(path: Path) -> Iterator[list[str]]:
    with path.open("rb") as stream:
        yield from _records(stream)


def _records(stream: IO[bytes]) -> Iterator[list[str]]:
    """Yield what stands below the header."""
    return islice(csv.reader(io.TextIOWrapper(stream, encoding="utf-8", newline="")), 1, None)


def _digest(records: Iterator[list[str]]) -> str:
    digest = hashlib.sha256()
    for record in records:
        digest.update("\0".join(record).encode() + b"\1")
    return digest.hexdigest()
