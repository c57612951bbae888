"""From the plan to the jobs: what is sent once, what may be repeated, what is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bigin_import.changes import change
from bigin_import.errors import (
    BiginAccessError,
    BiginBusyError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
)
from bigin_import.models import Field, ObjectVersion
from bigin_import.records import ImportState, PartState, steps
from tests.fakes.house import MAPPING, ROWS, House

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
UPSERT = {**MAPPING, "operation": "upsert", "find_by": "Email"}
LOST = BiginOutcomeUnknownError("read timed out")
REFUSED = BiginRefusedError(
    code="MANDATORY_FIELDS_NOT_MAPPED",
    message="All mandatory fields are not mapped for the layout [Company]",
    resolution="Map all the mandatory fields in the module",
    concerns_mapping=True,
)


def many_rows(count: int = 50_001) -> bytes:
    """Return a drop of three parts."""
    rows = "".join(f"person{number}@example.com,Name{number}\n" for number in range(count))
    return b"E-mail,Surname\n" + rows.encode()


def dropped(
    house: House, body: bytes = ROWS, mapping: Mapping[str, object] = MAPPING
) -> ObjectVersion:
    house.drop(SIDECAR, mapping)
    return house.drop(CSV, body)


def test_every_part_has_its_own_job_and_its_own_callback() -> None:
    house = House()

    source = dropped(house, many_rows())

    parts = house.parts_of(source)
    urls = {made.callback_url for made in house.bigin.made.values()}
    assert [part.rows for part in parts] == [25_000, 25_000, 1]
    assert [part.state for part in parts] == [PartState.CREATED] * 3
    assert len(urls) == 3


def test_the_first_job_is_read_back_before_any_other_is_created() -> None:
    house = House()

    dropped(house, many_rows())

    calls = [call for call in house.bigin.calls if call in ("create_job", "job")]
    assert calls == ["create_job", "job", "create_job", "create_job"]


def test_a_first_job_that_is_not_what_was_asked_for_holds_the_rest() -> None:
    house = House()
    create = house.bigin.create_job

    def altered(request: object, **rest: str) -> str:
        job_id = create(request, **rest)  # type: ignore[arg-type]  # passed through
        made = house.bigin.made[job_id]
        house.bigin.made[job_id] = replace(made, job=replace(made.job, operation="update"))
        return job_id

    house.bigin.create_job = altered  # type: ignore[method-assign]  # Bigin misreads us

    source = dropped(house, many_rows())
    house.settle()

    assert house.import_of(source).state is ImportState.ON_HOLD
    assert len(house.bigin.made) == 1
    assert "the operation is update" in house.notices.published[0].body


@pytest.mark.parametrize(
    ("error", "minutes"),
    [
        (BiginUnreachableError("no route"), 2),
        (BiginBusyError("no credits", retry_after_seconds=300), 16),
        (BiginAccessError("no", code="invalid_code", resolution="Make a new refresh token"), 16),
    ],
)
def test_a_create_that_certainly_did_not_happen_is_repeated_later(
    error: BiginError, minutes: int
) -> None:
    house = House()
    house.bigin.fail("create_job", error)
    source = dropped(house)
    paused = house.import_of(source).state

    house.tick(minutes)

    assert paused is ImportState.SENDING
    assert house.import_of(source).state in (ImportState.SENT, ImportState.COMPLETED)
    assert len(house.bigin.made) == 1


def test_a_short_lack_of_capacity_is_waited_out() -> None:
    house = House()
    house.bigin.fail("create_job", BiginBusyError("busy"), BiginBusyError("busy"))

    source = dropped(house)

    assert house.import_of(source).state is ImportState.SENT
    assert house.clock.slept == [10, 10]


def test_an_unanswered_insert_is_never_repeated_but_held_for_a_person() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house)
    at_once = house.parts_of(source)[0].state

    house.tick(minutes=120)

    assert at_once is PartState.UNKNOWN
    assert house.parts_of(source)[0].state is PartState.HELD
    assert house.import_of(source).state is ImportState.ON_HOLD
    assert len(house.bigin.made) == 1
    assert '"decision": "create"' in house.notices.published[0].body


def test_an_unanswered_create_is_adopted_when_its_callback_comes() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house)
    part = house.parts_of(source)[0]

    house.call_back(part, hint="7000")
    house.settle()

    assert house.import_of(source).state is ImportState.COMPLETED
    assert house.parts_of(source)[0].attempts[0].job_id == "7000"
    assert len(house.bigin.made) == 1


def test_a_callback_that_names_a_foreign_job_proves_nothing() -> None:
    house = House()
    dropped(house)
    house.bigin.after_effect.append(LOST)
    house.drop("incoming/other.mapping.json", MAPPING)
    source = house.drop("incoming/other.csv", ROWS)

    house.call_back(house.parts_of(source)[0], hint="7000")

    part = house.parts_of(source)[0]
    assert (part.state, part.attempts[0].job_id) == (PartState.UNKNOWN, None)


def test_an_unanswered_upsert_by_a_unique_key_is_repeated_after_an_hour() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house, mapping=UPSERT)

    house.tick(minutes=30)
    early = len(house.bigin.made)
    house.tick(minutes=45)

    assert early == 1
    assert len(house.bigin.made) == 2
    assert house.import_of(source).state is ImportState.COMPLETED


def test_a_repeated_key_makes_an_unanswered_upsert_a_matter_for_a_person() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)
    source = dropped(house, ROWS + b"ADA@example.com,Byron\n", UPSERT)

    house.tick(minutes=120)

    assert house.parts_of(source)[0].state is PartState.HELD


def test_no_create_follows_an_unanswered_one() -> None:
    house = House()
    house.bigin.after_effect.append(LOST)

    source = dropped(house, many_rows())

    assert len(house.bigin.made) == 1
    assert [part.state for part in house.parts_of(source)][1:] == [PartState.STORED] * 2


def test_a_refused_mapping_is_not_sent_a_second_time() -> None:
    house = House()
    house.bigin.fail("create_job", REFUSED)
    source = dropped(house, many_rows())
    house.settle()

    record = house.import_of(source)
    assert record.state is ImportState.FAILED
    assert record.counts is not None
    assert record.counts.unprocessed == 50_001
    assert house.bigin.calls.count("create_job") == 1
    assert "Map all the mandatory fields" in house.notices.published[0].body


def test_after_a_failed_import_the_same_content_may_be_dropped_again() -> None:
    house = House()
    house.bigin.fail("create_job", REFUSED)
    dropped(house)
    house.settle()

    again = house.drop(CSV, ROWS)

    assert house.import_of(again).state is ImportState.SENT


def test_an_upload_that_is_refused_leaves_the_other_parts_alone() -> None:
    house = House()
    too_large = BiginRefusedError(code="FILE_TOO_LARGE", message="too large", resolution="Split it")
    house.bigin.fail("upload", too_large)
    source = dropped(house, many_rows())
    house.tick(minutes=3)

    record = house.import_of(source)
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts is not None
    assert (record.counts.unprocessed, record.counts.added) == (25_000, 25_001)


def test_parts_that_share_a_key_run_one_after_another() -> None:
    house = House()
    house.bigin.runs = False
    house.bigin.module_fields = {
        "Contacts": (
            Field("Email", "Email", "email", unique=True),
            Field("Last_Name", "Last Name", "text", mandatory=True),
        )
    }

    source = dropped(house, many_rows() + b"person1@example.com,Changed\n", UPSERT)
    while_first_runs = len(house.bigin.made)
    house.bigin.runs = True
    house.tick(minutes=10)

    assert while_first_runs == 1
    assert house.import_of(source).state is ImportState.COMPLETED
    assert house.bigin.records()[-1] == ["person1@example.com", "Changed"]


def test_a_resume_sends_the_stored_archives_and_cuts_nothing_again() -> None:
    house = House()
    house.bigin.fail("upload", BiginUnreachableError("no route"))
    source = dropped(house)

    house.tick(minutes=2)

    assert house.observer.names.count("plan_ready") == 1
    assert house.parts_of(source)[0].attempts[0].job_id == "7000"


def test_nothing_is_sent_while_another_holds_the_lease() -> None:
    house = House()
    house.bigin.fail("create_job", BiginUnreachableError("no route"))
    source = dropped(house)
    record = house.import_of(source)
    house.ledger.save(replace(record, lease_until=house.clock.now() + 600))

    house.importer.resume(record.import_id)

    assert house.bigin.made == {}


def test_an_attempt_that_a_late_submitter_wrote_is_not_used_for_a_create_of_ours() -> None:
    house = House()
    house.bigin.fail("create_job", BiginUnreachableError("no route"))
    source = dropped(house)
    (part,) = house.parts_of(source)
    late = steps.creating(house.clock.now(), house.clock.now() + 600)
    load = house.ledger.load

    def overtaken(address: Any) -> Any:  # noqa: ANN401  # as the port has it, for any record
        record = load(address)
        if record == part:
            house.ledger.load = load  # type: ignore[method-assign]
            change(house.ledger, part.address, late)
        return record

    house.ledger.load = overtaken  # type: ignore[method-assign]
    house.tick(minutes=2)

    assert house.bigin.made == {}
    assert house.import_of(source).state is ImportState.SENDING


def test_no_create_leaves_when_the_invocation_might_end_before_its_answer() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)
    source = house.files.put(CSV, ROWS)
    house.clock.begin(remaining_seconds=140)

    house.importer.receive(source)

    assert house.bigin.made == {}
    assert house.import_of(source).state is ImportState.SENDING
    assert house.parts_of(source)[0].attempts == ()


def test_five_tries_that_get_nowhere_are_enough() -> None:
    house = House()
    house.drop(SIDECAR, MAPPING)
    house.bigin.fail("fields", *[RuntimeError("a bug")] * 9)
    source = house.files.put(CSV, ROWS)
    import_id = house.intake.register(source).import_id

    for _ in range(5):
        with pytest.raises(RuntimeError):
            house.importer.resume(import_id)
    house.importer.resume(import_id)
    house.settle()

    assert house.import_of(source).state is ImportState.ON_HOLD
    assert '"decision": "continue"' in house.notices.published[0].body
