"""A proxy as companies have one, that leads to our Bigin under Zoho's own names, TLS and all."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

BYTES_AT_ONCE = 65_536


@contextmanager
def leading_to(url: str) -> Iterator[str]:
    """Yield the address of a proxy for HTTPS, all of whose tunnels end at *url*."""
    target = urlsplit(url)

    class Tunnel(StreamRequestHandler):
        rbufsize = 0  # what comes after the request is not ours to read

        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass  # CONNECT and its headers; where it wants to go does not matter
            with socket.create_connection((target.hostname, target.port)) as there:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                join(self.connection, there)

    with ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def join(one: socket.socket, other: socket.socket) -> None:
    """Hand on what either end sends, until one of them has ended."""
    with selectors.DefaultSelector() as both:
        both.register(one, selectors.EVENT_READ, other)
        both.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in both.select():
                read = key.fileobj
                if not isinstance(read, socket.socket) or not (sent := read.recv(BYTES_AT_ONCE)):
                    return
                key.data.sendall(sent)
