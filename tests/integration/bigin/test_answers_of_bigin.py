"""What each answer becomes: refused, busy, no access or unknown. One table holds for every call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import requests
import responses

from bigin_import.domain.job_request import FieldMapping, JobRequest, Operation
from bigin_import.errors import (
    BiginAccessError,
    BiginBusyError,
    BiginError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
)
from bigin_import.ports import Bigin
from tests.integration.bigin.conftest import ZGID

UPLOAD_URL = "https://content.zohoapis.com/bigin/v2/upload"
WRITE_URL = "https://www.zohoapis.com/bigin/bulk/v2/write"
BUSY_FOR_60 = '{"code": "TOO_MANY_REQUESTS", "details": {"retry_after": 60}}'
REQUEST = JobRequest(Operation.INSERT, "Contacts", None, True, (FieldMapping("Last_Name", 0),))


def upload(bigin: Bigin) -> object:
    return bigin.upload(b"PK", name="x-0001.zip", zgid=ZGID)


def create(bigin: Bigin) -> object:
    return bigin.create_job(REQUEST, file_id="1", callback_url="https://example.com/c", zgid=ZGID)


def get(bigin: Bigin) -> object:
    return bigin.get_job("42")


CALLS = {
    "upload": (upload, "POST", UPLOAD_URL),
    "create": (create, "POST", WRITE_URL),
    "get": (get, "GET", f"{WRITE_URL}/42"),
}
ALL = ("upload", "create", "get")


@dataclass(frozen=True)
class Reply:
    status: int
    body: str | Exception = ""
    headers: dict[str, str] = field(default_factory=dict)


def envelope(status: int, code: str, words: str = "words", **headers: str) -> Reply:
    body = {"code": code, "details": {}, "message": words, "status": "error"}
    return Reply(
        status, json.dumps(body), {name.replace("_", "-"): headers[name] for name in headers}
    )


def dropped(cause: Exception) -> Reply:
    return Reply(0, cause)


REFUSED = BiginRefusedError
BUSY = BiginBusyError
ACCESS = BiginAccessError
UNKNOWN = BiginOutcomeUnknownError
NEVER_SENT = BiginUnreachableError

TABLE = [
    # Bigin read it and said no
    ("an envelope with 400", ALL, envelope(400, "MODULE_NOT_AVAILABLE"), REFUSED),
    ("an envelope with 403", ALL, envelope(403, "NO_PERMISSION"), REFUSED),
    ("an envelope with 404", ALL, envelope(404, "RESOURCE_NOT_FOUND"), REFUSED),
    ("an envelope with 413", ALL, envelope(413, "FILE_TOO_LARGE"), REFUSED),
    ("an envelope with 200", ALL, envelope(200, "INVALID_FILE_FORMAT"), REFUSED),
    ("a code nobody knows", ALL, envelope(400, "BRAND_NEW"), REFUSED),
    ("only a code, with 400", ALL, Reply(400, '{"code": "COEXISTENCE_NOT_ALLOWED"}'), REFUSED),
    ("only a known code, with 200", ALL, Reply(200, '{"code": "INVALID_FILE_ID"}'), REFUSED),
    # no access
    ("a missing scope", ALL, envelope(401, "OAUTH_SCOPE_MISMATCH"), ACCESS),
    ("a missing scope with 403", ALL, envelope(403, "OAUTH_SCOPE_MISMATCH"), ACCESS),
    ("a refused token, twice", ALL, envelope(401, "INVALID_TOKEN"), ACCESS),
    ("a failed authentication, twice", ALL, envelope(401, "AUTHENTICATION_FAILURE"), ACCESS),
    ("a refused token with 400", ALL, envelope(400, "INVALID_TOKEN"), ACCESS),
    ("401 without a code", ALL, Reply(401, "Unauthorized"), ACCESS),
    ("401 of the gateway", ALL, Reply(401, '{"ERROR_CODE": 401, "ERROR_MESSAGE": "no"}'), ACCESS),
    ("401 of the gateway with 200", ("upload",), Reply(200, '{"ERROR_CODE": 401}'), ACCESS),
    # used up
    ("429", ALL, envelope(429, "TOO_MANY_REQUESTS"), BUSY),
    ("429 without a body", ALL, Reply(429), BUSY),
    ("429 with HTML", ALL, Reply(429, "<html>"), BUSY),
    ("too many requests with 400", ALL, envelope(400, "TOO_MANY_REQUESTS"), BUSY),
    # no answer that decides
    ("500 with an envelope", ALL, envelope(500, "INTERNAL_ERROR"), UNKNOWN),
    ("500 with a refusal's code", ALL, envelope(500, "MODULE_NOT_AVAILABLE"), UNKNOWN),
    ("a fault of the server with 400", ALL, envelope(400, "INTERNAL_ERROR"), UNKNOWN),
    ("a fault of the server with 200", ALL, envelope(200, "INTERNAL_SERVER_ERROR"), UNKNOWN),
    ("500 with a refused token", ALL, envelope(500, "INVALID_TOKEN"), UNKNOWN),
    ("500 of a gateway that says 401", ALL, Reply(500, '{"ERROR_CODE": 401}'), UNKNOWN),
    ("503 with too many requests", ALL, envelope(503, "TOO_MANY_REQUESTS"), UNKNOWN),
    ("a redirect with a refused token", ALL, envelope(302, "INVALID_TOKEN"), UNKNOWN),
    ("502 with HTML", ALL, Reply(502, "<html>"), UNKNOWN),
    ("503", ALL, Reply(503), UNKNOWN),
    ("a redirect", ALL, Reply(307, "", {"Location": "https://www.zohoapis.com/again"}), UNKNOWN),
    ("a redirect with an envelope", ALL, envelope(302, "INVALID_FILE_ID"), UNKNOWN),
    ("400 with HTML", ALL, Reply(400, "<html>"), UNKNOWN),
    ("403 without a body", ALL, Reply(403), UNKNOWN),
    ("404 with JSON, but no code", ALL, Reply(404, '{"message": "no"}'), UNKNOWN),
    ("400 that claims success", ALL, Reply(400, '{"status": "success", "code": "X"}'), UNKNOWN),
    ("an empty 200", ALL, Reply(200), UNKNOWN),
    ("204", ALL, Reply(204), UNKNOWN),
    ("200 with HTML", ALL, Reply(200, "<html>"), UNKNOWN),
    ("200 with a list", ALL, Reply(200, "[]"), UNKNOWN),
    ("200 with half an object", ALL, Reply(200, '{"status": "succ'), UNKNOWN),
    ("200 with an empty object", ALL, Reply(200, "{}"), UNKNOWN),
    ("200 that says error without a code", ALL, Reply(200, '{"status": "error"}'), UNKNOWN),
    ("200 with a code nobody knows", ("upload", "create"), Reply(200, '{"code": "NEW"}'), UNKNOWN),
    ("success without an id", ("upload", "create"), Reply(201, '{"status": "success"}'), UNKNOWN),
    (
        "an id without success",
        ("create",),
        Reply(201, '{"status": "pending", "details": {"id": "1"}}'),
        UNKNOWN,
    ),
    (
        "an id that is none",
        ("create",),
        Reply(201, '{"status": "success", "details": {"id": "../1"}}'),
        UNKNOWN,
    ),
    ("a broken connection", ALL, dropped(requests.ConnectionError("reset")), UNKNOWN),
    ("no answer in time", ALL, dropped(requests.ReadTimeout("late")), UNKNOWN),
    ("half an answer", ALL, dropped(requests.exceptions.ChunkedEncodingError("cut")), UNKNOWN),
    # never left
    ("no connection in time", ALL, dropped(requests.ConnectTimeout("late")), NEVER_SENT),
    ("no way to the proxy", ALL, dropped(requests.exceptions.ProxyError("no")), NEVER_SENT),
    # the gateway of the file hosts decides about uploads; elsewhere nobody has seen it
    (
        "a bad request, says the gateway",
        ("upload",),
        Reply(400, '{"ERROR_CODE": 400, "ERROR_MESSAGE": "Bad Request", "x-error": "check"}'),
        REFUSED,
    ),
    ("forbidden, says the gateway", ("upload",), Reply(403, '{"info": "Forbidden"}'), REFUSED),
    ("a failing gateway", ("upload",), Reply(200, '{"ERROR_CODE": 500}'), UNKNOWN),
    (
        "a bad request, says a gateway",
        ("create", "get"),
        Reply(400, '{"ERROR_CODE": 400, "ERROR_MESSAGE": "Bad Request"}'),
        UNKNOWN,
    ),
]
CASES = [
    pytest.param(CALLS[name][0], CALLS[name][1], CALLS[name][2], reply, error, id=f"{name}: {what}")
    for what, names, reply, error in TABLE
    for name in names
]


@pytest.mark.parametrize(("call", "method", "url", "reply", "error"), CASES)
def test_an_answer_becomes_exactly_one_kind_of_error(
    bigin: Bigin,
    http: responses.RequestsMock,
    call: Callable[[Bigin], object],
    method: str,
    url: str,
    reply: Reply,
    error: type[BiginError],
) -> None:
    http.add(method, url, status=reply.status, body=reply.body, headers=reply.headers)

    with pytest.raises(BiginError) as caught:
        call(bigin)

    assert type(caught.value) is error


@pytest.mark.parametrize("call", [upload, create, get])
def test_a_refusal_carries_bigins_code_and_words_and_what_to_do(
    bigin: Bigin, http: responses.RequestsMock, call: Callable[[Bigin], object]
) -> None:
    reply = envelope(400, "INVALID_FIELD", "invalid api_name ast_Name.")
    for _, method, url in CALLS.values():
        http.add(method, url, status=reply.status, body=reply.body)

    with pytest.raises(BiginRefusedError) as caught:
        call(bigin)

    assert caught.value.code == "INVALID_FIELD"
    assert caught.value.message == "invalid api_name ast_Name."
    assert "API name of the field" in caught.value.resolution
    assert caught.value.concerns_mapping


@pytest.mark.parametrize(
    "reply",
    [
        envelope(400, "MANDATORY_NOT_FOUND", "Required key x-crm-org is not available"),
        Reply(400, '{"ERROR_CODE": 400, "ERROR_MESSAGE": "Bad Request", "x-error": "check"}'),
    ],
)
def test_a_refused_upload_is_not_blamed_on_the_mapping(
    bigin: Bigin, http: responses.RequestsMock, reply: Reply
) -> None:
    http.add("POST", UPLOAD_URL, status=reply.status, body=reply.body)

    with pytest.raises(BiginRefusedError) as caught:
        upload(bigin)

    assert "UploadUrl" in caught.value.resolution
    assert "mapping" not in caught.value.resolution


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (envelope(429, "TOO_MANY_REQUESTS", Retry_After="7"), 7),
        (Reply(429, BUSY_FOR_60), 60),
        (envelope(429, "TOO_MANY_REQUESTS", Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), None),
        (envelope(429, "TOO_MANY_REQUESTS"), None),
        (Reply(429, BUSY_FOR_60, {"Retry-After": "1.5"}), 60),
        (Reply(429, BUSY_FOR_60, {"Retry-After": "soon"}), 60),
        (Reply(429, BUSY_FOR_60, {"Retry-After": "-5"}), 60),
    ],
)
def test_a_busy_bigin_may_say_how_long(
    bigin: Bigin, http: responses.RequestsMock, reply: Reply, seconds: int | None
) -> None:
    http.add("POST", WRITE_URL, status=429, body=reply.body, headers=reply.headers)

    with pytest.raises(BiginBusyError) as caught:
        create(bigin)

    assert caught.value.retry_after_seconds == seconds


def test_a_job_is_believed_only_if_it_is_the_one_asked_for(
    bigin: Bigin, http: responses.RequestsMock
) -> None:
    http.get(f"{WRITE_URL}/42", json={"id": 43, "status": "COMPLETED"})

    with pytest.raises(BiginOutcomeUnknownError, match="another job"):
        get(bigin)


def test_an_answer_without_an_id_is_about_the_job_asked_for(
    bigin: Bigin, http: responses.RequestsMock
) -> None:
    http.get(f"{WRITE_URL}/42", json={"status": "COMPLETED"})

    assert bigin.get_job("42").job_id == "42"


def test_words_of_a_failing_bigin_are_passed_on(bigin: Bigin, http: responses.RequestsMock) -> None:
    reply = envelope(500, "INTERNAL_ERROR", "Internal Server Error")
    http.add("POST", WRITE_URL, status=500, body=reply.body)

    with pytest.raises(BiginOutcomeUnknownError, match="INTERNAL_ERROR: Internal Server Error"):
        create(bigin)
