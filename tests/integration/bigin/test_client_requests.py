"""What the client sends, how often, and what it makes of a good answer."""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from bigin_import.bigin.client import BiginClient, Patience
from bigin_import.bigin.datacenters import DATA_CENTERS
from bigin_import.bigin.transport import RESERVE_SECONDS, SEND_TIMEOUT_SECONDS
from bigin_import.domain.job_request import Field, FieldMapping, JobRequest, JobStatus, Operation
from bigin_import.errors import (
    BiginAccessError,
    BiginBusyError,
    BiginOutcomeUnknownError,
    BiginRefusedError,
    BiginUnreachableError,
)
from bigin_import.ports import Bigin
from tests.fakes.manual_clock import ManualClock
from tests.integration.bigin.conftest import ZGID, NumberedTokens, OneOrganisation

API = "https://www.zohoapis.com"
UPLOAD_URL = "https://content.zohoapis.com/bigin/v2/upload"
WRITE_URL = f"{API}/bigin/bulk/v2/write"
JOB_URL = f"{WRITE_URL}/42"
RESULT_URL = "https://download-accl.zoho.com/v2/crm/1/bulk-write/42/42.zip"
REQUEST = JobRequest(Operation.INSERT, "Contacts", None, True, (FieldMapping("Last_Name", 0),))

UPLOADED = {
    "status": "success",
    "code": "FILE_UPLOAD_SUCCESS",
    "message": "file uploaded.",
    "details": {"file_id": "111111000001492610", "created_time": "2018-12-31T12:00:00-12:00"},
}
CREATED = {
    "status": "success",
    "code": "SUCCESS",
    "message": "success",
    "details": {"id": "111111000000541958", "created_by": {"id": "1", "name": "Patricia Boyle"}},
}
INVALID_TOKEN = {"code": "INVALID_TOKEN", "details": {}, "message": "no", "status": "error"}
SCOPE_MISMATCH = {**INVALID_TOKEN, "code": "OAUTH_SCOPE_MISMATCH"}


def result_zip() -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Contacts-x.csv", "Last_Name,STATUS,RECORD_ID,ERRORS\nHill,ADDED,1,\n")
    return packed.getvalue()


def authorizations(http: responses.RequestsMock) -> list[str | None]:
    return [call.request.headers.get("Authorization") for call in http.calls]


def create(bigin: Bigin) -> str:
    return bigin.create_job(REQUEST, file_id="1", callback_url="https://example.com/c", zgid=ZGID)


def impatient_for(clock: ManualClock, seconds: float, *, repeats: int = 3) -> Bigin:
    patience = Patience(repeats=repeats, total_seconds=seconds)
    return BiginClient(
        DATA_CENTERS["US"],
        NumberedTokens(),
        clock,
        patience=patience,
        organisations=OneOrganisation(),
    )


def test_an_upload_is_a_multipart_form_with_bigins_two_headers(
    bigin: Bigin, http: responses.RequestsMock
) -> None:
    http.post(UPLOAD_URL, json=UPLOADED)

    file_id = bigin.upload(b"PK-archive", name="abc-0001.zip", zgid=ZGID)

    sent = http.calls[0].request
    assert file_id == "111111000001492610"
    assert sent.headers["feature"] == "bulk-write"
    assert sent.headers["X-CRM-ORG"] == "10358250"
    assert sent.headers["Authorization"] == "Zoho-oauthtoken 1000.PLANTED-token-1"
    assert sent.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert isinstance(sent.body, bytes)
    assert b'name="file"; filename="abc-0001.zip"\r\nContent-Type: application/zip' in sent.body
    assert b"\r\n\r\nPK-archive\r\n" in sent.body


def test_a_file_id_that_comes_as_a_number_keeps_every_digit(
    bigin: Bigin, http: responses.RequestsMock
) -> None:
    http.post(UPLOAD_URL, body='{"status":"success","details":{"file_id":9007199254740993001}}')

    assert bigin.upload(b"PK", name="x.zip", zgid=ZGID) == "9007199254740993001"


def test_creating_a_job_sends_json_and_returns_its_id(
    bigin: Bigin, http: responses.RequestsMock
) -> None:
    http.post(WRITE_URL, json=CREATED, status=201)

    job_id = create(bigin)

    sent = http.calls[0].request
    assert job_id == "111111000000541958"
    assert sent.headers["Content-Type"] == "application/json"
    assert sent.body is not None
    assert json.loads(sent.body)["operation"] == "insert"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_creating_a_job_is_never_repeated(
    http: responses.RequestsMock, clock: ManualClock, status: int
) -> None:
    http.post(WRITE_URL, status=status, headers={"Retry-After": "0"})

    with pytest.raises(Exception, match="create job"):
        create(impatient_for(clock, 60))

    assert len(http.calls) == 1


