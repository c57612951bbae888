"""
One access token for all functions: it lies in a secret, and the ledger names its version.

Zoho gives at most 10 access tokens in 10 minutes and lets at most 15 live at a time, so that
functions which each refresh for themselves lock one another out. Here whoever finds the token
old takes a short lease, refreshes and stores it; the others use what there is, or wait.

First the secret is written, then the ledger: what the ledger names can be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bigin_import.domain.locks import FreshToken, SharedToken
from bigin_import.errors import (
    AwsError,
    BiginAccessError,
    BiginBusyError,
    BiginError,
    BiginUnreachableError,
    ConflictError,
    TokenBusyError,
)
from bigin_import.ports import Accounts, Clock, Ledger, TokenSecret

EARLY_SECONDS = 300  # before Zoho ends a token it is refreshed, while it still serves
LEASE_SECONDS = 30  # longer than the token endpoint's time-outs together
MAX_WAIT_SECONDS = 20  # for another function's refresh, which takes a second or two
PAUSE_FROM_SECONDS = 2 * LEASE_SECONDS  # no clock is so far ahead that a lease looks this long
RESERVE_SECONDS = 8  # left for the call that wants the token
MAX_REFRESHES = 10  # Zoho's limit
WINDOW_SECONDS = 660  # Zoho counts over 600; the rest is for clocks and slow answers
PAUSE_SECONDS = 300  # after a refused refresh token, or "too many requests"

RESOLUTION = (
    "Correct client_id, client_secret and refresh_token in the Zoho secret (bigin-drop rotate "
    "zoho), or the data centre; a new version of the secret is tried within a minute"
)


@dataclass(frozen=True, slots=True)
class KeptToken:
    """
    A token that a process has at hand, so that it reads it from the secret once.

    Attributes:
        named: The version that the ledger named when it was kept; it serves until another is.
        unstored_until: How long a token serves that the secret did not take; None for the others.
    """

    named: str = ""
    token: str = field(default="", repr=False)
    unstored_until: int | None = None


@dataclass(slots=True)
class TokenMemory:
    """What a process has at hand of tokens."""

    kept: KeptToken = KeptToken()


class SharedAccessToken:
    """
    The port AccessTokens.

    Raises, from both methods: BiginAccessError while Zoho refuses the refresh token,
    TokenBusyError if no token can be had yet, BiginUnreachableError if the token endpoint gives
    no readable answer, AwsError if ledger or secret cannot be read.

    Args:
        memory: Of this process; it outlives an invocation.
        report: Told when the secret does not take a new token, which is used all the same.
    """

    def __init__(
        self,
        ledger: Ledger,
        secret: TokenSecret,
        accounts: Accounts,
        clock: Clock,
        *,
        memory: TokenMemory,
        report: Callable[[AwsError], None],
    ) -> None:
        self._ledger = ledger
        self._secret = secret
        self._accounts = accounts
        self._clock = clock
        self._memory = memory
        self._report = report

    def get_token(self) -> str:
        return self._obtain(refused="")

    def renew_token(self, refused: str) -> str:
        return self._obtain(refused=refused)

    def _obtain(self, *, refused: str) -> str:
        """Return a token other than *refused*, refreshing it if nobody else does."""
        patience = min(MAX_WAIT_SECONDS, self._clock.remaining_seconds() - RESERVE_SECONDS)
        give_up_at = self._clock.now() + patience
        while True:
            record = self._ledger.load(SharedToken.at()) or SharedToken()
            token, until = self._read(record)
            known = token not in ("", refused)
            if known and self._clock.now() < until:
                return token
            alive = known and self._clock.now() < until + EARLY_SECONDS
            if record.refresh_until <= self._clock.now():
                fresh = self._refresh_or_keep(record, token if alive else None)
                if fresh is not None:
                    return fresh
            elif alive:
                return token
            else:
                self._wait_for_the_other(record, give_up_at)

    def _read(self, record: SharedToken) -> tuple[str, int]:
        """Return the token that the ledger names, or "", and until when it serves."""
        kept = self._memory.kept
        if kept.named != record.token_version:
            if self._clock.now() >= record.valid_until + EARLY_SECONDS:
                return "", 0
            token = self._secret.read(record.token_version) or ""
            kept = self._memory.kept = KeptToken(record.token_version, token)
        until = kept.unstored_until
        return kept.token, record.valid_until if until is None else until

    def _refresh_or_keep(self, record: SharedToken, living: str | None) -> str | None:
        try:
            return self._refresh(record)
        except BiginError as exc:
            if living is None or not exc.retryable:
                raise
            return living  # good for minutes yet: another call will refresh it

    def _refresh(self, record: SharedToken) -> str | None:
        """Refresh under the lease; None if another process was faster: look again."""
        # Read before the secret itself: if that changes between the two, it counts as new.
        version = self._accounts.read_version()
        try:
            leased = self._ledger.save(self._with_lease(record, version))
        except ConflictError:
            return None
        try:
            fresh = self._accounts.refresh()
        except BiginError as exc:
            self._record_failure(leased, exc)
            if exc.maybe_done:  # of the refresh: the call that wants the token was never sent
                raise BiginUnreachableError(f"no access token: {exc}") from exc
            raise
        return self._store(leased, fresh)

    def _with_lease(self, record: SharedToken, version: str) -> SharedToken:
        """
        Return the record with our lease, this try already counted: a try that dies counts too.

        Raises:
            TokenBusyError: The tries that Zoho allows are used up.
        """
        now = self._clock.now()
        recent = tuple(at for at in record.refreshed_at if at > now - WINDOW_SECONDS)
        if len(recent) >= MAX_REFRESHES:
            raise TokenBusyError(
                f"{MAX_REFRESHES} access tokens were asked for in {WINDOW_SECONDS // 60} minutes, "
                "which is all Zoho gives",
                retry_after_seconds=recent[0] + WINDOW_SECONDS - now,
            )
        return replace(
            record,
            access_token="",
            refresh_until=now + LEASE_SECONDS,
            refreshed_at=(*recent, now),
            credentials_version=version,
        )

    def _store(self, leased: SharedToken, fresh: FreshToken) -> str | None:
        token = fresh.token
        until = self._clock.now() + max(fresh.life_seconds - EARLY_SECONDS, 0)
        done = replace(leased, refresh_until=0, refused=None, scopes=fresh.scopes)
        try:
            version = self._secret.write(token)
        except AwsError as exc:  # ours to use all the same; the others get one for themselves
            self._report(exc)
            kept = KeptToken(leased.token_version, token, unstored_until=until)
        else:
            kept = KeptToken(version, token)
            done = replace(
                done, token_version=version, generation=leased.generation + 1, valid_until=until
            )
        self._memory.kept = kept
        try:
            self._ledger.save(done)
        except ConflictError:  # our lease ran out and another has it: one token for all, theirs
            return None
        return token

    def _record_failure(self, leased: SharedToken, failure: BiginError) -> None:
        try:
            self._ledger.save(self._after_failure(leased, failure))
        except ConflictError:
            return  # our lease ran out; the next holder finds out for itself

    def _after_failure(self, leased: SharedToken, failure: BiginError) -> SharedToken:
        """Let the others know; give the lease back, or keep them from asking for a while."""
        pause_until = self._clock.now() + PAUSE_SECONDS
        match failure:
            case BiginAccessError():
                return replace(leased, refused=failure.code, refresh_until=pause_until)
            case BiginBusyError():
                return replace(leased, refresh_until=pause_until)
            case BiginUnreachableError():  # Zoho has not heard of this try, nor counts it
                return replace(leased, refresh_until=0, refreshed_at=leased.refreshed_at[:-1])
            case _:  # Zoho may count it: the next try waits until the lease has run out
                return leased

    def _wait_for_the_other(self, record: SharedToken, give_up_at: float) -> None:
        """Wait a second for the holder of the lease, if there is hope that it comes back."""
        if record.refused is not None:
            raise BiginAccessError(
                f"Zoho refuses the refresh token: {record.refused}",
                code=record.refused,
                resolution=RESOLUTION,
            )
        now = self._clock.now()
        if now >= give_up_at or record.refresh_until > now + PAUSE_FROM_SECONDS:
            raise TokenBusyError(
                "another function is getting a new access token",
                retry_after_seconds=record.refresh_until - now,
            )
        self._clock.sleep(1)
