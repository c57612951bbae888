"""Links into the AWS console."""

from __future__ import annotations

import shlex

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Attempt, Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.importing.decisions import Decision
from bigin_import.operating.command_line import parser
from bigin_import.settling.summarize import ConsoleLinks


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "eu-central-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_a_link_leads_to_the_console_of_its_partition(region: str, host: str) -> None:
    around = ConsoleLinks(region=region, bucket="b", import_function="f", request_text=str)

    assert around.console_url("results/a b.csv").startswith(f"https://{host}/s3/object/b?region=")


@pytest.mark.parametrize(
    ("function", "options"),
    [("bigin-drop-import-csv", ""), ("acme-import-csv", " --stack acme")],
)
def test_commands_name_the_region_and_a_stack_that_is_not_the_default(
    function: str, options: str
) -> None:
    around = ConsoleLinks(
        region="eu-central-1", bucket="b", import_function=function, request_text=str
    )
    source = ObjectVersion("b", "incoming/it's a list.csv", "v 1")
    record = Import(
        import_id="k3v7",
        source=source,
        state=ImportState.FAILED,
        received_at=0,
        results="results/x/",
    )

    fetched, again = around.fetch_results(record), around.retry(record, "again:")
    held = around.decision(record, "continue", "go on:")

    assert fetched.command == f"bigin-drop results k3v7 --region eu-central-1{options}"
    assert fetched.plain == "aws s3 cp --recursive s3://b/results/x/ . --region eu-central-1"
    assert again.command == f"bigin-drop retry k3v7 --region eu-central-1{options}"
    assert shlex.split(again.plain)[3:9] == [
        *("--bucket", "b", "--key", "incoming/it's a list.csv"),
        *("--copy-source", "b/incoming/it's a list.csv?versionId=v 1"),
    ]
    assert held.command == f"bigin-drop decide k3v7 continue --region eu-central-1{options}"
    assert f"--function-name {function} " in held.plain


@pytest.mark.parametrize("decision", Decision)
def test_a_decision_can_be_typed_as_its_notice_has_it(decision: Decision) -> None:
    around = ConsoleLinks("eu-central-1", "b", "acme-import-csv", request_text=str)
    source = ObjectVersion("b", "incoming/a.csv", "v")
    record = Import(import_id="k3v7", source=source, state=ImportState.ON_HOLD, received_at=0)
    held = Part(
        import_id="k3v7",
        number=2,
        state=PartState.HELD,
        rows=1,
        csv_bytes=1,
        sha256="",
        first_row=1,
        last_row=1,
        repeatable=False,
        attempts=(Attempt(number=1, started_at=0, decide_after=0),),
    )
    part = None if decision is Decision.CONTINUE else held

    command = around.decision(record, decision, "if so:", part).command

    typed = parser().parse_args(shlex.split(command)[1:])
    assert (typed.name, typed.decision) == ("k3v7", decision.replace("_", "-"))
    assert typed.part == (2 if part else 0)
    assert typed.job == ("JOB_ID" if decision is Decision.ADOPT else "")
    assert typed.confirm == ("k3v7" if decision is Decision.CREATE else "")
    assert (typed.region, typed.stack) == ("eu-central-1", "acme")


def test_other_commands_of_notices_can_be_typed() -> None:
    around = ConsoleLinks("eu-central-1", "b", "acme-import-csv", request_text=str)
    source = ObjectVersion("b", "incoming/a.csv", "v")
    record = Import(import_id="k3v7", source=source, state=ImportState.FAILED, received_at=0)
    choices = (
        *(around.fetch_results(record), around.retry(record, "again:")),
        *(around.drop_mapping("incoming/of the/it's a list.csv"), around.look_at_all()),
        *(around.store_credentials(), around.examine()),
    )

    for choice in choices:
        typed = parser().parse_args(shlex.split(choice.command)[1:])
        assert (typed.region, typed.stack) == ("eu-central-1", "acme")
