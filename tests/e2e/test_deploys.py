"""
What an operator does with stacks: a second one, the next release, another parameter, coming back.

A stack of its own, for it is updated and deleted. The tests run in the order in which they stand;
each leaves a stack behind that works.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from bigin_import import identity
from bigin_import.aws.ledger import DynamoLedger, key_of
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState, PartState
from tests.e2e.desk import CONTACTS, Desk, as_csv
from tests.e2e.seen_bigin import CREATE_PATH, SeenBigin
from tests.e2e.waiting import until
from tests.local_stack import LocalStack
from tests.local_stack.deployment import architecture, tool_settings
from tests.local_stack.stack import FunctionName
from tests.local_stack.workspace import LOCAL, ROOT
from tests.template_reading import resources_of_type

FUNCTIONS: tuple[FunctionName, ...] = ("import-csv", "job-callback", "settle-jobs")
OPERATING = ROOT / "layers/common/bigin_import/operating/README.md"
# What the next release adds to every import, by its default; and the one after that.
NEXT = "seen_by_the_next_release"
AFTER_NEXT = "seen_by_the_release_after_that"
# Of a later release, which was rolled back: nobody who is deployed knows it.
LATER = "seen_by_a_later_release"
TWO_PARTS_ROWS = 25_001

type Metric = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name, dimensions."""


@dataclass(slots=True)
class Account:
    """
    An account with a stack.

    Attributes:
        stack: As it was last deployed.
    """

    stack: LocalStack
    bigin: SeenBigin

    def desk(self, name: str) -> Desk:
        ledger = DynamoLedger(self.stack.client("dynamodb"), self.stack.table)
        return Desk(self.stack, self.stack.client("s3"), ledger, name)

    def item(self, record: Import) -> dict[str, Any]:
        answer = self.stack.client("dynamodb").get_item(
            TableName=self.stack.table, Key=key_of(record.address), ConsistentRead=True
        )
        found: dict[str, Any] = answer["Item"]
        return found

    def add(self, record: Import, attribute: str) -> None:
        """Write an attribute to an item, as a release does that knows it."""
        self.stack.client("dynamodb").update_item(
            TableName=self.stack.table,
            Key=key_of(record.address),
            UpdateExpression=f"SET {attribute} = :true",
            ExpressionAttributeValues={":true": {"BOOL": True}},
        )


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with LocalStack.running("e2e-deploys") as stack, requests.Session() as session:
        session.trust_env = False
        session.verify = stack.authority
        yield Account(stack, SeenBigin(stack.twin_url, session))


