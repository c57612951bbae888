"""
An import that the release before began finishes with this one.

`begun_before/` holds the items and objects of one drop of three rows in two parts as commit 12954e7
left them when it stopped in each state: never to be written anew by a later release.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from bigin_import.aws.ledger import to_record
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import CachedResponse, ContentClaim, KeyLock, LastNotice, Record
from bigin_import.domain.part_record import Part
from bigin_import.domain.row_result import RowResults
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import ChangedObjectError, RowResultsMismatchError
from bigin_import.row_results.join import RowResultReader, write_row_results
from bigin_import.stored_plan import read_plan
from tests.fakes.harness import Harness

FOLDER = Path(__file__).parent / "begun_before"
IMPORT_ID = "w46wzyzdinw4wqsr35b4c7amli"
ROWS = [
    ["ada@example.com", "Lovelace"],
    ["alan@example.com", "Turing"],
    ["grace@example.com", "Hopper"],
]
KINDS: dict[str, type[Record]] = {
    "IMPORT": Import,
    "PART": Part,
    "DROP": KeyLock,
    "CLAIM": ContentClaim,
    "TOLD": LastNotice,
}


def stopped(state: str) -> Harness:
    """Return a deployment in which the release before stopped."""
    left = json.loads((FOLDER / f"{state}.json").read_text())
    harness = Harness()
    harness.clock.advance(left["now"] - harness.clock.now())
    for stored in left["objects"]:
        put = harness.files.put(stored["key"], body_of(stored))
        assert put.version_id == stored["version_id"] or not put.key.startswith("incoming/")
    for item in left["items"]:
        kind = KINDS.get(item["sk"]["S"].partition("#")[0], CachedResponse)
        harness.ledger.restore(to_record(kind, item))
    return harness


def body_of(stored: dict[str, Any]) -> bytes:
    text = stored.get("text")
    return base64.b64decode(stored["base64"]) if text is None else text.encode()


def fill_bigin(harness: Harness) -> None:
    """Let Bigin have the uploads and the jobs that the release before made."""
    record = record_of(harness)
    for part in harness.ledger.load_parts(IMPORT_ID):
        if part.file_id is None:
            continue
        archive = harness.files.read(f"parts/{IMPORT_ID}/{part.number:04d}.zip")
        file_id = harness.bigin.upload(archive, name="x.zip", zgid=harness.bigin.zgid)
        assert file_id == part.file_id
        if part.attempt is None:
            continue
        request = read_plan(harness.files, record).columns.request
        url = harness.urls.url(IMPORT_ID, part.number, 1)
        job_id = harness.bigin.create_job(
            request, file_id=file_id, callback_url=url, zgid=harness.bigin.zgid
        )
        assert job_id == part.attempt.job_id


def record_of(harness: Harness) -> Import:
    record = harness.ledger.load(Import.at(IMPORT_ID))
    assert record is not None
    return record


def success(harness: Harness) -> str:
    return harness.files.read(f"{record_of(harness).results}contacts.success.csv").decode()


@pytest.mark.parametrize(
    ("state", "import_state", "part_states"),
    [
        ("preparing", ImportState.PREPARING, []),
        ("stored", ImportState.SENDING, [PartState.STORED, PartState.STORED]),
        ("uploaded", ImportState.SENDING, [PartState.UPLOADED, PartState.STORED]),
        ("created", ImportState.SENT, [PartState.CREATED, PartState.CREATED]),
        ("settled", ImportState.SENT, [PartState.SETTLED, PartState.SETTLED]),
        ("collected", ImportState.SENT, [PartState.COLLECTED, PartState.COLLECTED]),
    ],
)
def test_it_finishes_from_every_state(
    state: str, import_state: ImportState, part_states: list[PartState]
) -> None:
    harness = stopped(state)
    assert record_of(harness).state is import_state
    assert [part.state for part in harness.ledger.load_parts(IMPORT_ID)] == part_states
    fill_bigin(harness)

    harness.tick(minutes=100)

    record = record_of(harness)
    assert record.state is ImportState.COMPLETED
    assert record.counts is not None
    assert record.counts.added == 3
    assert harness.bigin.records() == ROWS
    assert all(",".join(row) in success(harness) for row in ROWS)
    assert [notice.subject for notice in harness.notices.published] == ["Imported: contacts.csv"]


def test_the_same_content_again_is_known_to_be_in() -> None:
    harness = stopped("closed")

    again = harness.drop("incoming/contacts.csv", harness.files.read("incoming/contacts.csv"))
    harness.tick(minutes=3)

    record = harness.import_of(again)
    assert (record.state, record.winner) == (ImportState.UNCHANGED, IMPORT_ID)


def test_what_its_frozen_submitter_wrote_over_a_plan_is_not_read() -> None:
    harness = stopped("stored")
    record = record_of(harness)
    key = f"parts/{IMPORT_ID}/plan.json"
    right = harness.files.read(key)
    harness.files.write(key, right.replace(b"Last_Name", b"First_Name"), content_type="x")
    assert "Last_Name" in read_plan(harness.files, record).columns.header

    del harness.files.versions[f"parts/{IMPORT_ID}/plan.{(record.plan_sha256 or '')[:16]}.json"]

    with pytest.raises(ChangedObjectError, match=r"plan\.json"):
        read_plan(harness.files, record)


@pytest.mark.parametrize(("kept", "found"), [(1, 1), (0, 0), (3, 3)])
def test_row_results_that_are_not_as_many_as_the_rows_close_nothing(kept: int, found: int) -> None:
    harness = stopped("collected")
    key = f"parts/{IMPORT_ID}/0001.fates.csv.gz"
    results = tuple(RowResultReader(harness.files.read(key)).take(2).one_by_one()) * 2
    harness.files.write(key, write_row_results(RowResults.of(results[:kept])), content_type="x")

    with pytest.raises(RowResultsMismatchError, match=f"part 1 .* 2 rows, but {found} row") as why:
        harness.closer.finish(IMPORT_ID)

    assert (why.value.part, why.value.rows, why.value.row_results) == (1, 2, found)
    assert not record_of(harness).state.is_closed
