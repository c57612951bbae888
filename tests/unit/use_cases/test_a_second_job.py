"""Two jobs for one part: found by their callbacks, proven by Bigin's own answer, told loudly."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginOutcomeUnknownError, BiginUnreachableError
from bigin_import.settling.match_job import CLOCKS_SECONDS
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.refusing_bigin import RefusingBigin, takes_all

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
UPSERT = {**MAPPING, "operation": "upsert", "find_by": "Email"}
LOST = BiginOutcomeUnknownError("read timed out")
ASK_AGAIN = 10


def created_twice(harness: Harness) -> ObjectVersion:
    """Let the first create lose its answer and be repeated; both its jobs are running."""
    harness.bigin.after_effect.append(LOST)
    harness.bigin.runs = False
    harness.drop(SIDECAR, UPSERT)
    source = harness.drop(CSV, ROWS)
    harness.tick(minutes=75)
    return source


def sent(harness: Harness) -> ObjectVersion:
    harness.drop(SIDECAR, MAPPING)
    return harness.drop(CSV, ROWS)


def twin_of(harness: Harness, job_id: str) -> str:
    """Let Bigin make a second job of one create, with the same callback."""
    made, twin = harness.bigin.made[job_id], str(7000 + len(harness.bigin.made))
    harness.bigin.made[twin] = replace(made, job=replace(made.job, job_id=twin))
    return twin


def first_attempt(part: Part) -> Part:
    """Return the part as its first attempt would report it."""
    return replace(part, attempts=part.attempts[:1])


def test_a_late_callback_of_an_earlier_attempt_is_recorded_once_bigin_confirms_its_job() -> None:
    harness = Harness()
    source = created_twice(harness)

    harness.call_back(first_attempt(harness.parts_of(source)[0]), hint="7000")

    assert [one.job_id for one in harness.parts_of(source)[0].attempts] == ["7000", "7001"]
    assert "second_job" in harness.telemetry.names


def test_a_job_that_is_not_of_the_earlier_attempt_is_not_recorded() -> None:
    harness = Harness()
    source = created_twice(harness)
    harness.drop("incoming/other.mapping.json", MAPPING)
    harness.drop("incoming/other.csv", ROWS)

    harness.call_back(first_attempt(harness.parts_of(source)[0]), hint="7002")

    assert [one.job_id for one in harness.parts_of(source)[0].attempts] == [None, "7001"]
    assert "adoption_unproven" in harness.telemetry.names


def test_while_bigin_cannot_be_asked_nothing_is_recorded() -> None:
    harness = Harness()
    source = created_twice(harness)
    harness.bigin.fail("job", BiginUnreachableError("no route"))

    harness.call_back(first_attempt(harness.parts_of(source)[0]), hint="7000")

    assert [one.job_id for one in harness.parts_of(source)[0].attempts] == [None, "7001"]


def test_a_second_job_for_one_create_is_told_loudly_and_its_counts_are_not_taken() -> None:
    harness = Harness()
    harness.bigin.runs = False
    source = sent(harness)
    twin = twin_of(harness, "7000")

    harness.call_back(harness.parts_of(source)[0], hint=twin)
    harness.bigin.runs = True
    harness.tick(minutes=3)

    notice = harness.notices.published[0]
    facts = json.loads(harness.result(source, "import.json"))
    assert harness.import_of(source).state is ImportState.COMPLETED_WITH_ERRORS
    assert notice.subject == "CRITICAL: Imported with errors: contacts.csv"
    assert "Look for doubled records in Bigin" in notice.body.splitlines()[1]
    assert facts["parts"][0]["job_ids"] == ["7000", twin]
    assert facts["credits"] == 1000


def test_without_an_echoed_callback_our_file_name_shows_whose_the_second_job_is() -> None:
    harness = Harness()
    harness.bigin.runs = False
    source = sent(harness)
    twin = twin_of(harness, "7000")
    part, made = harness.parts_of(source)[0], harness.bigin.made[twin]
    silent = replace(made.job, callback_path=None, file_name=f"{part.import_id}-0001.csv")
    harness.bigin.made[twin] = replace(made, job=silent)

    harness.call_back(part, hint=twin)

    assert harness.parts_of(source)[0].job_ids == ("7000", twin)


def silence(harness: Harness, part: Part, job_id: str, created_at: int | None) -> None:
    """Let Bigin show the file of a job, and when it was made, but not its callback."""
    made = harness.bigin.made[job_id]
    name = f"{part.import_id}-{part.number:04d}.csv"
    silent = replace(made.job, callback_path=None, file_name=name, created_at=created_at)
    harness.bigin.made[job_id] = replace(made, job=silent)


@pytest.mark.parametrize(
    ("since_attempt", "is_adopted"),
    [(-CLOCKS_SECONDS - 1, False), (-CLOCKS_SECONDS, True), (0, True), (600, True), (None, True)],
)
def test_without_an_echoed_callback_a_job_that_is_older_than_the_attempt_is_not_adopted(
    since_attempt: int | None, is_adopted: bool
) -> None:
    """Our file name alone would show an earlier attempt's job as well."""
    harness = Harness()
    harness.bigin.after_effect.append(LOST)
    harness.bigin.runs = False
    source = sent(harness)
    (part,) = harness.parts_of(source)
    assert part.attempt is not None
    created_at = None if since_attempt is None else part.attempt.started_at + since_attempt
    silence(harness, part, "7000", created_at)

    harness.call_back(part, hint="7000")

    (after,) = harness.parts_of(source)
    assert after.job_ids == (("7000",) if is_adopted else ())
    assert ("adoption_unproven" in harness.telemetry.names) is not is_adopted