@pytest.fixture(scope="module")
def next_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project, whose imports have one attribute more."""
    return release_with(NEXT, folder=tmp_path_factory.mktemp("next") / "release")


def release_with(*attributes: str, folder: Path) -> Path:
    project = copy_of_project(folder)
    module = project / "layers/common/bigin_import/domain/import_record.py"
    before = "    schema: int = 1\n"
    added = "".join(f"    {name}: bool = True\n" for name in attributes)
    text = module.read_text()
    assert before in text
    module.write_text(text.replace(before, before + added, 1))
    return project


def copy_of_project(folder: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("layers", "functions"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def under_way(account: Account) -> Callable[[str], ObjectVersion]:
    """Drop a file whose job has ended at Bigin, which tells nobody; the tick leaves it alone."""

    def drop(name: str) -> ObjectVersion:
        desk = account.desk(name)
        with account.bigin.changed(callback_when="never"):
            source = desk.drop("people.csv", desk.contacts(), CONTACTS)
            sent = desk.reached(source, is_sent, what="is sent")
            desk.leave_alone(source)
            until(partial(has_ended, account.bigin, sent), what="the job has ended")
        return source

    return drop


def is_sent(record: Import) -> bool:
    return record.state is ImportState.SENT and record.lease_until == 0


def has_ended(bigin: SeenBigin, record: Import) -> bool:
    return all(job["status"] == "COMPLETED" for job in bigin.jobs_of(record.import_id))


def finished(
    account: Account, desk: Desk, source: ObjectVersion, *, rows: int = 3, jobs: int = 1
) -> Import:
    """Let the tick of the release that is deployed now close an import."""
    desk.make_due(source)
    account.stack.invoke_tick()
    record = desk.closed(source)
    assert record.state is ImportState.COMPLETED
    assert account.bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(rows), 1)
    assert len(account.bigin.jobs_of(record.import_id)) == jobs
    return record


def test_no_alarm_of_one_stack_hears_what_another_says(account: Account) -> None:
    other = account.stack.deploy(name="another-drop")
    try:
        stacks = (account.stack, other)
        for stack in stacks:
            desk = Account(stack, account.bigin).desk(stack.name)
            desk.closed(desk.drop("people.csv", desk.contacts(), CONTACTS))
            stack.invoke_tick()
        asked = [asked_for(stack) for stack in stacks]
        said = [said_by(stack) for stack in stacks]
    finally:
        other.delete()

    assert len(asked[0]) == len(asked[1]) == len(resources_of_type("AWS::CloudWatch::Alarm"))
    assert asked[0].isdisjoint(asked[1])
    for mine, its in ((0, 1), (1, 0)):
        ticks = [metric for metric in said[mine] if metric[1] == "Ticks"]
        assert set(ticks) <= asked[mine]
        assert asked[mine].isdisjoint(said[its])


def asked_for(stack: LocalStack) -> set[Metric]:
    """Return what the alarms of a stack look at."""
    names = [
        resource["PhysicalResourceId"]
        for resource in stack.client("cloudformation").describe_stack_resources(
            StackName=stack.name
        )["StackResources"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm"
    ]
    alarms = stack.client("cloudwatch").describe_alarms(AlarmNames=names, MaxRecords=100)
    return {
        (
            alarm["Namespace"],
            alarm["MetricName"],
            frozenset((each["Name"], each["Value"]) for each in alarm["Dimensions"]),
        )
        for alarm in alarms["MetricAlarms"]
    }


def said_by(stack: LocalStack) -> set[Metric]:
    """Return the metrics in the log lines of a stack, as CloudWatch reads them out."""
    lines = [
        json.loads(line) for name in FUNCTIONS for line in stack.logs(name) if '"_aws"' in line
    ]
    return {
        (directive["Namespace"], metric["Name"], frozenset((name, line[name]) for name in names))
        for line in lines
        for directive in line["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        for metric in directive["Metrics"]
    }


def test_the_next_release_finishes_what_this_one_began(
    account: Account, next_release: Path, under_way: Callable[[str], ObjectVersion]
) -> None:
    source, desk = under_way("next-release"), account.desk("next-release")
    before = desk.import_of(source)
    assert before is not None
    assert NEXT not in account.item(before)
    account.add(before, LATER)

    account.stack = account.stack.deploy(source=next_release)

    record = finished(account, desk, source)
    assert account.item(record)[NEXT] == {"BOOL": True}
    assert account.item(record)[LATER] == {"BOOL": True}


def test_a_parameter_that_changes_alone_takes_effect_over_open_work(
    account: Account, next_release: Path, under_way: Callable[[str], ObjectVersion]
) -> None:
    """An alias would keep the old settings: SAM publishes a version only for new code."""
    latin = as_csv([["E-mail", "Surname"], ["rene@parameter.example", "René"]])
    latin = latin.decode().encode("windows-1252")
    open_one, desk = under_way("parameter"), account.desk("parameter")
    refused = desk.closed(desk.drop("latin.csv", latin, CONTACTS))

    account.stack = account.stack.deploy(
        source=next_release, parameters={"DefaultEncoding": "windows-1252"}
    )

    desk = account.desk("parameter")
    desk.make_due(open_one)
    account.stack.invoke_tick()
    taken = desk.closed(desk.put("latin.csv", latin))
    assert refused.state is ImportState.REJECTED
    assert taken.state is ImportState.COMPLETED
    assert desk.closed(open_one).state is ImportState.COMPLETED
    expected = [*desk.emails(), "rene@parameter.example"]
    assert account.bigin.emails_at("parameter") == dict.fromkeys(expected, 1)


def test_a_run_under_way_ends_with_the_release_that_it_began_with(
    account: Account, tmp_path: Path
) -> None:
    """
    The release is replaced between the effect of a create and its answer.

    The emulator kills such a run; `local_stack/ministack_as_aws.py` lets it end, as AWS does.
    """
    release = release_with(NEXT, AFTER_NEXT, folder=tmp_path / "after-next")
    account.stack.build(source=release)  # beforehand: the run has two minutes for the create
    desk = account.desk("run-under-way")
    with account.bigin.changed(callback_when="never"):
        account.bigin.break_once("held_answer", path=CREATE_PATH)
        source = desk.drop("people.csv", desk.contacts(TWO_PARTS_ROWS), CONTACTS)
        import_id = identity.import_id_of(source)
        until(partial(account.bigin.jobs_of, import_id), what="the first job is made")

        account.stack = account.stack.deploy(source=release)

        desk.part_reached(source, PartState.CREATING)
        under_way = desk.import_of(source)
        account.bigin.mend()
        sent = desk.reached(source, is_sent, what="is sent")
        until(partial(has_ended, account.bigin, sent), what="its jobs have ended")

    assert under_way is not None
    assert under_way.lease_until > desk.now()
    assert sent.epoch == under_way.epoch
    assert AFTER_NEXT not in account.item(sent)
    record = finished(account, desk, source, rows=TWO_PARTS_ROWS, jobs=2)
    assert account.item(record)[AFTER_NEXT] == {"BOOL": True}


def test_a_stack_that_was_deleted_comes_back_to_its_bucket_and_table(
    account: Account, tmp_path: Path
) -> None:
    """By the page on operating, word for word but for the names in the first lines of commands."""
    desk = account.desk("come-back")
    body = desk.contacts()
    before = desk.closed(desk.drop("people.csv", body, CONTACTS))
    kept = account.stack

    kept.delete()
    assert desk.import_of(before.source) == before
    come_back(kept, copy_of_project(tmp_path / "project"))
    account.stack = kept.found_again()

    assert (account.stack.bucket, account.stack.table) == (kept.bucket, kept.table)
    desk = account.desk("come-back")
    again = desk.closed(desk.put("people.csv", body))
    fresh = desk.closed(desk.drop("more.csv", desk.contacts(first=11), CONTACTS))
    assert again.state is ImportState.UNCHANGED
    assert again.winner == before.import_id
    assert fresh.state is ImportState.COMPLETED
    emails = [*desk.emails(), *desk.emails(first=11)]
    assert account.bigin.emails_at(desk.name) == dict.fromkeys(emails, 1)


def come_back(stack: LocalStack, project: Path) -> None:
    (commands,) = re.findall(r"```sh\n(.*?)```", OPERATING.read_text("utf-8"), re.DOTALL)
    values = {
        "BUCKET": stack.bucket,
        "TABLE": stack.table,
        "SECRET": stack.parameters["ZohoSecretArn"],
        "REGION": "eu-central-1",
        "ARCHITECTURE": architecture(),
    }
    for name, value in values.items():
        commands, count = re.subn(rf"\b{name}=\S+", f"{name}={value}", commands, count=1)
        assert count == 1
    last = '"ParameterKey=Architecture,ParameterValue=$ARCHITECTURE"'
    assert last in commands
    urls = ("AccountsUrl", "ApiUrl", "UploadUrl")  # our own Bigin's, not Zoho's
    ours = [f"ParameterKey={name},ParameterValue={stack.parameters[name]}" for name in urls]
    commands = commands.replace(last, " ".join([last, *ours]))
    # With this machine's own trust and package settings, for it builds; AWS is the emulator's.
    aws = stack.emulator.environment()
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= tool_settings() | {name: aws[name] for name in aws if name.startswith("AWS_")}
    env["PATH"] = f"{LOCAL / 'awscli' / 'bin'}:{env['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        cwd=project,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