def test_creating_a_job_follows_no_redirect(bigin: Bigin, http: responses.RequestsMock) -> None:
    http.post(WRITE_URL, status=307, headers={"Location": f"{API}/elsewhere"})
    http.post(f"{API}/elsewhere", json=CREATED, status=201)

    with pytest.raises(BiginOutcomeUnknownError):
        create(bigin)

    assert len(http.calls) == 1


def test_a_refused_token_is_replaced_and_the_create_repeated_once(
    bigin: Bigin, http: responses.RequestsMock, tokens: NumberedTokens
) -> None:
    http.post(WRITE_URL, json=INVALID_TOKEN, status=401)
    http.post(WRITE_URL, json=CREATED, status=201)

    job_id = create(bigin)

    assert job_id == "111111000000541958"
    assert tokens.refused == ["1000.PLANTED-token-1"]
    assert authorizations(http) == [
        "Zoho-oauthtoken 1000.PLANTED-token-1",
        "Zoho-oauthtoken 1000.PLANTED-token-2",
    ]


def test_a_second_refused_token_ends_the_call(bigin: Bigin, http: responses.RequestsMock) -> None:
    http.post(WRITE_URL, json=INVALID_TOKEN, status=401)

    with pytest.raises(BiginAccessError):
        create(bigin)

    assert len(http.calls) == 2


def test_a_missing_scope_asks_for_no_new_token(
    bigin: Bigin, http: responses.RequestsMock, tokens: NumberedTokens
) -> None:
    http.post(WRITE_URL, json=SCOPE_MISMATCH, status=401)

    with pytest.raises(BiginAccessError, match="OAUTH_SCOPE_MISMATCH"):
        create(bigin)

    assert (len(http.calls), tokens.refused) == (1, [])


def test_what_is_safe_is_sent_again_after_an_error_of_the_server(
    http: responses.RequestsMock, clock: ManualClock
) -> None:
    http.post(UPLOAD_URL, status=503, headers={"Retry-After": "0"})
    http.post(UPLOAD_URL, json=UPLOADED)

    file_id = impatient_for(clock, 60).upload(b"PK", name="x.zip", zgid=ZGID)

    assert (file_id, len(http.calls)) == ("111111000001492610", 2)


UNREADABLE = ("1.5", "soon", "-5", "")


@pytest.mark.parametrize("retry_after", [*UNREADABLE, "0", "7"])
def test_a_file_that_is_too_large_is_sent_once(
    http: responses.RequestsMock, clock: ManualClock, retry_after: str
) -> None:
    refusal = {"status": "error", "code": "FILE_TOO_LARGE", "message": "too large", "details": {}}
    http.post(UPLOAD_URL, json=refusal, status=413, headers={"Retry-After": retry_after})

    with pytest.raises(BiginRefusedError, match="FILE_TOO_LARGE"):
        impatient_for(clock, 60).upload(b"PK", name="x.zip", zgid=ZGID)

    assert len(http.calls) == 1


@pytest.mark.parametrize("retry_after", UNREADABLE)
def test_a_busy_answer_whose_wait_cannot_be_read_is_still_that_answer(
    http: responses.RequestsMock, clock: ManualClock, retry_after: str
) -> None:
    busy = {"status": "error", "code": "TOO_MANY_REQUESTS", "message": "wait", "details": {}}
    http.get(JOB_URL, json=busy, status=429, headers={"Retry-After": retry_after})

    with pytest.raises(BiginBusyError) as caught:
        impatient_for(clock, 60).get_job("42")

    assert caught.value.retry_after_seconds is None
    assert len(http.calls) == 1


@pytest.mark.parametrize("retry_after", UNREADABLE)
def test_an_error_of_the_server_whose_wait_cannot_be_read_is_repeated_as_without_one(
    http: responses.RequestsMock, clock: ManualClock, retry_after: str
) -> None:
    http.get(JOB_URL, status=503, headers={"Retry-After": retry_after})
    http.get(JOB_URL, json={"id": "42", "status": "ADDED"})

    assert impatient_for(clock, 60).get_job("42").job_id == "42"
    assert len(http.calls) == 2


def test_nothing_is_sent_more_often_than_allowed(
    http: responses.RequestsMock, clock: ManualClock
) -> None:
    http.get(JOB_URL, status=503, headers={"Retry-After": "0"})

    with pytest.raises(BiginOutcomeUnknownError):
        impatient_for(clock, 60, repeats=2).get_job("42")

    assert len(http.calls) == 3


