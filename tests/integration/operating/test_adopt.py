"""`bigin-drop adopt`: only what takes bucket and table up again is carried out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from bigin_import.operating.adopt import Adoption, adopt
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal

TEMPLATE = """Resources:
  DropBucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName:
        Fn::If:
        - HasBucketName
        - Ref: BucketName
        - Fn::Sub: ${AWS::StackName}-x
      VersioningConfiguration: {Status: Enabled}
  LedgerTable:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName:
        Fn::If:
        - HasTableName
        - Ref: TableName
        - Ref: AWS::NoValue
      BillingMode: PAY_PER_REQUEST
"""
BOTH = (("Import", "DropBucket"), ("Import", "LedgerTable"), ("Add", "TickRole"))


@dataclass
class CloudFormation:
    """What CloudFormation does, as far as a change set of type CREATE goes."""

    s3: Any
    actions: tuple[tuple[str, str], ...] = BOTH
    made: dict[str, Any] = field(default_factory=dict)
    template: str = ""
    is_carried_out: bool = False
    is_deleted: bool = False

    def describe_stacks(self, **_: object) -> dict[str, Any]:
        raise ClientError({"Error": {"Code": "ValidationError"}}, "DescribeStacks")

    def create_change_set(self, **asked: Any) -> None:  # noqa: ANN401
        self.made = asked
        bucket, key = asked["TemplateURL"].split("/", 3)[2].split(".")[0], "packaged.yaml"
        found = self.s3.list_objects_v2(Bucket=bucket)["Contents"][0]["Key"]
        assert found.endswith(key)
        self.template = self.s3.get_object(Bucket=bucket, Key=found)["Body"].read().decode()

    def execute_change_set(self, **_: object) -> None:
        self.is_carried_out = True

    def delete_change_set(self, **_: object) -> None:
        self.is_deleted = True

    def get_waiter(self, _name: str) -> CloudFormation:
        return self

    def wait(self, **_: object) -> None: ...

    def get_paginator(self, _name: str) -> CloudFormation:
        return self

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        changes = [{"Action": a, "LogicalResourceId": each} for a, each in self.actions]
        return [{"Changes": [{"ResourceChange": change} for change in changes]}]


class KeptStack(Stack):
    """A stack that is gone; its bucket and table are there."""

    cloudformation: CloudFormation

    def client(self, service: str) -> Any:  # noqa: ANN401
        return self.cloudformation if service == "cloudformation" else super().client(service)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptStack]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        session = boto3.session.Session(region_name="us-east-1")
        s3, dynamodb = session.client("s3"), session.client("dynamodb")
        s3.create_bucket(Bucket="kept-bucket")
        dynamodb.create_table(
            TableName="kept-table",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        stack = KeptStack("bigin-drop", session)
        object.__setattr__(stack, "cloudformation", CloudFormation(s3))
        yield stack


def come_back(stack: KeptStack, folder: Path, **others: str) -> tuple[Exit, str]:
    (folder / "packaged.yaml").write_text(TEMPLATE)
    out = io.StringIO()
    names = {"bucket": "kept-bucket", "table": "kept-table", **others}
    wanted = Adoption(
        names["bucket"], names["table"], folder / "packaged.yaml", {"ZohoSecretArn": "arn:x"}
    )
    return adopt(stack, Terminal(out, out, None, yes=True), wanted), out.getvalue()


def test_bucket_and_table_are_named_in_the_template_and_taken_up(
    kept: KeptStack, tmp_path: Path
) -> None:
    ended, said = come_back(kept, tmp_path)

    made = kept.cloudformation
    assert ended is Exit.GOOD
    assert made.is_carried_out
    assert "      BucketName: kept-bucket\n      VersioningConfiguration" in made.template
    assert "      TableName: kept-table\n      BillingMode" in made.template
    assert made.made["ImportExistingResources"] is True
    assert made.made["ChangeSetType"] == "CREATE"
    given = {each["ParameterKey"]: each["ParameterValue"] for each in made.made["Parameters"]}
    assert given == {
        "ZohoSecretArn": "arn:x",
        "BucketName": "kept-bucket",
        "TableName": "kept-table",
    }
    assert "Import DropBucket" in said
    assert "Contents" not in kept.client("s3").list_objects_v2(Bucket="kept-bucket")


def test_a_change_set_that_would_make_the_table_anew_is_not_carried_out(
    kept: KeptStack, tmp_path: Path
) -> None:
    kept.cloudformation.actions = (("Import", "DropBucket"), ("Add", "LedgerTable"))

    with pytest.raises(CommandRefusedError, match="would make LedgerTable anew"):
        come_back(kept, tmp_path)

    assert not kept.cloudformation.is_carried_out
    assert kept.cloudformation.is_deleted


def test_what_is_not_there_is_not_taken_up(kept: KeptStack, tmp_path: Path) -> None:
    with pytest.raises(CommandRefusedError, match="table gone is not there"):
        come_back(kept, tmp_path, table="gone")
