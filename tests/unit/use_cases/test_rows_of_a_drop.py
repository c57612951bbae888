"""Each row of a drop gets what became of it, whatever stands between and wherever parts end."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

import pytest

from bigin_import import identity
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import (
    ColumnPlan,
    Dialect,
    LeftOut,
    Plan,
    PlannedColumn,
    RowDecision,
    SplitResult,
)
from bigin_import.domain.row_result import RowResult, RowResults, RowStatus
from bigin_import.domain.states import ImportState, PartState
from bigin_import.reading.blocks import Block
from bigin_import.row_results.join import write_row_results
from bigin_import.row_results.result_files import DropRow, SentRows
from bigin_import.settling.row_files import Rows
from bigin_import.splitting.archive import EntryWriter, csv_text
from bigin_import.stored_plan import write_archive, write_decisions, write_row_results_file
from tests.fakes.memory_files import MemoryFiles
from tests.unit.row_results.test_rows_at_once import one_by_one

HEADER = ("Email", "Last_Name")
COLUMNS = ColumnPlan(
    JobRequest(Operation.INSERT, "Contacts", None, True, ()),
    tuple(PlannedColumn(at, name, name) for at, name in enumerate(HEADER)),
)
ROWS = 30_000  # more than one chunk of text, so that there are blocks
STATUSES = (RowStatus.ADDED, RowStatus.REFUSED, RowStatus.UNCLEAR)


def decided(number: int, random: Random) -> RowDecision:
    """Return that a row is invalid, in already, or sent as the row of a correction."""
    return random.choice(
        [
            RowDecision(number, reason="it is odd"),
            RowDecision(number, RowStatus.EXISTING, "7", "earlier"),
            RowDecision(number, root_import="root", root_row=3),
            RowDecision(number, restored=((1, "restored"),)),
        ]
    )


def expected(number: int, cells: list[str], decision: RowDecision | None) -> DropRow:
    if decision is not None and decision.status is not None:
        result = RowResult(decision.status, decision.record_id)
        return DropRow(number, cells, row_result=result, decision=decision)
    if decision is not None and decision.reason:
        return DropRow(number, cells, decision.reason)
    status = STATUSES[number % 3]
    found = RowResult(status, f"id{number}", "x, y" if status is RowStatus.REFUSED else "")
    return DropRow(number, cells, row_result=found, record=cells, decision=decision)


def kept_part(files: MemoryFiles, import_id: str, number: int, rows: Sequence[DropRow]) -> Part:
    """Store what was sent of *rows*, and what became of them."""
    archive = EntryWriter(f"{number:04}.csv")
    archive.write(csv_text([HEADER, *(tuple(row.record or ()) for row in rows)]).encode())
    body = archive.close()
    write_archive(files, import_id, number, body)
    results = write_row_results(RowResults.of(row.row_result for row in rows if row.row_result))
    results_sha256 = write_row_results_file(files, import_id, number, results)
    return Part(
        import_id=import_id,
        number=number,
        state=PartState.COLLECTED,
        rows=len(rows),
        csv_bytes=archive.size,
        sha256=hashlib.sha256(body).hexdigest(),
        results_sha256=results_sha256,
        first_row=rows[0].number or 0,
        last_row=rows[-1].number or 0,
        repeatable=False,
    )


def plan_of(
    files: MemoryFiles, import_id: str, decisions: Sequence[RowDecision], left_out: int
) -> Plan:
    cut = SplitResult((), ROWS, 0, 0, 0, 0, (), False, "", left_out=(LeftOut("sum", (left_out,)),))
    return Plan(
        COLUMNS,
        cut,
        Dialect("utf-8", ","),
        HEADER,
        decisions=write_decisions(files, import_id, decisions),
        are_rows_decided=True,
    )


@pytest.mark.parametrize("seed", range(3))
def test_every_row_gets_its_own(seed: int) -> None:
    random = Random(seed)
    files = MemoryFiles()
    cells = [[f"person{n}@example.com", "" if n % 997 else f"Name {n}, too"] for n in range(ROWS)]
    source = files.put("incoming/contacts.csv", csv_text([HEADER, *map(tuple, cells)]).encode())
    odd = random.sample(range(2, ROWS // 2), 41)  # so that blocks without any come behind
    left_out, decisions = odd[0], {n: decided(n, random) for n in sorted(odd[1:])}
    for number, decision in decisions.items():
        for column, cell in decision.restored:
            cells[number - 2][column] = cell
    rows = [
        DropRow(n, each, row_result=RowResult(RowStatus.LEFT_OUT))
        if n == left_out
        else expected(n, each, decisions.get(n))
        for n, each in enumerate(cells, 2)
    ]
    import_id = identity.import_id_of(source)
    sent = [row for row in rows if row.record is not None]
    parts: list[Part] = []
    while sent:
        size = random.choice([1, 700, 5_000]) if len(sent) > ROWS // 2 else len(sent)
        some, sent = sent[:size], sent[size:]
        parts.append(kept_part(files, import_id, len(parts) + 1, some))
    plan = plan_of(files, import_id, list(decisions.values()), left_out)
    record = Import(import_id=import_id, source=source, state=ImportState.FINISHING, received_at=1)

    found = list(Rows(files, record, tuple(parts), plan).read_drop())

    # Why it is so is tested elsewhere.
    assert [row._replace(cells=list(row.cells), because=None) for row in one_by_one(found)] == rows
    many = [some for some in found if isinstance(some, SentRows)]
    assert any(isinstance(some.rows, Block) for some in many)
