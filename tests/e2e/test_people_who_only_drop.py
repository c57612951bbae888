"""People with the policy of the page on operating drop files and read results, and no more."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bigin_import.domain.states import ImportState
from tests.e2e.desk import CONTACTS, Desk
from tests.local_stack import LocalStack
from tests.local_stack.workspace import ROOT

OPERATING = Path(ROOT / "layers/common/bigin_import/operating/README.md")


@pytest.fixture
def clerk(stack: LocalStack) -> Callable[[str], Any]:
    """Return clients of a user who has that policy and no other."""
    section = OPERATING.read_text("utf-8").partition("## People who only drop files")[2]
    (policy,) = re.findall(r"```json\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    iam = stack.client("iam")
    iam.create_user(UserName="clerk")
    iam.put_user_policy(
        UserName="clerk",
        PolicyName="drop",
        PolicyDocument=policy.replace("BUCKET", stack.bucket),
    )
    key = iam.create_access_key(UserName="clerk")["AccessKey"]
    session = boto3.session.Session(
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        region_name="eu-central-1",
    )

    def client(service: str) -> Any:  # noqa: ANN401
        return session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=stack.emulator.endpoint,
            verify=stack.authority,
        )

    return client


def refused(call: Callable[..., object], **arguments: object) -> str:
    """Return AWS's code for a call that it refuses."""
    with pytest.raises(ClientError) as found:
        call(**arguments)
    return str(found.value.response["Error"]["Code"])


def test_they_drop_and_read_results_and_reach_nothing_else(
    desk: Desk, stack: LocalStack, clerk: Callable[[str], Any]
) -> None:
    s3 = clerk("s3")
    theirs = replace(desk, s3=s3)
    record = desk.closed(theirs.drop("people.csv", desk.contacts(), CONTACTS))

    report = theirs.result(record, "report.html")
    found = s3.list_objects_v2(Bucket=stack.bucket, Prefix=record.results)

    assert record.state is ImportState.COMPLETED
    assert report.startswith(b"<!doctype html>")
    assert found["KeyCount"] > 1
    bucket = {"Bucket": stack.bucket}
    parts = stack.client("s3").list_objects_v2(**bucket, Prefix=f"parts/{record.import_id}/")
    part = parts["Contents"][0]["Key"]
    assert {
        refused(s3.get_object, **bucket, Key=record.source.key),
        refused(s3.get_object, **bucket, Key=part),
        refused(s3.list_objects_v2, **bucket, Prefix="parts/"),
        refused(s3.put_object, **bucket, Key=f"{record.results}report.html", Body=b""),
        refused(s3.delete_object, **bucket, Key=record.source.key),
        refused(clerk("dynamodb").scan, TableName=stack.table),
        refused(clerk("lambda").invoke, FunctionName=stack.outputs["ImportFunction"]),
    } <= {"AccessDenied", "AccessDeniedException"}
