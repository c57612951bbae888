"""
Zoho's token endpoint: a refresh token becomes an access token, and a grant code a refresh token.

The grant code comes from Zoho's API console, and is exchanged once, by hand. Zoho keeps twenty
refresh tokens for each user and client; the twenty-first ends the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from http import HTTPStatus
from typing import Self

import requests
from urllib3 import Timeout

from bigin_import.bigin.answers import REFUSED, Answer, Json, first_of, plain_words, text_of
from bigin_import.bigin.datacenters import DATA_CENTERS, Endpoints
from bigin_import.bigin.transport import CONNECT_REPEATS, Content, ZohoToken, send, session
from bigin_import.domain.locks import FreshToken
from bigin_import.errors import (
    BiginAccessError,
    BiginOutcomeUnknownError,
    BiginUnreachableError,
    SecretUnreadableError,
    SettingsError,
    TokenBusyError,
)

# Together below the lease of a shared refresh.
SEND_SECONDS = 3.05
READ_SECONDS = 10.0
WHAT = "refresh of the access token"
LIFE_SECONDS = 3600  # an access token's, says Zoho; older answers give it in milliseconds

RESOLUTIONS = {
    "invalid_code": "The refresh token is wrong or was revoked: make a new one in Zoho's API "
    "console and put it in the Zoho secret",
    "invalid_client": "The client id is unknown in this data centre: check client_id in the Zoho "
    "secret and the data centre of the deployment",
    "invalid_client_secret": "The client secret is wrong, or is that of another data centre: "
    "check client_secret in the Zoho secret",
}
HOW_TO_STORE_IT = (
    "Store the Zoho secret as JSON with the keys client_id, client_secret and refresh_token"
)
OTHER_RESOLUTION = "Check the Zoho secret and the data centre of the deployment"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the Zoho secret holds. None of it shows in a repr."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """
        Read the secret's text.

        Raises:
            SettingsError: It is not a JSON object with the three keys; values are never shown.
        """
        try:
            secret = json.loads(text)
        except ValueError:
            secret = None
        if not isinstance(secret, dict):
            raise SettingsError("the Zoho secret is not a JSON object")
        names = [one.name for one in fields(cls)]
        missing = [name for name in names if not _is_filled(secret.get(name))]
        if missing:
            raise SettingsError(f"the Zoho secret lacks a text for {', '.join(missing)}")
        return cls(**{name: secret[name].strip() for name in names})


class ZohoAccounts:
    """
    The port Accounts.

    Args:
        credentials: Asked at each refresh, so that a corrected secret is used at once.
        read_version: Reads which version of the secret that would be.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        credentials: Callable[[], Credentials],
        read_version: Callable[[], str],
    ) -> None:
        self._url = f"{endpoints.accounts}/oauth/v2/token"
        self._credentials = credentials
        self._read_version = read_version

    def read_version(self) -> str:
        return self._read_version()

    def refresh(self) -> FreshToken:
        answer = Answer.of(self._post(self._readable_credentials()))
        body = answer.body or {}
        error = _error_of(body)
        # Zoho refuses with HTTP 200; the description may be in the user's language.
        if answer.busy or error == "Access Denied":
            raise TokenBusyError(
                "Zoho gives no more access tokens for some minutes: too many were asked for",
                retry_after_seconds=answer.retry_after_seconds,
            )
        if error and answer.status < REFUSED.stop:
            raise _refused(error)
        token = _token_of(body, "access_token")
        if not answer.is_success or not token:
            raise BiginOutcomeUnknownError(
                f"{WHAT}: HTTP {answer.status}, and no token that can be read"
            )
        return FreshToken(token, _life_seconds(body), _scopes(body))

    def _readable_credentials(self) -> Credentials:
        try:
            return self._credentials()
        except SecretUnreadableError as exc:
            code = f"zoho_secret: {exc.code}"
            raise BiginAccessError(str(exc), code=code, resolution=exc.resolution) from exc
        except SettingsError as exc:
            raise BiginAccessError(
                str(exc), code="zoho_secret", resolution=HOW_TO_STORE_IT
            ) from exc

    def _post(self, credentials: Credentials) -> requests.Response:
        """Send one refresh; never twice, because Zoho counts refreshes and we count calls."""
        with session(CONNECT_REPEATS) as one_use:
            return send(
                one_use,
                "POST",
                self._url,
                what=WHAT,
                data={
                    "refresh_token": credentials.refresh_token,
                    "client_id": credentials.client_id,
                    "client_secret": credentials.client_secret,
                    "grant_type": "refresh_token",
                },
                timeout=Timeout(connect=SEND_SECONDS, read=READ_SECONDS),
            )


def _refused(error: str) -> BiginAccessError:
    return BiginAccessError(
        f"{WHAT}: Zoho refuses it: {error}",
        code=error,
        resolution=RESOLUTIONS.get(error, OTHER_RESOLUTION),
    )


def _error_of(body: Json) -> str:
    """Return Zoho's word for an error; empty if there is none, as where it is null or false."""
    return plain_words(body.get("error") or "")


def _token_of(body: Json, key: str) -> str:
    """Return a token that a header can hold; empty if there is none."""
    said = body.get(key)
    token = said.strip() if isinstance(said, str) else ""
    return token if token.isascii() and token.isprintable() else ""


