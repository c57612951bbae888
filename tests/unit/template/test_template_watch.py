"""What is seen, what rings, and what must not be written down."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any
from urllib.parse import urlsplit

import pytest

from bigin_import.aws.telemetry import SIGNALS
from bigin_import.domain.row_result import RowStatus
from bigin_import.importing.pauses import Pause, pause_seconds
from bigin_import.operating.command_line import parser
from bigin_import.settling.summarize import ConsoleLinks
from tests.template_reading import TEMPLATE, properties, resources_of_type, template, transformed

OURS = "BiginImport/${AWS::StackName}"
FUNCTIONS = ("ImportCsv", "JobCallback", "SettleJobs")
ALARMS = resources_of_type("AWS::CloudWatch::Alarm")


def emitted() -> dict[str, set[str]]:
    """Return the metrics that telemetry emits, each with the names of its dimensions."""
    facts: dict[str, str | float | None] = {"state": "s", "code": "c", "closed_by": "b"}
    facts |= dict.fromkeys(("open", "held", "waiting_for_credits", "oldest_seconds"), 1)
    facts |= dict.fromkeys(RowStatus, 1)
    gauges = [gauge for signal in SIGNALS.values() for gauge in signal.gauges]
    return {name: set(dimensions) for gauge in gauges for name, _, dimensions in gauge(facts)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_logs_into_a_group_that_ends(function: str) -> None:
    group = properties(f"{function}LogGroup")

    logging = properties(f"{function}Function")["LoggingConfig"]
    assert logging["LogGroup"] == {"Ref": f"{function}LogGroup"}
    assert group["RetentionInDays"] <= 90


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_ends_a_function_from_outside_is_logged_as_json_too(function: str) -> None:
    """A time-out, a kill for memory, an error that nobody caught: Lambda writes those itself."""
    logging = properties(f"{function}Function")["LoggingConfig"]

    assert logging["LogFormat"] == "JSON"
    assert (logging["ApplicationLogLevel"], logging["SystemLogLevel"]) == ("INFO", "INFO")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_described_after_its_log_group(function: str) -> None:
    order = list(template()["Resources"])

    assert order.index(f"{function}LogGroup") + 1 == order.index(f"{function}Function")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_says_what_to_do_and_tells_the_topic_when_it_is_over(name: str) -> None:
    alarm = ALARMS[name]["Properties"]

    assert len(alarm["AlarmDescription"]["Fn::Sub"]) > 60
    assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "NoticeTopic"}]
    assert alarm["TreatMissingData"] in ("breaching", "notBreaching")


def said_by(alarm: str) -> str:
    """Return the text of an alarm, as it is for a stack in Frankfurt."""
    text: str = ALARMS[alarm]["Properties"]["AlarmDescription"]["Fn::Sub"]
    known = {"AWS::StackName": "bigin-drop-two", "AWS::Region": "eu-central-1"}
    return re.sub(r"\$\{([\w:.]+)\}", lambda found: known.get(found[1], "x" * 90), text)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_names_our_command_and_the_plain_one_of_aws(name: str) -> None:
    text = said_by(name)
    commands = [shlex.split(each) for each in re.findall(r'"((?:bigin-drop|aws) [^"]+)"', text)]

    ours = [words[1:] for words in commands if words[0] == "bigin-drop"]
    plain = [words[1:] for words in commands if words[0] == "aws" and len(words) > 3]
    assert len(text) <= 1024  # CloudWatch's limit
    assert ours
    assert plain
    for words in ours:
        options = parser().parse_args(words)
        assert (options.stack, options.region) == ("bigin-drop-two", "eu-central-1")
    assert all(words[-2:] == ["--region", "eu-central-1"] for words in plain)


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_on_a_metric_of_ours_names_it_as_it_is_emitted(name: str) -> None:
    alarm = ALARMS[name]["Properties"]

    if alarm["Namespace"] == {"Fn::Sub": OURS}:
        dimensions = {dimension["Name"] for dimension in alarm.get("Dimensions", [])}
        assert dimensions == emitted()[alarm["MetricName"]]
    else:
        assert alarm["Namespace"] in ("AWS/Lambda", "AWS/SQS", "AWS/ApiGateway")
        assert alarm["Dimensions"]


def watched() -> set[tuple[str, str]]:
    return {
        (a["Properties"]["MetricName"], str(a["Properties"].get("Dimensions", "")))
        for a in ALARMS.values()
    }


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_errors_and_throttles_of_every_function_ring(function: str, metric: str) -> None:
    dimensions = [{"Name": "FunctionName", "Value": {"Ref": f"{function}Function"}}]

    assert (metric, str(dimensions)) in watched()


@pytest.mark.parametrize(
    "metric",
    [
        "Ticks",
        "AsyncEventsDropped",
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "HeldImports",
        "OldestOpenSeconds",
        "Overdue",
        "Stalled",
        "ForbiddenEdges",
        "AwsRefused",
        "5XXError",
        "CallbacksRefused",
        "TokenRefused",
        "NoticesFailed",
    ],
)
def test_everything_that_needs_a_person_rings(metric: str) -> None:
    assert metric in {name for name, _ in watched()}


def test_a_dead_watchdog_rings_because_its_silence_counts() -> None:
    alarm = properties("NoTickAlarm")

    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_the_watchdog_is_not_missed_before_it_is_there() -> None:
    made = transformed()["Resources"]

    schedule = made["NoTickAlarm"]["DependsOn"]

    assert made[schedule]["Type"] == "AWS::Scheduler::Schedule"


def test_the_alarm_of_a_refused_token_lasts_from_one_try_to_the_next() -> None:
    between_tries = pause_seconds(Pause.ACCESS, earlier=9)
    until_the_next_tick_has_run = 60 + properties("SettleJobsFunction")["Timeout"]

    period = properties("TokenRefusedAlarm")["Period"]

    assert period >= between_tries + until_the_next_tick_has_run


def test_one_refused_callback_does_not_ring() -> None:
    assert properties("CallbacksRefusedAlarm")["Threshold"] > 10


def test_metrics_of_two_stacks_are_kept_apart() -> None:
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == {"Fn::Sub": OURS}
    namespaces = {str(a["Properties"]["Namespace"]) for a in ALARMS.values()}
    assert namespaces == {str({"Fn::Sub": OURS}), "AWS/Lambda", "AWS/SQS", "AWS/ApiGateway"}


def searches() -> list[str]:
    """Return the expressions of all searches of the dashboard."""
    return [
        line[0]["expression"]
        for widget in dashboard()["widgets"]
        for line in widget["properties"].get("metrics", [])
        if isinstance(line[0], dict)
    ]


SEARCH = re.compile(
    r"""SEARCH\('                                    # CloudWatch's search expression syntax:
        \{(?P<namespace>"[^"]+"|[A-Za-z0-9_]+)      # a name with other characters wants quotes
        ,(?P<dimension>"[^"]+"|[A-Za-z0-9_]+)\}
        [ ]MetricName="\w+"',[ ]'Sum',[ ]\d+\)""",
    re.VERBOSE,
)


def test_every_search_asks_for_the_metrics_of_this_stack_alone() -> None:
    parsed = [SEARCH.fullmatch(expression) for expression in searches()]

    assert len(parsed) >= 3
    assert {found and found["namespace"] for found in parsed} == {f'"{OURS}"'}


def policy(resource: str) -> dict[str, Any]:
    """Return the statements of a policy of a queue or topic, by Sid."""
    document = properties(resource)["PolicyDocument"]
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_alarms_of_this_account_and_no_other_may_publish_to_the_topic() -> None:
    allowed = policy("NoticeTopicPolicy")["AlarmsOfThisAccount"]

    assert (allowed["Effect"], allowed["Action"]) == ("Allow", "sns:Publish")
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    }


