"""What goes out to topic, queue and function, as the other side receives it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from bigin_import.aws.events import FailedEvents, created_objects
from bigin_import.aws.notices import SnsNotices
from bigin_import.aws.queue import CollectMessage, LambdaResumer, SqsCollectQueue, collect_message
from bigin_import.domain.drop import Notice, ObjectVersion
from bigin_import.ports import FailedDecision
from tests.fakes.seen_events import SeenEvents

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

RESUME = {"resume": "i1"}


@pytest.fixture
def sqs(aws: boto3.Session) -> Iterator[SQSClient]:
    client = aws.client("sqs")
    yield client
    client.close()


@pytest.fixture
def queue_url(sqs: SQSClient) -> str:
    return sqs.create_queue(QueueName="queue")["QueueUrl"]


def bodies(sqs: SQSClient, queue_url: str) -> list[str]:
    answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def published(aws: boto3.Session, sqs: SQSClient, queue_url: str, notice: Notice) -> dict[str, Any]:
    """Publish *notice* and return it as a subscriber gets it."""
    sns = aws.client("sns")
    topic_arn = sns.create_topic(Name="topic")["TopicArn"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["Attributes"]["QueueArn"])

    SnsNotices(sns, topic_arn).publish(notice)

    (body,) = bodies(sqs, queue_url)
    received: dict[str, Any] = json.loads(body)
    return received


def test_a_notice_arrives_with_its_attributes(
    aws: boto3.Session, sqs: SQSClient, queue_url: str
) -> None:
    attributes = (("state", "COMPLETED"), ("file", "Kunden äöü.csv"), ("module", ""))
    notice = Notice("contacts.csv: imported", "60 rows\nnothing to do", attributes)

    received = published(aws, sqs, queue_url, notice)

    assert received["Subject"] == "contacts.csv: imported"
    assert received["Message"] == "60 rows\nnothing to do"
    assert received["MessageAttributes"] == {
        "state": {"Type": "String", "Value": "COMPLETED"},
        "file": {"Type": "String", "Value": "Kunden äöü.csv"},
    }


@pytest.mark.parametrize(
    ("subject", "as_published"),
    [
        ("plain", "plain"),
        ("Käufer.csv", "K?ufer.csv"),
        ("two\nlines\tand\r\n a tab ", "two lines and a tab"),
        ("bell\x07", "bell?"),
        ("x" * 150, "x" * 99),
        ("x" * 98 + " y", "x" * 98),
    ],
)
def test_a_subject_is_made_into_one_that_sns_takes(
    aws: boto3.Session, sqs: SQSClient, queue_url: str, subject: str, as_published: str
) -> None:
    received = published(aws, sqs, queue_url, Notice(subject, "body"))

    assert received["Subject"] == as_published


def test_a_body_is_cut_where_sns_ends(aws: boto3.Session, sqs: SQSClient, queue_url: str) -> None:
    received = published(aws, sqs, queue_url, Notice("subject", "x" + "€" * 100_000))

    assert received["Message"].startswith("x€")
    assert received["Message"].endswith("€")
    assert 249_990 < len(received["Message"].encode()) <= 250_000


def test_work_for_the_collector_comes_back_from_its_message(sqs: SQSClient, queue_url: str) -> None:
    queue = SqsCollectQueue(sqs, queue_url)

    queue.collect("i1", 3)
    queue.collect("i2")

    arrived = bodies(sqs, queue_url)
    assert [collect_message(body) for body in arrived] == [
        CollectMessage("i1", 3),
        CollectMessage("i2", None),
    ]
    assert json.loads(arrived[0]) == {"import_id": "i1", "part": 3}


def test_undoing_is_asked_for_in_a_message_of_its_own(sqs: SQSClient, queue_url: str) -> None:
    SqsCollectQueue(sqs, queue_url).go_on_undoing("i1")

    (arrived,) = bodies(sqs, queue_url)
    assert collect_message(arrived) == CollectMessage("i1", undo=True)


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", '{"import_id": 5}', '{"import_id":"i","part":"x"}']
)
def test_a_message_that_is_not_ours_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="CollectMessage"):
        collect_message(body)


def test_a_resume_is_an_asynchronous_invocation(aws: boto3.Session) -> None:
    client = aws.client("lambda")
    expected = {
        "FunctionName": "import_csv",
        "InvocationType": "Event",
        "Payload": '{"resume": "i1"}',
    }
    with Stubber(client) as stubber:
        stubber.add_response("invoke", {"StatusCode": 202}, expected)

        LambdaResumer(client, "import_csv").resume("i1")

        stubber.assert_no_pending_responses()


def fail(sqs: SQSClient, queue_url: str, event: dict[str, Any]) -> None:
    """Put *event* where Lambda puts it after its last retry, in Lambda's envelope."""
    envelope = {
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:00.000Z",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "responsePayload": {"errorType": "ConflictError"},
    }
    sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps(envelope))


def created(encoded_key: str) -> dict[str, Any]:
    stored = {"key": encoded_key, "versionId": "v1", "size": 5, "sequencer": "0A"}
    return {"Records": [{"s3": {"bucket": {"name": "bucket"}, "object": stored}}]}


