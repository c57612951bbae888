"""The metrics that alarms and dashboard read are really written, by the functions themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import pytest

from bigin_import.aws.files import S3Files
from bigin_import.domain import import_transitions
from bigin_import.domain.edges import ForbiddenEdgeError
from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import AwsRefusedError, AwsUnavailableError, NoticeFailedError
from tests.bigin_twin.faults import Fault, FaultName
from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import sample, sqs_sample
from tests.integration.handlers.story import call_back, drop_both, drop_to_closing, settled
from tests.integration.handlers.written_logs import Reading, log_lines, readings
from tests.template_reading import properties, resources_of_type

OURS = {"Fn::Sub": "BiginImport/${AWS::StackName}"}
"""The namespace of our metrics, as the template writes it."""

type Metric = tuple[str, tuple[str, ...]]
"""Name, and the names of its dimensions."""


def metrics(written: list[Reading]) -> set[Metric]:
    assert {reading.namespace for reading in written} <= {"BiginImport/bigin-drop"}
    return {(each.name, tuple(name for name, _ in each.dimensions)) for each in written}


def fault(stack: Deployed, name: FaultName, **details: object) -> None:
    with stack.twin.server.bigin() as bigin:
        bigin.faults.add(Fault.model_validate({"name": name} | details))


def tick(stack: Deployed) -> None:
    stack.run("settle_jobs", sample("tick"))


def hold(stack: Deployed) -> None:
    """The only thing left to do for an import is a person's decision."""
    drop_both(stack)
    (part,) = stack.parts()
    stack.ledger.save(replace(part, state=PartState.HELD))
    stack.let_everything_be_due()
    tick(stack)


def be_overdue(stack: Deployed) -> None:
    drop_both(stack)
    stack.let_everything_be_due()
    tick(stack)


def be_stalled(stack: Deployed) -> None:
    """Bigin has not been reached for more than a day."""
    fault(stack, FaultName.CREATE_REFUSED, code="INTERNAL_ERROR", status=500)
    drop_both(stack)
    record = stack.the_import()
    stack.ledger.save(replace(record, pause="UNREACHABLE", paused_at=record.received_at - 90_000))
    stack.let_everything_be_due()
    tick(stack)


def refuse_a_callback(stack: Deployed) -> None:
    """The sample's signature is none."""
    stack.run("job_callback", sample("callback-json"))


def find_a_second_job(stack: Deployed) -> None:
    """The ledger knows another job for the attempt than the one that reports its end."""
    drop_both(stack)
    (part,) = stack.parts()
    (attempt,) = part.attempts
    stack.ledger.save(replace(part, attempts=(replace(attempt, job_id="1"),)))
    call_back(stack)


def take_a_forbidden_edge(stack: Deployed) -> None:
    """As a bug would: the way from SENDING to SENT is not there."""
    sent_is_wrong = dict(import_transitions.EDGES) | {ImportState.SENDING: frozenset()}
    with (
        patch.object(import_transitions, "EDGES", sent_is_wrong),
        pytest.raises(ForbiddenEdgeError),
    ):
        drop_both(stack)


def be_refused_by_aws(stack: Deployed) -> None:
    """The key of the archive may not be used any more: the bucket does not let us read it."""
    refused = AwsRefusedError("s3", "GetObject", "KMS.DisabledException")
    with patch.object(S3Files, "open_stream", side_effect=refused):
        drop_both(stack)


def find_aws_away(stack: Deployed) -> None:
    away = AwsUnavailableError("s3", "GetObject", "SlowDown")
    with patch.object(S3Files, "open_stream", side_effect=away):
        drop_both(stack)


def find_an_item_of_another_release(stack: Deployed) -> None:
    drop_both(stack)
    (item,) = (each for each in stack.items() if each["sk"]["S"] == "IMPORT")
    stack.put_item(item | {"state": {"S": "ARCHIVING"}, "due_at": {"N": "1"}})
    tick(stack)


def refuse_the_token(stack: Deployed) -> None:
    fault(stack, FaultName.TOKEN_REFUSED, times=None, code="invalid_code")
    drop_both(stack)


def fail_to_publish(stack: Deployed) -> None:
    message = settled(stack)
    stack.remove_topic()
    with pytest.raises(NoticeFailedError):
        stack.run("settle_jobs", sqs_sample(message))


def be_refused_by_bigin(stack: Deployed) -> None:
    fault(stack, FaultName.CREATE_REFUSED, code="INVALID_MODULE", status=400)
    drop_both(stack)


def find_bigin_busy(stack: Deployed) -> None:
    fault(stack, FaultName.BUSY, retry_after=3600, times=None, path="/upload")
    drop_both(stack)