@pytest.mark.parametrize(
    ("resource", "kind", "action"),
    [
        ("NoticeTopic", "Topics", "sns:Publish"),
        ("CollectQueue", "Queues", "sqs:*"),
        ("CollectDeadLetterQueue", "Queues", "sqs:*"),
        ("FailureQueue", "Queues", "sqs:*"),
    ],
)
def test_topic_and_queues_refuse_plain_http(resource: str, kind: str, action: str) -> None:
    """The emulator does not know the condition: this is proven by the text alone."""
    refused = policy(f"{resource}Policy")["RefusePlainHttp"]

    assert properties(f"{resource}Policy")[kind] == [{"Ref": resource}]
    assert (refused["Effect"], refused["Principal"], refused["Action"]) == ("Deny", "*", action)
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert resource in str(refused["Resource"])


def test_no_log_or_trace_holds_the_path_of_a_callback() -> None:
    """The last segment of the path is a signature."""
    api = properties("CallbackApi")
    (method,) = api["MethodSettings"]

    assert api["TracingEnabled"] is False
    assert (method["LoggingLevel"], method["DataTraceEnabled"]) == ("OFF", False)
    assert api["EndpointConfiguration"] == "REGIONAL"
    variables = set(re.findall(r"\$context\.[A-Za-z.]+", access_log()["Format"]))
    assert "$context.resourcePath" in variables
    assert variables.isdisjoint({"$context.path", "$context.requestOverride.path"})
    assert not [name for name in variables if "authorizer" in name or "error" in name]


def access_log() -> dict[str, Any]:
    """Return the setting as it is where somebody asks for it."""
    condition, wanted, otherwise = properties("CallbackApi")["AccessLogSetting"]["Fn::If"]
    assert (condition, otherwise) == ("WritesAccessLog", {"Ref": "AWS::NoValue"})
    found: dict[str, Any] = wanted
    return found