def created_without_version(key: str) -> dict[str, Any]:
    """Return what S3 says of a new object in a bucket whose versioning is suspended."""
    event = created(key)
    del event["Records"][0]["s3"]["object"]["versionId"]
    return event


def waiting(sqs: SQSClient, queue_url: str) -> tuple[int, int]:
    """Return how many messages are visible, and how many were received and not deleted."""
    answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])
    attributes = answer["Attributes"]
    visible = attributes["ApproximateNumberOfMessages"]
    return int(visible), int(attributes["ApproximateNumberOfMessagesNotVisible"])


def test_failed_events_come_with_their_objects_and_once(sqs: SQSClient, queue_url: str) -> None:
    fail(sqs, queue_url, RESUME)
    fail(sqs, queue_url, created("incoming/two+words.csv"))

    drops = list(FailedEvents(sqs, queue_url, SeenEvents()).drain())

    assert drops == [(), (ObjectVersion("bucket", "incoming/two words.csv", "v1", 5, "0A"),)]
    assert waiting(sqs, queue_url) == (0, 0)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ({"part": 1, "attempt": 2, "job_id": "7"}, FailedDecision("i1", 1, 2)),
        ({"decision": "continue", "held_at": 5}, FailedDecision("i1", held_at=5)),
        ({"part": "1", "attemp": 2}, FailedDecision("i1")),
    ],
)
def test_a_failed_decision_comes_with_what_it_was_about(
    sqs: SQSClient, queue_url: str, typed: dict[str, Any], read: FailedDecision
) -> None:
    fail(sqs, queue_url, {**RESUME, "decision": "adopt", **typed})

    assert list(FailedEvents(sqs, queue_url, SeenEvents()).drain()) == [(read,)]
    assert waiting(sqs, queue_url) == (0, 0)


def test_a_failed_event_that_fails_again_stays_in_the_queue(sqs: SQSClient, queue_url: str) -> None:
    fail(sqs, queue_url, RESUME)

    def deal_with_all() -> None:
        for _event in FailedEvents(sqs, queue_url, SeenEvents()).drain():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        deal_with_all()

    assert waiting(sqs, queue_url) == (0, 1)


def test_at_most_ten_failed_events_are_taken_at_once(sqs: SQSClient, queue_url: str) -> None:
    for number in range(12):
        fail(sqs, queue_url, {"resume": f"i{number}"})

    assert len(list(FailedEvents(sqs, queue_url, SeenEvents()).drain())) == 10
    assert waiting(sqs, queue_url) == (2, 0)


def test_an_empty_queue_has_no_failed_events(sqs: SQSClient, queue_url: str) -> None:
    assert list(FailedEvents(sqs, queue_url, SeenEvents()).drain()) == []


def test_an_object_of_a_bucket_without_versions_has_the_version_that_s3_calls_null(
    sqs: SQSClient, queue_url: str
) -> None:
    fail(sqs, queue_url, created_without_version("incoming/a.csv"))

    drops = list(FailedEvents(sqs, queue_url, SeenEvents()).drain())

    assert drops == [(ObjectVersion("bucket", "incoming/a.csv", "null", 5, "0A"),)]


@pytest.mark.parametrize("version_id", [None, "", "null"])
@pytest.mark.parametrize("etag", ["d41d8cd9", '"d41d8cd9"'])
def test_without_a_version_the_etag_tells_a_content_from_what_is_written_over_it(
    version_id: str | None, etag: str
) -> None:
    event = created("incoming/a.csv")
    event["Records"][0]["s3"]["object"] |= {"versionId": version_id, "eTag": etag}

    (found,) = created_objects(event)

    assert (found.version_id, found.etag) == ("null", "d41d8cd9")


def test_with_a_version_no_etag_is_asked_for() -> None:
    event = created("incoming/a.csv")
    event["Records"][0]["s3"]["object"]["eTag"] = "d41d8cd9"

    (found,) = created_objects(event)

    assert (found.version_id, found.etag) == ("v1", "")


def test_what_an_event_leaves_empty_it_may_as_well_leave_out() -> None:
    event = created("incoming/a.csv")
    nothing = dict.fromkeys(("versionId", "eTag", "size", "sequencer"))
    event["Records"][0]["s3"]["object"] |= nothing

    assert created_objects(event) == (ObjectVersion("bucket", "incoming/a.csv", "null"),)


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        "{}",
        '{"requestPayload": null}',
        '{"requestPayload": {"Records": [{"body": "of another queue"}]}}',
        '{"requestPayload": {"Records": [{"s3": {"bucket": {}, "object": {"key": "a"}}}]}}',
    ],
)
def test_a_message_that_cannot_be_read_is_reported_and_keeps_no_other_from_its_turn(
    sqs: SQSClient, queue_url: str, body: str
) -> None:
    bad = sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    fail(sqs, queue_url, RESUME)
    seen = SeenEvents()

    drops = list(FailedEvents(sqs, queue_url, seen).drain())

    assert drops == [()]
    assert seen.events == [("failed_event_unreadable", {"message_id": bad["MessageId"]})]
    assert waiting(sqs, queue_url) == (0, 1)
