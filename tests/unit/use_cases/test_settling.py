"""From the job to the closed import: callbacks, the tick, results, notices."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from bigin_import.callback_url import CallbackTarget
from bigin_import.domain import part_transitions
from bigin_import.domain.drop import Notice, ObjectVersion
from bigin_import.domain.states import ClosedBy, ImportState, PartState
from bigin_import.errors import BiginOutcomeUnknownError, BiginUnreachableError, NoticeFailedError
from bigin_import.importing.decisions import Decision
from bigin_import.ledger import update
from bigin_import.stored_plan import read_row_results_file
from tests.fakes.harness import MAPPING, ROWS, Harness, as_json

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
LOST = BiginOutcomeUnknownError("read timed out")


def dropped(harness: Harness, body: bytes = ROWS) -> ObjectVersion:
    harness.drop(SIDECAR, MAPPING)
    return harness.drop(CSV, body)


def rows_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_a_callback_closes_the_import() -> None:
    harness = Harness()
    source = dropped(harness)

    harness.call_back(harness.parts_of(source)[0])
    harness.settle()

    attempt = harness.parts_of(source)[0].attempt
    assert harness.import_of(source).state is ImportState.COMPLETED
    assert attempt is not None
    assert attempt.outcome is not None
    assert attempt.outcome.closed_by is ClosedBy.CALLBACK


def test_without_a_callback_the_tick_closes_the_import() -> None:
    harness = Harness()
    source = dropped(harness)

    harness.tick(minutes=2)

    attempt = harness.parts_of(source)[0].attempt
    assert harness.import_of(source).state is ImportState.COMPLETED
    assert attempt is not None
    assert attempt.outcome is not None
    assert attempt.outcome.closed_by is ClosedBy.TICK


def test_what_the_body_claims_is_not_believed() -> None:
    harness = Harness()
    source = dropped(harness)
    harness.drop("incoming/other.mapping.json", MAPPING)
    other = harness.drop("incoming/other.csv", ROWS)
    harness.bigin.runs = False

    harness.call_back(harness.parts_of(other)[0], hint="7000")

    assert [part.attempts[0].job_id for part in harness.parts_of(source)] == ["7000"]
    assert [part.attempts[0].job_id for part in harness.parts_of(other)] == ["7001"]


def test_a_callback_for_a_part_that_we_do_not_have_changes_nothing() -> None:
    harness = Harness()
    before = dict(harness.ledger.records)

    harness.callback_recorder.receive(CallbackTarget("a" * 26, 1, 1), "7000")

    assert harness.ledger.records == before
    assert harness.bigin.calls == []


def test_callbacks_in_a_row_ask_bigin_once_in_ten_seconds() -> None:
    harness = Harness()
    harness.bigin.runs = False
    source = dropped(harness)
    harness.bigin.calls.clear()

    for _ in range(5):
        harness.call_back(harness.parts_of(source)[0])

    assert harness.bigin.calls == ["job"]


def test_a_callback_that_comes_after_the_end_asks_nobody() -> None:
    harness = Harness()
    source = dropped(harness)
    harness.tick(minutes=2)
    harness.bigin.calls.clear()

    harness.call_back(harness.parts_of(source)[0])

    assert harness.bigin.calls == []


def test_if_bigin_cannot_be_asked_the_next_tick_asks() -> None:
    harness = Harness()
    source = dropped(harness)
    harness.bigin.fail("job", BiginUnreachableError("no route"))

    harness.call_back(harness.parts_of(source)[0])
    due_at = harness.parts_of(source)[0].due_at
    harness.tick()

    assert due_at == harness.clock.now() - 60
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_the_next_tick_asks_also_if_zoho_had_tried_the_address_before() -> None:
    harness = Harness()
    harness.bigin.runs = False
    source = dropped(harness)
    harness.call_back(harness.parts_of(source)[0])
    harness.tick(minutes=60)
    harness.bigin.runs = True
    harness.bigin.fail("job", BiginUnreachableError("no route"))

    harness.call_back(harness.parts_of(source)[0])
    harness.tick()

    assert harness.import_of(source).state is ImportState.COMPLETED


def test_results_that_cannot_be_had_now_are_collected_later() -> None:
    harness = Harness()
    source = dropped(harness)
    harness.bigin.fail("download_result", BiginUnreachableError("no route"))
    harness.tick()
    state = harness.parts_of(source)[0].state

    harness.tick(minutes=3)

    assert state is PartState.SETTLED
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_every_row_is_in_one_file_with_its_record_and_its_row_number() -> None:
    harness = Harness()

    source = dropped(harness, ROWS + b"\n,No Mail\n")
    harness.tick(minutes=2)

    rows = rows_of(harness.result(source, "contacts.success.csv"))
    assert [(row["bigin__Row"], row["bigin__Id"], row["Surname"]) for row in rows] == [
        ("2", "7000000001", "Lovelace"),
        ("3", "7000000002", "Turing"),
        ("5", "7000000003", "No Mail"),
    ]


def test_a_job_that_never_ends_is_given_up_and_its_rows_are_unclear() -> None:
    harness = Harness()
    harness.bigin.runs = False
    source = dropped(harness)

    harness.tick(minutes=24 * 60 + 31)

    record = harness.import_of(source)
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts is not None
    assert record.counts.unclear == 2
    assert len(rows_of(harness.result(source, "contacts.unclear.csv"))) == 2


def test_a_closed_import_keeps_its_place_in_the_index_until_the_notice_is_out() -> None:
    harness = Harness()
    source = dropped(harness)
    publish = harness.notices.publish
    harness.notices.publish = _refuse  # type: ignore[method-assign]  # the topic is down
    with pytest.raises(NoticeFailedError):
        harness.tick()
    closed = harness.import_of(source)

    harness.notices.publish = publish  # type: ignore[method-assign]
    harness.tick(minutes=2)

    assert (closed.state, closed.open is None) == (ImportState.COMPLETED, False)
    assert harness.import_of(source).open is None
    assert len(harness.notices.published) == 1


def _refuse(notice: Notice) -> None:
    raise NoticeFailedError(notice.subject)


def test_one_item_that_fails_keeps_no_other_from_its_turn() -> None:
    harness = Harness()
    first = dropped(harness)
    harness.drop("incoming/other.mapping.json", MAPPING)
    second = harness.drop("incoming/other.csv", ROWS)
    harness.bigin.fail("job", BiginUnreachableError("no route"))

    harness.tick()

    states = {harness.import_of(first).state, harness.import_of(second).state}
    assert states == {ImportState.SENT, ImportState.COMPLETED}


def test_an_event_that_import_csv_failed_on_is_not_forgotten() -> None:
    harness = Harness()
    harness.files.put(
        SIDECAR,
        as_json(MAPPING),
    )
    source = harness.files.put(CSV, ROWS)
    harness.failures.events.append((source,))

    harness.tick(minutes=4)

    assert harness.import_of(source).state is ImportState.COMPLETED


@pytest.mark.parametrize(
    ("decision", "jobs", "state"),
    [
        (Decision.CREATE, 2, ImportState.COMPLETED),
        (Decision.ADOPT, 1, ImportState.COMPLETED),
        (Decision.GIVE_UP, 1, ImportState.COMPLETED_WITH_ERRORS),
    ],
)
def test_a_person_decides_about_a_held_part(
    decision: Decision, jobs: int, state: ImportState
) -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness)
    harness.tick(minutes=120)
    import_id = harness.import_of(source).import_id

    match decision:
        case Decision.CREATE:
            decided = harness.decisions.create(import_id, 1, 1)
        case Decision.ADOPT:
            decided = harness.decisions.adopt(import_id, 1, 1, "7000")
        case _:
            decided = harness.decisions.give_up(import_id, 1, 1)
    harness.settle()
    harness.tick(minutes=5)

    assert decided
    assert len(harness.bigin.made) == jobs
    assert harness.import_of(source).state is state


def test_a_decision_whose_carrier_died_after_the_part_is_carried_out_all_the_same() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness, b"E-mail,Surname\n" + b"a@example.com,A\n" * 25_001)
    harness.bigin.runs = False
    harness.tick(minutes=30)
    held = harness.parts_of(source)[0]
    state = harness.import_of(source).state

    update(harness.ledger, held.address, part_transitions.confirm_not_created(harness.clock.now()))
    harness.bigin.runs = True
    harness.tick(minutes=125)

    assert (held.state, state) == (PartState.HELD, ImportState.SENT)
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_a_decision_that_is_delivered_again_goes_on_where_the_first_one_died() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness)
    harness.tick(minutes=120)
    held = harness.parts_of(source)[0]
    update(harness.ledger, held.address, part_transitions.confirm_not_created(harness.clock.now()))

    harness.decisions.create(held.import_id, 1, 1)
    harness.tick(minutes=5)

    assert harness.import_of(source).state is ImportState.COMPLETED


def test_a_decision_about_another_attempt_or_made_twice_changes_nothing() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness)
    harness.tick(minutes=120)
    import_id = harness.import_of(source).import_id

    wrong_attempt = harness.decisions.create(import_id, 1, 2)
    first = harness.decisions.create(import_id, 1, 1)
    second = harness.decisions.create(import_id, 1, 1)

    assert (wrong_attempt, first, second) == (False, True, False)


def test_a_held_import_reminds_once_a_day() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    dropped(harness)

    harness.tick(minutes=3 * 24 * 60)

    assert 3 <= len(harness.notices.published) <= 4


def test_a_held_import_lets_the_next_version_of_its_file_go_on() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    held = dropped(harness)
    harness.tick(minutes=120)

    following = harness.drop(CSV, b"E-mail,Surname\ngrace@example.com,Hopper\n")
    harness.tick(minutes=3)

    assert harness.import_of(held).state is ImportState.ON_HOLD
    assert harness.import_of(following).state is ImportState.COMPLETED


def test_a_grown_file_waits_while_nobody_knows_which_rows_of_it_are_in() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    held = dropped(harness)
    harness.tick(minutes=120)

    grown = harness.drop(CSV, ROWS + b"grace@example.com,Hopper\n")
    harness.tick(minutes=3)
    assert harness.import_of(grown).state is ImportState.PREPARING

    assert harness.decisions.adopt(harness.import_of(held).import_id, 1, 1, "7000")
    harness.tick(minutes=30)

    assert harness.import_of(held).state is ImportState.COMPLETED
    assert harness.import_of(grown).state is ImportState.COMPLETED
    assert [row[0] for row in harness.bigin.records()].count("ada@example.com") == 1


@pytest.mark.parametrize("more", [b"", b"grace@example.com,Hopper\n"])
@pytest.mark.parametrize(
    ("decision", "words"),
    [(Decision.ADOPT, "has got"), (Decision.GIVE_UP, "has, or may have, got")],
)
def test_by_other_columns_too_it_waits_for_the_held_one_and_is_then_asked_about(
    decision: Decision, words: str, more: bytes
) -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    held = harness.import_of(dropped(harness))
    harness.tick(minutes=120)

    harness.drop(SIDECAR, {**MAPPING, "columns": {"Surname": "Last_Name"}})
    again = harness.drop(CSV, ROWS + more)
    harness.tick(minutes=3)
    assert harness.import_of(again).state is ImportState.PREPARING

    if decision is Decision.ADOPT:
        assert harness.decisions.adopt(held.import_id, 1, 1, "7000")
    else:
        assert harness.decisions.give_up(held.import_id, 1, 1)
    harness.tick(minutes=30)

    assert harness.import_of(again).state is ImportState.REJECTED
    assert f"import {held.import_id} {words}" in harness.notices.published[-1].body
    assert len(harness.bigin.made) == 1


def test_counts_that_contradict_the_rows_are_said_loudly() -> None:
    harness = Harness()
    source = dropped(harness)
    ask = harness.bigin.get_job
    harness.bigin.get_job = lambda job_id: replace(ask(job_id), added=1, skipped=1)  # type: ignore[method-assign]

    harness.tick(minutes=2)

    record = harness.import_of(source)
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts_disagree
    assert "CRITICAL" in harness.notices.published[0].subject


def test_row_results_of_the_same_rows_in_another_drop_are_not_taken() -> None:
    """Values cannot tell them apart; the name of the file that Bigin wrote them for can."""
    harness = Harness()
    harness.drop("incoming/other.mapping.json", MAPPING)
    harness.drop("incoming/other.csv", ROWS)
    source = dropped(harness)
    download = harness.bigin.download_result
    own = f"/results/{harness.parts_of(source)[0].attempts[0].job_id}.zip"
    answers = iter(["/results/7000.zip"])

    @contextmanager
    def mixed_up(url: str) -> Iterator[BinaryIO]:
        with download(next(answers, url) if url == own else url) as results:
            yield results

    harness.bigin.download_result = mixed_up  # type: ignore[method-assign]
    harness.tick()
    state = harness.parts_of(source)[0].state
    harness.tick(minutes=3)

    rows = rows_of(harness.result(source, "contacts.success.csv"))
    assert state is PartState.SETTLED
    assert harness.import_of(source).state is ImportState.COMPLETED
    assert [row["bigin__Id"] for row in rows] == ["7001000001", "7001000002"]


@pytest.mark.parametrize("line", ["skipped,,INVALID_DATA-Phone", "added,77,"])
def test_row_results_of_other_people_are_not_believed_for_an_empty_column(line: str) -> None:
    """Of these three rows no phone was sent; nor does another job's listing show one."""
    harness = Harness()
    columns = {"Surname": "Last_Name", "Phone": "Phone"}
    harness.drop(SIDECAR, {**MAPPING, "columns": columns})
    source = harness.drop(CSV, b"Surname,Phone\nAdams,\nBrown,\nClark,\n")
    shown = "".join(f"{name},,{line}\n" for name in ("Xu", "York", "Zorn"))
    results = zipped("Last_Name,Phone,STATUS,RECORD_ID,ERRORS\n" + shown)

    @contextmanager
    def download(url: str) -> Iterator[BinaryIO]:
        yield io.BytesIO(results)

    harness.bigin.download_result = download  # type: ignore[method-assign]

    harness.tick(minutes=2)

    assert len(rows_of(harness.result(source, "contacts.unclear.csv"))) == 3
    assert harness.import_of(source).state is ImportState.COMPLETED_WITH_ERRORS


