"""Bigin or Zoho refuses: people read its code, and what to do about it, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.locks import SharedToken
from bigin_import.domain.states import ImportState
from bigin_import.ledger import update
from tests.e2e.desk import CONTACTS, Desk, read_csv
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.waiting import until
from tests.local_stack import LocalStack


def test_a_create_that_bigin_refuses_fails_with_its_code_and_what_to_do(
    desk: Desk, bigin: SeenBigin
) -> None:
    bigin.change(layout_mandatory={"Contacts": ["Mailing_City"]})

    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    record = desk.closed(source)
    notice = desk.notice(record).body
    assert record.state is ImportState.FAILED
    assert "people.csv was not imported: nothing was written to Bigin." in notice
    assert "Part 1: MANDATORY_FIELDS_NOT_MAPPED: All mandatory fields are not mapped" in notice
    assert "Map every field that the module or its layout makes mandatory" in notice
    assert bigin.jobs_of(record.import_id) == []
    assert len(read_csv(desk.result(record, "unprocessed.csv"))) == 3


def test_a_create_that_is_refused_after_the_callback_s_address_was_tried_fails_all_the_same(
    desk: Desk, bigin: SeenBigin
) -> None:
    bigin.change(probe_callback=True)
    bigin.break_once("create_refused", code="NO_PERMISSION", status=403)

    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    record = desk.closed(source)
    (part,) = desk.parts_of(source)
    assert part.attempt is not None
    assert part.attempt.callback_at is not None
    assert record.state is ImportState.FAILED
    assert "Part 1: NO_PERMISSION: " in desk.notice(record).body
    assert bigin.jobs_of(record.import_id) == []
    assert len(read_csv(desk.result(record, "unprocessed.csv"))) == 3


def test_an_upload_that_bigin_refuses_fails_with_its_code_and_what_to_do(
    desk: Desk, bigin: SeenBigin
) -> None:
    bigin.break_once("upload_refused", code="INVALID_FILE_FORMAT", status=200)

    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    record = desk.closed(source)
    notice = desk.notice(record).body
    assert record.state is ImportState.FAILED
    assert "Part 1: INVALID_FILE_FORMAT: " in notice
    assert "Bigin did not accept the archive as a zip: drop the file again" in notice
    assert bigin.creates_of(record.import_id) == []


def test_the_same_drop_goes_through_once_the_cause_is_mended(desk: Desk, bigin: SeenBigin) -> None:
    bigin.break_once("create_refused", code="NO_PERMISSION", status=403)
    refused = desk.drop("people.csv", desk.contacts(), CONTACTS)
    assert desk.closed(refused).state is ImportState.FAILED

    again = desk.put("people.csv", desk.contacts())

    assert desk.closed(again).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def test_while_zoho_refuses_the_token_imports_wait_and_the_alarm_s_metric_says_so(
    desk: Desk, bigin: SeenBigin, stack: LocalStack, ledger: DynamoLedger
) -> None:
    bigin.break_once("token_refused", code="invalid_code", times=None)
    bigin.revoke_tokens()
    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    waiting = desk.reached(source, lambda seen: seen.busy_waits > 0, what="waits")

    assert waiting.state is ImportState.SENDING
    assert bigin.creates_of(waiting.import_id) == []
    metric = '"Name":"TokenRefused"'
    until(lambda: any(metric in line for line in stack.logs("import-csv")), what=metric)
    bigin.mend()
    forget_the_pause(ledger)
    desk.make_due(source)
    stack.invoke_tick()
    assert desk.closed(source).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def forget_the_pause(ledger: DynamoLedger) -> None:
    """Let the five minutes be over in which a refused token is not asked for again."""

    def forgotten(seen: SharedToken) -> SharedToken | None:
        assert seen.refused == "invalid_code"
        return replace(seen, refresh_until=0)

    update(ledger, SharedToken.at(), forgotten)
