"""
Ways to turn a drop into zips of 25,000 records. Run as a script it tries one and reports.

    python -m tests.bench.cutting_ways ours drop.csv folder-for-the-zips

One process per try, so that no way profits or suffers from what another left behind; it prints
the seconds of one core (all ways use one; waiting for a busy machine does not count) and the
peak memory above the idle process (everything imported, nothing read).
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
import sys
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bigin_import.domain.job_request import MAX_ROWS, JobRequest, Operation
from bigin_import.domain.plan import ColumnPlan, PlannedColumn
from bigin_import.reading.table import open_table
from bigin_import.splitting.splitter import split

PEERS = {"simple-salesforce": "simple_salesforce.bulk2", "pandas": "pandas"}


type Fields = dict[str, tuple[str | None, int | None]]

# What the metadata of Contacts says of our columns: type and length. Each value is checked.
FIELDS: Fields = {
    "Email": ("email", 100), "Last_Name": ("text", 80), "First_Name": ("text", 40),
    "Phone": ("phone", 50), "City": ("text", 100), "Street": ("text", 250),
    "Company": ("text", 200), "Created": ("date", None), "Amount": ("currency", 16),
    "Note": ("textarea", 32_000),
}  # fmt: skip
UNKNOWN = (None, None)


def ours(path: Path, folder: Path, *, key: int | None = None, fields: Fields | None = None) -> None:
    with path.open("rb") as stream:
        table = open_table(stream, name=path.name, encoding=None, default_encoding=None)
        planned = tuple(
            PlannedColumn(at, name, name, data_type=kind, length=length)
            for at, name in enumerate(table.header)
            for kind, length in [(fields or {}).get(name, UNKNOWN)]
        )
        request = JobRequest(Operation.INSERT, "Contacts", None, True, ())
        split(
            table,
            ColumnPlan(request, planned, key=key),
            store=partial(_store, folder),
            entry_name=lambda number: f"{number:04}.csv",
        )


def ours_with_keys(path: Path, folder: Path) -> None:
    """The same with a `find_by` key: empty and repeated keys are sought too."""
    ours(path, folder, key=0)


def ours_with_types(path: Path, folder: Path) -> None:
    """As most imports are: with a key, and with fields whose types and lengths are known."""
    ours(path, folder, key=0, fields=FIELDS)


def standard_library(path: Path, folder: Path) -> None:
    """Frozen: csv reader, csv writer, zipfile, as one writes it in ten minutes."""
    with path.open(encoding="utf-8", newline="") as source:
        reader = csv.reader(source)
        header = next(reader)
        number, rows = 1, 0
        buffer = _new_part(header)
        writer = csv.writer(buffer, lineterminator="\n")
        for row in reader:
            if rows == MAX_ROWS:
                _pack(folder, number, buffer.getvalue())
                number, rows = number + 1, 0
                buffer = _new_part(header)
                writer = csv.writer(buffer, lineterminator="\n")
            writer.writerow(row)
            rows += 1
        _pack(folder, number, buffer.getvalue())


def simple_salesforce(path: Path, folder: Path) -> None:
    """Its splitter, which checks nothing, and zipfile."""
    splitter = importlib.import_module(PEERS["simple-salesforce"])
    pieces = splitter._split_csv(filename=str(path), max_records=MAX_ROWS)
    for number, (_, text) in enumerate(pieces, 1):
        _pack(folder, number, text)


def pandas(path: Path, folder: Path) -> None:
    """Chunks of text columns, to_csv, and zipfile."""
    frames = importlib.import_module("pandas").read_csv(
        path, dtype=str, keep_default_na=False, chunksize=MAX_ROWS
    )
    for number, frame in enumerate(frames, 1):
        _pack(folder, number, frame.to_csv(index=False))


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "ours": ours,
    "ours, with keys": ours_with_keys,
    "ours, keys+types": ours_with_types,
    "standard library": standard_library,
    "simple-salesforce": simple_salesforce,
    "pandas": pandas,
}


def measured(way: str, path: Path, folder: Path) -> dict[str, float]:
    if way in PEERS:
        importlib.import_module(PEERS[way])
    idle = _memory_kib("VmRSS")
    started = time.process_time()
    WAYS[way](path, folder)
    seconds = time.process_time() - started
    return {"seconds": seconds, "peak_mib": (_memory_kib("VmHWM") - idle) / 1024}


def _new_part(header: list[str]) -> io.StringIO:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\n").writerow(header)
    return buffer


def _store(folder: Path, number: int, archive: bytes) -> None:
    _zip_path(folder, number).write_bytes(archive)


def _pack(folder: Path, number: int, text: str) -> None:
    with zipfile.ZipFile(_zip_path(folder, number), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{number:04}.csv", text)


def _zip_path(folder: Path, number: int) -> Path:
    return folder / f"{number:04}.zip"


def _memory_kib(what: str) -> int:
    """Read VmRSS (now) or VmHWM (the peak so far) of this process; Linux only."""
    found = re.search(rf"^{what}:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    if not found:
        raise OSError(f"/proc/self/status has no {what}")
    return int(found[1])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measured(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))))
