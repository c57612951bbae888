"""From the event of a drop to its closing: three handlers, the sample events, nothing faked."""

from __future__ import annotations

import csv
import json

import pytest

from bigin_import.domain.states import ImportState, PartState
from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import s3_sample, sample, sqs_sample
from tests.integration.handlers.story import (
    CELLS,
    CSV,
    CSV_KEY,
    MAPPING,
    MAPPING_KEY,
    call_back,
    collect,
    drop_both,
    drop_to_closing,
)


def test_a_drop_becomes_a_job_with_a_signed_callback(stack: Deployed) -> None:
    drop_both(stack)

    (part,) = stack.parts()
    (job_id,) = stack.job_ids()
    record = stack.the_import()
    assert (part.state, record.state) == (PartState.CREATED, ImportState.SENT)
    assert part.attempt is not None
    assert part.attempt.job_id == job_id
    assert record.source.key == CSV_KEY
    assert stack.callback_path(job_id).startswith(f"/v1/callback/{record.import_id}/0001/1/")


@pytest.mark.parametrize("kind", ["callback-json", "callback-form", "callback-empty"])
def test_a_callback_of_any_body_settles_the_job_and_asks_for_collection(
    stack: Deployed, kind: str
) -> None:
    drop_both(stack)
    stack.messages()

    answer = call_back(stack, kind)

    (part,) = stack.parts()
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert part.state is PartState.SETTLED
    assert part.attempt is not None
    assert part.attempt.outcome is not None
    assert part.attempt.outcome.closed_by == "callback"
    (message,) = stack.messages()
    (record,) = sample("sqs-collect")["Records"]
    expected = json.loads(record["body"]) | {"import_id": stack.the_import().import_id}
    assert json.loads(message) == expected


def test_collection_closes_the_import_with_files_and_one_notice(stack: Deployed) -> None:
    drop_to_closing(stack)

    record = stack.the_import()
    (notice,) = stack.notices()
    names = {key.removeprefix(record.results or "?") for key in stack.keys("results/")}
    failed = next(key for key in stack.keys("results/") if key.endswith(".failed.csv"))
    (row,) = csv.DictReader(stack.body(failed).decode("utf-8-sig").splitlines())
    assert record.state is ImportState.COMPLETED_WITH_ERRORS
    assert record.counts is not None
    assert (record.counts.added, record.counts.refused, record.counts.total) == (1, 1, 2)
    assert record.open is None
    assert {"report.html", "import.json"} < names
    assert (row["E-mail"], row["City"], row["bigin__Row"]) == (CELLS[2], CELLS[3], "3")
    assert record.import_id in notice["Message"]


def test_a_second_delivery_of_each_event_changes_nothing(stack: Deployed) -> None:
    drop_to_closing(stack)
    closed, record = stack.items(), stack.the_import()
    message = json.dumps({"import_id": record.import_id, "part": 1})

    stack.run("import_csv", s3_sample("s3-put-csv", record.source.version_id))
    call_back(stack)
    stack.run("settle_jobs", sqs_sample(message))

    assert stack.items() == closed
    assert len(stack.job_ids()) == len(stack.notices()) == 1


def test_a_file_uploaded_in_parts_is_a_drop_like_any_other(stack: Deployed) -> None:
    stack.drop(MAPPING_KEY, json.dumps(MAPPING).encode())

    stack.run("import_csv", s3_sample("s3-multipart-csv", stack.drop(CSV_KEY, CSV)))

    assert stack.the_import().state is ImportState.SENT


def test_a_mapping_that_comes_later_wakes_the_drop(stack: Deployed) -> None:
    stack.run("import_csv", s3_sample("s3-put-csv", stack.drop(CSV_KEY, CSV)))
    waiting = stack.the_import().state

    mapping = stack.drop(MAPPING_KEY, json.dumps(MAPPING).encode())
    stack.run("import_csv", s3_sample("s3-put-mapping", mapping))

    assert waiting is ImportState.WAITING_FOR_MAPPING
    assert stack.the_import().state is ImportState.SENT


def test_s3s_test_event_is_ignored(stack: Deployed) -> None:
    stack.run("import_csv", sample("s3-test-event"))

    assert stack.items() == []
    assert stack.twin.server.requests == []


def test_the_tick_finds_a_mapping_whose_event_was_lost(stack: Deployed) -> None:
    stack.run("import_csv", s3_sample("s3-put-csv", stack.drop(CSV_KEY, CSV)))
    stack.drop(MAPPING_KEY, json.dumps(MAPPING).encode())
    stack.let_everything_be_due()

    stack.run("settle_jobs", sample("tick"))
    asked_for = list(stack.invocations)
    stack.run_resumes()

    assert asked_for == [sample("resume") | {"resume": stack.the_import().import_id}]
    assert stack.the_import().state is ImportState.SENT


def test_the_tick_closes_an_import_whose_callback_never_came(stack: Deployed) -> None:
    drop_both(stack)
    stack.let_everything_be_due()

    stack.run("settle_jobs", sample("tick"))
    collect(stack)

    (part,) = stack.parts()
    assert part.attempt is not None
    assert part.attempt.outcome is not None
    assert part.attempt.outcome.closed_by == "tick"
    assert stack.the_import().state is ImportState.COMPLETED_WITH_ERRORS


def test_an_event_that_import_csv_failed_on_is_taken_from_the_failure_queue(
    stack: Deployed,
) -> None:
    message = sample("failure-queue-message")
    version_id = stack.drop(CSV_KEY, CSV)
    message["requestPayload"] = s3_sample("s3-put-csv", version_id)
    stack.fail(message)

    stack.run("settle_jobs", sample("tick"))

    assert stack.the_import().source.version_id == version_id
    assert stack.taken(stack.environment("settle_jobs")["FAILURE_QUEUE_URL"]) == []