def _scopes(body: Json) -> tuple[str, ...]:
    return tuple((text_of(body.get("scope")) or "").replace(",", " ").split())


def _life_seconds(body: Json) -> int:
    said = (body.get("expires_in_sec"), body.get("expires_in"))
    return min(next((life for life in said if isinstance(life, int)), LIFE_SECONDS), LIFE_SECONDS)


def _is_filled(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


# UK and AE are in no documentation of Bigin's: nothing is asked there on a guess.
DOCUMENTED = tuple(name for name in DATA_CENTERS if name not in ("UK", "AE"))
_MADE_UP_CODE = "1000.00000000000000000000000000000000.00000000000000000000000000000000"
_WHAT = "exchange of the grant code"

GRANT_RESOLUTIONS = {
    "invalid_code": "The code is wrong, was used before, or is older than the minutes chosen for "
    "it: generate another one in the console",
    "invalid_client": "This data centre does not know the client id",
    "invalid_client_secret": "The client secret is wrong: copy it again from the console",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What the exchange gave.

    Attributes:
        scopes: Empty where Zoho does not say them.
    """

    refresh_token: str = field(repr=False)
    access_token: str = field(repr=False)
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Organisation:
    """The organisation that a token is for, as Bigin's `GET /org` tells of it."""

    zgid: str
    name: str
    primary_email: str


def exchange_code(endpoints: Endpoints, client_id: str, client_secret: str, code: str) -> Grant:
    """
    Exchange a grant code; it is gone then, whatever came of it.

    Raises:
        BiginAccessError: Zoho refuses client, secret or code; its word is the error's code.
        BiginUnreachableError, BiginOutcomeUnknownError: No answer that can be read.
    """
    form = {"client_id": client_id, "client_secret": client_secret, "code": code}
    answer = _post(endpoints, form)
    body = answer.body or {}
    if error := _error_of(body):
        raise BiginAccessError(
            f"{_WHAT}: Zoho refuses it: {error}",
            code=error,
            resolution=GRANT_RESOLUTIONS.get(error, "Generate another code in the console"),
        )
    refresh, access = _token_of(body, "refresh_token"), _token_of(body, "access_token")
    if access and not refresh:
        raise BiginAccessError(
            f"{_WHAT}: Zoho gives an access token and no refresh token",
            code="no_refresh_token",
            resolution="Make a Self Client in the console; other clients are asked for consent",
        )
    if not refresh or not access:
        raise BiginOutcomeUnknownError(f"{_WHAT}: HTTP {answer.status}, and no token to read")
    return Grant(refresh, access, _scopes(body))


def find_data_centers(client_id: str) -> Iterator[str]:
    """
    Yield the data centres that know *client_id*.

    Asked with a made-up code and without the secret: a data centre that does not know the client
    says `invalid_client`, any other answer means that it does. One that does not answer is
    passed over.
    """
    for name in DOCUMENTED:
        try:
            answer = _post(DATA_CENTERS[name], {"client_id": client_id, "code": _MADE_UP_CODE})
        except (BiginUnreachableError, BiginOutcomeUnknownError):
            continue
        error = _error_of(answer.body or {})
        if error and error != "invalid_client":
            yield name


def read_organisation(endpoints: Endpoints, access_token: str) -> Organisation:
    """
    Return whose Bigin *access_token* opens.

    Raises:
        BiginAccessError: Bigin refuses the token, or its client lacks ZohoBigin.org.READ.
        BiginUnreachableError, BiginOutcomeUnknownError: No answer that can be read.
    """
    what = "organisation"
    answer = _send("GET", f"{endpoints.api}/bigin/v2/org", what, auth=ZohoToken(access_token))
    org = first_of((answer.body or {}).get("org"))
    zgid = text_of(org.get("zgid"))
    if answer.status == HTTPStatus.UNAUTHORIZED:
        code = text_of((answer.body or {}).get("code")) or "INVALID_TOKEN"
        raise BiginAccessError(
            f"{what}: Bigin refuses it: {plain_words(code)}",
            code=plain_words(code),
            resolution="Generate another code with the whole list of scopes",
        )
    if zgid is None:
        raise BiginOutcomeUnknownError(f"{what}: HTTP {answer.status}, and no id to read")
    name, email = text_of(org.get("company_name")), text_of(org.get("primary_email"))
    return Organisation(zgid, name or "", email or "")


def _post(endpoints: Endpoints, form: dict[str, str]) -> Answer:
    url = f"{endpoints.accounts}/oauth/v2/token"
    return _send("POST", url, _WHAT, data={"grant_type": "authorization_code", **form})


def _send(
    method: str,
    url: str,
    what: str,
    *,
    data: dict[str, str] | None = None,
    auth: ZohoToken | None = None,
) -> Answer:
    """Send one request once: a code serves once, and each exchange makes a refresh token."""
    content: Content = {"data": data} if data is not None else {}
    with session(CONNECT_REPEATS) as one_use:
        timeout = Timeout(connect=SEND_SECONDS, read=READ_SECONDS)
        return Answer.of(
            send(one_use, method, url, what=what, timeout=timeout, auth=auth, **content)
        )