@pytest.mark.parametrize(
    ("retry_after", "total_seconds", "remaining_seconds"),
    [
        pytest.param("61", 60.0, 300.0, id="longer than our patience"),
        pytest.param("20", 60.0, 15.0, id="longer than this invocation lives"),
        pytest.param("86400", 60.0, 300.0, id="a day"),
    ],
)
def test_a_wait_that_takes_too_long_is_not_begun(
    http: responses.RequestsMock, retry_after: str, total_seconds: float, remaining_seconds: float
) -> None:
    clock = ManualClock(remaining_seconds=remaining_seconds)
    http.get(JOB_URL, status=503, headers={"Retry-After": retry_after})

    with pytest.raises(BiginOutcomeUnknownError):
        impatient_for(clock, total_seconds).get_job("42")

    assert len(http.calls) == 1


def test_nothing_is_sent_in_the_last_seconds_of_an_invocation(
    http: responses.RequestsMock,
) -> None:
    ending = ManualClock(remaining_seconds=4)

    with pytest.raises(BiginUnreachableError, match="about to end"):
        create(impatient_for(ending, 60))

    assert len(http.calls) == 0


@pytest.mark.parametrize(("remaining_seconds", "seconds"), [(300.0, 120.0), (42.0, 40.0)])
def test_a_create_takes_120_seconds_in_all_or_as_long_as_the_invocation_lives(
    http: responses.RequestsMock, remaining_seconds: float, seconds: float
) -> None:
    http.post(WRITE_URL, json=CREATED, status=201)

    create(impatient_for(ManualClock(remaining_seconds=remaining_seconds), 60))

    timeout = http.calls[0].request.req_kwargs["timeout"]  # type: ignore[attr-defined]
    assert timeout.total == pytest.approx(seconds)
    assert timeout.connect_timeout == pytest.approx(min(seconds, SEND_TIMEOUT_SECONDS))


@pytest.mark.parametrize(("remaining_seconds", "send_seconds"), [(300.0, 60.0), (42.0, 40.0)])
def test_an_upload_has_a_minute_to_leave_or_as_long_as_the_invocation_lives(
    http: responses.RequestsMock, remaining_seconds: float, send_seconds: float
) -> None:
    http.post(UPLOAD_URL, json=UPLOADED)

    impatient = impatient_for(ManualClock(remaining_seconds=remaining_seconds), 60)
    impatient.upload(b"PK", name="x-0001.zip", zgid=ZGID)

    timeout = http.calls[0].request.req_kwargs["timeout"]  # type: ignore[attr-defined]
    assert timeout.total == pytest.approx(remaining_seconds - RESERVE_SECONDS)
    assert timeout.connect_timeout == pytest.approx(send_seconds)


def test_threads_share_no_session(bigin: BiginClient) -> None:
    both_at_work = Barrier(2)

    def session_of_this_thread(_: int) -> requests.Session:
        both_at_work.wait(timeout=5)
        return bigin._session()

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(session_of_this_thread, range(2))

    assert one is not other


def test_a_job_is_asked_for_by_its_id(bigin: Bigin, http: responses.RequestsMock) -> None:
    http.get(JOB_URL, json={"status": "IN PROGRESS", "id": "42"})

    assert bigin.get_job("42").status is JobStatus.IN_PROGRESS


def test_an_id_cannot_lead_elsewhere(bigin: Bigin, http: responses.RequestsMock) -> None:
    http.get(f"{WRITE_URL}/..%2F..%2Forg", json={"status": "ADDED"})

    bigin.get_job("../../org")

    assert urlsplit(http.calls[0].request.url or "").path.endswith("/..%2F..%2Forg")


def test_fields_are_asked_for_by_module(bigin: Bigin, http: responses.RequestsMock) -> None:
    answer = {"fields": [{"api_name": "Email", "field_label": "Email", "data_type": "email"}]}
    http.get(f"{API}/bigin/v2/settings/fields", json=answer)

    fields = bigin.get_fields("Contacts")

    assert fields == (Field("Email", "Email", "email"),)
    assert parse_qs(urlsplit(http.calls[0].request.url or "").query) == {"module": ["Contacts"]}


def test_the_organisation_names_its_zgid(bigin: Bigin, http: responses.RequestsMock) -> None:
    http.get(f"{API}/bigin/v2/org", json={"org": [{"id": "1", "zgid": "10358250"}]})

    assert bigin.get_zgid() == "10358250"


