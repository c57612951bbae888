"""Two jobs for one part: found by their callbacks, proven by Bigin's own answer, told loudly."""

from __future__ import annotations

import json
from dataclasses import replace

from bigin_import.errors import BiginOutcomeUnknownError, BiginUnreachableError
from bigin_import.models import ObjectVersion
from bigin_import.records import ImportState, Part
from tests.fakes.house import MAPPING, ROWS, House

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"
UPSERT = {**MAPPING, "operation": "upsert", "find_by": "Email"}
LOST = BiginOutcomeUnknownError("read timed out")
ASK_AGAIN = 10


def created_twice(house: House) -> ObjectVersion:
    """Let the first create lose its answer and be repeated; both its jobs are running."""
    house.bigin.after_effect.append(LOST)
    house.bigin.runs = False
    house.drop(SIDECAR, UPSERT)
    source = house.drop(CSV, ROWS)
    house.tick(minutes=75)
    return source


def sent(house: House) -> ObjectVersion:
    house.drop(SIDECAR, MAPPING)
    return house.drop(CSV, ROWS)


def twin_of(house: House, job_id: str) -> str:
    """Let Bigin make a second job of one create, with the same callback."""
    made, twin = house.bigin.made[job_id], str(7000 + len(house.bigin.made))
    house.bigin.made[twin] = replace(made, job=replace(made.job, job_id=twin))
    return twin


def first_attempt(part: Part) -> Part:
    """Return the part as its first attempt would report it."""
    return replace(part, attempts=part.attempts[:1])


def test_a_late_callback_of_an_earlier_attempt_is_recorded_once_bigin_confirms_its_job() -> None:
    house = House()
    source = created_twice(house)

    house.call_back(first_attempt(house.parts_of(source)[0]), hint="7000")

    assert [one.job_id for one in house.parts_of(source)[0].attempts] == ["7000", "7001"]
    assert "second_job" in house.observer.names


def test_a_job_that_is_not_of_the_earlier_attempt_is_not_recorded() -> None:
    house = House()
    source = created_twice(house)
    house.drop("incoming/other.mapping.json", MAPPING)
    house.drop("incoming/other.csv", ROWS)

    house.call_back(first_attempt(house.parts_of(source)[0]), hint="7002")

    assert [one.job_id for one in house.parts_of(source)[0].attempts] == [None, "7001"]
    assert "adoption_unproven" in house.observer.names


def test_while_bigin_cannot_be_asked_nothing_is_recorded() -> None:
    house = House()
    source = created_twice(house)
    house.bigin.fail("job", BiginUnreachableError("no route"))

    house.call_back(first_attempt(house.parts_of(source)[0]), hint="7000")

    assert [one.job_id for one in house.parts_of(source)[0].attempts] == [None, "7001"]


def test_a_second_job_for_one_create_is_told_loudly_and_its_counts_are_not_taken() -> None:
    house = House()
    house.bigin.runs = False
    source = sent(house)
    twin = twin_of(house, "7000")

    house.call_back(house.parts_of(source)[0], hint=twin)
    house.bigin.runs = True
    house.tick(minutes=3)

    notice = house.notices.published[0]
    facts = json.loads(house.result(source, "import.json"))
    assert house.import_of(source).state is ImportState.COMPLETED_WITH_ERRORS
    assert notice.subject == "CRITICAL: Imported with errors: contacts.csv"
    assert "Look for doubled records in Bigin" in notice.body.splitlines()[1]
    assert facts["parts"][0]["job_ids"] == ["7000", twin]
    assert facts["credits"] == 1000


def test_without_an_echoed_callback_our_file_name_shows_whose_the_second_job_is() -> None:
    house = House()
    house.bigin.runs = False
    source = sent(house)
    twin = twin_of(house, "7000")
    part, made = house.parts_of(source)[0], house.bigin.made[twin]
    silent = replace(made.job, callback_path=None, file_name=f"{part.import_id}-0001.csv")
    house.bigin.made[twin] = replace(made, job=silent)

    house.call_back(part, hint=twin)

    assert house.parts_of(source)[0].job_ids == ("7000", twin)


def test_a_second_job_that_turns_up_after_the_closing_is_recorded_and_measured() -> None:
    house = House()
    source = sent(house)
    twin = twin_of(house, "7000")
    house.tick(minutes=2)

    house.call_back(house.parts_of(source)[0], hint=twin)

    assert house.import_of(source).state is ImportState.COMPLETED
    assert house.parts_of(source)[0].job_ids == ("7000", twin)
    assert "second_job" in house.observer.names


def test_the_same_second_job_is_recorded_once() -> None:
    house = House()
    house.bigin.runs = False
    source = sent(house)
    twin = twin_of(house, "7000")

    for _ in range(2):
        house.call_back(house.parts_of(source)[0], hint=twin)
        house.clock.advance(ASK_AGAIN)

    assert house.parts_of(source)[0].job_ids == ("7000", twin)
    assert house.observer.names.count("second_job") == 1
