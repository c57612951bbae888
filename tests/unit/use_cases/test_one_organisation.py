"""An import is for one organisation: with the token of another one nothing of it is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import BiginBusyError, BiginOutcomeUnknownError, BiginRefusedError
from tests.fakes.harness import MAPPING, ROWS, Harness

OURS = "10358250"
THEIRS = "20358250"
NO_SUCH_JOB = BiginRefusedError(code="INVALID_DATA", message="no such job", resolution="none")
A_DAY_OF_MINUTES = 24 * 60


@pytest.fixture
def harness() -> Harness:
    harness = Harness()
    harness.files.put("incoming/mapping.json", b"")
    harness.drop("incoming/mapping.json", MAPPING)
    return harness


def drop_without_sending(harness: Harness) -> ObjectVersion:
    """Drop a file whose plan is made, and of which nothing could be sent yet."""
    harness.bigin.fail("upload", BiginBusyError("busy", retry_after_seconds=3600))
    return harness.drop("incoming/contacts.csv", ROWS)


def other_organisations(harness: Harness) -> list[str]:
    return [
        notice.body
        for notice in harness.notices.published
        if ("state", "OTHER_ORGANISATION") in notice.attributes
    ]


def test_an_import_remembers_the_organisation_that_it_was_prepared_for(harness: Harness) -> None:
    source = drop_without_sending(harness)

    assert harness.import_of(source).zgid == OURS


def test_with_another_ones_token_nothing_is_sent_and_people_are_told_once_a_day(
    harness: Harness,
) -> None:
    source = drop_without_sending(harness)
    harness.bigin.zgid = THEIRS

    harness.tick(minutes=A_DAY_OF_MINUTES)

    record = harness.import_of(source)
    assert (record.state, record.pause) == (ImportState.SENDING, "ORGANISATION")
    assert (harness.bigin.uploads, harness.bigin.made) == ({}, {})
    (body,) = other_organisations(harness)
    assert "another Bigin organisation" in body
    assert "incoming/contacts.csv" in body


def test_it_goes_on_by_itself_when_the_token_is_its_own_ones_again(harness: Harness) -> None:
    source = drop_without_sending(harness)
    harness.bigin.zgid = THEIRS
    harness.tick(minutes=120)
    harness.bigin.zgid = OURS

    harness.tick(minutes=20)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.records()) == 2


def test_a_job_of_another_organisation_is_never_made_though_the_upload_was_ours(
    harness: Harness,
) -> None:
    harness.bigin.fail("create_job", BiginBusyError("busy", retry_after_seconds=3600))
    source = harness.drop("incoming/contacts.csv", ROWS)
    harness.bigin.zgid = THEIRS

    harness.tick(minutes=A_DAY_OF_MINUTES)

    assert harness.bigin.made == {}
    (part,) = harness.parts_of(source)
    assert part.state in (PartState.STORED, PartState.UPLOADED)
    assert part.attempts == ()


def test_a_file_that_is_dropped_later_goes_where_the_secret_leads_now(harness: Harness) -> None:
    waiting = drop_without_sending(harness)
    harness.bigin.zgid = THEIRS

    later = harness.drop("incoming/later.csv", b"E-mail,Surname\ngrace@example.com,Hopper\n")
    harness.tick(minutes=5)

    assert harness.import_of(later).zgid == THEIRS
    assert harness.import_of(later).state is ImportState.COMPLETED
    assert harness.import_of(waiting).state is ImportState.SENDING


def test_fields_that_are_remembered_are_those_of_one_organisation(harness: Harness) -> None:
    harness.drop("incoming/ours.csv", ROWS)
    asked = harness.bigin.calls.count("fields")
    harness.bigin.zgid = THEIRS

    harness.drop("incoming/theirs.csv", b"E-mail,Surname\ngrace@example.com,Hopper\n")

    assert harness.bigin.calls.count("fields") == asked + 1


def test_an_import_that_the_release_before_planned_gets_its_organisation_when_it_is_sent(
    harness: Harness,
) -> None:
    source = drop_without_sending(harness)
    record = harness.import_of(source)
    harness.ledger.restore(replace(record, zgid=None))

    harness.tick(minutes=120)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.import_of(source).zgid == OURS


def test_a_job_that_another_ones_token_does_not_see_is_not_given_up(harness: Harness) -> None:
    harness.bigin.runs = False
    source = harness.drop("incoming/contacts.csv", ROWS)
    harness.settle()
    harness.bigin.zgid = THEIRS
    harness.bigin.fail("job", *[NO_SUCH_JOB] * 2000)
    harness.tick(minutes=2 * A_DAY_OF_MINUTES)
    waiting = harness.import_of(source)

    harness.bigin.zgid = OURS
    harness.bigin.failures.clear()
    harness.bigin.runs = True
    harness.tick(minutes=90)

    assert waiting.state is ImportState.SENT
    assert harness.import_of(source).state is ImportState.COMPLETED


def test_row_results_that_another_ones_token_does_not_see_are_waited_for(harness: Harness) -> None:
    source = harness.drop("incoming/contacts.csv", ROWS)
    harness.bigin.zgid = THEIRS
    harness.bigin.fail("download_result", *[NO_SUCH_JOB] * 9000)
    harness.tick(minutes=4 * A_DAY_OF_MINUTES)
    waiting = harness.import_of(source)

    harness.bigin.zgid = OURS
    harness.bigin.failures.clear()
    harness.tick(minutes=90)

    record = harness.import_of(source)
    assert waiting.state is ImportState.SENT
    assert record.state is ImportState.COMPLETED
    assert record.counts is not None
    assert (record.counts.added, record.counts.unclear) == (2, 0)


def test_a_job_that_a_callback_names_is_remembered_though_we_do_not_see_it(
    harness: Harness,
) -> None:
    harness.bigin.after_effect.append(BiginOutcomeUnknownError("answer lost"))
    source = harness.drop("incoming/contacts.csv", ROWS)
    (job_id,) = harness.bigin.made
    harness.bigin.zgid = THEIRS
    harness.bigin.fail("job", *[NO_SUCH_JOB] * 3)
    harness.call_back(harness.parts_of(source)[0], hint=job_id)

    harness.bigin.zgid = OURS
    harness.bigin.failures.clear()
    harness.tick(minutes=30)

    assert list(harness.bigin.made) == [job_id]
    assert harness.import_of(source).state is ImportState.COMPLETED
