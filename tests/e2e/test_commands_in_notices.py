"""
The commands that notices and alarms print run as they are printed: bigin-drop's, and the plain
ones under both versions of the AWS CLI.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import LastNotice
from bigin_import.domain.states import ImportState, PartState
from bigin_import.operating.terminal import Exit
from tests.e2e.desk import CONTACTS, Desk, as_csv, read_csv
from tests.e2e.seen_bigin import CREATE_PATH, SeenBigin
from tests.e2e.test_chaos import let_the_effect_be_decided
from tests.e2e.waiting import until
from tests.local_stack import LocalStack
from tests.local_stack.processes import environment
from tests.local_stack.workspace import LOCAL, ROOT
from tests.template_reading import resources_of_type

# Version 1 as PyPI has it; version 2 as Debian has it, where that is installed.
VERSION_1 = str(LOCAL / "awscli" / "bin" / "aws")
VERSION_2 = "/usr/bin/aws"
REDRIVE = "aws sqs start-message-move-task "


@cache
def version_of(program: str) -> str:
    if shutil.which(program) is None:
        return ""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[0].removeprefix("aws-cli/")


def programs() -> Iterator[object]:
    yield pytest.param(VERSION_1, "1.", id="version-1")
    absent = pytest.mark.skipif(
        not version_of(VERSION_2).startswith("2."), reason="no AWS CLI 2 at /usr/bin/aws"
    )
    yield pytest.param(VERSION_2, "2.", id="version-2", marks=absent)


def lines_of(notice: str, program: str) -> list[str]:
    """Return the commands of *program* that a notice has, each on a line of its own."""
    return [line.strip() for line in notice.splitlines() if re.match(rf"\s*{program}\b", line)]


@pytest.mark.parametrize(("program", "version"), list(programs()))
def test_a_decision_is_carried_out_by_the_command_of_its_notice(
    desk: Desk, bigin: SeenBigin, stack: LocalStack, program: str, version: str
) -> None:
    assert version_of(program).startswith(version)
    source, notice = held(desk, bigin, stack)
    (command,) = [
        line for line in lines_of(notice, "echo") if '"create"' in line and "aws lambda" in line
    ]

    done = run(stack, command, program)

    assert done.returncode == 0, done.stderr
    assert desk.closed(source).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def test_a_decision_is_carried_out_by_our_command_of_its_notice(
    desk: Desk, bigin: SeenBigin, stack: LocalStack
) -> None:
    source, notice = held(desk, bigin, stack)
    (command,) = [line for line in lines_of(notice, "bigin-drop") if " create " in line]

    done = run(stack, command, VERSION_1, typed="y\n")

    assert done.returncode == Exit.GOOD, done.stderr
    assert desk.closed(source).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def held(desk: Desk, bigin: SeenBigin, stack: LocalStack) -> tuple[ObjectVersion, str]:
    """Drop a file whose create nobody answers, and return it with the notice that asks people."""
    bigin.break_once("create_timeout_before_effect")
    source = desk.drop("people.csv", desk.contacts(), CONTACTS)
    desk.part_reached(source, PartState.UNKNOWN)
    desk.reached(source, lambda seen: seen.lease_until == 0, what="has given its lease back")
    let_the_effect_be_decided(desk, source)
    stack.invoke_tick()
    return source, desk.notice(desk.held(source)).body


def test_what_waits_for_credits_is_seen_by_either_command_of_its_notice(
    desk: Desk, bigin: SeenBigin, stack: LocalStack, tmp_path: Path
) -> None:
    if (told := desk.ledger.load(LastNotice.at("WAITING_FOR_CREDITS"))) is not None:
        desk.ledger.delete(told)  # of an earlier test, today; people are told once a day
    bigin.break_once("busy", path=CREATE_PATH, times=None, retry_after=3600)
    source = desk.drop("people.csv", desk.contacts(), CONTACTS)
    desk.reached(source, lambda seen: seen.busy_waits == 1, what="waits")

    def told_of_it() -> str | None:
        desk.make_due(source)
        stack.invoke_tick()
        notices = [each for each in stack.inbox.notices() if "for credits" in each["Subject"]]
        found = [each["Message"] for each in notices if source.key in each["Message"]]
        return found[-1] if found else None

    notice = until(told_of_it, what="people are told that it waits for credits")
    (ours,), (plain,) = lines_of(notice, "bigin-drop"), lines_of(notice, "aws")
    seen = run(stack, ours, VERSION_1)
    done = run(stack, plain, VERSION_1, cwd=tmp_path)

    assert "waits for credits" in seen.stdout, seen.stderr
    assert source.key in seen.stdout
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").read_text("utf-8").startswith("<!doctype html>")
    bigin.mend()
    desk.make_due(source)
    stack.invoke_tick()
    assert desk.closed(source).state is ImportState.COMPLETED


@pytest.mark.parametrize(("program", "version"), list(programs()))
def test_a_file_that_wrote_nothing_is_dropped_again_by_the_command_of_its_notice(
    desk: Desk, stack: LocalStack, program: str, version: str
) -> None:
    assert version_of(program).startswith(version)
    source = desk.drop("it's all wrong.csv", b"E-mail,Surname\n", CONTACTS)
    notice = desk.notice(desk.closed(source)).body
    (ours,) = lines_of(notice, "bigin-drop retry")
    (plain,) = lines_of(notice, "aws s3api copy-object")

    done = run(stack, plain, program), run(stack, ours, VERSION_1, typed="y\n")

    assert [each.returncode for each in done] == [0, Exit.GOOD], done
    found = desk.s3.list_object_versions(Bucket=stack.bucket, Prefix=source.key)["Versions"]
    versions = {each["VersionId"] for each in found if each["Key"] == source.key}
    assert len(versions) == 3
    for version_id in versions:
        again = desk.closed(replace(source, version_id=version_id))
        assert again.state is ImportState.REJECTED


@pytest.mark.parametrize(("program", "version"), list(programs()))
def test_result_files_are_fetched_by_either_command_of_a_notice(
    desk: Desk, stack: LocalStack, tmp_path: Path, program: str, version: str
) -> None:
    assert version_of(program).startswith(version)
    rows = as_csv([["E-mail", "Surname"], [desk.emails(1)[0], "Plantagenet"], ["no", "X"]])
    notice = desk.notice(desk.closed(desk.drop("it's mixed.csv", rows, CONTACTS))).body
    (ours,) = lines_of(notice, "bigin-drop results")
    (plain,) = lines_of(notice, "aws s3 cp")
    folders = tmp_path / "ours", tmp_path / "plain"
    for folder in folders:
        folder.mkdir()

    done = (
        run(stack, ours, VERSION_1, cwd=folders[0]),
        run(stack, plain, program, cwd=folders[1]),
    )

    assert [each.returncode for each in done] == [Exit.FINDINGS, 0], done
    for folder in folders:
        failed = read_csv((folder / "it's mixed.failed.csv").read_bytes())
        assert [row["E-mail"] for row in failed] == ["no"]


@pytest.mark.parametrize(("program", "version"), list(programs()))
def test_the_plain_commands_of_all_alarms_run(
    stack: LocalStack, tmp_path: Path, program: str, version: str
) -> None:
    assert version_of(program).startswith(version)
    typed_by_a_person(stack, tmp_path)

    done = {
        command: run(stack, command, program, cwd=tmp_path)
        for command in commands_of_alarms(stack, "aws")
    }

    failed = {command: each.stderr for command, each in done.items() if each.returncode}
    (redrive,) = [command for command in failed if command.startswith(REDRIVE)]
    # Neither the local AWS knows it nor Debian 12's version, which is older than it.
    assert re.search(r"\(InvalidAction\)|Invalid choice", failed.pop(redrive))
    assert failed == {}
    assert len(done) > 10


def test_our_commands_of_all_alarms_run(stack: LocalStack, desk: Desk, tmp_path: Path) -> None:
    typed_by_a_person(stack, tmp_path)
    record = desk.closed(desk.drop("people.csv", desk.contacts(), CONTACTS))

    done = {
        command: run(stack, typable(command, record), VERSION_1, cwd=tmp_path)
        for command in commands_of_alarms(stack, "bigin-drop")
    }

    assert {shlex.split(command)[1] for command in done} == {
        *("credits", "decide", "doctor", "drop", "logs", "rotate", "show", "status"),
    }
    refused = {
        command: each.stderr
        for command, each in done.items()
        if each.returncode not in (Exit.GOOD, Exit.FINDINGS, Exit.ON_HOLD)
    }
    (rotated,) = [command for command in refused if " rotate " in command]  # nobody types a code
    assert "Client ID" in refused.pop(rotated)
    assert refused == {}


def typable(command: str, record: Import) -> str:
    return command.replace("IMPORT", record.import_id).replace("drop FILE", "drop people.csv")


def typed_by_a_person(stack: LocalStack, folder: Path) -> None:
    """Put there what the commands of alarms name in capitals, and the secret as it is."""
    for name in ("FILE", "people.csv"):
        (folder / name).write_text("E-mail,Surname\n")
    secret = stack.client("secretsmanager").get_secret_value(SecretId="zoho")["SecretString"]
    (folder / "zoho.json").write_text(secret)


def commands_of_alarms(stack: LocalStack, program: str) -> list[str]:
    """Return what the texts of the deployed alarms quote of *program*."""
    alarms = stack.client("cloudwatch").describe_alarms(MaxRecords=100)["MetricAlarms"]
    ours = [each for each in alarms if each["AlarmName"].startswith(f"{stack.name}-")]
    assert len(ours) == len(resources_of_type("AWS::CloudWatch::Alarm"))
    quoted = {
        command
        for alarm in ours
        for command in re.findall(rf'"({program} [^"]+ --region [^"]+)"', alarm["AlarmDescription"])
    }
    return sorted(quoted)


def run(
    stack: LocalStack, command: str, program: str, *, typed: str = "", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run *command* in a shell whose `aws` is *program*, and whose region is another one."""
    tools = stack.folder / "aws-cli" / version_of(program)
    tools.mkdir(parents=True, exist_ok=True)
    # Debian 12's version does not read AWS_ENDPOINT_URL.
    write_script(tools / "aws", f'exec "{program}" --endpoint-url "{stack.emulator.endpoint}" "$@"')
    write_script(tools / "bigin-drop", f'exec "{sys.executable}" -m bigin_import "$@"')
    env = environment(**stack.emulator.environment()) | {"AWS_DEFAULT_REGION": "us-west-1"}
    env |= {"PATH": f"{tools}:{env['PATH']}", "PYTHONPATH": str(ROOT / "layers" / "common")}
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env=env,
        cwd=cwd,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def write_script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
