"""
The first exchange: a grant code of Zoho's API console becomes a refresh token, once, by hand.

Zoho keeps twenty refresh tokens for each user and client; the twenty-first ends the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus

from urllib3 import Timeout

from bigin_import.bigin.answers import Answer, first_of, plain_words, text_of
from bigin_import.bigin.auth import READ_SECONDS, SEND_SECONDS
from bigin_import.bigin.datacenters import DATA_CENTERS, Endpoints
from bigin_import.bigin.transport import CONNECT_REPEATS, Content, ZohoToken, send, session
from bigin_import.errors import BiginAccessError, BiginOutcomeUnknownError

# UK and AE are in no documentation of Bigin's: nothing is asked there on a guess.
DOCUMENTED = tuple(name for name in DATA_CENTERS if name not in ("UK", "AE"))
_MADE_UP_CODE = "1000.00000000000000000000000000000000.00000000000000000000000000000000"
_WHAT = "exchange of the grant code"

RESOLUTIONS = {
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
    if error := plain_words(body.get("error", "")):
        raise BiginAccessError(
            f"{_WHAT}: Zoho refuses it: {error}",
            code=error,
            resolution=RESOLUTIONS.get(error, "Generate another code in the console"),
        )
    refresh, access = text_of(body.get("refresh_token")), text_of(body.get("access_token"))
    if access and not refresh:
        raise BiginAccessError(
            f"{_WHAT}: Zoho gives an access token and no refresh token",
            code="no_refresh_token",
            resolution="Make a Self Client in the console; other clients are asked for consent",
        )
    if not refresh or not access:
        raise BiginOutcomeUnknownError(f"{_WHAT}: HTTP {answer.status}, and no token to read")
    scopes = (text_of(body.get("scope")) or "").replace(",", " ").split()
    return Grant(refresh, access, tuple(scopes))


def find_data_centers(client_id: str) -> Iterator[str]:
    """
    Yield the data centres that know *client_id*.

    Asked with a made-up code and without the secret: a data centre that does not know the client
    says `invalid_client`, any other answer means that it does.
    """
    for name in DOCUMENTED:
        answer = _post(DATA_CENTERS[name], {"client_id": client_id, "code": _MADE_UP_CODE})
        error = plain_words((answer.body or {}).get("error", ""))
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
