"""The commands that a notice prints run as they are printed, under both versions of the AWS CLI."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache

import pytest

from bigin_import.domain.states import ImportState, PartState
from tests.e2e.desk import CONTACTS, Desk
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.test_chaos import let_the_effect_be_decided
from tests.local_stack import LocalStack
from tests.local_stack.processes import environment
from tests.local_stack.workspace import LOCAL

# Version 1 as PyPI has it; version 2 as Debian has it, where that is installed.
VERSION_1 = str(LOCAL / "awscli" / "bin" / "aws")
VERSION_2 = "/usr/bin/aws"


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


@pytest.mark.parametrize(("program", "version"), list(programs()))
def test_a_decision_is_carried_out_by_the_command_of_its_notice(
    desk: Desk, bigin: SeenBigin, stack: LocalStack, program: str, version: str
) -> None:
    assert version_of(program).startswith(version)
    bigin.break_once("create_timeout_before_effect")
    source = desk.drop("people.csv", desk.contacts(), CONTACTS)
    desk.part_reached(source, PartState.UNKNOWN)
    desk.reached(source, lambda seen: seen.lease_until == 0, what="has given its lease back")
    let_the_effect_be_decided(desk, source)
    stack.invoke_tick()
    held = desk.reached(source, lambda seen: seen.reminded_at is not None, what="is held")
    notice = desk.notice(held).body
    (command,) = re.findall(r"^\s*(echo .*\"create\".*aws lambda invoke.*)$", notice, re.MULTILINE)

    done = run(stack, command, program)

    assert done.returncode == 0, done.stderr
    assert desk.closed(source).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)


def run(stack: LocalStack, command: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run *command* in a shell whose `aws` is *program*, and whose region is another one."""
    tools = stack.folder / "aws-cli" / version_of(program)
    tools.mkdir(parents=True, exist_ok=True)
    # Debian 12's version does not read AWS_ENDPOINT_URL.
    command_line = f'exec "{program}" --endpoint-url "{stack.emulator.endpoint}" "$@"'
    (tools / "aws").write_text(f"#!/bin/sh\n{command_line}\n")
    (tools / "aws").chmod(0o755)
    env = environment(**stack.emulator.environment()) | {"AWS_DEFAULT_REGION": "us-west-1"}
    env["PATH"] = f"{tools}:{env['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", command], env=env, capture_output=True, text=True, check=False
    )
