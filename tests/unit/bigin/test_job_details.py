"""Job Details as Bigin and its sibling have been seen to write them."""

from __future__ import annotations

from typing import Any

import pytest

from bigin_import.bigin import wire
from bigin_import.domain.job_request import FieldMapping, Job, JobStatus

JOB_ID = "4150868000005350003"
SIGNED = "https://api.example.com/prod/v1/callback/abc/0001/1/SIGNATURE?x=1"


def completed(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    """Return the captured answer for a completed job (bulk write, CRM v2.1)."""
    answer = {
        "status": "COMPLETED",
        "character_encoding": "UTF-8",
        "resource": [
            {
                "status": "COMPLETED",
                "type": "data",
                "module": {"id": "4150868000000002175", "api_name": "Leads"},
                "field_mappings": [
                    {"api_name": "Owner", "index": 2, "format": None, "find_by": None},
                    {"api_name": "Last_Name", "index": 0, "module": None, "default_value": None},
                    {"api_name": "Lead_Source", "default_value": {"value": "Trade Show"}},
                ],
                "file": {
                    "status": "COMPLETED",
                    "name": "Fil2.csv",
                    "added_count": 9,
                    "skipped_count": 2,
                    "updated_count": 0,
                    "total_count": 11,
                },
                "code": "COMPLETED",
            }
        ],
        "id": JOB_ID,
        "callback": {"url": SIGNED, "method": "post"},
        "result": {"download_url": "https://download-accl.zoho.com/v2/crm/1/bulk-write/2/2.zip"},
        "created_by": {"id": "4150868000000225013", "name": "Patricia Boyle"},
        "ignore_empty": True,
        "operation": "insert",
        "created_time": "2021-05-11T12:38:29+05:30",
    }
    return {**answer, **changes}


def read(answer: dict[str, Any]) -> Job:
    job = wire.job(answer, asked="77")
    assert job is not None
    return job


def test_a_completed_job_is_read_whole() -> None:
    assert read(completed()) == Job(
        job_id=JOB_ID,
        created_at=1_620_716_909,  # 2021-05-11T12:38:29+05:30
        created_by="Patricia Boyle",
        status=JobStatus.COMPLETED,
        operation="insert",
        module="Leads",
        file_name="Fil2.csv",
        ignore_empty=True,
        mappings=frozenset(
            {
                FieldMapping("Last_Name", index=0),
                FieldMapping("Owner", index=2),
                FieldMapping("Lead_Source", default_value="Trade Show"),
            }
        ),
        callback_path="/prod/v1/callback/abc/0001/1/SIGNATURE",
        download_url="https://download-accl.zoho.com/v2/crm/1/bulk-write/2/2.zip",
        added=9,
        updated=0,
        skipped=2,
        total=11,
    )


def test_the_signature_in_an_echoed_callback_does_not_show() -> None:
    assert "SIGNATURE" not in repr(read(completed()))


@pytest.mark.parametrize(
    ("spelled", "status"),
    [
        ("ADDED", JobStatus.ADDED),
        ("INPROGRESS", JobStatus.IN_PROGRESS),
        ("IN PROGRESS", JobStatus.IN_PROGRESS),
        ("In-Progress", JobStatus.IN_PROGRESS),
        ("in_progress", JobStatus.IN_PROGRESS),
        ("Completed", JobStatus.COMPLETED),
        ("FAILED", JobStatus.FAILED),
        ("SKIPPED", JobStatus.SKIPPED),
        ("PAUSED", JobStatus.IN_PROGRESS),
    ],
)
def test_every_spelling_of_a_state_is_read(spelled: str, status: JobStatus) -> None:
    assert read(completed(status=spelled)).status is status


def test_what_bigin_leaves_out_is_none() -> None:
    assert read({"status": "ADDED"}) == Job(job_id="77", status=JobStatus.ADDED)


@pytest.mark.parametrize(
    ("answer", "field", "value"),
    [
        pytest.param({"data": [completed()]}, "job_id", JOB_ID, id="wrapped in data"),
        pytest.param(completed(id=42), "job_id", "42", id="id as number"),
        pytest.param(
            completed(resource=[{"module": "Leads"}]), "module", "Leads", id="module as text"
        ),
        pytest.param(
            completed(resource=[{"file": {"added_count": "9"}}]), "added", 9, id="count as text"
        ),
        pytest.param(
            completed(resource=[{"file": {"added_count": -1}}]), "added", None, id="no count"
        ),
        pytest.param(
            completed(resource=[{"ignore_empty": False}]),
            "ignore_empty",
            False,
            id="the resource goes before the top",
        ),
        pytest.param(
            completed(resource=[{"ignore_empty": None}]),
            "ignore_empty",
            True,
            id="the top where the resource says nothing",
        ),
        pytest.param(completed(resource=None), "mappings", None, id="no resource"),
        pytest.param(completed(resource=["x"]), "mappings", None, id="resource of texts"),
        pytest.param(completed(result="x"), "download_url", None, id="result as text"),
        pytest.param(completed(callback=None), "callback_path", None, id="no callback"),
        pytest.param(
            completed(callback=None, callBack={"url": SIGNED}),
            "callback_path",
            "/prod/v1/callback/abc/0001/1/SIGNATURE",
            id="callBack",
        ),
        pytest.param(
            completed(callback={"url": "https://["}), "callback_path", None, id="no address"
        ),
        pytest.param(completed(message="Bad\n file"), "message", "Bad file", id="words"),
        pytest.param(
            completed(status="FAILED", resource=[{"code": "HEADER_LIMIT_EXCEEDED"}]),
            "message",
            "HEADER_LIMIT_EXCEEDED",
            id="a code that is no state",
        ),
        pytest.param(
            completed(message=f"cannot call {SIGNED}"),
            "message",
            "cannot call [removed]",
            id="words with an address",
        ),
    ],
)
def test_an_unusual_answer_is_still_read(answer: dict[str, Any], field: str, value: object) -> None:
    assert getattr(read(answer), field) == value


@pytest.mark.parametrize("answer", [{}, {"id": "1"}, {"data": []}, {"status": ""}, {"status": {}}])
def test_an_answer_without_a_state_is_no_job(answer: dict[str, Any]) -> None:
    assert wire.job(answer, asked="77") is None
