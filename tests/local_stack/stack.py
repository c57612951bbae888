"""A running local stack, as the demo and the end-to-end tests see it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from tests.local_stack import certificates, deployment, emulator, twin, workspace
from tests.local_stack.emulator import Emulator
from tests.local_stack.inbox import Inbox

logger = logging.getLogger(__name__)

type FunctionName = Literal["import-csv", "job-callback", "settle-jobs"]


class FunctionFailedError(Exception):
    """A function ended with an error; the message is what Lambda says of it."""


@dataclass(frozen=True, slots=True)
class LocalStack:
    """
    The deployed application.

    Attributes:
        folder: Logs, certificates and scratch files of this run.
        emulator: MiniStack; its `process.pid` leads the group of the Lambda workers.
        outputs: Outputs of template.yaml.
        twin_url: Where Bigin is; `<twin_url>/_twin/...` shows its inside.
        inbox: Every notice that was published.
        parameters: What it was deployed with; Architecture goes without saying.
        name: As CloudFormation has it.
    """

    folder: Path
    emulator: Emulator
    outputs: Mapping[str, str]
    twin_url: str
    inbox: Inbox
    parameters: Mapping[str, str]
    name: str = deployment.STACK_NAME

    @classmethod
    @contextmanager
    def running(
        cls,
        name: str,
        *,
        parameters: Mapping[str, str] | None = None,
        source: Path = workspace.ROOT,
    ) -> Iterator[LocalStack]:
        """
        Start everything under *name*, deploy *source*/template.yaml, yield it, stop everything.

        Args:
            parameters: More parameters of the template, such as {"MappingWaitMinutes": "1"}.

        Raises:
            StackInUseError: A stack of this name is running.
            CommandFailedError: `sam build` or `sam deploy` failed.
        """
        with workspace.claimed(name) as folder:
            logger.info("starting AWS (MiniStack) and Bigin (twin)")
            issued = certificates.issue(folder)
            with (
                emulator.running(folder, issued) as aws,
                twin.running(folder, aws) as bigin,
            ):
                logger.info("building and deploying template.yaml")
                secret = deployment.create_zoho_secret(aws, bigin.zoho_client())
                given = {
                    "ZohoSecretArn": secret,
                    "AccountsUrl": bigin.url,
                    "ApiUrl": bigin.url,
                    "UploadUrl": bigin.url,
                    **(parameters or {}),
                }
                outputs = deployment.deploy(aws, source=source, folder=folder, parameters=given)
                logger.info("ready")
                inbox = Inbox.subscribed(aws, topic_arn=outputs["TopicArn"])
                yield cls(folder, aws, outputs, bigin.url, inbox, given)

    def deploy(
        self,
        *,
        name: str | None = None,
        source: Path = workspace.ROOT,
        parameters: Mapping[str, str] | None = None,
    ) -> LocalStack:
        """
        Deploy another release or other parameters; by another *name*, a stack beside this one.

        Args:
            parameters: Those that change.
        """
        name = name or self.name
        given = {**self.parameters, **(parameters or {})}
        outputs = deployment.deploy(
            self.emulator, source=source, folder=self.folder, parameters=given, name=name
        )
        return self._as_deployed(name, outputs, given)

    def build(self, *, source: Path) -> None:
        """Build a release, so that to `deploy` it takes less."""
        deployment.build(source, folder=self.folder)

    def found_again(self) -> LocalStack:
        """Return the stack as it is after it was deleted and made again."""
        outputs = deployment.outputs_of(self.emulator, self.name)
        return self._as_deployed(self.name, outputs, self.parameters)

    def _as_deployed(
        self, name: str, outputs: Mapping[str, str], parameters: Mapping[str, str]
    ) -> LocalStack:
        topic = outputs["TopicArn"]
        is_same = topic == self.outputs["TopicArn"]
        inbox = self.inbox if is_same else Inbox.subscribed(self.emulator, topic_arn=topic)
        return replace(self, outputs=outputs, inbox=inbox, parameters=parameters, name=name)

    def delete(self) -> None:
        deployment.delete(self.emulator, self.name)

    @property
    def bucket(self) -> str:
        return self.outputs["BucketName"]

    @property
    def table(self) -> str:
        return self.outputs["TableName"]

    @property
    def authority(self) -> str:
        """File with the authority to trust, for `requests`' *verify*."""
        return str(self.emulator.certificates.authority)

    @property
    def callback_url(self) -> str:
        """Where callbacks arrive on this machine: everything before /{import_id}."""
        api = self.outputs["CallbackApiId"]
        return f"{self.emulator.endpoint}/_aws/execute-api/{api}/live/v1/callback"

    def client(self, service: str) -> Any:  # noqa: ANN401 - its type hangs on *service*
        """Return a boto3 client with root's credentials."""
        return self.emulator.client(service)

    def resource(self, name: str) -> str:
        """Return the physical id of a resource of template.yaml: of a queue its URL."""
        answer = self.client("cloudformation").describe_stack_resource(
            StackName=self.name, LogicalResourceId=name
        )
        physical_id: str = answer["StackResourceDetail"]["PhysicalResourceId"]
        return physical_id

    def invoke(self, function: FunctionName, event: Mapping[str, Any]) -> object:
        """
        Invoke a function and return what it answers.

        Raises:
            FunctionFailedError: It ended with an error.
        """
        answer = self.client("lambda").invoke(
            FunctionName=f"{self.name}-{function}", Payload=json.dumps(event)
        )
        payload = answer["Payload"].read().decode()
        if "FunctionError" in answer:
            raise FunctionFailedError(f"{function}: {payload}")
        result: object = json.loads(payload)
        return result

    def invoke_tick(self) -> object:
        """Run the minute tick now, and return when it has ended."""
        return self.invoke("settle-jobs", {"tick": True})

    def logs(self, function: FunctionName) -> list[str]:
        """Return all lines that a function logged, the oldest first."""
        group = f"/aws/lambda/{self.name}-{function}"
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        return [event["message"] for event in sorted(events, key=lambda each: each["timestamp"])]
