"""The result file of a job: the first three mapped columns, then what became of each row."""

from __future__ import annotations

import csv
import io
import random
import zipfile

from tests.bigin_twin.csv_file import CsvFile
from tests.bigin_twin.mappings import Column
from tests.bigin_twin.rows import RowResult
from tests.bigin_twin.settings import Settings

SHOWN_COLUMNS = 3


def result_archive(
    module: str,
    source: CsvFile,
    columns: tuple[Column, ...],
    results: list[RowResult],
    *,
    settings: Settings,
    rng: random.Random,
) -> bytes:
    """Return the zip with one CSV, `<module>-<file>`, named and laid out as documented."""
    shown = sorted(c.index for c in columns if c.index is not None)[:SHOWN_COLUMNS]
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*(source.header[at] for at in shown), "STATUS", "RECORD_ID", "ERRORS"])
    for row, result in _listed(source.rows, results, settings, rng):
        status = result.status if settings.status_case == "upper" else result.status.lower()
        cells = (row[at] if at < len(row) else "" for at in shown)
        writer.writerow([*cells, status, result.record_id, result.errors])
    name = source.name if settings.result_name == "file" else "bulkwrite.csv"
    return _zipped(f"{module}-{name}", text.getvalue())


def _listed(
    rows: list[list[str]], results: list[RowResult], settings: Settings, rng: random.Random
) -> list[tuple[list[str], RowResult]]:
    listed = list(zip(rows, results, strict=True))
    if settings.result_rows == "unsuccessful":
        listed = [pair for pair in listed if pair[1].status not in ("ADDED", "UPDATED")]
    if settings.result_order == "shuffled":
        rng.shuffle(listed)
    return listed


def _zipped(name: str, text: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        # A fixed date: the same job gives the same bytes.
        archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return target.getvalue()
