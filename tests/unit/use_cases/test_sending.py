"""From the plan to the jobs: what is sent once, what may be repeated, what is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bigin_import.domain import part_transitions
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.job_request import Field
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import (
    BiginAccessError,
    BiginBusyError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
)
from bigin_import.importing.lease import OUTLIVES_SECONDS
from bigin_import.importing.send_part import CreateMark, CreateMarks
from bigin_import.ledger import update
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.manual_clock import FrozenClock

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
    harness: Harness, body: bytes = ROWS, mapping: Mapping[str, object] = MAPPING
) -> ObjectVersion:
    harness.drop(SIDECAR, mapping)
    return harness.drop(CSV, body)


def test_every_part_has_its_own_job_and_its_own_callback() -> None:
    harness = Harness()

    source = dropped(harness, many_rows())

    parts = harness.parts_of(source)
    urls = {made.callback_url for made in harness.bigin.made.values()}
    assert [part.rows for part in parts] == [25_000, 25_000, 1]
    assert [part.state for part in parts] == [PartState.CREATED] * 3
    assert len(urls) == 3


def test_the_first_job_is_read_back_before_any_other_is_created() -> None:
    harness = Harness()

    dropped(harness, many_rows())

    calls = [call for call in harness.bigin.calls if call in ("create_job", "job")]
    assert calls == ["create_job", "job", "create_job", "create_job"]


def test_a_first_job_that_is_not_what_was_asked_for_holds_the_rest() -> None:
    harness = Harness()
    create = harness.bigin.create_job

    def altered(request: object, **rest: str) -> str:
        job_id = create(request, **rest)  # type: ignore[arg-type]  # passed through
        made = harness.bigin.made[job_id]
        harness.bigin.made[job_id] = replace(made, job=replace(made.job, operation="update"))
        return job_id

    harness.bigin.create_job = altered  # type: ignore[method-assign]  # Bigin misreads us

    source = dropped(harness, many_rows())
    harness.settle()

    assert harness.import_of(source).state is ImportState.ON_HOLD
    assert len(harness.bigin.made) == 1
    assert "the operation is update" in harness.notices.published[0].body


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
    harness = Harness()
    harness.bigin.fail("create_job", error)
    source = dropped(harness)
    paused = harness.import_of(source).state

    harness.tick(minutes)

    assert paused is ImportState.SENDING
    assert harness.import_of(source).state in (ImportState.SENT, ImportState.COMPLETED)
    assert len(harness.bigin.made) == 1


def test_a_short_lack_of_capacity_is_waited_out() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", BiginBusyError("busy"), BiginBusyError("busy"))

    source = dropped(harness)

    assert harness.import_of(source).state is ImportState.SENT
    assert harness.clock.slept == [10, 10]


def test_an_unanswered_insert_is_never_repeated_but_held_for_a_person() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness)
    at_once = harness.parts_of(source)[0].state

    harness.tick(minutes=120)

    assert at_once is PartState.UNKNOWN
    assert harness.parts_of(source)[0].state is PartState.HELD
    assert harness.import_of(source).state is ImportState.ON_HOLD
    assert len(harness.bigin.made) == 1
    assert '"decision": "create"' in harness.notices.published[0].body


def test_an_unanswered_create_is_adopted_when_its_callback_comes() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness)
    part = harness.parts_of(source)[0]

    harness.call_back(part, hint="7000")
    harness.settle()

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.parts_of(source)[0].attempts[0].job_id == "7000"
    assert len(harness.bigin.made) == 1


def test_a_callback_that_names_a_foreign_job_proves_nothing() -> None:
    harness = Harness()
    dropped(harness)
    harness.bigin.after_effect.append(LOST)
    harness.drop("incoming/other.mapping.json", MAPPING)
    source = harness.drop("incoming/other.csv", ROWS)

    harness.call_back(harness.parts_of(source)[0], hint="7000")

    part = harness.parts_of(source)[0]
    assert (part.state, part.attempts[0].job_id) == (PartState.UNKNOWN, None)


def test_an_unanswered_upsert_by_a_unique_key_is_repeated_after_an_hour() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness, mapping=UPSERT)

    harness.tick(minutes=30)
    early = len(harness.bigin.made)
    harness.tick(minutes=45)

    assert early == 1
    assert len(harness.bigin.made) == 2
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_a_repeated_key_makes_an_unanswered_upsert_a_matter_for_a_person() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    source = dropped(harness, ROWS + b"ADA@example.com,Byron\n", UPSERT)

    harness.tick(minutes=120)

    assert harness.parts_of(source)[0].state is PartState.HELD


def test_no_create_follows_an_unanswered_one() -> None:
    harness = Harness()
    harness.bigin.after_effect.append(LOST)

    source = dropped(harness, many_rows())

    assert len(harness.bigin.made) == 1
    assert [part.state for part in harness.parts_of(source)][1:] == [PartState.STORED] * 2


def test_a_refused_mapping_is_not_sent_a_second_time() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", REFUSED)
    source = dropped(harness, many_rows())
    harness.settle()

    record = harness.import_of(source)
    assert record.state is ImportState.FAILED
    assert record.counts is not None
    assert record.counts.unprocessed == 50_001
    assert harness.bigin.calls.count("create_job") == 1
    assert "Map all the mandatory fields" in harness.notices.published[0].body


def test_after_a_failed_import_the_same_content_may_be_dropped_again() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", REFUSED)
    dropped(harness)
    harness.settle()

    again = harness.drop(CSV, ROWS)

    assert harness.import_of(again).state is ImportState.SENT


def test_an_upload_that_is_refused_leaves_the_other_parts_alone() -> None:
    harness = Harness()
    too_large = BiginRefusedError(code="FILE_TOO_LARGE", message="too large", resolution="Split it")
    harness.bigin.fail("upload", too_large)
    source = dropped(harness, many_rows())
    harness.tick(minutes=3)

    record = harness.import_of(source)
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts is not None
    assert (record.counts.unprocessed, record.counts.added) == (25_000, 25_001)


def test_parts_that_share_a_key_run_one_after_another() -> None:
    harness = Harness()
    harness.bigin.runs = False
    harness.bigin.module_fields = {
        "Contacts": (
            Field("Email", "Email", "email", unique=True),
            Field("Last_Name", "Last Name", "text", mandatory=True),
        )
    }

    source = dropped(harness, many_rows() + b"person1@example.com,Changed\n", UPSERT)
    while_first_runs = len(harness.bigin.made)
    harness.bigin.runs = True
    harness.tick(minutes=10)

    assert while_first_runs == 1
    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.bigin.records()[-1] == ["person1@example.com", "Changed"]


def test_a_resume_sends_the_stored_archives_and_cuts_nothing_again() -> None:
    harness = Harness()
    harness.bigin.fail("upload", BiginUnreachableError("no route"))
    source = dropped(harness)

    harness.tick(minutes=2)

    assert harness.telemetry.names.count("plan_ready") == 1
    assert harness.parts_of(source)[0].attempts[0].job_id == "7000"


def test_nothing_is_sent_while_another_holds_the_lease() -> None:
    harness = Harness()
    harness.bigin.fail("create_job", BiginUnreachableError("no route"))
    source = dropped(harness)
    record = harness.import_of(source)
    harness.ledger.save(replace(record, lease_until=harness.clock.now() + 600))

    harness.importer.resume(record.import_id)

    assert harness.bigin.made == {}


@pytest.mark.parametrize("has_left", [True, False])
def test_an_attempt_that_a_late_submitter_wrote_is_not_used_for_a_create_of_ours(
    has_left: bool,
) -> None:
    """What it has marked may have left; what it has not marked did not."""
    harness = Harness()
    harness.bigin.fail("create_job", BiginUnreachableError("no route"))
    source = dropped(harness)
    (part,) = harness.parts_of(source)
    late = part_transitions.begin_create(harness.clock.now(), harness.clock.now() + 600)
    read_parts = harness.ledger.load_parts

    def overtaken(import_id: str) -> tuple[Part, ...]:
        parts = read_parts(import_id)
        if parts == (part,):
            harness.ledger.load_parts = read_parts  # type: ignore[method-assign]
            changed, _ = update(harness.ledger, part.address, late)
            if has_left and changed and changed.attempt:
                CreateMarks(files=harness.files).write(part, CreateMark(attempt=changed.attempt))
        return parts

    harness.ledger.load_parts = overtaken  # type: ignore[method-assign]
    harness.tick(minutes=8)

    assert len(harness.bigin.made) == (0 if has_left else 1)
    (now,) = harness.parts_of(source)
    assert (now.state is PartState.UNKNOWN) is has_left


@pytest.mark.parametrize(("left", "leaves"), [(140, False), (150, False), (151, True)])
def test_no_create_leaves_when_the_invocation_might_end_before_its_answer(
    left: int, leaves: bool
) -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    source = harness.files.put(CSV, ROWS)
    harness.clock.begin(remaining_seconds=left)

    harness.importer.receive(source)

    assert len(harness.bigin.made) == leaves
    assert harness.import_of(source).state is (ImportState.SENT if leaves else ImportState.SENDING)
    assert len(harness.parts_of(source)[0].attempts) == leaves


BUSY_FOR_A_MOMENT = BiginBusyError("busy", retry_after_seconds=20)


@pytest.mark.parametrize(("left", "waits"), [(170, False), (171, True)])
def test_a_short_lack_of_capacity_is_waited_out_only_where_a_create_fits_behind(
    left: int, waits: bool
) -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    harness.bigin.fail("create_job", BUSY_FOR_A_MOMENT)
    source = harness.files.put(CSV, ROWS)
    harness.clock.begin(remaining_seconds=left)

    harness.importer.receive(source)

    assert harness.clock.slept == [20] * waits
    assert len(harness.bigin.made) == waits


@pytest.mark.parametrize(("left", "waits"), [(170, False), (171, True)])
def test_nor_is_it_waited_out_where_the_lease_would_end_before_the_create(
    left: int, waits: bool
) -> None:
    harness = Harness()
    harness.clock = FrozenClock()
    harness.drop(SIDECAR, MAPPING)

    harness.bigin.fail("create_job", BUSY_FOR_A_MOMENT)
    upload = harness.bigin.upload

    def upload_slowly(archive: bytes, *, name: str, zgid: str) -> str:
        harness.clock.advance(300 + OUTLIVES_SECONDS - left)
        return upload(archive, name=name, zgid=zgid)

    harness.bigin.upload = upload_slowly  # type: ignore[method-assign]
    harness.drop(CSV, ROWS)

    assert harness.clock.slept == [20] * waits
    assert len(harness.bigin.made) == waits


def test_five_tries_that_get_nowhere_are_enough() -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    harness.bigin.fail("fields", *[RuntimeError("a bug")] * 9)
    source = harness.files.put(CSV, ROWS)
    import_id = harness.registrar.register(source).import_id

    for _ in range(5):
        with pytest.raises(RuntimeError):
            harness.importer.resume(import_id)
    harness.importer.resume(import_id)
    harness.settle()

    assert harness.import_of(source).state is ImportState.ON_HOLD
    assert '"decision": "continue"' in harness.notices.published[0].body
