"""A stack as the operators' command sees it, whose functions and ledger are the harness's."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import boto3

from bigin_import.functions.import_csv import Resume, decide
from bigin_import.operating.stack import Stack
from tests.fakes.harness import Harness


@dataclass
class HarnessLambda:
    """
    Lambda, as far as import_csv is invoked.

    Attributes:
        asked: The payloads.
    """

    harness: Harness
    asked: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, *, Payload: bytes, **_: object) -> None:  # noqa: N803 - as boto3 has it
        self.asked.append(json.loads(Payload))
        wanted = Resume.model_validate_json(Payload)
        self.harness.clock.begin()
        if wanted.decision is not None:
            decide(wanted, self.harness.application)
        self.harness.importer.resume(wanted.resume)
        self.harness.settle()


class HarnessStack(Stack):
    """The stack *harness*; nothing of AWS is there but `functions`."""

    functions: HarnessLambda

    def client(self, service: str) -> Any:  # noqa: ANN401
        assert service == "lambda"
        return self.functions


def stack_of(harness: Harness) -> HarnessStack:
    stack = HarnessStack("bigin-drop", boto3.session.Session(region_name="eu-central-1"))
    known: dict[str, object] = {
        "ledger": harness.ledger,
        "files": harness.files,
        "functions": HarnessLambda(harness),
        "outputs": {"ImportFunction": "import-csv", "SettleFunction": "settle-jobs"},
    }
    vars(stack).update(known)
    return stack
