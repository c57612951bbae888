"""After all other tests: everything that the dashboard reads has occurred in this run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import requests

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from bigin_import.ledger import update
from tests.e2e.desk import CONTACTS, Desk
from tests.e2e.seen_bigin import UPLOAD_PATH, SeenBigin
from tests.e2e.test_bigin_says_no import forget_the_pause
from tests.e2e.waiting import until
from tests.local_stack import LocalStack
from tests.local_stack.emulator import REGION
from tests.local_stack.stack import FunctionName

pytestmark = pytest.mark.after_all

FUNCTIONS: tuple[FunctionName, ...] = ("import-csv", "job-callback", "settle-jobs")
# CloudWatch's reference: what AWS's services report, by namespace.
OF_AWS = {
    "AWS/Lambda": {"Errors", "Throttles", "Duration"},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    "AWS/SNS": {"NumberOfNotificationsDelivered", "NumberOfNotificationsFailed"},
}
# Lambda writes these itself: tests/integration/handlers/test_what_lambda_logs.py shows them.
OF_LAMBDA = {"@timestamp", "log_level", "errorType", "record.status"}
DAY_SECONDS = 24 * 3600

type Metric = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name, dimensions; of a search every value is "*"."""


@pytest.fixture
def trouble(desk: Desk, bigin: SeenBigin, stack: LocalStack, http: requests.Session) -> None:
    """What else but the other tests bring about, so that this one can be run alone."""
    http.post(f"{stack.callback_url}/0/1/1/{'A' * 43}", json={}, timeout=30)
    desk.closed(desk.drop("first.csv", desk.contacts(first=21), CONTACTS))
    bigin.break_once("create_refused", code="NO_PERMISSION", status=403)
    desk.closed(desk.drop("refused.csv", desk.contacts(first=11), CONTACTS))
    bigin.break_once("busy", path=UPLOAD_PATH, retry_after=3600)
    source = desk.drop("people.csv", desk.contacts(), CONTACTS)
    desk.reached(source, lambda seen: seen.busy_waits > 0 and seen.lease_until == 0, what="waits")
    bigin.break_once("token_refused", code="invalid_code", times=None)
    bigin.revoke_tokens()
    let_it_be_long_ago(desk, desk.import_of(source))
    stack.invoke_tick()
    desk.reached(source, lambda seen: seen.pause == "ACCESS", what="has no access")
    bigin.mend()
    forget_the_pause(desk.ledger)
    bigin.change(callback_when="never")
    desk.make_due(source)
    stack.invoke_tick()
    desk.reached(source, lambda seen: seen.state is ImportState.SENT, what="is sent")
    bigin.break_once("server_error", status=500, times=None)
    desk.make_due(source)
    stack.invoke_tick()  # which cannot ask about the job
    bigin.mend()
    until(partial(is_closed_by_the_tick, desk, source), what="the tick has closed it")
    stack.invoke_tick()


def is_closed_by_the_tick(desk: Desk, source: ObjectVersion) -> bool:
    """Let the tick ask Bigin, until it says that the job has ended."""
    record = desk.import_of(source)
    if record is None or not record.state.is_closed:
        desk.make_due(source)
        desk.stack.invoke_tick()
    return record is not None and record.noticed_at is not None


def let_it_be_long_ago(desk: Desk, record: Import | None) -> None:
    """Let an import have waited for Bigin for more than a day, and no tick have looked at it."""
    assert record is not None

    def step(seen: Import) -> Import:
        since = desk.now() - DAY_SECONDS - 60
        return replace(seen, pause="UNREACHABLE", paused_at=since, due_at=desk.now() - 1_000)

    update(desk.ledger, record.address, step)


@pytest.fixture
def widgets(stack: LocalStack) -> list[dict[str, Any]]:
    name = f"{stack.name}-{REGION}"
    answer = stack.client("cloudwatch").get_dashboard(DashboardName=name)
    found: list[dict[str, Any]] = json.loads(answer["DashboardBody"])["widgets"]
    return found


def lines_of(stack: LocalStack) -> list[dict[str, Any]]:
    lines = [line for function in FUNCTIONS for line in stack.logs(function)]
    return [json.loads(line) for line in lines if line.startswith("{")]


