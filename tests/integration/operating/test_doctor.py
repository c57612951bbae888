"""`bigin-drop doctor`: a tick that is dead, and what AWS does not let one look at."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bigin_import.operating.doctor import (
    check_alarms,
    check_architecture,
    check_inside,
    check_queues,
    check_subscriptions,
    check_tick,
    examine,
)
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.operating.undo import Wish, undo
from tests.template_reading import properties

FUNCTION = "bigin-drop-settle-jobs"
GROUP = f"/aws/lambda/{FUNCTION}"
ALARM = "bigin-drop-NoTickAlarm-1"


class Resources:
    """What CloudFormation lists of the stack."""

    def get_paginator(self, _name: str) -> Resources:
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        found = {"AWS::Logs::LogGroup": GROUP, "AWS::CloudWatch::Alarm": ALARM}
        summaries = [{"ResourceType": kind, "PhysicalResourceId": found[kind]} for kind in found]
        return [{"StackResourceSummaries": summaries}]


class LoggedStack(Stack):
    """A stack with a log, and nothing else that is there."""

    created_at = time.time() - 3600
    outputs = {  # noqa: RUF012  # as the property that it stands for
        "SettleFunction": FUNCTION,
        "ImportFunction": "gone",
        "CollectDeadLetterQueueUrl": "https://sqs.eu-central-1.amazonaws.com/123456789012/gone",
    }

    def client(self, service: str) -> Any:  # noqa: ANN401
        return Resources() if service == "cloudformation" else super().client(service)


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        session = boto3.session.Session(region_name="eu-central-1")
        session.client("logs").create_log_group(logGroupName=GROUP)
        session.client("logs").create_log_stream(logGroupName=GROUP, logStreamName="s")
        yield LoggedStack("bigin-drop", session)


def log(stack: Stack, message: object, *, seconds_ago: int) -> None:
    at = int((time.time() - seconds_ago) * 1000)
    events = [{"timestamp": at, "message": json.dumps(message)}]
    stack.client("logs").put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)


def test_a_tick_of_the_last_minutes_is_good(stack: Stack) -> None:
    log(stack, {"message": "tick", "examined": 0}, seconds_ago=60)

    (check,) = check_tick(stack)

    assert check.is_good


@pytest.mark.parametrize(
    ("message", "seconds_ago"),
    [({"message": "tick"}, 900), ({"message": "job polled", "by": "tick"}, 10)],
    ids=["long ago", "another line that has the word"],
)
def test_a_dead_tick_is_told_with_what_to_do(
    stack: Stack, message: object, seconds_ago: int
) -> None:
    log(stack, message, seconds_ago=seconds_ago)

    (check,) = check_tick(stack)

    assert not check.is_good
    assert check.found == "none in the last 5 minutes"
    assert "See whether the schedule is enabled" in check.remedy


def test_a_stack_that_was_deployed_a_moment_ago_has_no_tick_yet(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoggedStack, "created_at", time.time() - 20)

    (check,) = check_tick(stack)

    assert check.is_good
    assert check.found.startswith("none yet")


def ring(stack: Stack, name: str) -> None:
    cloudwatch = stack.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        AlarmDescription='Look at the log: "bigin-drop logs".',
        Namespace="BiginImport/bigin-drop",
        MetricName="Ticks",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        ComparisonOperator="LessThanThreshold",
        Threshold=1,
    )
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a test")


def test_an_alarm_that_rings_says_what_to_do(stack: Stack) -> None:
    ring(stack, ALARM)

    (check,) = check_alarms(stack)

    assert (check.what, check.found) == ("alarm", ALARM)
    assert check.remedy == 'Look at the log: "bigin-drop logs"'


def test_an_alarm_of_a_stack_whose_name_begins_alike_is_not_ours(stack: Stack) -> None:
    ring(stack, "bigin-drop-second-NoTickAlarm-2")

    (check,) = check_alarms(stack)

    assert check.is_good


def test_what_cannot_be_looked_at_is_a_finding_and_ends_nothing_else(stack: Stack) -> None:
    log(stack, {"message": "tick"}, seconds_ago=60)
    out = io.StringIO()

    ended = examine(stack, Terminal(out, out, None))

    said = out.getvalue()
    assert ended is Exit.FINDINGS
    assert "WRONG  queues: cannot be looked at (" in said
    assert "ok     tick: runs every 60 s" in said
    assert "WRONG  settle_jobs: cannot be looked at (" in said


@dataclass(frozen=True)
class Answers:
    """A service of AWS that answers each operation with what is given for it."""

    by_operation: Mapping[str, object]

    def __getattr__(self, operation: str) -> Callable[..., object]:
        answer = self.by_operation[operation]
        return lambda **_: answer


class AnsweredStack(LoggedStack):
    """A stack whose services all have the same answers."""

    answers: Answers
    outputs = {**LoggedStack.outputs, "TopicArn": "arn:topic"}  # noqa: RUF012

    def client(self, _service: str) -> Any:  # noqa: ANN401
        return self.answers


def answered(**by_operation: object) -> AnsweredStack:
    stack = AnsweredStack("bigin-drop", boto3.session.Session(region_name="eu-central-1"))
    vars(stack)["answers"] = Answers(by_operation)
    return stack


def subscribed(*arns: str) -> AnsweredStack:
    found = [{"Endpoint": "me@example.com", "SubscriptionArn": arn} for arn in arns]
    return answered(list_subscriptions_by_topic={"Subscriptions": found})


class Settling:
    """settle_jobs, which answers each question alike."""

    def __init__(self, said: object) -> None:
        self._said = said

    def invoke(self, **_: object) -> dict[str, object]:
        return {"Payload": io.BytesIO(json.dumps(self._said).encode())}


def settling(said: object) -> AnsweredStack:
    """Return a stack with options, whose settle_jobs has this answer."""
    stack = answered(get_caller_identity={"Arn": "arn:ada"})
    vars(stack).update(options=" --stack acme", patient_lambda=Settling(said))
    known = SimpleNamespace(import_id="01k")
    vars(stack)["find_import"] = lambda _name: known
    return stack


def test_what_settle_jobs_says_to_do_names_the_stack() -> None:
    check = {
        "what": "scopes",
        "found": "too few",
        "remedy": "Make a new one: bigin-drop rotate zoho",
    }
    refused = {"refused": "it is open", "remedy": "Wait for its end: bigin-drop watch 01k"}
    terminal = Terminal(io.StringIO(), io.StringIO(), None)

    (told,) = check_inside(settling({"checks": [check]}), "https://example.com")
    with pytest.raises(CommandRefusedError) as found:
        undo(settling(refused), terminal, "01k", Wish())

    assert told.remedy == "Make a new one: bigin-drop rotate zoho --stack acme"
    assert found.value.remedy == "Wait for its end: bigin-drop watch 01k --stack acme"


@pytest.mark.parametrize("pending", ["PendingConfirmation", "pending confirmation"])
def test_a_mail_that_nobody_has_confirmed_is_told_with_its_address(pending: str) -> None:
    (check,) = check_subscriptions(subscribed("arn:1", pending))

    assert check.found == "me@example.com has not confirmed"
    assert check.remedy == "Open the mail from AWS Notifications and follow its link"


def test_notices_that_nobody_gets_are_wrong_and_those_that_somebody_gets_are_good() -> None:
    (nobody,), (somebody,) = check_subscriptions(subscribed()), check_subscriptions(subscribed("a"))

    assert nobody.found == "nobody is subscribed"
    assert not nobody.is_good
    assert somebody.is_good


@pytest.mark.parametrize(("built", "is_good"), [("arm64", True), ("x86_64", False)])
def test_a_layer_for_another_processor_than_its_functions_is_wrong(
    built: str, is_good: bool
) -> None:
    stack = answered(
        get_function_configuration={"Architectures": ["arm64"], "Layers": [{"Arn": "arn:layer"}]},
        get_layer_version_by_arn={"CompatibleArchitectures": [built]},
    )

    checks = list(check_architecture(stack))

    assert [check.what for check in checks] == ["gone", FUNCTION]
    assert {check.found for check in checks} == {f"runs on arm64, its layer is for {built}"}
    assert {check.is_good for check in checks} == {is_good}


@pytest.mark.parametrize(("count", "is_good"), [("0", True), ("3", False)])
def test_what_lies_in_a_queue_of_failures_is_counted(count: str, is_good: bool) -> None:
    stack = answered(get_queue_attributes={"Attributes": {"ApproximateNumberOfMessages": count}})
    urls = {"collect_queue_url": "https://sqs/work", "failure_queue_url": "https://sqs/failures"}
    vars(stack)["settings"] = SimpleNamespace(**urls)

    work, *failures = check_queues(stack)

    assert (work.what, work.is_good) == ("queue of work", True)
    assert [check.what for check in failures] == ["dead-letter queue", "failure queue"]
    assert [check.is_good for check in failures] == [is_good] * 2
    assert {check.found for check in (work, *failures)} == {"empty" if is_good else "holds 3"}
    assert all(("redrive" in check.remedy) is not is_good for check in failures)


def test_who_asks_a_function_waits_longer_than_it_may_take_and_asks_once(stack: Stack) -> None:
    asking = stack.patient_lambda.meta.config

    assert asking.read_timeout > properties("SettleJobsFunction")["Timeout"]
    assert asking.retries["total_max_attempts"] == 1
