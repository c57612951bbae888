"""`bigin-drop logs` without an import: what went wrong lately, whoever wrote it down."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from bigin_import.operating.look import show_logs
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import Exit, Terminal

TICK = {"level": "INFO", "message": "tick"}
REFUSED = {"level": "ERROR", "service": "settle_jobs", "message": "aws refused", "code": "Denied"}
# As Lambda writes it where LogFormat is JSON.
TIMED_OUT = {"type": "platform.report", "record": {"requestId": "1", "status": "timeout"}}
# An error that nobody caught, as AWS documents it for Python; its runtime writes "level" by now.
UNCAUGHT = {"log_level": "ERROR", "errorType": "KeyError", "requestId": "3"}
ENDED = {"type": "platform.report", "record": {"requestId": "2", "status": "success"}}


@dataclass(frozen=True)
class Logged:
    """CloudWatch Logs with some lines, which applies no filter pattern."""

    lines: tuple[Mapping[str, object], ...]

    def get_paginator(self, _name: str) -> Logged:
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        events = [{"timestamp": 1_790_000_000_000, "message": json.dumps(x)} for x in self.lines]
        return [{"events": events}]


class LoggedStack(Stack):
    """A stack with one log group."""

    logged: Logged

    def client(self, service: str) -> Any:  # noqa: ANN401
        assert service == "logs"
        return self.logged

    def list_resources(self, kind: str) -> tuple[str, ...]:
        assert kind == "AWS::Logs::LogGroup"
        return ("/aws/lambda/bigin-drop-settle-jobs",)


def shown(*lines: Mapping[str, object]) -> tuple[Exit, str]:
    stack = LoggedStack("bigin-drop", boto3.session.Session(region_name="eu-central-1"))
    object.__setattr__(stack, "logged", Logged(lines))
    out = io.StringIO()
    ended = show_logs(stack, Terminal(out, out, None), None, hours=24)
    return ended, out.getvalue()


def test_errors_and_invocations_that_ran_out_of_time_are_shown_and_nothing_else() -> None:
    ended, said = shown(TICK, REFUSED, TIMED_OUT, UNCAUGHT, ENDED)

    assert ended is Exit.FINDINGS
    assert [line for line in said.splitlines() if "settle_jobs aws refused code=Denied" in line]
    assert "'status': 'timeout'" in said
    assert "errorType=KeyError" in said
    assert len(said.splitlines()) == 3


def test_a_day_without_errors_is_good() -> None:
    ended, said = shown(TICK, ENDED)

    assert ended is Exit.GOOD
    assert said == "No warning and no error in the last 24 hours.\n"
