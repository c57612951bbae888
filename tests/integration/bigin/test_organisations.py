"""Work of one organisation never leaves with another one's access token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import responses

from bigin_import.bigin.client import BiginClient, OrganisationMemory, Patience
from bigin_import.bigin.datacenters import DATA_CENTERS
from bigin_import.domain.job_request import FieldMapping, JobRequest, Operation
from bigin_import.errors import BiginUnreachableError, OtherOrganisationError
from bigin_import.ports import Bigin
from tests.fakes.manual_clock import ManualClock
from tests.integration.bigin.conftest import ZGID, NumberedTokens

API = "https://www.zohoapis.com"
ORG_URL = f"{API}/bigin/v2/org"
UPLOAD_URL = "https://content.zohoapis.com/bigin/v2/upload"
WRITE_URL = f"{API}/bigin/bulk/v2/write"
REQUEST = JobRequest(Operation.INSERT, "Contacts", None, True, (FieldMapping("Last_Name", 0),))
INVALID_TOKEN = {"code": "INVALID_TOKEN", "details": {}, "message": "no", "status": "error"}
REFUSED = {**INVALID_TOKEN, "code": "INVALID_DATA"}
DONE = {"status": "success", "details": {"file_id": "7", "id": "7"}}

type Call = Callable[[Bigin], str]


def upload(bigin: Bigin) -> str:
    return bigin.upload(b"PK", name="x-0001.zip", zgid=ZGID)


def create(bigin: Bigin) -> str:
    return bigin.create_job(REQUEST, file_id="1", callback_url="https://example.com/c", zgid=ZGID)


CALLS = [upload, create]


def client(tokens: NumberedTokens, memory: OrganisationMemory | None = None) -> Bigin:
    patience = Patience(repeats=0)
    hosts = DATA_CENTERS["US"]
    return BiginClient(hosts, tokens, ManualClock(), patience=patience, organisations=memory)


def org(zgid: str) -> dict[str, object]:
    return {"org": [{"zgid": zgid, "time_zone": "Europe/Berlin"}]}


@pytest.fixture
def posts(http: responses.RequestsMock) -> Callable[[], int]:
    """Count what left for Bigin beside questions."""
    http.post(UPLOAD_URL, json=DONE)
    http.post(WRITE_URL, json=DONE)
    return lambda: sum(call.request.method == "POST" for call in http.calls)


@pytest.mark.parametrize("call", CALLS)
def test_nothing_is_sent_with_the_token_of_another_organisation(
    http: responses.RequestsMock, posts: Callable[[], int], call: Call
) -> None:
    http.get(ORG_URL, json=org("20358250"))

    with pytest.raises(OtherOrganisationError, match="20358250, not for 10358250") as caught:
        call(client(NumberedTokens()))

    assert posts() == 0
    assert not caught.value.maybe_done


@pytest.mark.parametrize("call", CALLS)
def test_the_organisation_is_asked_for_once_for_each_token(
    http: responses.RequestsMock, posts: Callable[[], int], call: Call
) -> None:
    asked = http.get(ORG_URL, json=org(ZGID))
    tokens, memory = NumberedTokens(), OrganisationMemory()

    ids = [call(client(tokens, memory)) for _ in range(3)]
    asked_for_one = asked.call_count
    tokens.made += 1
    call(client(tokens, memory))

    assert ids == ["7"] * 3
    assert (asked_for_one, asked.call_count, posts()) == (1, 2, 4)


def test_id_and_time_zone_are_of_one_answer(http: responses.RequestsMock) -> None:
    asked = http.get(ORG_URL, json=org(ZGID))
    bigin = client(NumberedTokens())

    assert (bigin.get_zgid(), bigin.get_time_zone()) == (ZGID, "Europe/Berlin")
    assert asked.call_count == 1


@pytest.mark.parametrize("call", CALLS)
def test_a_token_that_is_renewed_is_asked_about_anew(
    http: responses.RequestsMock, posts: Callable[[], int], call: Call
) -> None:
    """The first is of our organisation and was refused; who put another secret there meanwhile?"""
    http.get(ORG_URL, json=org(ZGID))
    http.get(ORG_URL, json=org("20358250"))
    http.replace("POST", UPLOAD_URL, json=INVALID_TOKEN, status=401)
    http.replace("POST", WRITE_URL, json=INVALID_TOKEN, status=401)
    tokens = NumberedTokens()

    with pytest.raises(OtherOrganisationError):
        call(client(tokens))

    assert (posts(), len(tokens.refused)) == (1, 1)


@pytest.mark.parametrize("call", CALLS)
def test_a_token_that_is_refused_at_the_question_is_renewed(
    http: responses.RequestsMock, posts: Callable[[], int], call: Call
) -> None:
    http.get(ORG_URL, json=INVALID_TOKEN, status=401)
    http.get(ORG_URL, json=org(ZGID))
    tokens = NumberedTokens()

    assert call(client(tokens)) == "7"
    assert (posts(), len(tokens.refused)) == (1, 1)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "answer",
    [{"body": "no JSON"}, {"json": {}}, {"status": 500}, {"status": 400, "json": REFUSED}],
    ids=str,
)
def test_where_nobody_says_whose_the_token_is_nothing_is_sent_and_all_is_certain(
    http: responses.RequestsMock,
    posts: Callable[[], int],
    call: Call,
    answer: dict[str, object],
) -> None:
    http.get(ORG_URL, **answer)

    with pytest.raises(BiginUnreachableError):
        call(client(NumberedTokens()))

    assert posts() == 0
