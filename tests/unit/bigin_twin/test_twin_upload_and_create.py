"""What the twin refuses: uploads and create requests."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bigin_import.domain.job_request import MAX_BYTES, MAX_ROWS
from tests.bigin_twin.answers import RefusedError
from tests.bigin_twin.csv_file import MOST_RECORDS
from tests.bigin_twin.uploads import MOST_BYTES, UploadCall
from tests.unit.bigin_twin.scenario import Desk, archive, body, mapping

CSV = "Last_Name,Email,Company,Born\nBoyle,p.boyle@example.com,Zylker,1990-04-01\n"
type Change = Callable[[dict[str, Any]], None]

ZGID = "10358250"
GOOD = archive(CSV)


@pytest.mark.parametrize(
    ("call", "code", "status", "message"),
    [
        (UploadCall(None, ZGID, "a.zip", GOOD), "MANDATORY_NOT_FOUND", 400, "feature"),
        (UploadCall("import", ZGID, "a.zip", GOOD), "NOT_SUPPORTED_FEATURE", 400, "Feature"),
        (UploadCall("bulk-write", None, "a.zip", GOOD), "MANDATORY_NOT_FOUND", 400, "x-crm-org"),
        (UploadCall("bulk-write", "1", "a.zip", GOOD), "INVALID_DATA", 400, "x-crm-org"),
        (UploadCall("bulk-write", ZGID, None, None), "MANDATORY_NOT_FOUND", 400, "file"),
        (UploadCall("bulk-write", ZGID, "a.csv", CSV.encode()), "INVALID_FILE_FORMAT", 400, "zip"),
        (UploadCall("bulk-write", ZGID, "a.zip", bytes(MOST_BYTES + 1)), "INVALID_DATA", 400, "25"),
    ],
)
def test_an_upload_is_refused_with_the_documented_code(
    call: UploadCall, code: str, status: int, message: str
) -> None:
    desk = Desk(upload_errors="4xx")

    with pytest.raises(RefusedError) as caught:
        desk.bigin.upload(call, desk.now)

    assert (caught.value.code, caught.value.status) == (code, status)
    assert message in caught.value.body["message"]
    assert "created_time" in caught.value.body["details"]


def test_upload_errors_come_with_http_200_if_bigin_v1_is_played() -> None:
    desk = Desk(upload_errors="200")

    with pytest.raises(RefusedError) as caught:
        desk.bigin.upload(UploadCall("bulk-write", ZGID, "a.zip", bytes(MOST_BYTES + 1)), desk.now)

    assert (caught.value.status, caught.value.code) == (200, "FILE_TOO_LARGE")


def without(key: str) -> Change:
    def change(sent: dict[str, Any]) -> None:
        holder = sent if key in sent else sent["resource"][0]
        del holder[key]

    return change


def resource(**changes: object) -> Change:
    return lambda sent: sent["resource"][0].update(changes)


def top(**changes: object) -> Change:
    return lambda sent: sent.update(changes)


def entry(**changes: object) -> Change:
    """Change the mapping of Last_Name; None takes a key away."""

    def change(sent: dict[str, Any]) -> None:
        first = sent["resource"][0]["field_mappings"][0]
        first.update(changes)
        for key in [key for key, value in first.items() if value is None]:
            del first[key]

    return change


def also(**extra: object) -> Change:
    return lambda sent: sent["resource"][0]["field_mappings"].append(extra)


def callback(url: str, method: str = "post") -> Change:
    return top(callback={"url": url, "method": method})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(without("operation"), "MISSING_REQUIRED_KEY", id="no operation"),
        pytest.param(top(operation="delete"), "INVALID_DATA", id="unknown operation"),
        pytest.param(without("resource"), "MISSING_REQUIRED_KEY", id="no resource"),
        pytest.param(top(resource=[]), "INVALID_DATA", id="empty resource"),
        pytest.param(without("type"), "MISSING_REQUIRED_KEY", id="no type"),
        pytest.param(without("module"), "MISSING_REQUIRED_KEY", id="no module"),
        pytest.param(without("file_id"), "MISSING_REQUIRED_KEY", id="no file_id"),
        pytest.param(resource(file_id=12), "INVALID_DATA", id="file_id no text"),
        pytest.param(resource(file_id="12"), "INVALID_FILE_ID", id="unknown file_id"),
        pytest.param(resource(ignore_empty="true"), "INVALID_DATA", id="ignore_empty no boolean"),
        pytest.param(resource(module={"api_name": "Deals"}), "MODULE_NOT_AVAILABLE", id="module"),
        pytest.param(top(operation="update"), "MANDATORY_NOT_FOUND", id="update without find_by"),
        pytest.param(top(operation="upsert"), "MANDATORY_NOT_FOUND", id="upsert without find_by"),
        pytest.param(resource(find_by="E_mail"), "INVALID_FIELD", id="unknown find_by"),
        pytest.param(resource(find_by="Phone"), "INVALID_DATA", id="find_by not mapped"),
        pytest.param(
            resource(field_mappings=mapping("First_Name")),
            "MANDATORY_FIELDS_NOT_MAPPED",
            id="mandatory",
        ),
        pytest.param(entry(api_name="ast_Name"), "INVALID_FIELD", id="unknown field"),
        pytest.param(entry(api_name=None), "MISSING_REQUIRED_KEY", id="no api_name"),
        pytest.param(entry(index=-1), "COLUMN_INDEX_NOT_FOUND", id="negative index"),
        pytest.param(entry(index=4), "COLUMN_INDEX_NOT_FOUND", id="index outside the file"),
        pytest.param(entry(index=None), "MISSING_REQUIRED_KEY", id="neither index nor default"),
        pytest.param(entry(default_value="Web"), "INVALID_DATA", id="default_value no object"),
        pytest.param(
            also(api_name="Account_Name", index=2), "MANDATORY_NOT_FOUND", id="lookup no find_by"
        ),
        pytest.param(
            also(api_name="Date_of_Birth", index=3, format="jjjj-mm"), "INVALID_FORMAT", id="format"
        ),
        pytest.param(
            resource(field_mappings=mapping(*["Last_Name"] * 201)),
            "HEADER_LIMIT_EXCEEDED",
            id="201 fields",
        ),
        pytest.param(also(api_name="Last_Name", index=1), "INVALID_DATA", id="field mapped twice"),
        pytest.param(callback("http://a.example.com/"), "INVALID_CALLBACK_URL", id="plain http"),
        pytest.param(callback("nowhere"), "INVALID_CALLBACK_URL", id="no url"),
        pytest.param(callback("https://a.example.com/", "POST"), "INVALID_CALLBACK_METHOD", id="P"),
        pytest.param(top(callback={"method": "post"}), "MISSING_REQUIRED_KEY", id="callback url"),
        pytest.param(top(character_encoding="klingon"), "INVALID_DATA", id="encoding"),
    ],
)
def test_a_create_request_is_refused_with_the_documented_code(change: Change, code: str) -> None:
    desk = Desk()
    sent = body(desk.upload(CSV), field_mappings=mapping("Last_Name", "Email"))
    change(sent)

    with pytest.raises(RefusedError) as caught:
        desk.bigin.create_job(sent, desk.now)

    assert (caught.value.code, caught.value.status) == (code, 400)
    assert set(caught.value.body) == {"code", "details", "message", "status"}
    assert desk.bigin.jobs == {}


def test_a_field_that_only_the_layout_demands_is_named_in_the_refusal() -> None:
    desk = Desk(layout_mandatory={"Contacts": ["Phone"]})

    with pytest.raises(RefusedError) as caught:
        desk.create(CSV, field_mappings=mapping("Last_Name"))

    assert caught.value.body["message"].endswith("for the layout [Phone]")


def zip_of(**files: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as entries:
        for name, text in files.items():
            entries.writestr(name.replace("_", "."), text)
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(zip_of(a_csv=CSV, b_csv=CSV), id="two files"),
        pytest.param(zip_of(a_txt=CSV), id="no csv"),
        pytest.param(zip_of(a_csv=""), id="no header"),
        pytest.param(zip_of(a_csv="Last_Name\n" + "Boyle\n" * 25_001), id="25,001 records"),
        pytest.param(zip_of(a_csv=",".join(f"F{n}" for n in range(201)) + "\n"), id="201 headers"),
    ],
)
def test_a_file_outside_the_limits_is_not_supported(content: bytes) -> None:
    desk = Desk()
    answer = desk.bigin.upload(UploadCall("bulk-write", ZGID, "a.zip", content), desk.now)

    with pytest.raises(RefusedError) as caught:
        desk.bigin.create_job(body(answer["details"]["file_id"]), desk.now)

    assert caught.value.code == "FILE_NOT_SUPPORTED"


def test_the_documented_insert_body_is_accepted() -> None:
    desk = Desk()
    file_id = desk.upload("a,b\n5550100,p.boyle@example.com\n")
    documented = json.loads(
        (Path(__file__).parent / "documented_insert.json").read_text(encoding="utf-8")
    )
    documented["resource"][0]["file_id"] = file_id

    answer = desk.bigin.create_job(documented, desk.now)
    desk.now += 3600

    assert answer["details"]["created_by"]["name"] == "Patricia Boyle"
    assert desk.records() == [
        {"Phone": "5550100", "Email": "p.boyle@example.com", "Last_Name": "DefaultValue"}
    ]


def test_the_documented_update_spelling_of_id_and_callback_is_understood() -> None:
    desk = Desk()
    (added,) = desk.run("Last_Name\nBoyle\n")
    sent = body(desk.upload(f"n,i\nHill,{added['RECORD_ID']}\n"), "update", find_by="Id")
    sent["resource"][0]["field_mappings"] = mapping("Last_Name", "Id")
    sent["callBack"] = sent.pop("callback")

    job_id = desk.bigin.create_job(sent, desk.now)["details"]["id"]
    desk.now += 3600

    assert desk.results(job_id)[0]["STATUS"] == "UPDATED"
    assert desk.job(job_id)["callback"] == sent["callBack"]
    assert desk.records() == [{"Last_Name": "Hill"}]


def test_our_parts_are_as_large_as_the_twin_takes_them() -> None:
    assert MAX_ROWS == MOST_RECORDS
    assert MAX_BYTES < MOST_BYTES
