"""Imports in every state that is told to people, as the report's tests use them."""

from __future__ import annotations

from dataclasses import replace

from bigin_import.domain.drop import Problem
from bigin_import.domain.row_result import (
    Counts,
    FailedRow,
    JobCounts,
    RankedReason,
    Reason,
    RowStatus,
)
from bigin_import.domain.states import ImportState
from bigin_import.report.summary import (
    CheckedColumn,
    Choice,
    DryRun,
    FileLink,
    ImportSummary,
    PartSummary,
)
from bigin_import.row_results.reasons import NOT_DONE

IMPORT_ID = "k3v7q2mzt5ab9cdefgh1jklmn4"
CONSOLE = "https://eu-central-1.console.aws.amazon.com/s3/object/bigin-drop"
FOLDER = "results/shop/contacts.csv/2026-03-02T081500Z-k3v7q2mz/"

DECISION = f'{{"resume": "{IMPORT_ID}", "part": 2, "attempt": 1, "decision": "create"}}'
COMMAND = f"bigin-drop decide {IMPORT_ID} --part 2 create --confirm {IMPORT_ID}"
PLAIN = f"echo '{DECISION}' | aws lambda invoke --function-name import_csv ... /dev/null"


def file_link(kind: str, rows: int | None = None) -> FileLink:
    key = f"{FOLDER}contacts.{kind}.csv"
    return FileLink(kind=kind, key=key, url=f"{CONSOLE}?prefix={key}", rows=rows)


def part(number: int, counts: Counts) -> PartSummary:
    return PartSummary(
        number=number,
        state="COLLECTED",
        rows=counts.total,
        first_row=2 + (number - 1) * 25_000,
        last_row=1 + (number - 1) * 25_000 + counts.total,
        job_ids=(f"11111100000054{number:04d}",),
        closed_by="callback",
        seconds=74,
        credits=500,
        counts=counts,
        reported=JobCounts(
            added=counts.added,
            updated=counts.updated,
            skipped=counts.refused,
            total=counts.total,
        ),
    )


COMPLETED = ImportSummary(
    import_id=IMPORT_ID,
    file="incoming/shop/contacts.csv",
    state=ImportState.COMPLETED,
    received_at=1_772_439_300,
    module="Contacts",
    operation="upsert",
    find_by="Email",
    rows=24_000,
    blank=3,
    counts=Counts(added=23_000, updated=1_000),
    seconds=95,
    encoding="utf-8",
    delimiter=";",
    mapping_key="incoming/shop/mapping.json",
    mapping_version="3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrH",
    header=("E-mail", "Surname", "Phone", "City", "Note"),
    parts=(part(1, Counts(added=23_000, updated=1_000)),),
    files=(file_link("success", 24_000), file_link("report")),
    console_url=f"{CONSOLE}?prefix={FOLDER}",
)

REASONS = (
    RankedReason(
        Reason(
            "DUPLICATE_DATA",
            'A record with the same "E-mail" (Email) is already in Bigin, and the value must be '
            "unique.",
            'Remove the row, correct the value, or use "upsert" in the mapping.',
        ),
        1_204,
        (17, 93, 94, 251, 300),
    ),
    RankedReason(
        Reason(
            "MANDATORY_NOT_FOUND",
            '"Surname" (Last_Name) is empty, and Bigin requires it.',
            "Fill it in and drop the corrected file.",
        ),
        310,
        (21, 22, 23, 24, 25),
    ),
    RankedReason(
        Reason("INVALID_DATA", 'Bigin cannot store the value of "Birthday" (Date_of_Birth).'),
        12,
        (40_001,),
    ),
    RankedReason(Reason("", 'Bigin says: "odd".', quotes=True), 1, (59_999,)),
)

