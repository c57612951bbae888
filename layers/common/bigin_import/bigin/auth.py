"""Zoho's token endpoint: a refresh token becomes an access token."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Self

import requests
from urllib3 import Timeout

from bigin_import.bigin.answers import REFUSED, Answer, Json, plain_words
from bigin_import.bigin.datacenters import Endpoints
from bigin_import.bigin.transport import CONNECT_REPEATS, send, session
from bigin_import.errors import (
    BiginAccessError,
    BiginOutcomeUnknownError,
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
    """

    def __init__(self, endpoints: Endpoints, credentials: Callable[[], Credentials]) -> None:
        self._url = f"{endpoints.accounts}/oauth/v2/token"
        self._credentials = credentials

    def refresh(self) -> tuple[str, int]:
        answer = Answer.of(self._post(self._readable_credentials()))
        body = answer.body or {}
        error = plain_words(body.get("error", ""))
        # Zoho refuses with HTTP 200; the description may be in the user's language.
        if answer.busy or error == "Access Denied":
            raise TokenBusyError(
                "Zoho gives no more access tokens for some minutes: too many were asked for",
                retry_after_seconds=answer.retry_after_seconds,
            )
        if error and answer.status < REFUSED.stop:
            raise _refused(error)
        token = body.get("access_token")
        if not answer.is_success or not isinstance(token, str) or not token:
            raise BiginOutcomeUnknownError(
                f"{WHAT}: HTTP {answer.status}, and no token that can be read"
            )
        return token, _life_seconds(body)

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


def _life_seconds(body: Json) -> int:
    life = body.get("expires_in_sec", body.get("expires_in"))
    return min(life, LIFE_SECONDS) if isinstance(life, int) else LIFE_SECONDS


def _is_filled(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
