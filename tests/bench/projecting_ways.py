"""
Cut 6 of 20 columns, with one date and one decimal rule, and print the seconds of one core.

    python tests/bench/projecting_ways.py drop.csv

It runs in the tree that PYTHONPATH names, this one or the baseline's, whose names differ.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

# Field, type, length, rule.
COLUMNS: dict[str, tuple[str, str, int | None, dict[str, str]]] = {
    "Email": ("Email", "email", 100, {}),
    "Last_Name": ("Last_Name", "text", 80, {}),
    "Phone": ("Phone", "phone", 50, {}),
    "City": ("Mailing_City", "text", 100, {}),
    "Created": ("Created", "date", None, {"date_format": "dd.MM.yyyy"}),
    "Amount": ("Amount", "currency", 16, {"decimal": ","}),
}


def tried(path: Path) -> dict[str, Any]:
    """Return the seconds, and the hash of all rows that would be sent."""
    ways: Any = importlib.import_module("tests.bench.cutting_ways")
    rules: Any = importlib.import_module(ways.PlannedColumn.__module__)
    split = getattr(ways, "cut", None) or ways.split
    archives: list[bytes] = []
    with path.open("rb") as stream:
        started = time.process_time()
        table = ways.open_table(stream, name=path.name, encoding=None, default_encoding=None)
        columns = tuple(
            ways.PlannedColumn(
                table.header.index(header),
                header,
                field,
                data_type=kind,
                length=length,
                rule=rules.ValueRule(**rule) if rule else None,
            )
            for header, (field, kind, length, rule) in COLUMNS.items()
        )
        request = ways.JobRequest(ways.Operation.INSERT, "Contacts", None, True, ())
        plan = ways.ColumnPlan(request, columns, key=0)
        split(
            table,
            plan,
            store=lambda _number, archive: archives.append(archive),
            entry_name=lambda number: f"{number:04}.csv",
        )
        seconds = time.process_time() - started
    return {"seconds": seconds, "sent": _digest(archives)}


def _digest(archives: list[bytes]) -> str:
    digest = hashlib.sha256()
    for archive in archives:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            (name,) = opened.namelist()
            digest.update(opened.read(name).replace(b'"', b"").replace(b"\r\n", b"\n"))
    return digest.hexdigest()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(tried(Path(sys.argv[1]))))
