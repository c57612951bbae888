"""
Never sent, or perhaps sent? Proven on real sockets, where the two look alike to the library.

Each case is a server on this machine that misbehaves at one moment of a connection and keeps
what it has read: a create counts as sent once the server has seen any of the request.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import trustme

from bigin_import.bigin import client as client_module
from bigin_import.bigin import transport
from bigin_import.bigin.client import BiginClient, Patience
from bigin_import.bigin.datacenters import Endpoints
from bigin_import.domain.job_request import FieldMapping, JobRequest, Operation
from bigin_import.errors import BiginError, BiginOutcomeUnknownError, BiginUnreachableError
from bigin_import.ports import Bigin
from tests.fakes.manual_clock import ManualClock
from tests.integration.bigin.conftest import ZGID, NumberedTokens, OneOrganisation

HOST = "127.0.0.1"
REQUEST = JobRequest(Operation.INSERT, "Contacts", None, True, (FieldMapping("Last_Name", 0),))
CREATED = b'{"status": "success", "details": {"id": "42"}}'
OK = b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%s" % (len(CREATED), CREATED)

UPLOADED = b'{"status": "success", "details": {"file_id": "7"}}'
UPLOAD_OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(UPLOADED), UPLOADED)
CONNECT_SECONDS = 0.3
BUFFER_BYTES = 65_536
# More than this buffer and the sender's own hold, so that sending waits for the reader.
LARGE_ARCHIVE = b"PK" + bytes(6_000_000)

type Behaviour = Callable[[socket.socket, list[bytes]], None]


class Server:
    """Accepts connections one after another and lets *behaviour* answer each."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.seen: list[bytes] = []
        self.connections = 0
        self._behaviour = behaviour
        self._listening = socket.create_server((HOST, 0))
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self._thread = threading.Thread(target=self._serve)
        self.port = self._listening.getsockname()[1]

    def _serve(self) -> None:
        with suppress(OSError):  # the listening socket was closed: the test is over
            while True:
                connection, _ = self._listening.accept()
                self.connections += 1
                with connection, suppress(OSError):
                    connection.settimeout(5)
                    self._behaviour(connection, self.seen)

    @contextmanager
    def running(self) -> Iterator[Server]:
        self._thread.start()
        try:
            yield self
        finally:
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._thread.join()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(
    authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let requests trust the test's own authority, as it would Zoho's."""
    bundle = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT_SECONDS", CONNECT_SECONDS)
    monkeypatch.setattr(client_module, "CREATE_TIMEOUT_SECONDS", 0.3)


def client(base: str, *, repeats: int = 0) -> Bigin:
    patience = Patience(read_timeout_seconds=0.3, repeats=repeats)
    return BiginClient(
        Endpoints(base, base, base),
        NumberedTokens(),
        ManualClock(),
        patience=patience,
        organisations=OneOrganisation(),
    )


def upload(bigin: Bigin) -> str:
    return bigin.upload(LARGE_ARCHIVE, name="x-0001.zip", zgid=ZGID)


def create(bigin: Bigin) -> str:
    return bigin.create_job(REQUEST, file_id="1", callback_url="https://example.com/c", zgid=ZGID)


def read_request(connection: socket.socket, seen: list[bytes]) -> None:
    """Read head and body, whichever pieces they come in."""
    data = b""
    while not data.endswith(b"}]}]}"):
        piece = connection.recv(BUFFER_BYTES)
        if not piece:
            break
        data += piece
    seen.append(data)


def reset(connection: socket.socket) -> None:
    """Close so that the other side sees a reset, not an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def answer(connection: socket.socket, seen: list[bytes]) -> None:
    read_request(connection, seen)
    connection.sendall(OK)


def take_time_over_it(connection: socket.socket, seen: list[bytes]) -> None:
    """Read an upload, but only after longer than connecting may take."""
    head = read_head(connection)
    seen.append(head)
    time.sleep(2 * CONNECT_SECONDS)
    left = int(re.findall(rb"Content-Length: (\d+)", head)[0])
    while left:
        left -= len(some(connection, min(left, BUFFER_BYTES)))
    connection.sendall(UPLOAD_OK)


def read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += some(connection, 1)
    return head


def some(connection: socket.socket, at_most: int) -> bytes:
    """Return at least one byte; the end of the connection is an error."""
    piece = connection.recv(at_most)
    if not piece:
        raise ConnectionError
    return piece


def hang_up_after_request(connection: socket.socket, seen: list[bytes]) -> None:
    read_request(connection, seen)


def reset_after_request(connection: socket.socket, seen: list[bytes]) -> None:
    read_request(connection, seen)
    reset(connection)


def answer_half(connection: socket.socket, seen: list[bytes]) -> None:
    read_request(connection, seen)
    connection.sendall(OK[:-10])


def say_nothing(connection: socket.socket, seen: list[bytes]) -> None:
    read_request(connection, seen)
    connection.recv(1)  # until the client gives up


def speak_nonsense(connection: socket.socket, seen: list[bytes]) -> None:
    read_request(connection, seen)
    connection.sendall(b"220 mail.example.com ESMTP\r\n\r\n")


def over_tls(authority: trustme.CA, behaviour: Behaviour, name: str = HOST) -> Behaviour:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)

    def serve(connection: socket.socket, seen: list[bytes]) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            behaviour(secured, seen)

    return serve