def test_the_access_log_is_json_and_off_unless_asked_for() -> None:
    assert json.loads(access_log()["Format"])
    assert template()["Parameters"]["AccessLog"]["Default"] == "off"
    assert template()["Resources"]["CallbackAccessLogGroup"]["Condition"] == "WritesAccessLog"


def test_no_setting_of_the_whole_account_is_made() -> None:
    """API Gateway's log role is one for each account and region, whoever sets it."""
    kinds = {resource["Type"] for resource in transformed()["Resources"].values()}

    assert "AWS::ApiGateway::Account" not in kinds
    assert not [kind for kind in kinds if kind.endswith(("Account", "AccountPolicy"))]


def test_the_callback_is_throttled() -> None:
    (method,) = properties("CallbackApi")["MethodSettings"]

    assert (method["ThrottlingRateLimit"], method["ThrottlingBurstLimit"]) == (5, 20)


def test_no_function_is_traced() -> None:
    for name in resources_of_type("AWS::Serverless::Function"):
        assert "Tracing" not in properties(name)
    assert "Tracing" not in template()["Globals"]["Function"]


def dashboard() -> dict[str, Any]:
    text = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    body: dict[str, Any] = json.loads(text)
    return body


def test_every_alarm_is_on_the_dashboard() -> None:
    (widget,) = [each for each in dashboard()["widgets"] if each["type"] == "alarm"]

    assert set(widget["properties"]["alarms"]) == {f"${{{name}.Arn}}" for name in ALARMS}


def test_the_dashboard_shows_how_old_queues_are_and_what_was_not_delivered() -> None:
    shown = {
        (line[0], line[1], line[2])
        for widget in dashboard()["widgets"]
        for line in widget["properties"].get("metrics", [])
        if len(line) > 3
    }

    assert ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName") in shown
    assert ("AWS/SNS", "NumberOfNotificationsFailed", "TopicName") in shown


def test_a_day_without_credits_rings_and_an_hour_does_not() -> None:
    """Until then people have a notice, and nothing to do."""
    alarm = properties("CreditsShortAlarm")

    assert alarm["Statistic"] == "Minimum"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 24 * 3600


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "eu-central-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")],
)
def test_the_console_is_the_same_in_the_output_and_in_notices(partition: str, region: str) -> None:
    text, names = template()["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"]

    def chosen(value: Any) -> str:  # noqa: ANN401 - CloudFormation's own nesting
        if isinstance(value, str):
            return value
        condition, wanted, otherwise = value["Fn::If"]
        (_, expected) = template()["Conditions"][condition]["Fn::Equals"]
        return chosen(wanted if partition == expected else otherwise)

    url = text.replace("${Console}", chosen(names["Console"])).replace("${AWS::Region}", region)
    links = ConsoleLinks(region, "bucket", "import-csv", request_text=str)
    assert urlsplit(url).hostname == urlsplit(links.console_url("results/")).hostname


def test_no_link_or_arn_names_one_partition() -> None:
    """What the console is called is said in one place, by its partition."""
    text = TEMPLATE.read_text(encoding="utf-8")

    services = "Principal: { Service: "  # the same name in every partition
    assert "arn:aws:" not in text
    lines = [line for line in text.splitlines() if "amazonaws.com" in line]
    assert not [line for line in lines if services not in line]
    assert text.count("console.aws.amazon.com") == 1


def test_the_dashboard_is_json_and_shows_what_the_design_asks_for() -> None:
    titles = " ".join(widget["properties"]["title"] for widget in dashboard()["widgets"])

    for shown in ("Last imports", "Rows by status", "Open work", "job had ended", "429", "Queues"):
        assert shown in titles


def test_widgets_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for widget in dashboard()["widgets"]:
        columns = range(widget["x"], widget["x"] + widget["width"])
        rows = range(widget["y"], widget["y"] + widget["height"])
        cells = {(x, y) for x in columns for y in rows}
        assert taken.isdisjoint(cells)
        taken |= cells


def test_the_dashboard_uses_only_metrics_that_are_emitted() -> None:
    text = properties("Dashboard")["DashboardBody"]["Fn::Sub"].replace('\\"', '"')

    searched = re.findall(r"SEARCH\('\{\"[^\"]+\",(\w+)\} MetricName=\"(\w+)\"'", text)
    plain = re.findall(r'\["BiginImport/[^"]+", "(\w+)"', text)

    assert {metric for _, metric in searched} == {"Rows", "ImportsClosed", "BiginErrors"}
    assert all(emitted()[metric] == {dimension} for dimension, metric in searched)
    assert set(plain) <= emitted().keys()


def test_the_table_of_last_imports_reads_an_event_that_is_logged() -> None:
    (query,) = [
        widget["properties"]["query"]
        for widget in dashboard()["widgets"]
        if widget["properties"]["title"] == "Last imports"
    ]

    (message,) = re.findall(r"message = '([a-z ]+)'", query)

    assert message.replace(" ", "_") in SIGNALS
