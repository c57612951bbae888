"""
An import whose jobs have all ended: its parts and Bigin's row results lie ready to be collected.

Made by the splitter from a drop of the bench. Every tenth row is not taken, so that all four result
files grow large; the id of a record is told by its row, so that it can be seen afterwards whether
every row got its own.
"""

from __future__ import annotations

import csv
import io
import random
import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bigin_import import identity, object_keys
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import, Totals
from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.part_record import Attempt, Outcome, Part
from bigin_import.domain.plan import ColumnPlan, Plan
from bigin_import.domain.plan import PlannedColumn as Column
from bigin_import.domain.states import ClosedBy, ImportState, OpenKind, PartState
from bigin_import.ports import Files
from bigin_import.reading.table import open_table
from bigin_import.splitting.splitter import split
from bigin_import.stored_plan import read_plan, write_archive, write_plan

ORDERS = ("in order", "shuffled")
RECEIVED_AT = 1_760_000_000
FILES = ("success", "failed", "unprocessed", "unclear")
_REFUSALS = ("DUPLICATE_DATA-Email", "MANDATORY_NOT_FOUND-Last_Name", "INVALID_DATA-Created")
_STATUSES = {
    "success": "ADDED",
    "failed": "SKIPPED",
    "unprocessed": "UNPROCESSED",
    "unclear": "QUEUED",  # a word that Bigin's documentation does not have
}
_RETURNED = 3  # columns; "the first three" is what Bigin's documentation shows
_FIRST_RECORD_ID = 100_000_000_000_000_000


@dataclass(frozen=True)
class Prepared:
    """
    Where the import lies.

    Attributes:
        plan_sha256: Of its plan.
        row_results: For each part Bigin's zip, `0001.zip` and so on.
    """

    source: ObjectVersion
    row_results: Path
    plan_sha256: str = ""

    @property
    def import_id(self) -> str:
        return identity.import_id_of(self.source)


def prepare(files: Files, drop: Path, folder: Path, *, order: str) -> Prepared:
    """Put *drop* and everything that is there when its jobs have ended; row results in *folder*."""
    source = _put(files, drop, f"incoming/{order.replace(' ', '-')}/{drop.name}")
    prepared = Prepared(source, folder)
    with drop.open("rb") as stream:
        table = open_table(stream, name=drop.name, encoding=None, default_encoding=None)
        columns = tuple(Column(at, name, name) for at, name in enumerate(table.header))
        request = JobRequest(Operation.INSERT, "Contacts", None, True, ())
        plan = ColumnPlan(request, columns)
        shuffle = random.Random(RECEIVED_AT).shuffle if order == "shuffled" else None

        def store(number: int, archive: bytes) -> None:
            write_archive(files, prepared.import_id, number, archive)
            lines = list(_lines(archive, number))
            if shuffle:
                shuffle(lines)
            _pack(folder / f"{number:04}.zip", [*table.header[:_RETURNED]], lines)

        result = split(table, plan, store=store, entry_name="{:04}.csv".format)
    plan_sha256 = write_plan(
        files,
        prepared.import_id,
        Plan(plan, result, table.dialect, table.header, are_rows_decided=True),
    )
    return replace(prepared, plan_sha256=plan_sha256)


def sent_import(
    files: Files, source: ObjectVersion, plan_sha256: str
) -> tuple[Import, tuple[Part, ...]]:
    """Return what the ledger knows of a prepared import: SENT, and all its jobs have ended."""
    import_id = identity.import_id_of(source)
    record = Import(
        import_id=import_id,
        source=source,
        state=ImportState.SENT,
        received_at=RECEIVED_AT,
        module="Contacts",
        operation="insert",
        plan_sha256=plan_sha256,
        results=object_keys.results_prefix(source, import_id, RECEIVED_AT),
        open=OpenKind.WORK,
        due_at=RECEIVED_AT,
    )
    found = read_plan(files, record).cut
    totals = Totals(
        rows=found.rows,
        blank=found.blank,
        invalid=found.invalid,
        parts=len(found.parts),
        content_sha256=found.content_sha256,
    )
    parts = (
        Part(
            import_id=import_id,
            number=part.number,
            state=PartState.SETTLED,
            rows=part.rows,
            csv_bytes=part.csv_bytes,
            sha256=part.sha256,
            first_row=part.first_row,
            last_row=part.last_row,
            repeatable=False,
            attempts=(_attempt(part.number, part.first_row, part.last_row),),
            created_at=RECEIVED_AT,
            open=OpenKind.WORK,
            due_at=RECEIVED_AT,
        )
        for part in found.parts
    )
    return replace(record, totals=totals), tuple(parts)


def file_of(row: int) -> str:
    """Return the result file that a row belongs into; *row* as a spreadsheet shows it."""
    return "success" if row % 10 else FILES[1 + row // 10 % 3]


def record_id(row: int) -> str:
    """Return the id of the record that a row became."""
    return str(_FIRST_RECORD_ID + row)


def _attempt(number: int, first_row: int, last_row: int) -> Attempt:
    files = Counter(map(file_of, range(first_row, last_row + 1)))
    outcome = Outcome(
        status="COMPLETED",
        added=files["success"],
        updated=0,
        skipped=files["failed"],
        total=files.total(),
        download_url=f"{number:04}.zip",
        closed_by=ClosedBy.CALLBACK,
        at=RECEIVED_AT,
    )
    return Attempt(
        number=1,
        started_at=RECEIVED_AT,
        decide_after=RECEIVED_AT,
        job_id=str(_FIRST_RECORD_ID - number),
        outcome=outcome,
    )


def _lines(archive: bytes, number: int) -> Iterator[list[str]]:
    """Yield a line of row results for every row that was sent."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened, opened.open(opened.namelist()[0]) as entry:
        rows = csv.reader(io.TextIOWrapper(entry, encoding="utf-8", newline=""))
        next(rows)
        for row, cells in enumerate(rows, 2 + (number - 1) * 25_000):
            yield [*cells[:_RETURNED], *_row_result(row)]


def _row_result(row: int) -> tuple[str, str, str]:
    file = file_of(row)
    record = record_id(row) if file == "success" else ""
    errors = _REFUSALS[row // 30 % len(_REFUSALS)] if file == "failed" else ""
    return _STATUSES[file], record, errors


def _pack(path: Path, returned: list[str], lines: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[*returned, "STATUS", "RECORD_ID", "ERRORS"], *lines])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("Contacts-bulkwrite.csv", text.getvalue())


def _put(files: Files, drop: Path, key: str) -> ObjectVersion:
    with drop.open("rb") as stream, files.open_writer(key, content_type="text/csv") as out:
        shutil.copyfileobj(stream, out, 1 << 20)
    source = files.find_newest(key)
    if source is None:
        raise FileNotFoundError(key)
    return source
