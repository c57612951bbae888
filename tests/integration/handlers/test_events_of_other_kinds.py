"""Events that are not quite, or not at all, what a function is for."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from bigin_import.domain.states import ImportState
from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import Event, s3_sample, sample
from tests.integration.handlers.story import CSV, CSV_KEY, MAPPING, MAPPING_KEY, drop_both


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({}, r"keys \(none\)"),
        ({"import": "x"}, "keys import"),
        ({"Resume": "a" * 26, "decision": "create"}, "keys Resume, decision"),
        ({"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}, "aws:sqs"),
        ({"Records": [{"EventSource": "aws:sns", "Sns": {}}]}, "aws:sns"),
        ({"Records": "x"}, "keys Records"),
        ({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}, "detail-type"),
        ([], "a list"),
        ("resume", "a str"),
        (None, "a NoneType"),
    ],
)
def test_an_event_of_another_kind_is_an_error_that_names_what_came(
    stack: Deployed, event: Event, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        stack.run("import_csv", event)

    assert stack.items() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"part": True},
        {"part": "1_0"},
        {"part": "1"},
        {"part": 1.0},
        {"attempt": "1"},
        {"decision": "creat"},
        {"resume": 7},
        {"job_id": 7},
    ],
    ids=str,
)
def test_a_decision_with_a_value_of_another_type_is_refused(stack: Deployed, wrong: Event) -> None:
    with pytest.raises(ValidationError):
        stack.run("import_csv", sample("decision-create") | wrong)


def test_an_object_of_another_bucket_is_one_line_in_the_log(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    event = s3_sample("s3-put-csv", stack.drop(CSV_KEY, CSV))
    event["Records"][0]["s3"]["bucket"]["name"] = "somebody-elses"
    capsys.readouterr()

    stack.run("import_csv", event)

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["bucket"] == "somebody-elses"
    assert stack.items() == []


def test_an_import_that_nobody_knows_is_one_line_in_the_log(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    stack.run("import_csv", {"resume": "a" * 26})

    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["import_id"] == "a" * 26


def test_an_event_without_a_version_is_about_the_newest_one(stack: Deployed) -> None:
    stack.drop(MAPPING_KEY, json.dumps(MAPPING).encode())
    version_id = stack.drop(CSV_KEY, CSV)
    event = s3_sample("s3-put-csv", version_id)
    del event["Records"][0]["s3"]["object"]["versionId"]

    stack.run("import_csv", event)
    stack.run("import_csv", s3_sample("s3-put-csv", version_id))

    assert stack.the_import().source.version_id == version_id
    assert stack.the_import().state is ImportState.SENT
    assert len(stack.job_ids()) == 1


@pytest.mark.parametrize("version_id", [None, "", "null"])
def test_a_version_that_is_said_to_be_none_is_as_good_as_left_out(
    stack: Deployed, version_id: str | None
) -> None:
    stack.drop(MAPPING_KEY, json.dumps(MAPPING).encode())
    newest = stack.drop(CSV_KEY, CSV)
    event = s3_sample("s3-put-csv", newest)
    event["Records"][0]["s3"]["object"]["versionId"] = version_id

    stack.run("import_csv", event)

    assert stack.the_import().source.version_id == newest
    assert len(stack.job_ids()) == 1


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        None,
        "text",
        {"pathParameters": "x"},
        {"pathParameters": {"import_id": 1, "part": [], "attempt": None, "signature": {}}},
        {"pathParameters": {}, "headers": "x", "requestContext": [], "body": 7},
    ],
    ids=str,
)
def test_what_is_no_callback_is_answered_403(stack: Deployed, event: Event) -> None:
    answer = stack.run("job_callback", event)

    assert answer["statusCode"] == 403


@pytest.mark.parametrize("broken", [{"body": {"id": "1"}}, {"body": "%", "isBase64Encoded": True}])
def test_a_signed_callback_whose_body_cannot_be_one_is_answered_403(
    stack: Deployed, broken: Event
) -> None:
    drop_both(stack)
    (job_id,) = stack.job_ids()
    segments = stack.callback_path(job_id).split("/")[-4:]
    names = ("import_id", "part", "attempt", "signature")
    before = stack.items()

    answer = stack.run(
        "job_callback", {"pathParameters": dict(zip(names, segments, strict=True))} | broken
    )

    assert answer["statusCode"] == 403
    assert stack.items() == before