SCENES: dict[str, Callable[[Deployed], None]] = {
    "Ticks": tick,
    "OpenImports": tick,
    "HeldImports": tick,
    "WaitingForCredits": tick,
    "OldestOpenSeconds": tick,
    "Overdue": be_overdue,
    "Stalled": be_stalled,
    "CallbacksRefused": refuse_a_callback,
    "SecondJobs": find_a_second_job,
    "AwsFailed": find_aws_away,
    "AwsRefused": be_refused_by_aws,
    "ItemsUnreadable": find_an_item_of_another_release,
    "ForbiddenEdges": take_a_forbidden_edge,
    "TokenRefused": refuse_the_token,
    "NoticesFailed": fail_to_publish,
    "BiginErrors": be_refused_by_bigin,
    "BiginBusy": find_bigin_busy,
    "Drops": drop_both,
    "JobsCreated": drop_both,
    "CreditsUsed": drop_both,
    "JobsSettled": drop_to_closing,
    "ImportsClosed": drop_to_closing,
    "Rows": drop_to_closing,
}


def read_by_alarms() -> dict[str, tuple[str, ...]]:
    alarms = [each["Properties"] for each in resources_of_type("AWS::CloudWatch::Alarm").values()]
    return {
        alarm["MetricName"]: tuple(each["Name"] for each in alarm.get("Dimensions", []))
        for alarm in alarms
        if alarm["Namespace"] == OURS
    }


def dashboard_text() -> str:
    text: str = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    return text


def read_by_the_dashboard() -> dict[str, tuple[str, ...]]:
    """Return metrics and the names of their dimensions, from searches and from plain lines."""
    text = dashboard_text().replace('\\"', '"')
    searched = re.findall(r"SEARCH\('\{\"BiginImport/\S+\",(\w+)\} MetricName=\"(\w+)\"'", text)
    found: dict[str, tuple[str, ...]] = {name: (dimension,) for dimension, name in searched}
    for line in re.findall(r'"metrics": (\[\[.*\]\])\}\}', text):
        if "BiginImport/" in line:
            plain = re.findall(r'\["(?:BiginImport/\S+|\.)", "(\w+)"(?:, "(\w+)")?', line)
            found |= {name: tuple(filter(None, [dimension])) for name, dimension in plain}
    return found


READ = read_by_alarms() | read_by_the_dashboard()


@pytest.mark.parametrize("name", READ)
def test_a_metric_that_is_read_is_written_with_these_dimensions(
    stack: Deployed, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    SCENES[name](stack)

    assert (name, READ[name]) in metrics(readings(capsys.readouterr().out))


def test_alarms_and_dashboard_read_what_we_think_they_read() -> None:
    """A reading of the template that finds nothing would prove nothing."""
    assert set(read_by_alarms()) == {
        *("Ticks", "HeldImports", "WaitingForCredits", "OldestOpenSeconds", "Overdue", "Stalled"),
        *(
            "SecondJobs",
            "AwsRefused",
            "ForbiddenEdges",
            "CallbacksRefused",
            "TokenRefused",
            "NoticesFailed",
            "AwsFailed",
            "ItemsUnreadable",
        ),
    }
    assert {name: key for name, key in read_by_the_dashboard().items() if key} == {
        "Rows": ("Status",),
        "ImportsClosed": ("State",),
        "JobsSettled": ("ClosedBy",),
        "BiginErrors": ("Code",),
    }


def test_an_import_without_trouble_rings_nothing(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_to_closing(stack)
    tick(stack)

    # Measured always.
    levels = {"HeldImports": 0, "OldestOpenSeconds": 0, "WaitingForCredits": 0}
    ringing = set(read_by_alarms()) - {"Ticks", *levels}
    written = readings(capsys.readouterr().out)
    assert ringing.isdisjoint(name for name, _ in metrics(written))
    assert {each.name: each.value for each in written if each.name in levels} == levels


def test_rows_are_counted_by_status_and_jobs_by_what_closed_them(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_to_closing(stack)

    written = readings(capsys.readouterr().out)
    counted = {(each.name, each.dimensions): each.value for each in written}
    assert counted == {
        ("Drops", ()): 1,
        ("JobsCreated", ()): 1,
        ("CreditsUsed", ()): 500,
        ("JobsSettled", (("ClosedBy", "callback"),)): 1,
        ("ImportsClosed", (("State", "COMPLETED_WITH_ERRORS"),)): 1,
        ("Rows", (("Status", "added"),)): 1,
        ("Rows", (("Status", "refused"),)): 1,
    }


def test_the_table_of_last_imports_finds_all_its_columns_in_the_log(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    (query,) = re.findall(
        r"filter message = 'import closed' \| fields @timestamp, (.*?) \|", dashboard_text()
    )

    drop_to_closing(stack)

    lines = log_lines(capsys.readouterr().out)
    (closed,) = [line for line in lines if line["message"] == "import closed"]
    assert set(query.split(", ")) <= closed.keys()


def test_every_line_of_an_import_names_it_and_its_function(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_to_closing(stack)

    import_id = stack.the_import().import_id
    lines = log_lines(capsys.readouterr().out)
    assert {line["import_id"] for line in lines} == {import_id}
    assert [line["service"] for line in lines if line["message"] == "job settled"] == [
        "job_callback"
    ]
    assert {line["service"] for line in lines} == {"import_csv", "job_callback", "settle_jobs"}
