"""An import is for one organisation: with the token of another one nothing of it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import pytest

from bigin_import.deduplication import claims
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import SharedToken
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import BiginBusyError, BiginOutcomeUnknownError, BiginRefusedError
from tests.fakes.harness import MAPPING, ROWS, Harness

OURS = "10358250"
THEIRS = "20358250"
HEADER = b"E-mail,Surname\n"
CSV, SIDECAR = "incoming/contacts.csv", "incoming/mapping.json"
UPSERT: Mapping[str, object] = {**MAPPING, "operation": "upsert", "find_by": "Email"}
DONE, SAME = ImportState.COMPLETED, ImportState.UNCHANGED
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
    assert "  bigin-drop rotate zoho --region eu-central-1" in body
    assert "  aws secretsmanager put-secret-value --secret-id zoho " in body
    assert "incoming/contacts.csv" in body


def test_it_goes_on_by_itself_when_the_token_is_its_own_ones_again(harness: Harness) -> None:
    source = drop_without_sending(harness)
    harness.bigin.zgid = THEIRS
    harness.tick(minutes=120)
    harness.bigin.zgid = OURS

    harness.tick(minutes=20)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.records()) == 2


def test_it_goes_on_within_two_minutes_of_the_secret_that_is_its_own_ones_again(
    harness: Harness,
) -> None:
    source = drop_without_sending(harness)
    harness.bigin.zgid = THEIRS
    harness.ledger.save(token_of(harness))
    harness.tick(minutes=120)
    while (harness.import_of(source).due_at or 0) < harness.clock.now() + 600:
        harness.tick()
    harness.bigin.zgid = OURS

    harness.zoho_secret.version = "version-2"
    harness.tick(minutes=2)

    assert harness.import_of(source).state is ImportState.COMPLETED


def test_the_token_of_a_secret_that_was_replaced_serves_no_more(harness: Harness) -> None:
    """Though it would for an hour, and nobody waits: what is dropped next goes elsewhere."""
    harness.ledger.save(token_of(harness))
    harness.tick(minutes=1)
    before = harness.ledger.load(SharedToken.at())

    harness.zoho_secret.version = "version-2"
    harness.tick(minutes=1)

    after = harness.ledger.load(SharedToken.at())
    assert before is not None
    assert after is not None
    assert before.valid_until > harness.clock.now()
    assert (after.valid_until, after.credentials_version) == (0, "version-2")


def token_of(harness: Harness) -> SharedToken:
    """Return a token that the present secret was exchanged for, and that serves for long."""
    return SharedToken(
        token_version="token-1",
        valid_until=harness.clock.now() + 1_000_000,
        credentials_version=harness.zoho_secret.version,
    )


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


def dropped(harness: Harness, zgid: str, body: bytes, key: str = CSV) -> Import:
    """Drop a file while the secret is an organisation's, and let everything come to its end."""
    harness.bigin.zgid = zgid
    source = harness.drop(key, body)
    harness.settle()
    harness.tick(minutes=3)
    return harness.import_of(source)


@pytest.mark.parametrize("mapping", [MAPPING, UPSERT])
def test_what_is_in_one_organisation_is_sent_to_another_once(
    harness: Harness, mapping: Mapping[str, object]
) -> None:
    harness.drop(SIDECAR, mapping)

    imports = [dropped(harness, zgid, ROWS) for zgid in (OURS, THEIRS, THEIRS, OURS)]

    assert [each.state for each in imports] == [DONE, DONE, SAME, SAME]
    assert [each.winner for each in imports[2:]] == [imports[1].import_id, imports[0].import_id]
    assert len(harness.bigin.records()) == 4


def test_what_another_organisation_has_is_not_written_over_here(harness: Harness) -> None:
    harness.drop(SIDECAR, UPSERT)
    other = HEADER + b"ada@example.com,Byron\n"

    states = [
        dropped(harness, zgid, body).state
        for zgid, body in ((OURS, ROWS), (THEIRS, other), (OURS, ROWS), (OURS, other), (OURS, ROWS))
    ]

    assert states == [DONE, DONE, SAME, DONE, DONE]


