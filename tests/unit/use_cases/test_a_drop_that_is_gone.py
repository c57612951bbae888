"""A drop whose version was removed before its results were written: what was sent is told."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import InvalidRow, SplitResult
from bigin_import.domain.states import ImportState, PartState
from bigin_import.object_keys import archive
from bigin_import.row_results.result_files import RESULT_COLUMNS
from bigin_import.settling.row_files import numbers_of
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.unit.use_cases.test_what_people_are_told import SmallParts

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
WIDER = b"E-mail,Surname,Secret\nada@example.com,Lovelace,one\nalan@example.com,Turing,two\n"


def sent_and_removed(harness: Harness, body: bytes = ROWS, **mapping: object) -> ObjectVersion:
    harness.drop(SIDECAR, {**MAPPING, **mapping})
    source = harness.drop(CSV, body)
    del harness.files.versions[CSV]  # for good: every version of it
    return source


def rows_of(harness: Harness, source: ObjectVersion, name: str) -> list[dict[str, str]]:
    text = harness.result(source, f"contacts.{name}.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_import_closes_with_what_was_sent_and_says_what_is_missing() -> None:
    harness = Harness()
    source = sent_and_removed(harness, WIDER)

    harness.tick(minutes=3)

    record = harness.import_of(source)
    assert (record.state, record.counts and record.counts.added) == (ImportState.COMPLETED, 2)
    assert [
        (row["bigin__Row"], row["bigin__Status"], row["Email"], row["Last_Name"])
        for row in rows_of(harness, source, "success")
    ] == [
        ("2", "added", "ada@example.com", "Lovelace"),
        ("3", "added", "alan@example.com", "Turing"),
    ]
    assert "Secret" not in rows_of(harness, source, "success")[0]
    assert "original file was removed" in harness.notices.published[0].body
    assert "original file was removed" in harness.result(source, "report.html").decode()


def test_rows_that_were_not_sent_are_counted_and_numbered_from_the_plan() -> None:
    harness = Harness()
    body = b"E-mail,Surname\n,None\n" + ROWS.split(b"\n", 1)[1]
    source = sent_and_removed(harness, body, operation="upsert", find_by="Email", on_bad_rows="50%")

    harness.tick(minutes=3)

    (failed,) = rows_of(harness, source, "failed")
    facts = json.loads(harness.result(source, "import.json"))
    assert (failed["bigin__Row"], failed["bigin__Status"]) == ("2", "invalid")
    assert [row["bigin__Row"] for row in rows_of(harness, source, "success")] == ["3", "4"]
    assert facts["rows"] == facts["added"] + facts["invalid"] == 3


def own_cells(*, is_removed: bool) -> list[tuple[str, ...]]:
    """Return our own cells of all rows of two parts, which have each kind of row but unclear."""
    harness = SmallParts(max_rows=2)
    harness.bigin.verdict = refuse_turing  # type: ignore[method-assign]
    mapping = {**MAPPING, "operation": "upsert", "find_by": "Email", "on_bad_rows": "50%"}
    harness.drop(SIDECAR, mapping)
    source = harness.drop(CSV, ROWS + b",Nobody\ngrace@example.com,Hopper\n" * 2)
    if is_removed:
        del harness.files.versions[CSV]
    harness.tick(minutes=3)
    assert len(harness.parts_of(source)) == 2
    return [
        tuple(row[name] for name in RESULT_COLUMNS)
        for file in ("success", "failed")
        for row in sorted(rows_of(harness, source, file), key=lambda row: int(row["bigin__Row"]))
    ]


def refuse_turing(row: Sequence[str]) -> tuple[str, str]:
    return ("SKIPPED", "BLOCKED_RECORD-Last_Name") if "Turing" in row else ("ADDED", "")


def test_our_own_cells_are_the_same_without_the_drop() -> None:
    """Each of our columns, also one that depends on the part: a new one is held without a name."""
    found = own_cells(is_removed=True)

    assert found == own_cells(is_removed=False)
    assert len(found) == 6
    assert all(map(any, zip(*found, strict=True)))


def test_where_blank_lines_hide_the_numbers_none_are_guessed() -> None:
    harness = Harness()
    source = sent_and_removed(harness, ROWS + b"\ngrace@example.com,Hopper\n")

    harness.tick(minutes=3)

    rows = rows_of(harness, source, "success")
    assert [row["Last_Name"] for row in rows] == ["Lovelace", "Turing", "Hopper"]
    assert {row["bigin__Row"] for row in rows} == {""}


def test_rows_that_are_unclear_are_told_without_the_drop_too() -> None:
    harness = Harness()
    harness.bigin.runs = False
    source = sent_and_removed(harness, ROWS + b"\ngrace@example.com,Hopper\n")

    harness.tick(minutes=24 * 60 + 31)

    assert len(rows_of(harness, source, "unclear")) == 3
    assert "Hopper" in harness.result(source, "report.html").decode()


def test_a_missing_archive_is_not_taken_for_a_missing_drop() -> None:
    harness = Harness()
    source = sent_and_removed(harness)
    harness.call_back(harness.parts_of(source)[0])
    import_id = harness.import_of(source).import_id
    harness.collector.collect(import_id, 1)
    key, *_ = archive(import_id, 1, harness.parts_of(source)[0].sha256)
    del harness.files.versions[key]

    harness.closer.finish(import_id)

    record = harness.import_of(source)
    assert record.state.is_closed
    assert record.counts == harness.parts_of(source)[0].counts
    assert "under parts/ was removed" in harness.result(source, "report.html").decode()


@pytest.mark.parametrize(
    ("last_row", "invalid", "numbers"),
    [
        (4, (), [2, 3, 4]),
        (5, (3,), [2, 4, 5]),
        (5, (), [None, None, None]),  # a blank line, anywhere
        (6, (3,), [None, None, None]),
        (4, (9,), [2, 3, 4]),
    ],
)
def test_rows_are_numbered_only_where_the_plan_leaves_no_choice(
    last_row: int, invalid: tuple[int, ...], numbers: list[int | None]
) -> None:
    part = Part(
        import_id="i" * 26,
        number=1,
        state=PartState.COLLECTED,
        rows=3,
        csv_bytes=30,
        sha256="0" * 64,
        first_row=2,
        last_row=last_row,
        repeatable=False,
    )
    plan = SplitResult(
        parts=(),
        rows=3,
        blank=0,
        padded=0,
        trimmed=0,
        invalid=len(invalid),
        invalid_rows=tuple(InvalidRow(row, "it is odd") for row in invalid),
        repeated_keys_across_parts=False,
        content_sha256="0" * 64,
    )

    assert list(numbers_of(part, plan)) == numbers
