"""The real client and the twin, over real HTTP: a job from its upload to its row results."""

from __future__ import annotations

import csv
import io
import random
import socket
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from bigin_import.bigin.auth import Credentials, ZohoAccounts
from bigin_import.bigin.client import BiginClient
from bigin_import.bigin.datacenters import Endpoints
from bigin_import.domain.job_request import FieldMapping, Job, JobRequest, JobStatus, Operation
from bigin_import.errors import BiginAccessError, BiginRefusedError
from tests.bigin_twin import model
from tests.bigin_twin.deliveries import Routes
from tests.bigin_twin.faults import Fault, FaultName
from tests.bigin_twin.server_state import Server
from tests.bigin_twin.serving import Address, Running, serving
from tests.bigin_twin.settings import Settings
from tests.bigin_twin.tokens import Client
from tests.fakes.manual_clock import ManualClock
from tests.fakes.shared_token import shared_token

SETTINGS = Settings(added_seconds=0, job_seconds=0, callback_when="never")
CALLBACK_URL = "https://api.example.com/prod/v1/callback/abc/0001/1/signature"
REQUEST = JobRequest(
    Operation.UPSERT,
    "Contacts",
    find_by="Email",
    ignore_empty=True,
    field_mappings=(FieldMapping("Email", 0), FieldMapping("Last_Name", 1)),
)
ROWS = "Email,Last_Name\r\np.boyle@example.com,Boyle\r\nnobody@example.com,\r\n"


@pytest.fixture(scope="module")
def running_twin() -> Iterator[Running]:
    server = Server(lambda: model.Bigin(random.Random(1), settings=SETTINGS), time.time)
    with serving(server, Routes({}, None, None), Address()) as running:
        with server.bigin() as bigin:
            bigin.settings = bigin.settings.changed({"public_url": running.url})
        yield running


@pytest.fixture
def twin(running_twin: Running) -> Running:
    """Return the twin with an empty organisation."""
    running_twin.server.reset()
    return running_twin


def client(twin: Running, *, secret: str = Client().client_secret) -> BiginClient:
    hosts = Endpoints(twin.url, twin.url, twin.url)
    known = Client()
    credentials = Credentials(known.client_id, secret, known.refresh_token)
    clock = ManualClock()
    accounts = ZohoAccounts(hosts, lambda: credentials, str)
    return BiginClient(hosts, shared_token(accounts, clock), clock)


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as entries:
        entries.writestr("abc-0001.csv", ROWS)
    return packed.getvalue()


def finished(bigin: BiginClient, job_id: str) -> Job:
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at:
        job = bigin.get_job(job_id)
        if job.status.is_final:
            return job
    pytest.fail(f"job {job_id} did not finish")


def test_a_job_goes_from_upload_to_row_results(twin: Running) -> None:
    bigin = client(twin)

    zgid = bigin.get_zgid()
    file_id = bigin.upload(archive(), name="abc-0001.zip", zgid=zgid)
    job_id = bigin.create_job(REQUEST, file_id=file_id, callback_url=CALLBACK_URL, zgid=zgid)
    job = finished(bigin, job_id)
    with bigin.download_result(job.download_url or "") as file, zipfile.ZipFile(file) as results:
        rows = list(csv.DictReader(results.read(results.namelist()[0]).decode().splitlines()))

    assert (job.status, job.added, job.skipped, job.total) == (JobStatus.COMPLETED, 1, 1, 2)
    assert (job.operation, job.module, job.ignore_empty) == ("upsert", "Contacts", True)
    assert job.mappings == frozenset(REQUEST.field_mappings)
    assert job.callback_path == "/prod/v1/callback/abc/0001/1/signature"
    assert [row["STATUS"].lower() for row in rows] == ["added", "skipped"]


def test_the_fields_of_a_module_are_read(twin: Running) -> None:
    fields = {field.api_name: field for field in client(twin).get_fields("Contacts")}

    assert fields["Last_Name"].mandatory
    assert fields["Account_Name"].lookup_module == "Accounts"


