"""The demo with somebody's own file: whatever came of it is told, and nothing wrong passes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Attempt, Part
from bigin_import.domain.states import ImportState, PartState
from tests.fakes.memory_files import MemoryFiles
from tests.fakes.memory_ledger import MemoryLedger
from tests.local_stack.demo import proof
from tests.local_stack.demo.__main__ import conclude
from tests.local_stack.demo.files import DemoFile, own
from tests.local_stack.demo.reported import LINE_KEYS, STATUSES, Reported, read_report
from tests.local_stack.demo.showing import show
from tests.local_stack.demo.watching import Seen, watch

KEY = "incoming/people.csv"
PREFIX = "results/people.csv/2026-01-01T000000Z-i1/"
FILE = DemoFile("people.csv", b"Name\nHill\n", b"no JSON")
IMPORT = Import(
    import_id="i1",
    source=ObjectVersion("b", KEY, "v1"),
    state=ImportState.SENDING,
    received_at=0,
    results=PREFIX,
)
HELD_PART = Part(
    import_id="i1",
    number=1,
    state=PartState.HELD,
    rows=1,
    csv_bytes=10,
    sha256="00",
    first_row=2,
    last_row=2,
    repeatable=False,
    attempts=(Attempt(number=1, started_at=0, decide_after=0, job_id="42"),),
)
FACTS: dict[str, Any] = {
    **dict.fromkeys(STATUSES, 0),
    "import_id": "i1",
    "file": KEY,
    "state": "COMPLETED",
    "rows": 1,
    "added": 1,
    "jobs": 1,
    "seconds": 5,
    "counts_disagree": False,
    "module": "Contacts",
    "delimiter": ",",
    "hold_reason": None,
    "problems": [],
    "reasons": [],
    "parts": [{"number": 1, "note": None}],
    "files": {"success": {"key": f"{PREFIX}people.success.csv", "rows": 1}},
}
PROBLEM = {"where": "people.mapping.json", "what": "it is no JSON", "remedy": "Look at line 1"}
SUCCESS = "bigin__Id,Name\n77,Hill\n".encode("utf-8-sig")


def reported_of(
    folder: Path, record: Import | None, *parts: Part, results: Mapping[str, bytes] | None = None
) -> Reported:
    """Return what is told of an import that has left *results* in the bucket."""
    bucket = MemoryFiles()
    for name, body in (results or {}).items():
        bucket.put(f"{PREFIX}{name}", body)
    return read_report(bucket, FILE, Seen(KEY, record, parts), below=folder)


def closed(folder: Path, **changed: object) -> Reported:
    facts = json.dumps(FACTS | changed).encode()
    results = {"import.json": facts, "people.success.csv": SUCCESS}
    return reported_of(folder, IMPORT, results=results)


def shown(reported: Reported) -> str:
    console = Console(width=200, highlight=False)
    with console.capture() as captured:
        show(console, [reported], {})
    return captured.get()


@pytest.mark.parametrize("mapping", [b"no JSON", b"[]", b"{}", b'{"resource": []}', b"\xff"])
def test_a_mapping_that_cannot_be_read_is_dropped_as_it_is(tmp_path: Path, mapping: bytes) -> None:
    csv_file, mapping_file = tmp_path / "people.csv", tmp_path / "other.json"
    csv_file.write_bytes(b"Name\nHill\n")
    mapping_file.write_bytes(mapping)

    assert own(csv_file, mapping_file) == DemoFile("people.csv", b"Name\nHill\n", mapping)


def test_a_completed_import_has_nothing_to_explain(tmp_path: Path) -> None:
    reported = closed(tmp_path)

    assert list(reported.words()) == []
    assert list(proof.faults([reported], {"Contacts": [{"id": "77"}]})) == []


def test_a_rejected_import_shows_its_problems_and_is_a_fault(tmp_path: Path) -> None:
    reported = closed(tmp_path, state="REJECTED", module=None, rows=0, added=0, problems=[PROBLEM])

    assert "people.mapping.json: it is no JSON. Look at line 1." in shown(reported)
    assert proof.modules([reported]) == frozenset()
    assert list(proof.faults([reported], {})) == ["people.csv is REJECTED"]


def test_rows_that_bigin_refused_are_explained(tmp_path: Path) -> None:
    reason = {"what": "Surname is missing.", "remedy": "Fill it in.", "rows": 2}

    reported = closed(tmp_path, state="COMPLETED_WITH_ERRORS", reasons=[reason])

    assert "2 rows: Surname is missing. Fill it in." in shown(reported)


def test_a_part_with_a_note_shows_it(tmp_path: Path) -> None:
    reported = closed(tmp_path, state="FAILED", parts=[{"number": 2, "note": "Bigin refused it."}])

    assert "Part 2: Bigin refused it." in shown(reported)


def test_what_a_person_wrote_is_no_markup(tmp_path: Path) -> None:
    reported = closed(
        tmp_path, state="REJECTED", problems=[PROBLEM | {"what": "[red] is no field"}]
    )

    assert "[red] is no field" in shown(reported)


def test_result_files_are_copied_and_their_place_is_shown(tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    (tmp_path / "people" / "of the last demo.csv").touch()

    reported = closed(tmp_path)

    assert (tmp_path / "people" / "people.success.csv").read_bytes() == SUCCESS
    assert reported.succeeded_ids() == ["77"]
    assert "people/people.success.csv  (1 row)" in shown(reported)
    assert "last demo" not in shown(reported)


def test_an_import_on_hold_tells_what_a_person_must_decide(tmp_path: Path) -> None:
    held = replace(IMPORT, state=ImportState.ON_HOLD, hold_reason="nobody knows of part 1")

    reported = reported_of(tmp_path, held, HELD_PART)

    assert "A person must decide: nobody knows of part 1." in shown(reported)
    assert list(proof.faults([reported], {})) == ["people.csv is ON_HOLD"]
    assert json.loads(reported.line) == dict.fromkeys(LINE_KEYS) | {
        "import_id": "i1",
        "file": KEY,
        "state": "ON_HOLD",
        "jobs": 1,
    }


def test_an_import_that_waits_says_for_what(tmp_path: Path) -> None:
    reported = reported_of(tmp_path, replace(IMPORT, pause="ACCESS"))

    assert "It waits: Zoho does not let us in." in shown(reported)


def test_a_file_that_nobody_heard_of_is_a_fault(tmp_path: Path) -> None:
    reported = reported_of(tmp_path, None)

    assert list(proof.faults([reported], {})) == ["people.csv is dropped"]


def test_watching_ends_in_time_with_what_was_seen() -> None:
    source = ObjectVersion("b", KEY, "v1")

    (seen,) = watch(MemoryLedger(), [source], Console(quiet=True), seconds=0)

    assert (seen.key, seen.record, seen.has_ended) == (KEY, None, False)


def test_the_last_lines_are_one_of_json_for_each_import(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reported = [closed(tmp_path), reported_of(tmp_path, None)]

    conclude(Console(), reported, seconds=36.4)

    took, *lines = capsys.readouterr().out.splitlines()
    assert took == "36 s in all"
    assert [json.loads(line)["state"] for line in lines] == ["COMPLETED", "dropped"]
    assert all(tuple(json.loads(line)) == LINE_KEYS for line in lines)
