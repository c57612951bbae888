"""OAuth: access tokens for refresh tokens, with Zoho's limits, and the check of each call."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.bigin_twin.answers import RefusedError

REFRESHES_PER_WINDOW = 10
WINDOW_SECONDS = 600
LIVE_TOKENS = 15
REFRESH_TOKENS = 20
ALL_SCOPES = (
    "ZohoBigin.bulk.ALL",
    "ZohoBigin.modules.ALL",
    "ZohoBigin.settings.ALL",
    "ZohoBigin.org.READ",
    "ZohoFiles.files.ALL",
)


@dataclass(frozen=True, slots=True)
class Client:
    """A registered client with its one refresh token, and one of another organisation."""

    client_id: str = "1000.TWINCLIENT"
    client_secret: str = "twin-secret"
    refresh_token: str = "1000.twin.refresh"
    other_refresh_token: str = "1000.twin.other"
    #: What its owner has just generated in the console.
    grant_codes: tuple[str, ...] = ("1000.twin.code", *(f"1000.twin.code{n}" for n in range(2, 9)))
    scopes: tuple[str, ...] = ALL_SCOPES


@dataclass(slots=True)
class Tokens:
    """The access tokens of one client."""

    client: Client
    rng: random.Random
    #: Of the client's scopes, those that it was not given after all.
    missing: tuple[str, ...] = ()
    #: Token -> time of its end; oldest first.
    _live: dict[str, float] = field(default_factory=dict)
    _refreshes: deque[float] = field(default_factory=deque)
    #: From exchanged codes, beside the client's own; each code serves once.
    _granted: list[str] = field(default_factory=list)
    _used_codes: set[str] = field(default_factory=set)
    #: Access tokens of the other organisation.
    _of_other: set[str] = field(default_factory=set)

    @property
    def scopes(self) -> tuple[str, ...]:
        return tuple(each for each in self.client.scopes if each not in self.missing)

    def refresh(self, form: Mapping[str, str], now: float, *, seconds: int) -> dict[str, Any]:
        """
        Return a token answer, without `api_domain`.

        Raises:
            RefusedError: With Zoho's body; its status is 200 for all but too many refreshes.
        """
        self._check_client(form)
        if form["grant_type"] == "authorization_code":
            return {"refresh_token": self._exchange(form)} | self._answer(now, seconds)
        ours = (self.client.refresh_token, *self._granted)
        is_other = form.get("refresh_token") == self.client.other_refresh_token
        if form.get("refresh_token") not in ours and not is_other:
            raise _token_refusal("invalid_code")
        self._count_refresh(now)
        answer = self._answer(now, seconds)
        if is_other:
            self._of_other.add(answer["access_token"])
        return answer

    def is_of_other(self, authorization: str | None) -> bool:
        """Return whether the token of a call is the other organisation's."""
        return (authorization or "").rpartition(" ")[2] in self._of_other

    def _answer(self, now: float, seconds: int) -> dict[str, Any]:
        return {
            "access_token": self._new_token(now + seconds),
            "scope": " ".join(self.scopes),
            "token_type": "Bearer",
            "expires_in": seconds,
        }

    def check(self, authorization: str | None, now: float) -> None:
        """
        Check the Authorization header of a call.

        Raises:
            RefusedError: AUTHENTICATION_FAILURE, INVALID_REQUEST (scheme), INVALID_TOKEN.
        """
        if not authorization:
            raise RefusedError("AUTHENTICATION_FAILURE")
        scheme, _, token = authorization.partition(" ")
        if scheme != "Zoho-oauthtoken":
            raise RefusedError("INVALID_REQUEST")
        if self._live.get(token.strip(), 0) <= now:
            raise RefusedError("INVALID_TOKEN")

    def check_scope(self, any_of: Iterable[str]) -> None:
        """Refuse with OAUTH_SCOPE_MISMATCH unless the client has one of these scopes."""
        owned = {scope.casefold() for scope in self.scopes}
        if not any(scope.casefold() in owned for scope in any_of):
            raise RefusedError("OAUTH_SCOPE_MISMATCH")

    def revoke_all(self) -> None:
        """End every access token now, and count refreshes anew."""
        self._live.clear()
        self._refreshes.clear()

    def _check_client(self, form: Mapping[str, str]) -> None:
        if form.get("grant_type") not in ("refresh_token", "authorization_code"):
            raise _token_refusal("unsupported_grant_type")
        if form.get("client_id") != self.client.client_id:
            raise _token_refusal("invalid_client")
        if form.get("client_secret") != self.client.client_secret:
            raise _token_refusal("invalid_client_secret")

    def _exchange(self, form: Mapping[str, str]) -> str:
        """Return a refresh token for a grant code; the twenty-first ends the first."""
        code = form.get("code", "")
        if code not in self.client.grant_codes or code in self._used_codes:
            raise _token_refusal("invalid_code")
        self._used_codes.add(code)
        token = f"1000.{self.rng.randbytes(16).hex()}.{self.rng.randbytes(16).hex()}"
        self._granted = [*self._granted, token][-REFRESH_TOKENS:]
        return token

    def _count_refresh(self, now: float) -> None:
        while self._refreshes and self._refreshes[0] <= now - WINDOW_SECONDS:
            self._refreshes.popleft()
        if len(self._refreshes) >= REFRESHES_PER_WINDOW:
            raise _too_many_refreshes()
        self._refreshes.append(now)

    def _new_token(self, ends: float) -> str:
        token = f"1000.{self.rng.randbytes(16).hex()}.{self.rng.randbytes(16).hex()}"
        self._live[token] = ends
        while len(self._live) > LIVE_TOKENS:
            del self._live[next(iter(self._live))]
        return token


def _token_refusal(error: str) -> RefusedError:
    return RefusedError(error, status=200, body={"error": error})


def _too_many_refreshes() -> RefusedError:
    description = "You have made too many requests continuously. Please try again after some time."
    body = {"error_description": description, "error": "Access Denied", "status": "failure"}
    return RefusedError("Access Denied", status=400, body=body)
