"""The twin as a running server: app, callback worker and sockets, started and stopped together."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from tests.bigin_twin.app import create_app
from tests.bigin_twin.deliveries import Deliveries, Routes
from tests.bigin_twin.server_state import Server


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen, loopback only; with *certificate* and *key* by TLS. Port 0: any."""

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers. *url* is its base URL."""

    url: str
    server: Server = field(repr=False)


class _QuietHandler(WSGIRequestHandler):
    """Keeps connections open and prints nothing: a token URL may hold secrets in its query."""

    protocol_version = "HTTP/1.1"

    def connection_dropped(
        self, error: BaseException, environ: dict[str, Any] | None = None
    ) -> None:
        """Close the connection: a `NoAnswerError` must leave the caller without an answer."""
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Leave it to the request log of the admin endpoint."""


@contextmanager
def serving(server: Server, routes: Routes, address: Address) -> Iterator[Running]:
    """Serve until the block ends; then no thread of it is left but those of open connections."""
    deliveries = Deliveries(server, routes)
    listener = _listen(create_app(server, deliveries), address)
    scheme = "http" if address.certificate is None else "https"
    worker = threading.Thread(target=listener.serve_forever, name="http", daemon=True)
    worker.start()
    deliveries.start()
    try:
        yield Running(f"{scheme}://{address.host}:{listener.server_port}", server)
    finally:
        server.stop()
        listener.shutdown()
        worker.join()
        deliveries.join()
        listener.server_close()


def _listen(app: Flask, address: Address) -> BaseWSGIServer:
    context = None
    if address.certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(address.certificate, address.key)
    return make_server(
        address.host,
        address.port,
        app,
        threaded=True,
        request_handler=_QuietHandler,
        ssl_context=context,
    )
