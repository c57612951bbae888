"""
Connections that say for certain when nothing was sent, and give no call another's answer.

urllib3 reports a TLS failure during the handshake and one while the answer is read as the same
error, and so it does with a connection that is reset. For a call that must not be sent twice they
are opposites. Here everything that fails while connecting becomes a NewConnectionError.

A server may send interim answers (1xx) before the answer (RFC 9110, section 15.2). http.client
skips only 100 and hands out a 102 or 103 as the answer; the true one then waits on the connection
for the next call. Here they are skipped, and a connection that had one is not used again.
"""

from __future__ import annotations

import ssl
from http.client import HTTPException, HTTPResponse
from socket import socket
from time import monotonic

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError

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
        if self._status_lines > 1:
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