WITH_ERRORS = replace(
    COMPLETED,
    state=ImportState.COMPLETED_WITH_ERRORS,
    rows=60_000,
    counts=Counts(
        added=57_400, existing=573, refused=1_527, invalid=390, unprocessed=100, unclear=10
    ),
    reasons=REASONS,
    failed_rows=tuple(
        FailedRow(
            row,
            RowStatus.REFUSED,
            REASONS[row % 3].reason.what,
            (
                ("E-mail", f"person{row}@shop.example"),
                *((("Surname", ""),) if row % 3 == 1 else ()),
                *((("Birthday", "31.02.1980"),) if row % 3 == 2 else ()),
            ),
        )
        for row in (17, 21, 22, 23, 93)
    ),
    failed_csv=b"\xef\xbb\xbfbigin__Row;E-mail\r\n17;person17@shop.example\r\n",
    notes=("3 rows had trailing cells missing; they were added.",),
    parts=(
        part(1, Counts(added=24_000, existing=73, refused=927)),
        part(2, Counts(added=23_900, existing=500, refused=600)),
        replace(
            part(3, Counts(added=9_500, unprocessed=100, unclear=10)),
            closed_by="tick",
            note="Bigin left 10 lines out of its row results",
        ),
    ),
    files=(
        file_link("success", 57_973),
        file_link("failed", 1_917),
        file_link("unprocessed", 100),
        file_link("unclear", 10),
    ),
)

REJECTED = replace(
    COMPLETED,
    state=ImportState.REJECTED,
    rows=0,
    blank=0,
    counts=Counts(),
    parts=(),
    files=(file_link("suggestion"),),
    problems=(
        Problem(
            "contacts.mapping.json, field_mappings[2].column",
            'The file has no column "Compny"',
            'Did you mean "Company"?',
        ),
        Problem(
            "contacts.mapping.json, field_mappings[3].api_name",
            'Contacts has no field "Company Name"',
            "The field with this label is Account_Name",
        ),
        Problem("contacts.csv, row 17", "The row has 9 cells, the header has 7"),
        Problem(
            "contacts.csv",
            "the file is not UTF-8, and nothing says what it is",
            "Find the encoding that reads these cells rightly",
            cells=("windows-1252: Müller · Köln", "cp850: M³ller · K÷ln"),
        ),
    ),
)

DRY_RUN = replace(
    COMPLETED,
    state=ImportState.DRY_RUN,
    file="incoming/_check/shop/contacts.csv",
    counts=Counts(),
    parts=(),
    files=(),
    dry_run=DryRun(
        columns=(
            CheckedColumn(
                header="E-mail",
                api_name="Email",
                data_type="email",
                samples=("ada@shop.example", "bo@shop.example", "cy@shop.example"),
            ),
            CheckedColumn(
                header="Surname",
                api_name="Last_Name",
                data_type="text",
                samples=("Adams", "Brown", "Clark"),
            ),
        ),
        rows=23_998,
        jobs=1,
        credits=500,
        invalid=2,
        request='{\n  "operation": "upsert",\n  "resource": []\n}',
        ignored=("Note", "Internal id"),
        findings=("2 rows have no E-mail: 17, 93.", "4 values of Lead_Source are new to Bigin."),
        unknown=("Which records exist already.", "Fields that only the layout requires."),
    ),
)

ON_HOLD = replace(
    WITH_ERRORS,
    state=ImportState.ON_HOLD,
    hold_reason="Bigin did not answer when the job of part 2 was created",
    choices=(Choice("If none of its rows is in Bigin: make the job.", COMMAND, PLAIN),),
)

SAMPLES = {
    "completed": COMPLETED,
    "with errors": WITH_ERRORS,
    "disagreeing": replace(
        WITH_ERRORS,
        counts_disagree=True,
        parts=(replace(WITH_ERRORS.parts[0], disagrees=True, reported=JobCounts(added=1)),),
    ),
    "failed": replace(
        COMPLETED,
        state=ImportState.FAILED,
        counts=Counts(unprocessed=24_000),
        mend_first=True,
        parts=(replace(part(1, Counts(unprocessed=24_000)), state="REFUSED"),),
        reasons=(RankedReason(Reason("NO_PERMISSION", "The user may not."), 24_000, (2, 3)),),
    ),
    "not processed": replace(
        COMPLETED,
        state=ImportState.FAILED,
        counts=Counts(unprocessed=24_000),
        files=(file_link("unprocessed", 24_000),),
        reasons=(RankedReason(NOT_DONE, 24_000, (2, 3)),),
    ),
    "rejected": REJECTED,
    "checked and rejected": replace(
        REJECTED, is_check=True, file="incoming/_check/shop/contacts.csv", files=()
    ),
    "dry run": DRY_RUN,
    "on hold": ON_HOLD,
    "unchanged": replace(REJECTED, state=ImportState.UNCHANGED, problems=(), winner=IMPORT_ID),
    "withdrawn": replace(REJECTED, state=ImportState.WITHDRAWN, problems=()),
    "superseded": replace(REJECTED, state=ImportState.SUPERSEDED, problems=()),
}
