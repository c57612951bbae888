"""Tokens, secrets and signatures are planted everywhere, and looked for in errors and logs."""

from __future__ import annotations

import json
import logging
import re
import socket
import traceback
from collections.abc import Callable, Iterator

import pytest
import requests
import responses
from urllib3 import Timeout

from bigin_import.bigin.auth import Credentials, ZohoAccounts
from bigin_import.bigin.client import BiginClient, Patience
from bigin_import.bigin.datacenters import DATA_CENTERS
from bigin_import.bigin.transport import ZohoToken, send, session
from bigin_import.callback_url import SignedCallbacks, sign
from bigin_import.domain.job_request import FieldMapping, JobRequest, Operation
from bigin_import.errors import BiginError
from bigin_import.ports import Bigin
from tests.fakes.manual_clock import ManualClock
from tests.fakes.shared_token import shared_token
from tests.integration.bigin.conftest import ZGID, OneOrganisation

KEY = b"signing key"
IMPORT_ID = "abcdefghijklmnopqrstuvwx23"
SIGNATURE = sign(KEY, IMPORT_ID, 1, 1)
CALLBACK_URL = SignedCallbacks("https://api.example.com/prod/v1/callback", [KEY]).url(
    IMPORT_ID, 1, 1
)
TOKEN = "1000.planted0access0token0planted0.0planted"
CREDENTIALS = Credentials("1000.PLANTEDCLIENT", "planted-client-secret", "1000.planted.refresh")
SECRETS = (SIGNATURE, TOKEN, *(getattr(CREDENTIALS, name) for name in Credentials.__slots__))
REQUEST = JobRequest(
    Operation.INSERT, "Contacts", None, True, (FieldMapping("Title", default_value="cell-value"),)
)
TALKATIVE = f"cannot call {CALLBACK_URL} with {TOKEN} or {SIGNATURE}, sorry"
ANYTHING = re.compile(r"https://.*")


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield


def client() -> Bigin:
    clock = ManualClock()
    tokens = shared_token(ZohoAccounts(DATA_CENTERS["US"], lambda: CREDENTIALS, str), clock)
    patience = Patience(repeats=1, total_seconds=5)
    return BiginClient(
        DATA_CENTERS["US"],
        tokens,
        clock,
        patience=patience,
        organisations=OneOrganisation(),
    )


def shown(failure: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Return all that a person or a log may get to see of *failure*."""
    told = traceback.format_exception(failure)
    return "\n".join([*told, repr(failure), repr(vars(failure)), caplog.text])


CALLS: dict[str, Callable[[Bigin], object]] = {
    "upload": lambda bigin: bigin.upload(b"PK", name="x.zip", zgid=ZGID),
    "create": lambda bigin: bigin.create_job(
        REQUEST, file_id="1", callback_url=CALLBACK_URL, zgid=ZGID
    ),
    "job": lambda bigin: bigin.get_job("42"),
    "fields": lambda bigin: bigin.get_fields("Contacts"),
}
ANSWERS = {
    "a talkative refusal": {
        "status": 400,
        "body": json.dumps({"code": "X", "message": TALKATIVE, "status": "error"}),
    },
    "a talkative fault": {"status": 500, "body": json.dumps({"message": TALKATIVE, "code": "X"})},
    "a talkative gateway": {"status": 400, "body": json.dumps({"ERROR_MESSAGE": TALKATIVE})},
    "no JSON": {"status": 200, "body": TALKATIVE},
    "a refused token": {"status": 401, "body": json.dumps({"message": TALKATIVE})},
    "a busy Bigin": {"status": 429, "body": json.dumps({"message": TALKATIVE})},
    "a broken connection": {"body": requests.ConnectionError("reset")},
    "no connection": {"body": requests.ConnectTimeout("late")},
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_no_secret_shows_whatever_bigin_answers(
    http: responses.RequestsMock,
    caplog: pytest.LogCaptureFixture,
    call: Callable[[Bigin], object],
    answer: dict[str, object],
) -> None:
    granted = {"access_token": TOKEN, "expires_in": 3600}
    http.post("https://accounts.zoho.com/oauth/v2/token", json=granted)
    http.add("POST", ANYTHING, **answer)  # type: ignore[arg-type]
    http.add("GET", ANYTHING, **answer)  # type: ignore[arg-type]

    with pytest.raises(BiginError) as caught:
        call(client())

    text = shown(caught.value, caplog)
    assert [secret for secret in SECRETS if secret in text] == []
    assert "cell-value" not in text


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": json.dumps({"error": f"invalid_code {TOKEN}"})},
        {"status": 200, "body": "1000.planted.refresh planted-client-secret"},
        {"status": 500, "body": "1000.planted.refresh"},
        {"body": requests.ConnectionError("reset")},
    ],
)
def test_no_secret_shows_when_zoho_gives_no_token(
    http: responses.RequestsMock, caplog: pytest.LogCaptureFixture, answer: dict[str, object]
) -> None:
    http.add("POST", ANYTHING, **answer)  # type: ignore[arg-type]

    with pytest.raises(BiginError) as caught:
        client().get_fields("Contacts")

    text = shown(caught.value, caplog)
    assert [secret for secret in SECRETS if secret in text] == []


def test_the_search_finds_what_is_planted(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("any").debug("sent %s", TOKEN)

    text = shown(ValueError(SIGNATURE), caplog)

    assert TOKEN in text
    assert SIGNATURE in text


def test_what_carries_a_secret_does_not_show_it() -> None:
    texts = [repr(ZohoToken(TOKEN)), repr(CREDENTIALS), repr(SignedCallbacks("https://x", [KEY]))]

    assert [secret for secret in (*SECRETS, repr(KEY)) if secret in " ".join(texts)] == []


@pytest.mark.parametrize("end", ["\n", "\u20ac"])
def test_a_token_that_no_header_can_hold_does_not_show(
    caplog: pytest.LogCaptureFixture, end: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, session() as one:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with pytest.raises(BiginError) as caught:
            send(one, "GET", url, what="job", timeout=Timeout(1), auth=ZohoToken(TOKEN + end))

    assert TOKEN not in shown(caught.value, caplog)
