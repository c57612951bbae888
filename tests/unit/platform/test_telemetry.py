"""What operators see of an event: its log line and its metrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from bigin_import.aws.telemetry import SIGNALS, PowertoolsTelemetry
from bigin_import.container import Threads

POWERTOOLS_KEYS = {"level", "location", "message", "timestamp", "service"}

type Line = dict[str, Any]
type Metric = tuple[str, float, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Bench:
    """
    An observer and what it writes.

    Attributes:
        log: Returns the log's lines.
        metrics: Returns name, value and dimensions of each metric, as CloudWatch reads them.
    """

    telemetry: PowertoolsTelemetry
    log: Callable[[], list[Line]]
    metrics: Callable[[], list[Metric]]


@pytest.fixture
def bench(
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> Bench:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "settle_jobs")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "BiginImport/bigin-drop")
    stream = StringIO()
    # Loggers of one name share the stream of the first; each test has its own.
    logger = Logger(service=request.node.name, stream=stream)
    return Bench(
        PowertoolsTelemetry(logger),
        log=lambda: [json.loads(line) for line in stream.getvalue().splitlines()],
        metrics=lambda: [metric(line) for line in capsys.readouterr().out.splitlines()],
    )


def metric(line: str) -> Metric:
    written = json.loads(line)
    (directive,) = written["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "BiginImport/bigin-drop"
    (dimensions,) = directive["Dimensions"]
    (described,) = directive["Metrics"]
    (value,) = written[described["Name"]]
    return described["Name"], value, {name: written[name] for name in dimensions}


def test_a_log_line_holds_exactly_the_facts(bench: Bench) -> None:
    bench.telemetry.emit("part_uploaded", import_id="i1", part=3, seconds=1.5, attempt=None)

    (line,) = bench.log()
    assert line["message"] == "part uploaded"
    assert line["level"] == "INFO"
    assert {name: line[name] for name in line.keys() - POWERTOOLS_KEYS} == {
        "import_id": "i1",
        "part": 3,
        "seconds": 1.5,
    }


def test_a_log_line_names_the_place_that_saw_the_event(bench: Bench) -> None:
    bench.telemetry.emit("tick")

    (line,) = bench.log()
    assert line["location"].startswith("test_a_log_line_names_the_place_that_saw_the_event:")


def test_facts_do_not_stay_for_the_next_event(bench: Bench) -> None:
    bench.telemetry.emit("part_uploaded", part=3)
    bench.telemetry.emit("part_uploaded")

    assert "part" not in bench.log()[1]


@pytest.mark.parametrize(
    ("event", "facts", "level", "measured"),
    [
        ("drop_received", {}, "INFO", [("Drops", 1, {})]),
        ("job_created", {}, "INFO", [("JobsCreated", 1, {}), ("CreditsUsed", 500, {})]),
        ("create_unknown", {}, "WARNING", [("CreditsUsed", 500, {})]),
        (
            "job_settled",
            {"closed_by": "callback"},
            "INFO",
            [("JobsSettled", 1, {"ClosedBy": "callback"})],
        ),
        (
            "job_refused",
            {"code": "INVALID_DATA"},
            "WARNING",
            [("BiginErrors", 1, {"Code": "INVALID_DATA"})],
        ),
        ("bigin_failed", {}, "WARNING", [("BiginErrors", 1, {"Code": "none"})]),
        ("bigin_busy", {}, "WARNING", [("BiginBusy", 1, {})]),
        ("callback_refused", {}, "WARNING", [("CallbacksRefused", 1, {})]),
        ("callback_probed", {"refused": 2}, "INFO", [("CallbacksRefused", 2, {})]),
        ("on_hold", {}, "ERROR", [("OnHold", 1, {})]),
        ("second_job", {}, "ERROR", [("SecondJobs", 1, {})]),
        ("aws_failed", {}, "WARNING", [("AwsFailed", 1, {})]),
        ("aws_refused", {}, "ERROR", [("AwsRefused", 1, {})]),
        ("forbidden_edge", {}, "ERROR", [("ForbiddenEdges", 1, {})]),
        ("overdue", {}, "ERROR", [("Overdue", 1, {})]),
        ("stalled", {"seconds": 90_000}, "ERROR", [("Stalled", 1, {})]),
        ("token_refused", {"code": "invalid_code"}, "ERROR", [("TokenRefused", 1, {})]),
        ("notice_failed", {}, "ERROR", [("NoticesFailed", 1, {})]),
        ("tick", {"examined": 5}, "INFO", [("Ticks", 1, {})]),
        ("failed_event_unreadable", {"message_id": "m"}, "ERROR", []),
        ("message_failed", {"message_id": "m"}, "ERROR", []),
        ("drop_rejected", {"problems": 2}, "WARNING", []),
        ("an_event_of_tomorrow", {}, "INFO", []),
    ],
)
def test_an_event_is_as_loud_as_it_matters_and_is_counted(
    bench: Bench,
    event: str,
    facts: dict[str, str | float],
    level: str,
    measured: list[Metric],
) -> None:
    bench.telemetry.emit(event, **facts)

    assert [line["level"] for line in bench.log()] == [level]
    assert bench.metrics() == measured


def test_a_closed_import_is_measured_by_its_state_and_its_rows(bench: Bench) -> None:
    bench.telemetry.emit(
        "import_closed", state="COMPLETED_WITH_ERRORS", rows=10, added=7, refused=3, updated=0
    )

    assert bench.metrics() == [
        ("ImportsClosed", 1, {"State": "COMPLETED_WITH_ERRORS"}),
        ("Rows", 7, {"Status": "added"}),
        ("Rows", 3, {"Status": "refused"}),
    ]


def test_every_metric_that_an_alarm_or_the_dashboard_names_is_written(bench: Bench) -> None:
    for event in SIGNALS:
        bench.telemetry.emit(event, added=1)

    names = {name for name, _value, _dimensions in bench.metrics()}
    assert names == {
        "BiginBusy",
        "BiginErrors",
        "CallbacksRefused",
        "CreditsUsed",
        "Drops",
        "ImportsClosed",
        "JobsCreated",
        "JobsSettled",
        "NoticesFailed",
        "OnHold",
        "Overdue",
        "Rows",
        "SecondJobs",
        "ForbiddenEdges",
        "AwsFailed",
        "AwsRefused",
        "ItemsUnreadable",
        "Stalled",
        "Ticks",
        "TokenRefused",
    }


def test_the_lines_of_an_imports_work_name_it_in_threads_too_and_the_next_do_not(
    bench: Bench,
) -> None:
    with bench.telemetry.mark_lines("i1"):
        bench.telemetry.emit("bigin_failed", code="X")
        Threads().each(lambda part: bench.telemetry.emit("part", part=part), [1, 2], at_most=2)
    bench.telemetry.emit("tick")
    with bench.telemetry.mark_lines("i2"):
        bench.telemetry.emit("bigin_busy")

    assert [line.get("import_id") for line in bench.log()] == ["i1", "i1", "i1", None, "i2"]


def test_work_for_another_import_within_names_that_one(bench: Bench) -> None:
    with bench.telemetry.mark_lines("i1"):
        with bench.telemetry.mark_lines("i2"):
            bench.telemetry.emit("resumed")
        bench.telemetry.emit("drop_received", import_id="i3")
        bench.telemetry.emit("resumed")

    assert [line["import_id"] for line in bench.log()] == ["i2", "i3", "i1"]


def test_an_error_that_nobody_catches_is_logged_with_its_import_and_without_its_words(
    bench: Bench,
) -> None:
    """Lambda writes such errors too, but knows of no import."""
    with pytest.raises(ZeroDivisionError), bench.telemetry.mark_lines("i1"):
        raise ZeroDivisionError("a cell")
    bench.telemetry.emit("tick")

    failed, tick = bench.log()
    assert (failed["level"], failed["import_id"]) == ("ERROR", "i1")
    assert failed["error"] == "ZeroDivisionError"
    assert "a cell" not in str(failed)
    assert "import_id" not in tick
