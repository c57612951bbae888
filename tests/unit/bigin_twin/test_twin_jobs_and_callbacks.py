"""Jobs of the twin over time, their callbacks, and the faults that can be ordered."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest

from tests.bigin_twin.answers import RefusedError
from tests.bigin_twin.callbacks import CallbackPost
from tests.bigin_twin.faults import Fault, FaultName
from tests.unit.bigin_twin.scenario import CALLBACK, START, Desk

CSV = "Last_Name\nBoyle\nHill\n"


def posts(desk: Desk, seconds: float) -> list[CallbackPost]:
    """Let time pass and return what is posted by then."""
    desk.now += seconds
    return desk.bigin.callbacks_due(desk.now)


def test_a_job_is_added_then_in_progress_then_completed() -> None:
    desk = Desk(added_seconds=10, job_seconds=5, row_seconds=1)
    job_id = desk.create(CSV)
    seen = []

    for now in (START, START + 9, START + 10, START + 16, START + 17):
        desk.now = now
        job = desk.job(job_id)
        seen.append((job["status"], job["resource"][0]["code"], "result" in job))

    assert seen == [
        ("ADDED", "ADDED", False),
        ("ADDED", "ADDED", False),
        ("INPROGRESS", "INPROGRESS", False),
        ("INPROGRESS", "INPROGRESS", False),
        ("COMPLETED", "COMPLETED", True),
    ]


def test_rows_are_written_when_the_job_ends_and_not_before() -> None:
    desk = Desk(added_seconds=1, job_seconds=1)
    desk.create(CSV)

    before = desk.records()
    desk.now += 2
    after = desk.records()

    assert (before, len(after)) == ([], 2)


def test_jobs_end_in_the_order_of_their_ends_whoever_looks_first() -> None:
    desk = Desk(added_seconds=0, row_seconds=1, job_seconds=0)
    desk.create("Last_Name,Email\nLate,a@example.com\nB,b@example.com\n")
    desk.create("Last_Name,Email\nEarly,a@example.com\n")

    desk.now += 60

    assert [record["Last_Name"] for record in desk.records()] == ["Early", "B"]


def test_completed_details_have_counts_mappings_and_the_callback() -> None:
    desk = Desk()
    job_id = desk.create("Last_Name,Email\nBoyle,b@example.com\n,n@example.com\n", find_by="Email")
    desk.now += 60

    job = desk.job(job_id)

    assert job["callback"] == CALLBACK
    assert [m["api_name"] for m in job["resource"][0]["field_mappings"]] == ["Email", "Last_Name"]
    assert job["resource"][0]["file"] == {
        "status": "COMPLETED",
        "name": "contacts.csv",
        "added_count": 1,
        "updated_count": 0,
        "skipped_count": 1,
        "total_count": 2,
    }


@pytest.mark.parametrize(
    ("form", "start"),
    [("relative", "/bigin/v2/"), ("absolute", "https://www.zohoapis.com/bigin/v2/")],
)
def test_the_download_url_is_relative_or_absolute(form: str, start: str) -> None:
    desk = Desk(download_url=form)
    job_id = desk.create(CSV)
    desk.now += 60

    assert desk.job(job_id)["result"]["download_url"].startswith(start)


def test_a_result_is_kept_for_seven_days() -> None:
    desk = Desk(added_seconds=0, job_seconds=0)
    job_id = desk.create(CSV)
    desk.now += 7 * 86_400 - 1
    kept = desk.results(job_id)

    desk.now += 1
    with pytest.raises(RefusedError) as caught:
        desk.results(job_id)

    assert len(kept) == 2
    assert caught.value.body == {"info": "Forbidden", "x-info": "Link not valid"}


def test_an_unknown_job_is_not_found() -> None:
    desk = Desk()

    with pytest.raises(RefusedError) as caught:
        desk.job("111111000000000001")

    assert (caught.value.status, caught.value.code) == (404, "RESOURCE_NOT_FOUND")


def test_a_late_effect_is_invisible_until_it_happens() -> None:
    desk = Desk(create_late_seconds=120)
    job_id = desk.create(CSV)

    with pytest.raises(RefusedError):
        desk.job(job_id)
    desk.now += 120

    assert desk.job(job_id)["status"] == "ADDED"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("form", {"job_id", "state", "operation"}),
        ("no_id", {"state"}),
        ("other_keys", {"details", "status"}),
        ("empty", set()),
    ],
)
def test_a_callback_comes_in_several_forms(body: str, expected: set[str]) -> None:
    desk = Desk(callback_body=body)
    desk.create(CSV)

    (post,) = posts(desk, 60)

    text = post.body.decode()
    sent = parse_qs(text) if body == "form" else json.loads(text or "{}")
    assert set(sent) == expected
    assert post.url == CALLBACK["url"]


def test_the_usual_callback_is_the_job_with_job_id_and_state() -> None:
    desk = Desk()
    job_id = desk.create(CSV)

    (post,) = posts(desk, 60)

    sent = json.loads(post.body)
    assert (sent.pop("job_id"), sent.pop("state")) == (job_id, "COMPLETED")
    assert sent == desk.job(job_id)
    assert posts(desk, 86_400) == []


@pytest.mark.parametrize(
    ("settings", "moments"),
    [
        ({}, [20]),
        ({"callback_times": 2}, [20, 20]),
        ({"callback_delay_seconds": 600}, [620]),
        ({"callback_when": "never"}, []),
        ({"callback_when": "before_completed"}, [15]),
        ({"callback_when": "before_completed", "callback_times": 2}, [15, 20]),
        ({"callback_when": "before_answer"}, [0]),
    ],
)
def test_callbacks_come_on_time_twice_late_never_or_early(
    settings: dict[str, object], moments: list[int]
) -> None:
    desk = Desk(added_seconds=10, job_seconds=10, **settings)
    desk.create(CSV)
    seen = []

    while (moment := desk.bigin.next_event()) is not None:
        desk.now = moment
        seen += [moment - START for _ in desk.bigin.callbacks_due(moment)]

    assert seen == moments


def test_a_stuck_job_never_ends_and_is_never_reported() -> None:
    desk = Desk()
    desk.bigin.faults.add(Fault(name=FaultName.JOB_STUCK))
    stuck, sound = desk.create(CSV), desk.create(CSV)

    (post,) = posts(desk, 86_400)

    assert desk.job(stuck)["status"] == "INPROGRESS"
    assert post.job_id == sound


@pytest.mark.parametrize(
    ("name", "after_rows", "status", "row_results"),
    [
        (FaultName.JOB_FAILED, 0, "FAILED", None),
        (FaultName.JOB_FAILED, 1, "FAILED", ["ADDED", "UNPROCESSED"]),
        (FaultName.ROWS_UNPROCESSED, 1, "COMPLETED", ["ADDED", "UNPROCESSED"]),
        (FaultName.ROWS_UNPROCESSED, 0, "COMPLETED", ["UNPROCESSED", "UNPROCESSED"]),
    ],
)
def test_a_job_that_breaks_off_has_written_only_the_rows_before(
    name: FaultName, after_rows: int, status: str, row_results: list[str] | None
) -> None:
    desk = Desk()
    desk.bigin.faults.add(Fault(name=name, after_rows=after_rows))
    job_id = desk.create(CSV)

    (post,) = posts(desk, 60)

    job = desk.job(job_id)
    assert (job["status"], json.loads(post.body)["state"]) == (status, status)
    assert ("result" in job) == (row_results is not None)
    assert len(desk.records()) == after_rows
    if row_results is not None:
        assert [row["STATUS"] for row in desk.results(job_id)] == row_results


def test_a_lost_callback_is_lost_once_only() -> None:
    desk = Desk()
    desk.bigin.faults.add(Fault(name=FaultName.CALLBACK_LOST))
    desk.create(CSV)
    lost = posts(desk, 60)
    desk.create(CSV)

    assert (lost, len(posts(desk, 60))) == ([], 1)


def test_a_fault_ends_by_itself() -> None:
    desk = Desk()
    desk.bigin.faults.add(Fault(name=FaultName.BUSY, times=None, until=START + 60))
    token = None

    with pytest.raises(RefusedError) as caught:
        desk.bigin.admit(token, START + 59, path="/bigin/v2/org")
    with pytest.raises(RefusedError) as later:
        desk.bigin.admit(token, START + 60, path="/bigin/v2/org")

    assert caught.value.code == "TOO_MANY_REQUESTS"
    assert later.value.code == "AUTHENTICATION_FAILURE"


def test_a_create_is_refused_to_order_with_any_code() -> None:
    desk = Desk()
    desk.bigin.faults.add(Fault(name=FaultName.CREATE_REFUSED, code="NO_PERMISSION"))

    with pytest.raises(RefusedError) as caught:
        desk.create(CSV)

    assert (caught.value.status, caught.value.code) == (403, "NO_PERMISSION")
    assert desk.bigin.jobs == {}