def test_tokens_that_end_early_are_replaced_on_the_way(twin: Running) -> None:
    bigin = client(twin)
    zgid = bigin.get_zgid()
    with twin.server.bigin() as state:
        state.tokens.revoke_all()

    assert bigin.upload(archive(), name="abc-0001.zip", zgid=zgid)


def test_what_the_twin_refuses_is_explained(twin: Running) -> None:
    bigin = client(twin)

    with pytest.raises(BiginRefusedError) as caught:
        bigin.create_job(REQUEST, file_id="1", callback_url=CALLBACK_URL, zgid=bigin.get_zgid())

    assert caught.value.code in ("INVALID_FILE_ID", "FILE_NOT_FOUND")


def test_a_wrong_client_secret_is_the_operators_to_mend(twin: Running) -> None:
    with pytest.raises(BiginAccessError) as caught:
        client(twin, secret="wrong").get_zgid()

    assert caught.value.code == "invalid_client_secret"


@pytest.mark.parametrize("status", [100, 102, 103])
def test_interim_answers_come_before_the_answer_and_the_client_gets_its_own(
    twin: Running, status: int
) -> None:
    """Without a client that skips them, the second call gets what the first one asked for."""
    bigin = client(twin)
    bigin.get_zgid()
    order = Fault(name=FaultName.INTERIM_ANSWERS, times=None, status=status, count=3)
    with twin.server.bigin() as inside:
        inside.faults.add(order)

    fields, zone, again = (
        bigin.get_fields("Contacts"),
        bigin.get_time_zone(),
        bigin.get_fields("Accounts"),
    )

    assert {"Last_Name"} <= {field.api_name for field in fields}
    assert zone
    assert {"Account_Name"} <= {field.api_name for field in again}


def test_an_interim_answer_is_what_a_socket_sees_first(twin: Running) -> None:
    with twin.server.bigin() as inside:
        inside.faults.add(Fault(name=FaultName.INTERIM_ANSWERS, count=2))
    place = urlsplit(twin.url)

    request = b"GET /bigin/v2/org HTTP/1.1\r\nHost: twin\r\nConnection: close\r\n\r\n"
    where = (place.hostname or "", place.port or 0)
    with socket.create_connection(where, timeout=10) as connection:
        connection.sendall(request)
        received = b"".join(iter(lambda: connection.recv(65_536), b""))

    early = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    assert received.startswith(early * 2 + b"HTTP/1.1 401")


def test_a_late_answer_comes_all_the_same(twin: Running) -> None:
    bigin = client(twin)
    with twin.server.bigin() as inside:
        inside.faults.add(Fault(name=FaultName.LATE_ANSWER, seconds=0.2, path="/org"))

    assert bigin.get_zgid()


def test_records_are_deleted_and_what_changed_is_listed(twin: Running) -> None:
    bigin = client(twin)
    with twin.server.bigin() as inside:
        table = inside.tables["Contacts"]
        ids = [table.add({"Last_Name": str(n)}, "", 1_000_000 + n).id for n in range(450)]
    since = datetime.fromtimestamp(1_000_000 + 40, UTC)

    changed = [record.id for record in bigin.list_changed_since("Contacts", since)]
    assert bigin.get_modified_time("Contacts", ids[40]) == since
    zgid = bigin.get_zgid()
    codes = bigin.delete_records("Contacts", [*ids[:99], "1"], zgid=zgid)
    with twin.server.bigin() as inside:
        inside.faults.add(Fault(name=FaultName.DELETE_TIMEOUT_AFTER_EFFECT))
    repeated = bigin.delete_records("Contacts", ids[99:199], zgid=zgid)
    deleted = bigin.list_deleted_ids("Contacts", [*ids[99:200], "1"])

    assert changed == ids[:39:-1]
    assert codes == dict.fromkeys(ids[:99], "SUCCESS") | {"1": "INVALID_DATA"}
    assert repeated == dict.fromkeys(ids[99:199], "INVALID_DATA")
    assert deleted == set(ids[99:199])
    assert bigin.get_modified_time("Contacts", ids[99]) is None
