"""
Coming back: a stack that was deleted takes its bucket and its table up again.

`sam deploy` cannot import resources that exist. So the packaged template becomes a change set
with `--import-existing-resources`, as `aws cloudformation create-change-set` has it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal

# A template of more than 51,200 bytes is read from S3 only.
_TEMPLATE_KEY = "bigin-drop-template/packaged.yaml"
# As `sam package` writes what template.yaml chooses with !If: all lines that stand deeper.
_CHOSEN_NAME = r"(?m)^( +){}:\n\1 +Fn::If:\n(?:\1 +.*\n)+"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]


@dataclass(frozen=True, slots=True)
class Adoption:
    """
    What is taken up again.

    Attributes:
        template: As `sam package` wrote it.
        parameters: Of the template, beside BucketName and TableName.
    """

    bucket: str
    table: str
    template: Path
    parameters: Mapping[str, str]


def adopt(stack: Stack, terminal: Terminal, wanted: Adoption) -> Exit:
    """
    Make the change set that takes bucket and table up again, and carry it out if a person says so.

    Raises:
        CommandRefusedError: The stack is there, or bucket, table or template are not.
    """
    _verify_absent(stack)
    _verify_kept(stack, wanted)
    client = stack.client("cloudformation")
    name = f"adopt-{int(time.time())}"
    terminal.say(f"Making the change set {name} of {stack.name}.")
    s3 = stack.client("s3")
    s3.put_object(Bucket=wanted.bucket, Key=_TEMPLATE_KEY, Body=_named(wanted).encode())
    try:
        _create_change_set(stack, client, name, wanted)
    finally:
        s3.delete_object(Bucket=wanted.bucket, Key=_TEMPLATE_KEY)
    changes = list(_read_changes(client, stack.name, name))
    terminal.say(*(f"  {action} {resource}" for action, resource in changes))
    _verify_imported(client, stack.name, name, changes)
    terminal.say(
        "To carry it out later: aws cloudformation execute-change-set "
        f"--stack-name {stack.name} --change-set-name {name}"
    )
    terminal.confirm("Carry it out now?")
    client.execute_change_set(StackName=stack.name, ChangeSetName=name)
    client.get_waiter("stack_create_complete").wait(StackName=stack.name)
    look = stack.command("doctor")
    terminal.say(f"The stack is back, with all that it knew. Look at it: {look}")
    terminal.report(
        {
            "stack": stack.name,
            "change_set": name,
            "changes": {each: action for action, each in changes},
        }
    )
    return Exit.GOOD


def _verify_absent(stack: Stack) -> None:
    try:
        found = stack.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"]
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ValidationError":
            raise
        return
    # A change set of type CREATE that was never carried out leaves such a stack.
    if any(each["StackStatus"] != "REVIEW_IN_PROGRESS" for each in found):
        raise CommandRefusedError(
            f"there is a stack {stack.name} already", "Upgrade it with sam deploy"
        )


def _verify_kept(stack: Stack, wanted: Adoption) -> None:
    if not wanted.template.is_file():
        raise CommandRefusedError(
            f"there is no file {wanted.template}",
            "Make it: sam build && sam package --resolve-s3 --output-template-file "
            f"{wanted.template}",
        )
    try:
        stack.client("s3").head_bucket(Bucket=wanted.bucket)
        stack.client("dynamodb").describe_table(TableName=wanted.table)
    except ClientError as exc:
        raise CommandRefusedError(
            f"bucket {wanted.bucket} or table {wanted.table} is not there "
            f"({exc.response['Error']['Code']})",
            "bigin-drop uninstall named both, and they are outputs of the stack",
        ) from exc


def _create_change_set(
    stack: Stack,
    client: Any,  # noqa: ANN401 - a client
    name: str,
    wanted: Adoption,
) -> None:
    given = {**wanted.parameters, "BucketName": wanted.bucket, "TableName": wanted.table}
    url = stack.client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": wanted.bucket, "Key": _TEMPLATE_KEY}
    )
    client.create_change_set(
        StackName=stack.name,
        ChangeSetName=name,
        ChangeSetType="CREATE",
        ImportExistingResources=True,
        TemplateURL=url.partition("?")[0],
        Capabilities=_CAPABILITIES,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
    )
    client.get_waiter("change_set_create_complete").wait(StackName=stack.name, ChangeSetName=name)


def _named(wanted: Adoption) -> str:
    """Return the template with both names in it: CloudFormation imports only what it names."""
    text = wanted.template.read_text("utf-8")
    for key, name in (("BucketName", wanted.bucket), ("TableName", wanted.table)):
        text = re.sub(_CHOSEN_NAME.format(key), rf"\g<1>{key}: {name}\n", text)
    return text


def _verify_imported(
    client: Any,  # noqa: ANN401 - a client
    stack: str,
    name: str,
    changes: list[tuple[str, str]],
) -> None:
    """
    Carry out nothing that would make bucket or table anew.

    Raises:
        CommandRefusedError: One of them would not be taken up; the change set is gone again.
    """
    missing = {"DropBucket", "LedgerTable"} - {each for act, each in changes if act == "Import"}
    if missing:
        client.delete_change_set(StackName=stack, ChangeSetName=name)
        raise CommandRefusedError(
            f"the change set would make {' and '.join(sorted(missing))} anew",
            "Package the template of this release, as the page on operating says, and try again",
        )


def _read_changes(client: Any, stack: str, name: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Yield what is done with each resource: "Import", "Add", ..."""
    pages = client.get_paginator("describe_change_set").paginate(
        StackName=stack, ChangeSetName=name
    )
    for page in pages:
        for change in page["Changes"]:
            one = change["ResourceChange"]
            yield one["Action"], one["LogicalResourceId"]
