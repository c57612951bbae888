"""`bigin-drop uninstall`: the stack goes; bucket, table and Zoho secret only where that is said."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState, OpenKind
from bigin_import.operating.remove import uninstall
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from tests.template_reading import table_definition

BUCKET, TABLE, SECRET = "drops", "ledger", "zoho"
OPEN = Import(
    import_id="a" * 26,
    source=ObjectVersion(BUCKET, "incoming/people.csv", "v1"),
    state=ImportState.SENT,
    received_at=1_000,
    open=OpenKind.WORK,
    due_at=2_000,
)


class CloudFormation:
    """
    What CloudFormation does, as far as it deletes; outputs are gone with the stack.

    Attributes:
        deleted: Names of the stacks.
    """

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def delete_stack(self, *, StackName: str) -> None:  # noqa: N803 - as boto3 has it
        self.deleted.append(StackName)

    def get_waiter(self, _name: str) -> SimpleNamespace:
        return SimpleNamespace(wait=lambda **_: None)


class DeployedStack(Stack):
    """A stack with a bucket, a protected table and a secret."""

    cloudformation: CloudFormation

    @property
    def outputs(self) -> dict[str, str]:
        assert not self.cloudformation.deleted, "the outputs went with the stack"
        return {"BucketName": BUCKET, "TableName": TABLE}

    def client(self, service: str) -> Any:  # noqa: ANN401
        return self.cloudformation if service == "cloudformation" else super().client(service)

    def is_there(self) -> dict[str, bool]:
        tables = self.client("dynamodb").list_tables()["TableNames"]
        buckets = self.client("s3").list_buckets()["Buckets"]
        secret = self.client("secretsmanager").describe_secret(SecretId=SECRET)
        return {
            "bucket": BUCKET in {each["Name"] for each in buckets},
            "table": TABLE in tables,
            "secret": "DeletedDate" not in secret,
        }

    def is_protected(self) -> bool:
        table = self.client("dynamodb").describe_table(TableName=TABLE)["Table"]
        return bool(table["DeletionProtectionEnabled"])


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[DeployedStack]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        session = boto3.session.Session(region_name="us-east-1")
        dynamodb, s3 = session.client("dynamodb"), session.client("s3")
        dynamodb.create_table(TableName=TABLE, DeletionProtectionEnabled=True, **table_definition())
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for _ in range(2):
            s3.put_object(Bucket=BUCKET, Key="incoming/people.csv", Body=b"-")
        session.client("secretsmanager").create_secret(Name=SECRET, SecretString="{}")
        deployed = DeployedStack("bigin-drop", session)
        bigin = SimpleNamespace(zoho_secret_arn=SECRET)
        vars(deployed).update(
            cloudformation=CloudFormation(), settings=SimpleNamespace(bigin=bigin)
        )
        yield deployed


def remove(
    stack: DeployedStack, *, confirmed: str = "bigin-drop", everything: bool = False
) -> dict[str, Any]:
    out = io.StringIO()
    terminal = Terminal(out, out, None, as_json=True, yes=True)
    ended = uninstall(
        stack, terminal, confirmed=confirmed, with_data=everything, with_secret=everything
    )
    assert ended is Exit.GOOD
    facts: dict[str, Any] = json.loads(out.getvalue())
    return facts


def test_the_stack_goes_and_what_it_does_not_own_stays_protected(stack: DeployedStack) -> None:
    facts = remove(stack)

    assert stack.cloudformation.deleted == ["bigin-drop"]
    assert facts["kept"] == {"bucket": BUCKET, "table": TABLE, "secret": SECRET}
    assert stack.is_there() == {"bucket": True, "table": True, "secret": True}
    assert stack.is_protected()


def test_all_goes_with_it_where_that_is_said(stack: DeployedStack) -> None:
    facts = remove(stack, everything=True)

    assert facts["kept"] == {}
    assert stack.is_there() == {"bucket": False, "table": False, "secret": False}


@pytest.mark.parametrize("confirmed", ["", "another"])
def test_yes_is_not_enough(stack: DeployedStack, confirmed: str) -> None:
    with pytest.raises(CommandRefusedError, match="--confirm bigin-drop"):
        remove(stack, confirmed=confirmed, everything=True)

    assert stack.cloudformation.deleted == []
    assert stack.is_protected()


def test_open_work_keeps_all_of_it(stack: DeployedStack) -> None:
    DynamoLedger(stack.client("dynamodb"), TABLE, check=lambda _old, _new: None).save(OPEN)

    with pytest.raises(CommandRefusedError, match="imports are open"):
        remove(stack)

    assert stack.cloudformation.deleted == []
