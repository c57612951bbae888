"""From the job to the closed import: callbacks, the tick, results, notices."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

import pytest

from bigin_import.callback import CallbackTarget
from bigin_import.changes import change
from bigin_import.errors import BiginOutcomeUnknownError, BiginUnreachableError, NoticeFailedError
from bigin_import.importing.decisions import Decision
from bigin_import.models import Notice, ObjectVersion
from bigin_import.records import ClosedBy, ImportState, PartState, doubts
from tests.fakes.house import MAPPING, ROWS, House, as_json

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
LOST = BiginOutcomeUnknownError("read timed out")


def dropped(house: House, body: bytes = ROWS) -> ObjectVersion:
    house.drop(SIDECAR, MAPPING)
    return house.drop(CSV, body)


def rows_of(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def test_a_callback_closes_the_import() -> None:
    house = House()
    source = dropped(house)

    house.call_back(house.parts_of(source)[0])
    house.settle()

    attempt = house.parts_of(source)[0].attempt
    assert house.import_of(source).state is ImportState.COMPLETED
    assert attempt is not None
    assert attempt.outcome is not None
    assert attempt.outcome.closed_by is ClosedBy.CALLBACK


def test_without_a_callback_the_tick_closes_the_import() -> None:
    house = House()
    source = dropped(house)

    house.tick(minutes=2)

    attempt = house.parts_of(source)[0].attempt
    assert house.import_of(source).state is ImportState.COMPLETED
    assert attempt is not None
    assert attempt.outcome is not None
    assert attempt.outcome.closed_by is ClosedBy.TICK


def test_what_the_body_claims_is_not_believed() -> None:
    house = House()
    source = dropped(house)
    house.drop("incoming/other.mapping.json", MAPPING)
    other = house.drop("incoming/other.csv", ROWS)
    house.bigin.runs = False

    house.call_back(house.parts_of(other)[0], hint="7000")

    assert [part.attempts[0].job_id for part in house.parts_of(source)] == ["7000"]
    assert [part.attempts[0].job_id for part in house.parts_of(other)] == ["7001"]


def test_a_callback_for_a_part_that_we_do_not_have_changes_nothing() -> None:
    house = House()
    before = dict(house.ledger.records)

    house.receiver.receive(CallbackTarget("a" * 26, 1, 1), "7000")

    assert house.ledger.records == before
    assert house.bigin.calls == []


def test_callbacks_in_a_row_ask_bigin_once_in_ten_seconds() -> None:
    house = House()
    house.bigin.runs = False
    source = dropped(house)
    house.bigin.calls.clear()

    for _ in range(5):
        house.call_back(house.parts_of(source)[0])

    assert house.bigin.calls == ["job"]


def test_a_callback_that_comes_after_the_end_asks_nobody() -> None:
    house = House()
    source = dropped(house)
    house.tick(minutes=2)
    house.bigin.calls.clear()

    house.call_back(house.parts_of(source)[0])

    assert house.bigin.calls == []


def test_if_bigin_cannot_be_asked_the_next_tick_asks() -> None:
    house = House()
    source = dropped(house)
    house.bigin.fail("job", BiginUnreachableError("no route"))

    house.call_back(house.parts_of(source)[0])
    due_at = house.parts_of(source)[0].due_at
    house.tick()

    assert due_at == house.clock.now() - 60
    assert house.import_of(source).state is ImportState.COMPLETED


def test_the_next_tick_asks_also_if_zoho_had_tried_the_address_before() -> None:
    house = House()
    house.bigin.runs = False
    source = dropped(house)
    house.call_back(house.parts_of(source)[0])
    house.tick(minutes=60)
    house.bigin.runs = True
    house.bigin.fail("job", BiginUnreachableError("no route"))

    house.call_back(house.parts_of(source)[0])
    house.tick()

    assert house.import_of(source).state is ImportState.COMPLETED


def test_results_that_cannot_be_had_now_are_collected_later() -> None:
    house = House()
    source = dropped(house)
    house.bigin.fail("download_result", BiginUnreachableError("no route"))
    house.tick()
    state = house.parts_of(source)[0].state

    house.tick(minutes=3)

    assert state is PartState.SETTLED
    assert house.import_of(source).state is ImportState.COMPLETED


def test_every_row_is_in_one_file_with_its_record_and_its_row_number() -> None:
    house = House()

    source = dropped(house, ROWS + b"\n,No Mail\n")
    house.tick(minutes=2)

    rows = rows_of(house.result(source, "contacts.success.csv"))
    assert [(row["bigin__Row"], row["bigin__Id"], row["Surname"]) for row in rows] == [
        ("2", "7000000001", "Lovelace"),
        ("3", "7000000002", "Turing"),
        ("5", "7000000003", "No Mail"),
    ]


def test_a_job_that_never_ends_is_given_up_and_its_rows_are_unclear() -> None:
    house = House()
    house.bigin.runs = False
    source = dropped(house)

    house.tick(minutes=24 * 60 + 31)

    record = house.import_of(source)
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts is not None
    assert record.counts.unclear == 2
    assert len(rows_of(house.result(source, "contacts.unclear.csv"))) == 2


def test_a_closed_import_keeps_its_place_in_the_index_until_the_notice_is_out() -> None:
    house = House()
    source = dropped(house)
    publish = house.notices.publish
    house.notices.publish = _refuse  # type: ignore[method-assign]  # the topic is down
    with pytest.raises(NoticeFailedError):
        house.tick()
    closed = house.import_of(source)

    house.notices.publish = publish  # type: ignore[method-assign]
    house.tick(minutes=2)

    assert (closed.state, closed.open is None) == (ImportState.COMPLETED, False)
    assert house.import_of(source).open is None
    assert len(house.notices.published) == 1


def _refuse(notice: Notice) -> None:
    raise NoticeFailedError(notice.subject)


def test_one_item_that_fails_keeps_no_other_from_its_turn() -> None:
    house = House()
    first = dropped(house)
    house.drop("incoming/other.mapping.json", MAPPING)
    second = house.drop("incoming/other.csv", ROWS)
    house.bigin.fail("job", BiginUnreachableError("no route"))

    house.tick()

    states = {house.import_of(first).state, house.import_of(second).state}
    assert states == {ImportState.SENT, ImportState.COMPLETED}


def test_an_event_that_import_csv_failed_on_is_not_forgotten() -> None:
    house = House()
    house.files.put(
        SIDECAR,
        as_json(MAPPING),
    )
    source = house.files.put(CSV, ROWS)
    house.failures.events.append((source,))

    house.tick(minutes=4)

    assert house.import_of(source).state is ImportState.COMPLETED


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
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house)
    house.tick(minutes=120)
    import_id = house.import_of(source).import_id

    match decision:
        case Decision.CREATE:
            decided = house.decisions.create(import_id, 1, 1)
        case Decision.ADOPT:
            decided = house.decisions.adopt(import_id, 1, 1, "7000")
        case _:
            decided = house.decisions.give_up(import_id, 1, 1)
    house.settle()
    house.tick(minutes=5)

    assert decided
    assert len(house.bigin.made) == jobs
    assert house.import_of(source).state is state


def test_a_decision_whose_carrier_died_after_the_part_is_carried_out_all_the_same() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house, b"E-mail,Surname\n" + b"a@example.com,A\n" * 25_001)
    house.bigin.runs = False
    house.tick(minutes=30)
    held = house.parts_of(source)[0]
    state = house.import_of(source).state

    change(house.ledger, held.address, doubts.written_off(house.clock.now()))
    house.bigin.runs = True
    house.tick(minutes=125)

    assert (held.state, state) == (PartState.HELD, ImportState.SENT)
    assert house.import_of(source).state is ImportState.COMPLETED


def test_a_decision_that_is_delivered_again_goes_on_where_the_first_one_died() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house)
    house.tick(minutes=120)
    held = house.parts_of(source)[0]
    change(house.ledger, held.address, doubts.written_off(house.clock.now()))

    house.decisions.create(held.import_id, 1, 1)
    house.tick(minutes=5)

    assert house.import_of(source).state is ImportState.COMPLETED


def test_a_decision_about_another_attempt_or_made_twice_changes_nothing() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house)
    house.tick(minutes=120)
    import_id = house.import_of(source).import_id

    wrong_attempt = house.decisions.create(import_id, 1, 2)
    first = house.decisions.create(import_id, 1, 1)
    second = house.decisions.create(import_id, 1, 1)

    assert (wrong_attempt, first, second) == (False, True, False)


def test_a_held_import_reminds_once_a_day() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    dropped(house)

    house.tick(minutes=3 * 24 * 60)

    assert 3 <= len(house.notices.published) <= 4


def test_a_held_import_lets_the_next_version_of_its_file_go_on() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    held = dropped(house)
    house.tick(minutes=120)

    following = house.drop(CSV, ROWS + b"grace@example.com,Hopper\n")
    house.tick(minutes=3)

    assert house.import_of(held).state is ImportState.ON_HOLD
    assert house.import_of(following).state is ImportState.COMPLETED


def test_counts_that_contradict_the_rows_are_said_loudly() -> None:
    house = House()
    source = dropped(house)
    ask = house.bigin.job
    house.bigin.job = lambda job_id: replace(ask(job_id), added=1, skipped=1)  # type: ignore[method-assign]

    house.tick(minutes=2)

    record = house.import_of(source)
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts_disagree
    assert "CRITICAL" in house.notices.published[0].subject


@contextmanager
def _nonsense(url: str) -> Iterator[BinaryIO]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Contacts-bulkwrite.csv", "This,is,something,else\n1,2,3,4\n")
    packed.seek(0)
    yield packed


def test_what_is_odd_about_row_results_is_said_in_the_report() -> None:
    house = House()
    house.bigin.download_result = _nonsense  # type: ignore[method-assign]  # Bigin has changed
    source = dropped(house)

    house.tick(minutes=2)

    warnings = json.loads(house.result(source, "import.json"))["warnings"]
    assert any(warning.startswith("Part 1: ") for warning in warnings)


def test_a_part_is_final_when_its_import_is_closed() -> None:
    house = House()
    source = dropped(house)

    house.tick(minutes=2)

    part = house.parts_of(source)[0]
    assert (part.state, part.open) == (PartState.COLLECTED, None)
    assert part.expires_at is not None
