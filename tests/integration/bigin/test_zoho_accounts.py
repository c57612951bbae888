"""Zoho's token endpoint, which says no with HTTP 200."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
import requests
import responses

from bigin_import.bigin.auth import Credentials, ZohoAccounts, exchange_code
from bigin_import.bigin.datacenters import DATA_CENTERS
from bigin_import.errors import (
    BiginAccessError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginUnreachableError,
    SecretUnreadableError,
    TokenBusyError,
)
from bigin_import.ports import Accounts

TOKEN_URL = "https://accounts.zoho.eu/oauth/v2/token"
TOKEN = "1000.8ecdxxxx.5cd5xxxx"
GRANTED = {
    "access_token": TOKEN,
    "scope": "ZohoBigin.bulk.ALL",
    "api_domain": "https://www.zohoapis.eu",
    "token_type": "Bearer",
    "expires_in": 3600,
}
ACCESS_DENIED = {
    "error_description": "Sie haben zu viele Anfragen gesendet.",
    "error": "Access Denied",
    "status": "failure",
}


@pytest.fixture
def accounts() -> Accounts:
    credentials = Credentials("1000.ID", "SECRET", "1000.REFRESH")
    return ZohoAccounts(DATA_CENTERS["EU"], lambda: credentials, str)


@pytest.mark.parametrize(("retry_after", "seconds"), [("7", 7), ("soon", None), ("1.5", None)])
def test_a_busy_token_endpoint_is_asked_once_whatever_wait_it_names(
    accounts: Accounts, http: responses.RequestsMock, retry_after: str, seconds: int | None
) -> None:
    http.post(TOKEN_URL, json={}, status=429, headers={"Retry-After": retry_after})

    with pytest.raises(TokenBusyError) as caught:
        accounts.refresh()

    assert (caught.value.retry_after_seconds, len(http.calls)) == (seconds, 1)


def test_a_refresh_sends_the_secrets_in_the_body_only(
    accounts: Accounts, http: responses.RequestsMock
) -> None:
    http.post(TOKEN_URL, json=GRANTED)

    token, life_seconds, _ = accounts.refresh()

    sent = http.calls[0].request
    assert (token, life_seconds) == (TOKEN, 3600)
    assert sent.url == TOKEN_URL
    assert parse_qs(str(sent.body)) == {
        "refresh_token": ["1000.REFRESH"],
        "client_id": ["1000.ID"],
        "client_secret": ["SECRET"],
        "grant_type": ["refresh_token"],
    }


def test_a_corrected_secret_is_used_at_the_next_refresh(http: responses.RequestsMock) -> None:
    secrets = [Credentials("i", "s", "mended"), Credentials("i", "s", "wrong")]
    accounts = ZohoAccounts(DATA_CENTERS["EU"], secrets.pop, str)
    http.post(TOKEN_URL, json={"error": "invalid_code"})
    http.post(TOKEN_URL, json=GRANTED)

    with pytest.raises(BiginAccessError):
        accounts.refresh()

    assert accounts.refresh()[:2] == (TOKEN, 3600)
    assert "mended" in str(http.calls[1].request.body)


def test_a_secret_that_cannot_be_read_is_the_operators_to_mend(
    http: responses.RequestsMock,
) -> None:
    accounts = ZohoAccounts(DATA_CENTERS["EU"], lambda: Credentials.from_json("{}"), str)

    with pytest.raises(BiginAccessError, match="lacks a text for client_id") as caught:
        accounts.refresh()

    assert caught.value.code == "zoho_secret"
    assert len(http.calls) == 0


def test_a_secret_that_aws_does_not_give_out_is_the_operators_to_mend(
    http: responses.RequestsMock,
) -> None:
    def credentials() -> Credentials:
        raise SecretUnreadableError("arn", code="AccessDeniedException", resolution="Let us in")

    with pytest.raises(BiginAccessError, match="arn cannot be read") as caught:
        ZohoAccounts(DATA_CENTERS["EU"], credentials, str).refresh()

    assert caught.value.code == "zoho_secret: AccessDeniedException"
    assert caught.value.resolution == "Let us in"
    assert len(http.calls) == 0


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        ({"expires_in": 3600}, 3600),
        ({"expires_in": 600}, 600),
        ({"expires_in": 3_600_000, "expires_in_sec": 3600}, 3600),
        ({"expires_in": 3_600_000}, 3600),
        ({}, 3600),
    ],
)
def test_a_tokens_life_is_read_in_seconds(
    accounts: Accounts, http: responses.RequestsMock, life: dict[str, int], seconds: int
) -> None:
    http.post(TOKEN_URL, json={"access_token": TOKEN, **life})

    assert accounts.refresh()[:2] == (TOKEN, seconds)


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("invalid_code", "refresh token is wrong or was revoked"),
        ("invalid_client", "client id is unknown in this data centre"),
        ("invalid_client_secret", "client secret is wrong"),
        ("something_new", "Zoho secret and the data centre"),
    ],
)
def test_a_refusal_tells_the_operator_what_to_do(
    accounts: Accounts, http: responses.RequestsMock, status: int, code: str, says: str
) -> None:
    http.post(TOKEN_URL, json={"error": code}, status=status)

    with pytest.raises(BiginAccessError, match=code) as caught:
        accounts.refresh()

    assert caught.value.code == code
    assert says in caught.value.resolution


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, ACCESS_DENIED, TokenBusyError),
        (200, ACCESS_DENIED, TokenBusyError),
        (429, {}, TokenBusyError),
        (500, {}, BiginOutcomeUnknownError),
        (500, {"error": "invalid_code"}, BiginOutcomeUnknownError),
        (500, GRANTED, BiginOutcomeUnknownError),
        (302, {}, BiginOutcomeUnknownError),
        (200, {}, BiginOutcomeUnknownError),
        (200, [], BiginOutcomeUnknownError),
        (200, {"access_token": ""}, BiginOutcomeUnknownError),
        (200, {"access_token": 7}, BiginOutcomeUnknownError),
    ],
)
def test_an_answer_without_a_token_is_an_error(
    accounts: Accounts,
    http: responses.RequestsMock,
    status: int,
    body: object,
    error: type[BiginError],
) -> None:
    http.post(TOKEN_URL, json=body, status=status)

    with pytest.raises(BiginError) as caught:
        accounts.refresh()

    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (requests.ConnectTimeout("late"), BiginUnreachableError),
        (requests.ReadTimeout("late"), BiginOutcomeUnknownError),
        (requests.ConnectionError("reset"), BiginOutcomeUnknownError),
    ],
)
def test_a_lost_answer_is_asked_for_once_because_zoho_counts(
    accounts: Accounts,
    http: responses.RequestsMock,
    failure: requests.RequestException,
    error: type[BiginError],
) -> None:
    http.post(TOKEN_URL, body=failure)

    with pytest.raises(BiginError) as caught:
        accounts.refresh()

    assert type(caught.value) is error
    assert len(http.calls) == 1


@pytest.mark.parametrize("nothing", [None, False, ""])
def test_an_error_that_says_nothing_is_none(
    accounts: Accounts, http: responses.RequestsMock, nothing: object
) -> None:
    http.post(TOKEN_URL, json=GRANTED | {"error": nothing, "refresh_token": "1000.R"})

    assert accounts.refresh().token == TOKEN
    assert exchange_code(DATA_CENTERS["EU"], "1000.ID", "SECRET", "1000.CODE").access_token == TOKEN


def test_a_life_that_is_null_hides_no_other(
    accounts: Accounts, http: responses.RequestsMock
) -> None:
    http.post(TOKEN_URL, json=GRANTED | {"expires_in_sec": None, "expires_in": 1200})

    assert accounts.refresh().life_seconds == 1200


def test_a_token_is_taken_without_the_line_end_behind_it(
    accounts: Accounts, http: responses.RequestsMock
) -> None:
    http.post(TOKEN_URL, json=GRANTED | {"access_token": f" {TOKEN}\r\n"})

    assert accounts.refresh().token == TOKEN


@pytest.mark.parametrize("token", [f"{TOKEN}\u20ac", f"{TOKEN}\n{TOKEN}", " "])
def test_a_token_that_no_header_can_hold_is_none(
    accounts: Accounts, http: responses.RequestsMock, token: str
) -> None:
    http.post(TOKEN_URL, json=GRANTED | {"access_token": token})

    with pytest.raises(BiginOutcomeUnknownError, match="no token that can be read"):
        accounts.refresh()
