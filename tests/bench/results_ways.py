"""
Ways to find out what became of every row and to write it down. Run as a script it tries one.

    python tests/bench/results_ways.py ours drop.csv "in order"

It runs in the tree that PYTHONPATH names, this one or the baseline's, whose names differ. Bucket
and ledger are in memory; counted are the seconds of one core, without those of importing.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
import json
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

FILES = {
    "ADDED": "success",
    "UPDATED": "success",
    "SKIPPED": "failed",
    "UNPROCESSED": "unprocessed",
}
A_THIRD_REFUSED = "in order, a third refused"
OURS = (
    "bigin__Row",
    "bigin__Status",
    "bigin__Id",
    "bigin__Error",
    "bigin__Reason",
    "bigin__Import",
)


def prepared(drop: Path, folder: Path, order: str) -> Any:  # noqa: ANN401  # of either tree
    """Return bucket, import and parts; the row results lie in *folder*."""
    made: Any = importlib.import_module("tests.bench.collecting_import")
    files = importlib.import_module("tests.fakes.memory_files").MemoryFiles()
    made._put = lambda files, drop, key: files.put(key, drop.read_bytes())
    if order == A_THIRD_REFUSED:
        made.file_of = lambda row: "success" if row % 3 else "failed"
    found = made.prepare(files, drop, folder, order=order)
    plan = (found.plan_sha256,) if hasattr(found, "plan_sha256") else ()
    return files, *made.sent_import(files, found.source, *plan)


def ours(files: Any, record: Any, parts: Any, folder: Path) -> Callable[[], None]:  # noqa: ANN401
    """Return what collects and closes, with everything imported that it needs."""
    run = importlib.import_module("tests.bench.collecting_run")
    fakes = {
        name: getattr(importlib.import_module(f"tests.fakes.{module}"), name)
        for module, name in (
            ("memory_ledger", "MemoryLedger"),
            ("manual_clock", "ManualClock"),
            ("seen_events", "SeenEvents"),
        )
    }
    ledger = fakes["MemoryLedger"](check=lambda _old, _new: None)
    for each in (record, *parts):
        ledger.save(each)
    bigin = run.RowResults(folder)
    is_baseline = importlib.util.find_spec("bigin_import.settling.collector") is not None
    module = "bigin_import.settling." + ("collector" if is_baseline else "collect")
    telemetry = {"observer" if is_baseline else "telemetry": fakes["SeenEvents"]()}
    collector = importlib.import_module(module).Collector(
        ledger=ledger, files=files, bigin=bigin, clock=fakes["ManualClock"](), **telemetry
    )
    make = getattr(run, "_finisher", None) or run._closer
    closer = make(files, ledger, bigin)

    def collect_and_close() -> None:
        for part in parts:
            collector.collect(part.import_id, part.number)
        closer.finish(record.import_id)
        if not ledger.load(type(record).at(record.import_id)).state.is_closed:
            raise RuntimeError("the import was not closed")

    return collect_and_close


def naive(record: Any, parts: Any, folder: Path, drop: Path) -> None:  # noqa: ANN401
    """Frozen: csv reader, a dictionary by the values that came back, csv writer; nothing proven."""
    results: dict[tuple[str, ...], list[str]] = {}
    for number in range(1, len(parts) + 1):
        archive = zipfile.ZipFile(folder / f"{number:04}.zip")
        with archive, archive.open(archive.namelist()[0]) as entry:
            lines = csv.reader(io.TextIOWrapper(entry, encoding="utf-8", newline=""))
            next(lines)
            for line in lines:
                results[tuple(line[:3])] = line[3:]
    written: dict[str, Any] = {}
    with drop.open(encoding="utf-8", newline="") as source:
        rows = csv.reader(source)
        header = next(rows)
        for number, row in enumerate(rows, 2):
            status, record_id, error = results[tuple(row[:3])]
            name = FILES.get(status, "unclear")
            if name not in written:
                out = (folder / f"{name}.csv").open("w", encoding="utf-8-sig", newline="")
                written[name] = (out, csv.writer(out))
                written[name][1].writerow([*OURS, *header])
            cells = [number, status, record_id, error, "", record.import_id, *row]
            written[name][1].writerow(cells)
    for out, _writer in written.values():
        out.close()


def measured(way: str, drop: Path, order: str) -> float:
    with tempfile.TemporaryDirectory(dir=drop.parent) as name:
        folder = Path(name)
        files, record, parts = prepared(drop, folder, order)
        work: Callable[[], None] = partial(naive, record, parts, folder, drop)
        if way == "ours":
            work = ours(files, record, parts, folder)
        started = time.process_time()
        work()
        return time.process_time() - started


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
