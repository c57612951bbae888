"""
How requests leave: sessions, repeats, and the line between "never sent" and "perhaps sent".

urllib3 reports a TLS failure during the handshake and one while the answer is read as the same
error, and so it does with a connection that is reset. For a call that must not be sent twice they
are opposites. Here everything that fails while connecting becomes a NewConnectionError.

A server may send interim answers (1xx) before the answer (RFC 9110, section 15.2). http.client
skips only 100 and hands out a 102 or 103 as the answer; the true one then waits on the connection
for the next call. Here they are skipped, and a connection that had one is not used again. Nor is
one after an error: the answer may be one that nobody asked for, and the true one comes after it.
"""

from __future__ import annotations

import ssl
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from socket import socket
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3 import (
    BaseHTTPResponse,
    HTTPConnectionPool,
    HTTPSConnectionPool,
    PoolManager,
    ProxyManager,
    Retry,
    Timeout,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import (
    HTTPError,
    InvalidHeader,
    MaxRetryError,
    NewConnectionError,
    ResponseError,
)

from bigin_import.bigin.answers import Json, plain_words
from bigin_import.errors import BiginError, BiginOutcomeUnknownError, BiginUnreachableError
from bigin_import.ports import Clock

CONNECT_TIMEOUT_SECONDS = 3.05
MOST_INTERIM_ANSWERS = 20
_INTERIM = range(100, 200)
_SKIPPED = range(102, 200)


class _Answer(HTTPResponse):
    """The final answer, within one time-out for it and all interim answers before it."""

    def __init__(self, sock: socket, debuglevel: int = 0, method: str | None = None) -> None:
        super().__init__(sock, debuglevel, method)
        self._sock = sock
        self._status_lines = 0
        seconds = sock.gettimeout()
        self._ends_at = None if seconds is None else monotonic() + seconds

    def begin(self) -> None:
        super().begin()
        while self.status in _SKIPPED:
            self.headers = self.msg = None  # type: ignore[assignment]  # so that it begins anew
            super().begin()
        if self.status in _INTERIM:
            raise HTTPException(f"an answer {self.status} that nobody asked for")
        if self._status_lines > 1 or self.status >= HTTPStatus.BAD_REQUEST:
            self.will_close = True

    def _read_status(self) -> tuple[str, int, str]:
        """Count what http.client skips by itself, too: it would skip 100 for ever."""
        if self._status_lines > MOST_INTERIM_ANSWERS:
            raise HTTPException(f"more than {MOST_INTERIM_ANSWERS} interim answers")
        if self._status_lines and self._ends_at is not None:
            left = self._ends_at - monotonic()
            if left <= 0:
                raise TimeoutError("only interim answers came in time")
            self._sock.settimeout(left)
        self._status_lines += 1
        status: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
        return status


class PlainConnection(HTTPConnection):
    response_class = _Answer


class SecureConnection(HTTPSConnection):
    """
    urllib3 connects and sends within one time-out; three seconds are many for the one and few
    for the other. Here its `timeout` is that of sending, and connecting has its own.
    """

    response_class = _Answer

    @property
    def is_connected(self) -> bool:
        """False also where TLS has bytes that nobody asked for: urllib3 looks at the socket."""
        unread = self.sock.pending() if isinstance(self.sock, ssl.SSLSocket) else 0
        return not unread and super().is_connected

    def connect(self) -> None:
        of_sending, self.timeout = self.timeout, CONNECT_TIMEOUT_SECONDS
        try:
            super().connect()
        except NewConnectionError:
            raise
        except (OSError, ValueError, HTTPException, HTTPError) as exc:  # ValueError: certificates
            raise NewConnectionError(self, f"no TLS connection: {exc}") from exc
        finally:
            self.timeout = of_sending


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection


POOLS = {"http": _PlainPool, "https": _SecurePool}


# For a request as a whole, not for each piece of it: the largest part, 25 MB, at 0.44 MB/s.
SEND_TIMEOUT_SECONDS = 60.0
SERVER_ERRORS = (500, 502, 503, 504)
# Nothing was sent, so that even a call that must not be repeated may be tried again.
CONNECT_REPEATS = Retry(
    2,
    read=0,
    status=0,
    other=0,
    redirect=False,
    backoff_factor=0.2,
    respect_retry_after_header=False,  # else urllib3 repeats, or hides, what has one
)
_PROBE_SECONDS = 20.0  # a cold start of job_callback included
RESERVE_SECONDS = 2.0  # left to the caller to write down what happened


class Content(TypedDict, total=False):
    """What a request says, in the words of requests."""

    params: dict[str, str]
    headers: dict[str, str]
    files: dict[str, tuple[str, bytes, str]]
    data: dict[str, str]
    json: Json
    stream: bool


class ZohoToken(AuthBase):
    """Puts the access token on one request; as `auth` it also keeps a .netrc from replacing it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Zoho-oauthtoken {self._token}"
        return request


class BoundedRetry(Retry):
    """
    Repeats that wait no longer than a total, nor longer than this invocation lives.

    A Retry-After that cannot be read counts as absent: urllib3 raises an error for it, which
    hides the answer. A 413 is final with or without one: the body stays as large as it is.

    Attributes:
        total_seconds: Counted from the first failure.
    """

    RETRY_AFTER_STATUS_CODES = frozenset(
        {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
    )

    clock: Clock
    total_seconds: float
    give_up_at: float | None = None

    @classmethod
    def of_safe_calls(cls, repeats: int, *, total_seconds: float, clock: Clock) -> Self:
        """Return the repeats of a call that may be sent twice: POST uploads included."""
        retry = cls(
            total=repeats,
            redirect=False,
            allowed_methods=None,
            status_forcelist=SERVER_ERRORS,
            raise_on_status=False,
            backoff_factor=0.5,
            backoff_jitter=0.5,
        )
        retry.clock, retry.total_seconds = clock, total_seconds
        return retry

    def new(self, **changes: Any) -> Self:  # noqa: ANN401  # as urllib3 has it
        retry = super().new(**changes)
        retry.clock, retry.total_seconds = self.clock, self.total_seconds
        retry.give_up_at = self.give_up_at
        return retry

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if response is not None and not self._may_repeat(response):
            raise _no_more(url, _pool, ResponseError("the answer asks for no repetition"))
        following = super().increment(method, url, response, error, _pool, _stacktrace)
        now = self.clock.now()
        if following.give_up_at is None:
            following.give_up_at = now + self.total_seconds
        ends_at = now + self.clock.remaining_seconds() - RESERVE_SECONDS
        if now + following.wait_seconds(response) > min(following.give_up_at, ends_at):
            reason = error or ResponseError("no time left to send it again")
            raise _no_more(url, _pool, reason)
        return following

    def _may_repeat(self, response: BaseHTTPResponse) -> bool:
        return response.status in SERVER_ERRORS or self.get_retry_after(response) is not None

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        try:
            return super().get_retry_after(response)
        except (InvalidHeader, ValueError, OverflowError):
            return None

    def wait_seconds(self, response: BaseHTTPResponse | None) -> float:
        asked = self.get_retry_after(response) if response is not None else None
        return asked if asked is not None else self.get_backoff_time()


def _no_more(url: str | None, pool: ConnectionPool | None, reason: Exception) -> MaxRetryError:
    return MaxRetryError(pool, url or "", reason)  # type: ignore[arg-type]  # as Retry does


class _Adapter(HTTPAdapter):
    """An adapter whose connections say for certain when nothing was sent."""

    def __init__(self, repeats: Retry) -> None:
        super().__init__(max_retries=repeats)
        _use_our_pools(self.poolmanager)

    def proxy_manager_for(
        self,
        proxy: str,
        **proxy_kwargs: Any,  # noqa: ANN401  # as requests has it
    ) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **proxy_kwargs)
        _use_our_pools(manager)
        return manager


def _use_our_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = POOLS


def session(repeats: Retry | None = None) -> requests.Session:
    """Return a new session; without *repeats* every request leaves at most once."""
    made = requests.Session()
    adapter = _Adapter(repeats or Retry(0, read=False, redirect=False))
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def send(
    one: requests.Session,
    method: str,
    url: str,
    *,
    what: str,
    timeout: Timeout,
    auth: AuthBase | None = None,
    **content: Unpack[Content],
) -> requests.Response:
    """
    Send a request, not following redirects; *what* names it in errors.

    Args:
        timeout: Its `connect` is for sending the request, its `read` for seconds without a
            byte of the answer; connecting takes CONNECT_TIMEOUT_SECONDS at most.

    Raises:
        BiginUnreachableError: It certainly never left.
        BiginOutcomeUnknownError: It may have left, and no whole answer came.
    """
    try:
        return one.request(
            method,
            url,
            auth=auth,
            timeout=timeout,  # type: ignore[arg-type]  # its adapters take urllib3's; stubs do not
            allow_redirects=False,
            **content,
        )
    except requests.RequestException as exc:
        raise failure(exc, what) from exc
    except ValueError as exc:  # of a header that cannot be sent; its text holds the token
        kind = type(exc).__name__
        raise BiginOutcomeUnknownError(f"{what}: not sent, or not whole ({kind})") from None


def failure(exc: requests.RequestException, what: str) -> BiginError:
    """Return our error for one of requests'."""
    cause = exc.args[0] if exc.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    # ProxyError: urllib3 uses it only while there is no connection to the proxy.
    never_left = (requests.ConnectTimeout, requests.exceptions.ProxyError)
    if isinstance(exc, never_left) or isinstance(reason, NewConnectionError):
        return BiginUnreachableError(f"{what}: no connection: {plain_words(reason or exc)}")
    kind = type(exc).__name__
    return BiginOutcomeUnknownError(f"{what}: the answer did not come, or not whole ({kind})")


def post_nothing(url: str) -> int:
    """
    Post an empty body to an address of ours, once; return the status of the answer.

    Raises:
        BiginUnreachableError, BiginOutcomeUnknownError: No answer; the address is not in the text.
    """
    with session() as one_use:
        timeout = Timeout(connect=_PROBE_SECONDS, read=_PROBE_SECONDS)
        answer = send(one_use, "POST", url, what="probe of the callback", timeout=timeout)
        return answer.status_code
