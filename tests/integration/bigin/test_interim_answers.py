"""
Interim answers (1xx, RFC 9110) before the answer: on real TLS connections that are kept open.

http.client hands out a 103 as the answer and leaves the true one to the next call, which then
gets what another call asked for.
"""

from __future__ import annotations

import io
import json
import re
import select
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import trustme

from bigin_import.bigin import client as client_module
from bigin_import.bigin import transport
from bigin_import.bigin.client import BiginClient, Patience
from bigin_import.bigin.datacenters import Endpoints
from bigin_import.bigin.transport import MOST_INTERIM_ANSWERS
from bigin_import.errors import BiginError, BiginOutcomeUnknownError
from bigin_import.ports import Bigin
from tests.fakes.manual_clock import ManualClock
from tests.integration.bigin.conftest import ZGID, NumberedTokens, OneOrganisation
from tests.integration.bigin.test_connections import (
    HOST,
    Behaviour,
    Server,
    authority,
    create,
    over_tls,
    read_head,
    some,
    trusted,
)

__all__ = ["authority", "trusted"]  # fixtures

LATE_SECONDS = 0.3


@pytest.fixture(autouse=True)
def longer_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CREATE_TIMEOUT_SECONDS", 5)
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT_SECONDS", 5)


def patient_client(base: str, *, repeats: int = 0) -> Bigin:
    return BiginClient(
        Endpoints(base, base, base),
        NumberedTokens(),
        ManualClock(),
        patience=Patience(read_timeout_seconds=5, repeats=repeats),
        organisations=OneOrganisation(),
    )


EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"


def job(bigin: Bigin, number: int) -> str:
    return bigin.get_job(str(number)).job_id


def fields(bigin: Bigin, _number: int) -> str:
    return bigin.get_fields("Contacts")[0].api_name


def upload(bigin: Bigin, _number: int) -> str:
    return bigin.upload(b"PK", name="x-0001.zip", zgid=ZGID)


def create_job(bigin: Bigin, _number: int) -> str:
    return create(bigin)


def download(bigin: Bigin, _number: int) -> str:
    with bigin.download_result("/result") as found, zipfile.ZipFile(found) as archive:
        return archive.namelist()[0]


CALLS = [job, fields, upload, create_job, download]


def read_whole_request(connection: socket.socket) -> bytes:
    head = read_head(connection)
    found = re.findall(rb"Content-Length: (\d+)", head)
    left = int(found[0]) if found else 0
    while left:
        left -= len(some(connection, left))
    return head


def body_for(head: bytes, number: str) -> bytes:
    """Return what answers a request, with *number* in it."""
    if b"/result" in head:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(number, "")
        return packed.getvalue()
    answer: dict[str, object] = {"status": "success", "details": {"id": number, "file_id": number}}
    if head.startswith(b"GET /bigin/bulk"):
        answer = {"id": number, "status": "COMPLETED"}
    if b"settings/fields" in head:
        answer = {"fields": [{"api_name": number}]}
    return json.dumps(answer).encode()


def answering(*interim: bytes, extra: bytes = b"") -> Behaviour:
    """Return a server that sends *interim* at once, and the answer late, on kept connections."""

    def behave(connection: socket.socket, seen: list[bytes]) -> None:
        while len(seen) < 3:
            head = read_whole_request(connection)
            seen.append(head)
            connection.sendall(b"".join(interim))
            # Late, but no later than the next request, which must not come before the answer.
            select.select([connection], [], [], LATE_SECONDS if interim else 0)
            body = body_for(head, str(len(seen)))
            start = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection.sendall(start + body + extra)

    return behave


@contextmanager
def served(authority: trustme.CA, behaviour: Behaviour) -> Iterator[tuple[Bigin, Server]]:
    with Server(over_tls(authority, behaviour)).running() as server:
        yield patient_client(f"https://{HOST}:{server.port}"), server


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("call", "interim"),
    [
        *((call, (EARLY_HINTS,)) for call in CALLS),
        (job, (PROCESSING,)),
        (create_job, (CONTINUE, PROCESSING, EARLY_HINTS)),
    ],
)
def test_three_calls_in_a_row_get_their_own_answers_whatever_comes_before_them(
    authority: trustme.CA, call: Callable[[Bigin, int], str], interim: tuple[bytes, ...]
) -> None:
    with served(authority, answering(*interim)) as (bigin, server):
        got = [call(bigin, number) for number in (1, 2, 3)]

    assert got == ["1", "2", "3"]
    assert len(server.seen) == 3
    assert server.connections == 3  # none that had an interim answer is used again