@pytest.mark.parametrize("forgets_the_import", [False, True])
def test_a_file_that_has_grown_is_whole_in_another_organisation(
    harness: Harness, forgets_the_import: bool
) -> None:
    earlier = dropped(harness, OURS, ROWS)
    if forgets_the_import:
        harness.ledger.delete(earlier)
    grown = ROWS + b"grace@example.com,Hopper\n"

    theirs = dropped(harness, THEIRS, grown, "incoming/contacts (1).csv")

    assert theirs.counts is not None
    assert theirs.counts.added == 3
    assert dropped(harness, OURS, grown, "incoming/contacts (2).csv").counts is not None
    assert len(harness.bigin.records()) == 2 + 3 + 1


def _claim_without_one(claim_of: Callable[..., str], *about: str, **kinds: str | None) -> str:
    return claim_of(*about, **{**kinds, "zgid": None})


@pytest.mark.parametrize(
    ("of_holder", "state"), [(None, SAME), (OURS, SAME), (THEIRS, DONE)], ids=str
)
def test_a_claim_without_an_organisation_counts_unless_its_import_was_for_another(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    of_holder: str | None,
    state: ImportState,
) -> None:
    monkeypatch.setattr(claims, "claim_of", partial(_claim_without_one, claims.claim_of))
    first = dropped(harness, OURS, ROWS)
    assert first.state is DONE
    monkeypatch.undo()
    harness.ledger.restore(replace(first, zgid=of_holder))

    again = dropped(harness, OURS, ROWS)

    assert again.state is state


def failed_rows_corrected(harness: Harness, parent: Import) -> bytes:
    failed = harness.files.read(f"{parent.results}contacts.failed.csv", at_most=1_000_000)
    return failed.replace(b"grace@example.com,", b"grace@example.com,Hopper")


def test_a_correction_goes_where_its_parent_went_and_nowhere_else(harness: Harness) -> None:
    parent = dropped(harness, OURS, ROWS + b"grace@example.com,\n")
    corrected = failed_rows_corrected(harness, parent)
    rows = len(harness.bigin.records())

    elsewhere = dropped(harness, THEIRS, corrected, "incoming/corrected.csv")

    assert elsewhere.state is ImportState.REJECTED
    assert len(harness.bigin.records()) == rows
    body = harness.notices.published[-1].body
    assert f"import {parent.import_id}, which is for the Bigin organisation {OURS}" in body
    assert f"the Zoho secret is for {THEIRS} now" in body
    assert "delete the columns that begin with bigin__" in body
    assert dropped(harness, OURS, corrected, "incoming/corrected.csv").state is DONE
    assert len(harness.bigin.records()) == rows + 1


def test_a_correction_that_went_elsewhere_once_says_nothing_of_its_parents_rows(
    harness: Harness,
) -> None:
    parent = dropped(harness, OURS, ROWS + b"grace@example.com,\n")
    corrected = failed_rows_corrected(harness, parent)
    strayed = dropped(harness, OURS, corrected, "incoming/corrected.csv")
    harness.ledger.restore(replace(strayed, zgid=THEIRS))  # as one release let it go
    rows = len(harness.bigin.records())

    again = dropped(harness, OURS, corrected, "incoming/again.csv")

    assert again.state is DONE
    assert len(harness.bigin.records()) == rows + 1


def test_what_is_prepared_again_stays_with_its_organisation(harness: Harness) -> None:
    source = drop_without_sending(harness)
    prefix = f"parts/{harness.import_of(source).import_id}/"
    for key in list(harness.files.list_keys(prefix)):
        harness.files.remove(key)
    harness.bigin.zgid = THEIRS

    harness.tick(minutes=A_DAY_OF_MINUTES)

    waiting = harness.import_of(source)
    assert (waiting.state, waiting.pause) == (ImportState.PREPARING, "ORGANISATION")
    assert (waiting.zgid, harness.bigin.made) == (OURS, {})
    assert len(other_organisations(harness)) == 1
    harness.bigin.zgid = OURS
    harness.tick(minutes=20)
    assert harness.import_of(source).state is DONE