def break_tls_after_request(connection: socket.socket, seen: list[bytes]) -> None:
    """Send bytes that are no TLS record where the answer should be."""
    read_request(connection, seen)
    raw = socket.socket(fileno=connection.detach())
    raw.sendall(b"this is no TLS record, so the client's library reports a TLS error")
    raw.close()


def hang_up_at_once(connection: socket.socket, seen: list[bytes]) -> None:
    """Accept and close: a TLS handshake ends before it begins."""


def reset_at_once(connection: socket.socket, seen: list[bytes]) -> None:
    reset(connection)


def never_shake_hands(connection: socket.socket, seen: list[bytes]) -> None:
    while connection.recv(BUFFER_BYTES):  # the client's hello, and nothing in return
        pass


@pytest.mark.parametrize(
    "behaviour",
    [hang_up_after_request, reset_after_request, answer_half, say_nothing, speak_nonsense],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.usefixtures("trusted")
def test_once_the_request_has_left_its_outcome_is_unknown_and_it_left_once(
    authority: trustme.CA, scheme: str, behaviour: Behaviour
) -> None:
    behaves = over_tls(authority, behaviour) if scheme == "https" else behaviour

    with Server(behaves).running() as server, pytest.raises(BiginError) as caught:
        create(client(f"{scheme}://{HOST}:{server.port}", repeats=3))

    assert type(caught.value) is BiginOutcomeUnknownError
    assert len(server.seen) == 1
    assert b'"operation": "insert"' in server.seen[0]


@pytest.mark.usefixtures("trusted")
def test_a_tls_error_in_the_answer_is_unknown_although_it_looks_like_a_failed_handshake(
    authority: trustme.CA,
) -> None:
    behaviour = over_tls(authority, break_tls_after_request)

    with Server(behaviour).running() as server, pytest.raises(BiginError) as caught:
        create(client(f"https://{HOST}:{server.port}"))

    assert type(caught.value) is BiginOutcomeUnknownError
    assert len(server.seen) == 1


@pytest.mark.parametrize("behaviour", [hang_up_at_once, reset_at_once, never_shake_hands, answer])
@pytest.mark.usefixtures("trusted")
def test_a_tls_connection_that_does_not_come_about_sends_nothing(behaviour: Behaviour) -> None:
    with Server(behaviour).running() as server, pytest.raises(BiginError) as caught:
        create(client(f"https://{HOST}:{server.port}"))

    assert type(caught.value) is BiginUnreachableError
    assert not any(b"insert" in data for data in server.seen)


@pytest.mark.parametrize("name", ["other.example.com", HOST])
def test_a_certificate_that_is_not_trusted_sends_nothing(
    authority: trustme.CA, name: str, request: pytest.FixtureRequest
) -> None:
    if name != HOST:  # trusted, but somebody else's
        request.getfixturevalue("trusted")

    with (
        Server(over_tls(authority, answer, name)).running() as server,
        pytest.raises(BiginError, match="certificate verify failed") as caught,
    ):
        create(client(f"https://{HOST}:{server.port}"))

    assert type(caught.value) is BiginUnreachableError
    assert server.seen == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_closed_port_sends_nothing(scheme: str) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(BiginError) as caught:
        create(client(f"{scheme}://{HOST}:{port}"))

    assert type(caught.value) is BiginUnreachableError


def test_a_name_that_does_not_resolve_sends_nothing() -> None:
    with pytest.raises(BiginError) as caught:
        create(client("https://bigin.invalid"))

    assert type(caught.value) is BiginUnreachableError


@pytest.mark.usefixtures("trusted")
def test_a_good_server_answers(authority: trustme.CA) -> None:
    with Server(over_tls(authority, answer)).running() as server:
        job_id = create(client(f"https://{HOST}:{server.port}"))

    assert job_id == "42"


@pytest.mark.usefixtures("trusted")
def test_every_create_has_a_connection_of_its_own(authority: trustme.CA) -> None:
    with Server(over_tls(authority, answer)).running() as server:
        bigin = client(f"https://{HOST}:{server.port}")
        create(bigin)
        create(bigin)

    assert server.connections == 2


@pytest.mark.usefixtures("trusted")
def test_an_upload_may_take_longer_than_connecting(authority: trustme.CA) -> None:
    with Server(over_tls(authority, take_time_over_it)).running() as server:
        uploaded = upload(client(f"https://{HOST}:{server.port}"))

    assert (uploaded, len(server.seen)) == ("7", 1)


@pytest.mark.usefixtures("trusted")
def test_an_upload_that_nobody_reads_is_given_up(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "SEND_TIMEOUT_SECONDS", 0.3)
    given_up = threading.Event()

    def read_nothing(_connection: socket.socket, _seen: list[bytes]) -> None:
        given_up.wait(5)

    with Server(over_tls(authority, read_nothing)).running() as server:
        with pytest.raises(BiginOutcomeUnknownError):
            upload(client(f"https://{HOST}:{server.port}"))
        given_up.set()
