"""
The Zoho secret is made another organisation's, and back: nothing goes where it does not belong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import LastNotice
from bigin_import.domain.states import ImportState
from tests.bigin_twin.model import OTHER_ZGID
from tests.bigin_twin.tokens import Client
from tests.e2e.desk import CONTACTS, Desk
from tests.e2e.seen_bigin import CREATE_PATH, SeenBigin
from tests.e2e.waiting import until
from tests.local_stack import LocalStack


@contextmanager
def other_organisation(stack: LocalStack, bigin: SeenBigin) -> Iterator[None]:
    """Let the Zoho secret be another organisation's, and the tokens before be over."""
    secrets = stack.client("secretsmanager")
    ours = secrets.get_secret_value(SecretId="zoho")["SecretString"]
    theirs = {**json.loads(ours), "refresh_token": Client().other_refresh_token}
    secrets.put_secret_value(SecretId="zoho", SecretString=json.dumps(theirs))
    try:
        bigin.revoke_tokens()
        yield
    finally:
        secrets.put_secret_value(SecretId="zoho", SecretString=ours)


def waits(record: Import) -> bool:
    return record.pause == "ORGANISATION" and record.lease_until == 0


def notices_of_it(stack: LocalStack) -> list[dict[str, Any]]:
    found = []
    for notice in stack.inbox.notices():
        state = notice.get("MessageAttributes", {}).get("state", {})
        if state.get("Value") == "OTHER_ORGANISATION":
            found.append(notice)
    return found


def test_nothing_of_an_import_goes_to_another_organisation_and_its_file_may(
    stack: LocalStack, desk: Desk, bigin: SeenBigin
) -> None:
    if (told := desk.ledger.load(LastNotice.at("OTHER_ORGANISATION"))) is not None:
        desk.ledger.delete(told)  # of an earlier test, today; people are told once a day
    in_before = desk.closed(desk.drop("before.csv", desk.contacts(2), CONTACTS))
    bigin.break_once("busy", path=CREATE_PATH, times=None, retry_after=3600)
    source = desk.drop("open.csv", desk.contacts(3, first=11), CONTACTS)
    waiting = desk.reached(source, lambda seen: seen.pause == "BUSY", what="waits for credits")

    with other_organisation(stack, bigin):
        bigin.mend()
        desk.make_due(source)
        stack.invoke_tick()
        desk.reached(source, waits, what="waits for its organisation")
        desk.make_due(source)
        stack.invoke_tick()
        (notice, *_) = until(
            lambda: notices_of_it(stack), what="a notice of the other organisation"
        )
        again = desk.closed(desk.put("before.csv", desk.contacts(2)))
        jobs_while_away = bigin.jobs_of(waiting.import_id)
    stack.invoke_tick()
    sent = desk.closed(source)
    once_more = desk.closed(desk.put("before.csv", desk.contacts(2)))

    assert jobs_while_away == []
    assert "open.csv" in notice["Message"]
    assert again.state is ImportState.COMPLETED
    assert [job["zgid"] for job in bigin.jobs_of(again.import_id)] == [OTHER_ZGID]
    assert sent.state is ImportState.COMPLETED
    (job,) = bigin.jobs_of(sent.import_id)
    assert job["zgid"] == sent.zgid == in_before.zgid != OTHER_ZGID
    assert (once_more.state, once_more.winner) == (ImportState.UNCHANGED, in_before.import_id)
    emails = [*desk.emails(2), *desk.emails(3, first=11)]
    assert bigin.emails_at(desk.name) == dict.fromkeys(emails, 1)  # ours