def test_without_an_echoed_callback_a_job_that_is_known_is_no_other_attempts() -> None:
    """A callback of the second attempt named it first, when Bigin could not be asked."""
    harness = Harness()
    harness.bigin.after_effect += [LOST, LOST]
    harness.bigin.runs = False
    harness.drop(SIDECAR, UPSERT)
    source = harness.drop(CSV, ROWS)
    harness.tick(minutes=75)
    (part,) = harness.parts_of(source)
    silence(harness, part, "7000", None)
    harness.bigin.fail("job", BiginUnreachableError("no route"))
    harness.call_back(part, hint="7000")
    harness.clock.advance(ASK_AGAIN)
    harness.call_back(first_attempt(harness.parts_of(source)[0]), hint="7000")

    harness.tick(minutes=2)

    (after,) = harness.parts_of(source)
    assert [one.job_id for one in after.attempts] == ["7000", None]
    assert after.job_ids == ("7000",)


@pytest.mark.parametrize(("creates", "status"), [(1, "unprocessed"), (2, "unclear")])
def test_what_the_last_job_left_is_certain_only_where_no_earlier_one_may_have_done_it(
    creates: int, status: str
) -> None:
    harness = Harness()
    harness.bigin = RefusingBigin(
        lambda row: ("UNPROCESSED", "") if "ada" in row[0] else takes_all(row)
    )
    harness.bigin.after_effect += [LOST] * (creates - 1)
    harness.drop(SIDECAR, UPSERT)
    source = harness.drop(CSV, ROWS)

    harness.tick(minutes=90)

    counts = harness.import_of(source).counts
    assert counts is not None
    assert len(harness.bigin.made) == creates
    assert {"unprocessed": counts.unprocessed, "unclear": counts.unclear} == {
        "unprocessed": 0,
        "unclear": 0,
        status: 1,
    }


def test_a_second_job_that_turns_up_after_the_closing_is_recorded_and_measured() -> None:
    harness = Harness()
    source = sent(harness)
    twin = twin_of(harness, "7000")
    harness.tick(minutes=2)

    harness.call_back(harness.parts_of(source)[0], hint=twin)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.parts_of(source)[0].job_ids == ("7000", twin)
    assert "second_job" in harness.telemetry.names


def test_the_same_second_job_is_recorded_once() -> None:
    harness = Harness()
    harness.bigin.runs = False
    source = sent(harness)
    twin = twin_of(harness, "7000")

    for _ in range(2):
        harness.call_back(harness.parts_of(source)[0], hint=twin)
        harness.clock.advance(ASK_AGAIN)

    assert harness.parts_of(source)[0].job_ids == ("7000", twin)
    assert harness.telemetry.names.count("second_job") == 1
