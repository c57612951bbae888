"""`bigin-drop doctor`: a tick that is dead, and what AWS does not let one look at."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bigin_import.operating.doctor import check_tick, examine
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import Exit, Terminal

FUNCTION = "bigin-drop-settle-jobs"
GROUP = f"/aws/lambda/{FUNCTION}"


class Resources:
    """What CloudFormation lists of the stack."""

    def get_paginator(self, _name: str) -> Resources:
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        group = {"ResourceType": "AWS::Logs::LogGroup", "PhysicalResourceId": GROUP}
        return [{"StackResourceSummaries": [group]}]


class LoggedStack(Stack):
    """A stack with a log, and nothing else that is there."""

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
    assert "see whether the schedule is enabled" in check.remedy


def test_what_cannot_be_looked_at_is_a_finding_and_ends_nothing_else(stack: Stack) -> None:
    log(stack, {"message": "tick"}, seconds_ago=60)
    out = io.StringIO()

    ended = examine(stack, Terminal(out, out, None))

    said = out.getvalue()
    assert ended is Exit.FINDINGS
    assert "WRONG  queues: cannot be looked at (" in said
    assert "ok     tick: runs every 60 s" in said
    assert "WRONG  settle_jobs: cannot be looked at (" in said
