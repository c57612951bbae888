"""The twin's HTTP face, through Flask's test client and a clock that the test moves."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from typing import Any

import pytest
import responses
from flask.testing import FlaskClient

from tests.bigin_twin.answering import NoAnswerError
from tests.bigin_twin.app import create_app
from tests.bigin_twin.deliveries import Deliveries, Routes
from tests.bigin_twin.model import OTHER_ZGID, Bigin
from tests.bigin_twin.server_state import Server
from tests.unit.bigin_twin.scenario import CALLBACK, CREDENTIALS, START, archive, body, rows_of

CSV = "Last_Name,Email\nBoyle,p.boyle@example.com\n"
GATEWAY = "https://localhost:4566/_aws/execute-api"
RECEIVER = f"{GATEWAY}/abc123/prod/cb/x"
WRITE = "/bigin/bulk/v2/write"


class Caller:
    """A client of the twin with a token."""

    def __init__(self) -> None:
        self.now = START
        self.server = Server(lambda: Bigin(random.Random(3)), lambda: self.now)
        routes = Routes(api_gateway=GATEWAY)
        self.deliveries = Deliveries(self.server, routes)
        self.http: FlaskClient = create_app(self.server, self.deliveries).test_client()
        self.renew_token()

    def renew_token(self) -> None:
        token = self.http.post("/oauth/v2/token", data=CREDENTIALS).get_json()["access_token"]
        self.auth = {"Authorization": f"Zoho-oauthtoken {token}"}

    def get(self, path: str) -> Any:  # noqa: ANN401 - a test response
        return self.http.get(path, headers=self.auth)

    def upload(self, **headers: str) -> Any:  # noqa: ANN401
        sent = {"feature": "bulk-write", "X-CRM-ORG": "10358250"} | self.auth | headers
        file = (io.BytesIO(archive(CSV)), "contacts.csv.zip", "application/zip")
        return self.http.post("/bigin/v2/upload", data={"file": file}, headers=sent)

    def create(self) -> Any:  # noqa: ANN401
        file_id = self.upload().get_json()["details"]["file_id"]
        return self.http.post(WRITE, json=body(file_id), headers=self.auth)

    def settings(self, **changes: object) -> None:
        assert self.http.post("/_twin/settings", json=changes).status_code == 200

    def fault(self, name: str, **order: object) -> None:
        assert self.http.post("/_twin/faults", json={"name": name, **order}).status_code == 200


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.fixture
def callback_recorder() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        mock.post(RECEIVER, status=200)
        yield mock


def test_a_client_gets_from_a_token_to_the_row_results(caller: Caller) -> None:
    caller.settings(download_url="relative")

    created = caller.create()
    job_id = created.get_json()["details"]["id"]
    caller.now += 60
    job = caller.get(f"{WRITE}/{job_id}").get_json()
    result = caller.get(job["result"]["download_url"])

    assert created.status_code == 201
    assert job["status"] == "COMPLETED"
    assert result.content_type == "application/zip"
    assert rows_of(result.data)[0]["STATUS"] == "ADDED"
    assert caller.http.get("/_twin/records?module=Contacts").get_json()["count"] == 1


def test_metadata_is_there_for_all_four_modules(caller: Caller) -> None:
    modules = caller.get("/bigin/v2/settings/modules").get_json()["modules"]
    fields = caller.get("/bigin/v2/settings/fields?module=Contacts").get_json()["fields"]
    org = caller.get("/bigin/v2/org").get_json()["org"][0]

    labels = {field["api_name"]: field["display_label"] for field in fields}
    assert {m["api_name"] for m in modules} == {"Contacts", "Accounts", "Pipelines", "Products"}
    assert labels["Account_Name"] == "Company Name"
    assert org["zgid"] == "10358250"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/bigin/v2/settings/fields?module=Companies", 400, "INVALID_MODULE"),
        ("GET", "/bigin/v2/settings/fields", 400, "REQUIRED_PARAM_MISSING"),
        ("GET", "/bigin/bulk/v2/write/1", 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/crm/bulk/v2/write/1", 404, "INVALID_URL_PATTERN"),
        ("GET", "/bigin/bulk/v2/write", 400, "INVALID_REQUEST_METHOD"),
        ("PUT", "/bigin/v2/upload", 400, "INVALID_REQUEST_METHOD"),
        ("POST", "/bigin/bulk/v2/write", 400, "INVALID_REQUEST"),
    ],
)
def test_a_wrong_call_gets_bigins_envelope(
    caller: Caller, method: str, path: str, status: int, code: str
) -> None:
    answer = caller.http.open(path, method=method, headers=caller.auth)

    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_a_bad_token_is_answered_by_api_and_file_host_in_their_own_envelopes(
    caller: Caller,
) -> None:
    caller.http.post("/_twin/revoke-tokens")

    from_api = caller.get("/bigin/v2/org")
    from_file_host = caller.upload()

    assert (from_api.status_code, from_api.get_json()["code"]) == (401, "INVALID_TOKEN")
    assert (from_file_host.status_code, from_file_host.get_json()["ERROR_CODE"]) == (401, 401)


@pytest.mark.parametrize(("errors", "status"), [("200", 200), ("4xx", 400)])
def test_upload_errors_have_the_status_that_was_chosen(
    caller: Caller, errors: str, status: int
) -> None:
    caller.settings(upload_errors=errors)

    answer = caller.upload(feature="import")

    assert (answer.status_code, answer.get_json()["code"]) == (status, "NOT_SUPPORTED_FEATURE")


def test_a_body_without_a_content_type_is_read_as_the_documented_curl_call_sends_it(
    caller: Caller,
) -> None:
    answer = caller.http.post(WRITE, data=b'{"operation": "insert"}', headers=caller.auth)

    assert answer.get_json()["code"] == "MISSING_REQUIRED_KEY"


def test_the_request_log_shows_no_token(caller: Caller) -> None:
    caller.create()

    log = caller.http.get("/_twin/requests")

    paths = [entry["path"] for entry in log.get_json()["requests"]]
    assert paths == ["/oauth/v2/token", "/bigin/v2/upload", WRITE]
    assert log.get_json()["requests"][-1]["json"]["operation"] == "insert"
    assert caller.auth["Authorization"].split(" ")[1] not in log.text
    assert CREDENTIALS["refresh_token"] not in log.text


def test_credits_are_shown_once_half_of_them_are_spent(caller: Caller) -> None:
    caller.settings(daily_credits=1000)

    before = caller.get("/bigin/v2/org").headers
    after = caller.create().headers

    assert "X-API-CREDITS-REMAINING" not in before
    assert after["X-API-CREDITS-REMAINING"] == "498"


def test_busy_and_broken_servers_answer_429_and_5xx_to_order(caller: Caller) -> None:
    caller.fault("busy", retry_after=7, path="/org")
    caller.fault("server_error", status=502, path="/write")

    busy = caller.get("/bigin/v2/org")
    broken = caller.create()
    again = caller.create()

    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "7")
    assert (broken.status_code, again.status_code) == (502, 201)


@pytest.mark.parametrize("wait", ["1.5", "soon", -3])
def test_a_retry_after_can_be_one_that_nobody_can_read(caller: Caller, wait: str | int) -> None:
    caller.fault("busy", retry_after=wait)
    caller.fault("upload_refused", code="FILE_TOO_LARGE", status=413, retry_after=wait)

    busy, too_large = caller.get("/bigin/v2/org"), caller.upload()

    assert (busy.status_code, busy.headers["Retry-After"]) == (429, str(wait))
    assert (too_large.status_code, too_large.headers["Retry-After"]) == (413, str(wait))


def ended_jobs(caller: Caller, count: int) -> list[str]:
    caller.settings(download_url="relative")
    made = [caller.create().get_json()["details"]["id"] for _ in range(count)]
    caller.now += 60
    return made


def test_an_answer_can_be_about_another_job(caller: Caller) -> None:
    first, second = ended_jobs(caller, 2)
    caller.fault("foreign_job")

    foreign, own = (caller.get(f"{WRITE}/{second}").get_json()["id"] for _ in range(2))

    assert (foreign, own) == (first, second)


def test_row_results_can_be_those_of_another_job(caller: Caller) -> None:
    first, second = ended_jobs(caller, 2)
    results = {
        job_id: caller.get(caller.get(f"{WRITE}/{job_id}").get_json()["result"]["download_url"])
        for job_id in (first, second)
    }
    caller.fault("foreign_rows")

    url = caller.get(f"{WRITE}/{second}").get_json()["result"]["download_url"]
    foreign, own = caller.get(url).data, caller.get(url).data

    assert (foreign, own) == (results[first].data, results[second].data)
    assert foreign != own


def test_where_there_is_no_other_job_nothing_is_mixed_up(caller: Caller) -> None:
    (only,) = ended_jobs(caller, 1)
    caller.fault("foreign_job")

    assert caller.get(f"{WRITE}/{only}").get_json()["id"] == only


def test_a_create_can_time_out_after_it_has_made_the_job(caller: Caller) -> None:
    caller.fault("create_timeout_after_effect")

    with pytest.raises(NoAnswerError):
        caller.create()

    assert len(caller.http.get("/_twin/jobs").get_json()["jobs"]) == 1


def test_a_create_can_time_out_without_a_job(caller: Caller) -> None:
    caller.fault("create_timeout_before_effect")

    with pytest.raises(NoAnswerError):
        caller.create()

    assert caller.http.get("/_twin/jobs").get_json()["jobs"] == []


def test_a_call_gives_its_parallel_place_back_even_when_it_is_refused(caller: Caller) -> None:
    caller.settings(parallel_calls=1)
    caller.fault("create_refused", code="NO_PERMISSION")

    refused, made = caller.create(), caller.create()
    caller.settings(parallel_calls=0)
    full = caller.get("/bigin/v2/org")

    assert (refused.status_code, made.status_code) == (403, 201)
    assert (full.status_code, full.get_json()["code"]) == (429, "TOO_MANY_REQUESTS")


def test_a_result_is_only_at_its_own_address(caller: Caller) -> None:
    job_id = caller.create().get_json()["details"]["id"]
    caller.now += 60

    answer = caller.get(f"/bigin/v2/10358250/bulk-write/{job_id}/other.zip")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "INVALID_URL_PATTERN")


def test_a_dead_link_is_answered_as_the_file_host_does(caller: Caller) -> None:
    caller.settings(download_url="relative")
    job_id = caller.create().get_json()["details"]["id"]
    caller.now += 60
    url = caller.get(f"{WRITE}/{job_id}").get_json()["result"]["download_url"]
    caller.fault("result_dead_link")

    dead, alive = caller.get(url), caller.get(url)

    assert (dead.status_code, dead.get_json()["x-info"]) == (403, "Link not valid")
    assert alive.status_code == 200


def test_a_callback_goes_to_the_address_that_stands_for_api_gateway(
    caller: Caller, callback_recorder: responses.RequestsMock
) -> None:
    job_id = caller.create().get_json()["details"]["id"]
    caller.now += 60

    caller.deliveries.deliver_due()

    (call,) = callback_recorder.calls
    assert call.request.url == RECEIVER
    (delivered,) = caller.http.get("/_twin/callbacks").get_json()["callbacks"]
    assert (delivered["job_id"], delivered["status"]) == (job_id, 200)


def test_a_callback_can_overtake_the_answer_to_the_create_call(
    caller: Caller, callback_recorder: responses.RequestsMock
) -> None:
    caller.settings(callback_when="before_answer")
    caller.create()

    assert [call.request.url for call in callback_recorder.calls] == [RECEIVER]


def test_a_deaf_receiver_is_noted_and_not_asked_again(caller: Caller) -> None:
    caller.create()
    caller.now += 60

    with responses.RequestsMock(assert_all_requests_are_fired=False):
        caller.deliveries.deliver_due()
        caller.deliveries.deliver_due()

    (delivered,) = caller.http.get("/_twin/callbacks").get_json()["callbacks"]
    assert delivered["status"] is None


def test_a_callback_url_that_does_not_answer_can_be_refused_at_create(caller: Caller) -> None:
    caller.settings(probe_callback=True)
    with responses.RequestsMock() as mock:
        mock.post(RECEIVER, status=403)
        answer = caller.create()

    assert answer.get_json()["code"] == "INVALID_CALLBACK_URL"


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        (CALLBACK["url"], RECEIVER),
        ("https://hooks.example.com/a?b=c", "http://127.0.0.1:9/base/a?b=c"),
        ("https://other.example.com/a", "https://other.example.com/a"),
    ],
)
def test_hosts_are_mapped_to_their_local_address(url: str, resolved: str) -> None:
    routes = Routes({"hooks.example.com": "http://127.0.0.1:9/base"}, api_gateway=GATEWAY)

    assert routes.resolve(url) == resolved


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/_twin/settings", {"row_secs": 1}),
        ("/_twin/settings", {"callback_body": "xml"}),
        ("/_twin/faults", {"name": "meteor"}),
    ],
)
def test_an_unknown_setting_or_fault_is_refused(
    caller: Caller, path: str, sent: dict[str, object]
) -> None:
    answer = caller.http.post(path, json=sent)

    assert answer.status_code == 400
    assert answer.get_json()["problems"]


def test_a_reset_forgets_everything_but_the_settings(caller: Caller) -> None:
    caller.settings(daily_credits=4711)
    caller.create()

    caller.http.post("/_twin/reset")

    assert caller.http.get("/_twin/jobs").get_json()["jobs"] == []
    assert caller.http.get("/_twin/requests").get_json()["requests"] == []
    assert caller.http.get("/_twin/settings").get_json()["daily_credits"] == 4711


def test_a_token_of_another_organisation_sees_that_one_alone() -> None:
    caller = Caller()
    job_id = caller.create().get_json()["details"]["id"]
    caller.now += 60
    url = caller.get(f"{WRITE}/{job_id}").get_json()["result"]["download_url"]
    file_id = caller.upload().get_json()["details"]["file_id"]
    theirs = {**CREDENTIALS, "refresh_token": "1000.twin.other"}
    token = caller.http.post("/oauth/v2/token", data=theirs).get_json()["access_token"]
    caller.auth = {"Authorization": f"Zoho-oauthtoken {token}"}

    assert caller.get("/bigin/v2/org").get_json()["org"][0]["zgid"] == OTHER_ZGID
    assert "x-crm-org" in caller.upload().get_json()["message"]
    assert caller.upload(**{"X-CRM-ORG": OTHER_ZGID}).get_json()["status"] == "success"
    created = caller.http.post(WRITE, json=body(file_id), headers=caller.auth)
    assert created.get_json()["code"] == "INVALID_FILE_ID"
    assert caller.get(f"{WRITE}/{job_id}").get_json()["code"] == "RESOURCE_NOT_FOUND"
    assert caller.get(url).status_code >= 400