def zipped(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Contacts-bulkwrite.csv", text)
    return packed.getvalue()


@contextmanager
def _nonsense(url: str) -> Iterator[BinaryIO]:
    yield io.BytesIO(zipped("This,is,something,else\n1,2,3,4\n"))


def test_bigins_own_row_results_are_kept_as_they_came(tmp_path: Path) -> None:
    harness = Harness()
    source = dropped(harness)
    job_id = harness.parts_of(source)[0].attempts[0].job_id
    came = tmp_path / "results.zip"
    with harness.bigin.download_result(f"/results/{job_id}.zip") as results:
        came.write_bytes(results.read())

    @contextmanager
    def from_disk(url: str) -> Iterator[BinaryIO]:
        with came.open("rb") as file:
            yield file

    harness.bigin.download_result = from_disk  # type: ignore[method-assign]
    harness.tick(minutes=2)

    (key,) = (key for key in harness.files.list_keys("parts/") if key.endswith(".result.zip"))
    kept = harness.files.read(key)
    assert kept == came.read_bytes()
    assert hashlib.sha256(kept).hexdigest() in key


type ImportFiles = tuple[bytes, dict[str, bytes]]


def files_of(harness: Harness, source: ObjectVersion) -> ImportFiles:
    """Return the row results that the ledger speaks of, and all files for people."""
    (part,) = harness.parts_of(source)
    results = harness.import_of(source).results or ""
    for_people = {key: harness.files.read(key) for key in harness.files.list_keys(results)}
    return read_row_results_file(harness.files, part), for_people


def test_a_collector_that_comes_late_changes_nothing_of_a_closed_import() -> None:
    """It stood still with other results in hand while another collected and closed."""
    harness = Harness()
    source = dropped(harness)
    download = harness.bigin.download_result
    closed: list[ImportFiles] = []

    @contextmanager
    def stood_still(url: str) -> Iterator[BinaryIO]:
        harness.bigin.download_result = download  # type: ignore[method-assign]
        harness.tick(minutes=2)
        closed.append(files_of(harness, source))
        with _nonsense(url) as results:
            yield results

    harness.bigin.download_result = stood_still  # type: ignore[method-assign]
    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert [files_of(harness, source)] == closed


def test_what_is_odd_about_row_results_is_said_in_the_report() -> None:
    harness = Harness()
    harness.bigin.download_result = _nonsense  # type: ignore[method-assign]  # Bigin has changed
    source = dropped(harness)

    harness.tick(minutes=2)

    notes = json.loads(harness.result(source, "import.json"))["notes"]
    assert any(note.startswith("Part 1: ") for note in notes)


def test_a_part_is_final_when_its_import_is_closed() -> None:
    harness = Harness()
    source = dropped(harness)

    harness.tick(minutes=2)

    part = harness.parts_of(source)[0]
    assert (part.state, part.open) == (PartState.COLLECTED, None)
    assert part.expires_at is not None
