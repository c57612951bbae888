"""Access to the twin: tokens, scopes, credits, parallel calls."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.bigin_twin.answers import RefusedError
from tests.bigin_twin.limits import ParallelCalls
from tests.bigin_twin.model import Bigin
from tests.bigin_twin.tokens import Client
from tests.unit.bigin_twin.scenario import CREDENTIALS, START, Desk, body


def refused(call: Callable[[], object]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        call()
    return caught.value


def header(desk: Desk) -> str:
    return f"Zoho-oauthtoken {desk.bigin.refresh(CREDENTIALS, desk.now)['access_token']}"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"refresh_token": "other"}, "invalid_code"),
        ({"client_id": "other"}, "invalid_client"),
        ({"client_secret": "other"}, "invalid_client_secret"),
    ],
)
def test_wrong_credentials_are_refused_with_http_200_and_an_error_key(
    changed: dict[str, str], error: str
) -> None:
    desk = Desk()

    refusal = refused(lambda: desk.bigin.refresh(CREDENTIALS | changed, desk.now))

    assert (refusal.status, refusal.body) == (200, {"error": error})


def test_the_eleventh_refresh_in_ten_minutes_is_denied_and_a_later_one_is_not() -> None:
    desk = Desk()
    for _ in range(10):
        desk.bigin.refresh(CREDENTIALS, desk.now)

    refusal = refused(lambda: desk.bigin.refresh(CREDENTIALS, desk.now + 599))
    later = desk.bigin.refresh(CREDENTIALS, desk.now + 600)

    assert (refusal.status, refusal.body["error"]) == (400, "Access Denied")
    assert later["expires_in"] == 3600


def test_the_sixteenth_live_token_kills_the_oldest() -> None:
    desk = Desk()
    tokens = []
    for _ in range(16):
        tokens.append(header(desk))
        desk.now += 61

    refusal = refused(lambda: desk.bigin.tokens.check(tokens[0], desk.now))
    desk.bigin.tokens.check(tokens[1], desk.now)

    assert refusal.code == "INVALID_TOKEN"


def test_a_token_dies_when_its_time_is_up() -> None:
    desk = Desk(token_seconds=60)
    token = header(desk)

    desk.bigin.tokens.check(token, desk.now + 59)
    refusal = refused(lambda: desk.bigin.tokens.check(token, desk.now + 60))

    assert (refusal.status, refusal.code) == (401, "INVALID_TOKEN")


@pytest.mark.parametrize(
    ("authorization", "status", "code"),
    [
        (None, 401, "AUTHENTICATION_FAILURE"),
        ("Bearer 1000.x.y", 400, "INVALID_REQUEST"),
        ("Zoho-oauthtoken 1000.x.y", 401, "INVALID_TOKEN"),
    ],
)
def test_a_call_needs_a_known_token_in_zohos_own_scheme(
    authorization: str | None, status: int, code: str
) -> None:
    refusal = refused(lambda: Desk().bigin.tokens.check(authorization, START))

    assert (refusal.status, refusal.code) == (status, code)


def test_a_job_needs_the_scope_of_its_module() -> None:
    client = Client(scopes=("ZohoBigin.bulk.ALL", "ZohoBigin.modules.contacts.CREATE"))
    desk = Desk()
    desk.bigin = Bigin(random.Random(1), client=client)
    contacts = body(desk.upload("Last_Name\nBoyle\n"))
    accounts = body(desk.upload("Account_Name\nZylker\n"), module="Accounts")

    made = desk.bigin.create_job(contacts, desk.now)
    refusal = refused(lambda: desk.bigin.create_job(accounts, desk.now))

    assert made["code"] == "SUCCESS"
    assert (refusal.status, refusal.code) == (401, "OAUTH_SCOPE_MISMATCH")


def test_credits_are_spent_by_jobs_and_come_back_after_24_hours() -> None:
    desk = Desk(daily_credits=1010)
    first, second, third = (body(desk.upload("Last_Name\nBoyle\n")) for _ in range(3))
    desk.bigin.create_job(first, desk.now)
    desk.bigin.create_job(second, desk.now)

    refusal = refused(lambda: desk.bigin.create_job(third, desk.now + 86_399))
    made = desk.bigin.create_job(third, desk.now + 86_400)

    assert (refusal.status, refusal.code) == (429, "TOO_MANY_REQUESTS")
    assert made["code"] == "SUCCESS"


def test_a_refused_create_costs_nothing() -> None:
    desk = Desk()
    file_id = desk.upload("Last_Name\nBoyle\n")
    before = desk.bigin.credits.spent(desk.now)

    refused(lambda: desk.bigin.create_job(body(file_id, module="Deals"), desk.now))

    assert desk.bigin.credits.spent(desk.now) == before


def test_more_parallel_calls_than_allowed_are_refused_until_one_ends() -> None:
    calls = ParallelCalls()

    calls.enter(at_most=1)
    refusal = refused(lambda: calls.enter(at_most=1))
    calls.leave()
    calls.enter(at_most=1)

    assert refusal.status == 429