@pytest.mark.parametrize("url", [RESULT_URL, "/v7/crm/org1/bulk-write/42/42.zip"])
def test_row_results_are_fetched_with_the_token_and_can_be_read_as_a_zip(
    bigin: Bigin, http: responses.RequestsMock, url: str
) -> None:
    http.get(url if url.startswith("https") else API + url, body=result_zip())

    with bigin.download_result(url) as file, zipfile.ZipFile(file) as archive:
        names = archive.namelist()

    assert names == ["Contacts-x.csv"]
    assert authorizations(http) == ["Zoho-oauthtoken 1000.PLANTED-token-1"]


def test_a_foreign_address_is_refused_and_nothing_is_sent(
    bigin: Bigin, http: responses.RequestsMock
) -> None:
    with (
        pytest.raises(BiginRefusedError, match=r"evil\.example"),
        bigin.download_result("https://evil.example/42.zip"),
    ):
        pytest.fail("a foreign address was fetched")

    assert len(http.calls) == 0


def test_a_redirect_on_the_same_host_keeps_the_token(
    bigin: Bigin, http: responses.RequestsMock
) -> None:
    http.get(RESULT_URL, status=302, headers={"Location": "/new/42.zip"})
    http.get("https://download-accl.zoho.com/new/42.zip", body=result_zip())

    with bigin.download_result(RESULT_URL) as file:
        assert file.read(2) == b"PK"

    assert authorizations(http) == ["Zoho-oauthtoken 1000.PLANTED-token-1"] * 2


def test_another_host_never_gets_the_token(bigin: Bigin, http: responses.RequestsMock) -> None:
    http.get(RESULT_URL, status=302, headers={"Location": "https://files.zoho.com/42.zip"})
    http.get("https://files.zoho.com/42.zip", body=result_zip())

    with bigin.download_result(RESULT_URL) as file:
        assert file.read(2) == b"PK"

    assert authorizations(http) == ["Zoho-oauthtoken 1000.PLANTED-token-1", None]


@pytest.mark.parametrize("place", ["https://evil.example/x", "http://download-accl.zoho.com/x"])
def test_a_redirect_to_a_foreign_or_plain_address_is_not_followed(
    bigin: Bigin, http: responses.RequestsMock, place: str
) -> None:
    http.get(RESULT_URL, status=302, headers={"Location": place})
    http.get(place, body=result_zip())

    with pytest.raises(BiginRefusedError), bigin.download_result(RESULT_URL):
        pytest.fail("it was followed")

    assert len(http.calls) == 1


def test_redirects_in_a_circle_come_to_an_end(bigin: Bigin, http: responses.RequestsMock) -> None:
    http.get(RESULT_URL, status=302, headers={"Location": RESULT_URL})

    with pytest.raises(BiginOutcomeUnknownError), bigin.download_result(RESULT_URL):
        pytest.fail("there is nothing to read")


def test_a_token_refused_by_the_download_host_is_replaced_once(
    bigin: Bigin, http: responses.RequestsMock, tokens: NumberedTokens
) -> None:
    http.get(RESULT_URL, json={"ERROR_CODE": 401, "ERROR_MESSAGE": "Unauthorized"}, status=401)
    http.get(RESULT_URL, body=result_zip())

    with bigin.download_result(RESULT_URL) as file:
        assert zipfile.is_zipfile(file)

    assert tokens.refused == ["1000.PLANTED-token-1"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, '{"info": "Forbidden", "x-info": "Link not valid"}', BiginRefusedError),
        (200, '{"info": "Forbidden", "x-info": "Link not valid"}', BiginRefusedError),
        (200, "<html>", BiginOutcomeUnknownError),
        (200, "", BiginOutcomeUnknownError),
        (200, "{}", BiginOutcomeUnknownError),
        (500, "PK", BiginOutcomeUnknownError),
    ],
)
def test_what_is_no_zip_is_an_error(
    bigin: Bigin, http: responses.RequestsMock, status: int, body: str, error: type[Exception]
) -> None:
    http.get(RESULT_URL, status=status, body=body)

    with pytest.raises(error), bigin.download_result(RESULT_URL):
        pytest.fail("there is nothing to read")


def test_a_result_that_is_too_large_is_not_taken_in(
    bigin: Bigin, http: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bigin_import.bigin.client.MAX_RESULT_BYTES", 1000)
    http.get(RESULT_URL, body=b"PK" + b"x" * 1000)

    with pytest.raises(BiginRefusedError, match="larger"), bigin.download_result(RESULT_URL):
        pytest.fail("it was taken in")