def read_by(widget: dict[str, Any]) -> Iterator[Metric]:
    """Yield what a widget reads; "." and "..." repeat what stands above."""
    above: list[str] = []
    for line in widget["properties"].get("metrics", []):
        if isinstance(line[0], dict):
            found = re.match(
                r"SEARCH\('\{\"(.*?)\",(\w+)\} MetricName=\"(\w+)\"'", line[0]["expression"]
            )
            assert found
            yield found[1], found[3], ((found[2], "*"),)
            continue
        words = [word for word in line if isinstance(word, str)]
        if words[0] == "...":
            words = above[: 1 - len(words)] + words[1:]
        above = [above[at] if word == "." else word for at, word in enumerate(words)]
        namespace, name, *dimensions = above
        yield namespace, name, tuple(zip(dimensions[::2], dimensions[1::2], strict=True))


def written(stack: LocalStack) -> set[Metric]:
    return {
        (
            directive["Namespace"],
            metric["Name"],
            tuple((each, value or line[each]) for each in names),
        )
        for line in lines_of(stack)
        if "_aws" in line
        for directive in line["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        for metric in directive["Metrics"]
        for value in ("*", "")
    }


@pytest.mark.usefixtures("trouble")
def test_every_metric_and_dimension_of_the_dashboard_occurs(
    stack: LocalStack, widgets: list[dict[str, Any]]
) -> None:
    read = {metric for widget in widgets for metric in read_by(widget)}
    ours = {metric for metric in read if metric[0] not in OF_AWS}

    assert len(ours) >= 14
    assert {metric[0] for metric in ours} == {f"BiginImport/{stack.name}"}
    assert ours - written(stack) == set()


def test_what_aws_reports_is_asked_of_resources_that_are_there(
    stack: LocalStack, widgets: list[dict[str, Any]]
) -> None:
    there = {
        "FunctionName": {f"{stack.name}-{function}" for function in FUNCTIONS},
        "QueueName": {
            stack.resource(name).rpartition("/")[2]
            for name in ("CollectQueue", "CollectDeadLetterQueue", "FailureQueue")
        },
        "TopicName": {stack.outputs["TopicArn"].rpartition(":")[2]},
    }

    for widget in widgets:
        for namespace, name, dimensions in read_by(widget):
            if namespace in OF_AWS:
                ((dimension, value),) = dimensions
                assert name in OF_AWS[namespace]
                assert value in there[dimension]


def test_every_alarm_of_the_dashboard_is_there(
    stack: LocalStack, widgets: list[dict[str, Any]]
) -> None:
    (shown,) = [each["properties"]["alarms"] for each in widgets if each["type"] == "alarm"]

    alarms = stack.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    assert set(shown) == {
        alarm["AlarmArn"] for alarm in alarms if alarm["AlarmName"].startswith(stack.name)
    }


@pytest.mark.usefixtures("trouble")
def test_every_log_group_and_field_of_the_dashboard_occurs(
    stack: LocalStack, widgets: list[dict[str, Any]]
) -> None:
    queries = [each["properties"]["query"] for each in widgets if each["type"] == "log"]
    groups = stack.client("logs").describe_log_groups()["logGroups"]
    fields = {field for line in lines_of(stack) if "_aws" not in line for field in line}

    assert len(queries) == 3
    for query in queries:
        asked = {
            name
            for words in re.findall(r"fields ([^|]+)", query)
            for name in re.split(r",\s*", words.strip())
        }
        asked |= set(re.findall(r"([\w.@]+) (?:=|like|in) ", query))
        assert asked - OF_LAMBDA - fields == set()
        named = set(re.findall(r"SOURCE '([^']+)'", query))
        assert named <= {group["logGroupName"] for group in groups}


@pytest.mark.usefixtures("trouble")
def test_every_line_but_those_of_the_tick_itself_names_its_import(stack: LocalStack) -> None:
    about_none = {"tick", "open work", "drop ignored", "bucket unknown"}
    about_none |= {"callback refused", "callback probed"}  # nobody says of which import
    about_none |= {"waiting for zoho", "zoho secret changed"}  # all imports are concerned

    lines = [line for line in lines_of(stack) if "_aws" not in line and "message" in line]

    assert len(lines) > 20
    unnamed = {line["message"] for line in lines if "import_id" not in line}
    assert unnamed <= about_none