@pytest.mark.usefixtures("trusted")
def test_without_interim_answers_a_connection_is_used_again(authority: trustme.CA) -> None:
    with served(authority, answering()) as (bigin, server):
        got = [job(bigin, number) for number in (1, 2, 3)]

    assert (got, server.connections) == (["1", "2", "3"], 1)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "interim",
    [
        (EARLY_HINTS,) * (MOST_INTERIM_ANSWERS + 1),
        (CONTINUE,) * (MOST_INTERIM_ANSWERS + 1),
        (CONTINUE, EARLY_HINTS) * MOST_INTERIM_ANSWERS,
        (SWITCHING,),
    ],
    ids=["many hints", "many continues", "many of both", "another protocol"],
)
def test_after_too_many_or_a_wrong_one_the_outcome_is_unknown(
    authority: trustme.CA, call: Callable[[Bigin, int], str], interim: tuple[bytes, ...]
) -> None:
    with served(authority, answering(*interim)) as (bigin, server):
        with pytest.raises(BiginOutcomeUnknownError):
            call(bigin, 1)

        assert len(server.seen) == 1


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("interim", [EARLY_HINTS, CONTINUE])
def test_interim_answers_do_not_prolong_the_time_out(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, interim: bytes
) -> None:
    """Each comes well within the time-out, and all together outlast it."""
    monkeypatch.setattr(client_module, "CREATE_TIMEOUT_SECONDS", 0.5)
    given_up = threading.Event()
    sent: list[bytes] = []

    def dribble(connection: socket.socket, _seen: list[bytes]) -> None:
        read_whole_request(connection)
        while not given_up.wait(0.1):
            connection.sendall(interim)
            sent.append(interim)

    with served(authority, dribble) as (bigin, _server):
        with pytest.raises(BiginOutcomeUnknownError):
            create(bigin)
        given_up.set()

    assert 0 < len(sent) < MOST_INTERIM_ANSWERS


@pytest.mark.usefixtures("trusted")
def test_what_follows_an_answer_unasked_is_nobody_elses_answer(authority: trustme.CA) -> None:
    """A second answer in one TLS record stays with TLS, where no look at the socket sees it."""
    foreign = b'HTTP/1.1 200 OK\r\nContent-Length: 34\r\n\r\n{"id": "9", "status": "COMPLETED"}'

    with served(authority, answering(extra=foreign * 150)) as (bigin, _server):
        got = [job(bigin, number) for number in (1, 2, 3)]

    assert got == ["1", "2", "3"]


FOREIGN_JOB = b'{"id": "9", "status": "COMPLETED"}'
BUSY = b'{"code": "TOO_MANY_REQUESTS", "status": "error"}'
UNASKED = {
    "busy": b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: %d\r\n\r\n%s" % (len(BUSY), BUSY),
    "away": b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
    "foreign": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(FOREIGN_JOB), FOREIGN_JOB),
    "unreadable": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
}


def going_astray(unasked: bytes, requests: int) -> Behaviour:
    """Return a server that sends *unasked* before the second answer, which is late."""

    def behave(connection: socket.socket, seen: list[bytes]) -> None:
        while len(seen) < requests:
            head = read_whole_request(connection)
            seen.append(head)
            body = body_for(head, str(len(seen)))
            if len(seen) == 2:
                connection.sendall(unasked)
                select.select([connection], [], [], LATE_SECONDS)
            start = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
            connection.sendall(start + body)

    return behave


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("call", [job, fields, upload, download])
@pytest.mark.parametrize(
    ("unasked", "repeats"),
    [("busy", 0), ("foreign", 0), ("unreadable", 0), ("away", 0), ("away", 1)],
)
def test_after_an_answer_that_nobody_asked_for_the_next_call_gets_its_own(
    authority: trustme.CA, call: Callable[[Bigin, int], str], unasked: str, repeats: int
) -> None:
    """Each answer has the number of the request that it is for."""
    behaviour = over_tls(authority, going_astray(UNASKED[unasked], requests=3 + repeats))

    with Server(behaviour).running() as server:
        bigin = patient_client(f"https://{HOST}:{server.port}", repeats=repeats)
        call(bigin, 1)
        with suppress(BiginError):
            call(bigin, 2)
        got = call(bigin, 3 + repeats)

    assert got == str(3 + repeats)


@pytest.mark.usefixtures("trusted")
def test_every_upload_has_a_connection_of_its_own(authority: trustme.CA) -> None:
    """Nothing in the answer says of which file it is, so no other may be on its connection."""
    with served(authority, answering()) as (bigin, server):
        got = [upload(bigin, number) for number in (1, 2, 3)]

    assert (got, server.connections) == (["1", "2", "3"], 3)
