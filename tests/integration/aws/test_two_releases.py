"""While a deploy goes on two releases write side by side: none loses what only the other knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest

from bigin_import.aws.ledger import DynamoLedger, key_of, to_item
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from tests.integration.aws.ledger_bench import any_way
from tests.template_reading import table_definition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

TABLE = "two-releases"
RECORD = Import(
    import_id="i1",
    source=ObjectVersion("bucket", "incoming/a.csv", "v1"),
    state=ImportState.SENT,
    received_at=1,
    version=7,
)


@pytest.fixture
def client(aws: boto3.Session) -> Iterator[DynamoDBClient]:
    client = aws.client("dynamodb")
    client.create_table(TableName=TABLE, **table_definition())
    item = to_item(RECORD, write_id="w1") | {"of_the_next_release": {"S": "kept"}}
    client.put_item(TableName=TABLE, Item=item)
    yield client
    client.close()


@pytest.mark.parametrize("writes", [1, 2, 3])
def test_writes_that_follow_from_one_read_keep_what_the_next_release_wrote(
    client: DynamoDBClient, writes: int
) -> None:
    ledger = DynamoLedger(client, TABLE, check=any_way)
    record = ledger.load(RECORD.address)
    assert record is not None

    for number in range(writes):
        record = ledger.save(replace(record, parts_ended=number))

    stored = client.get_item(TableName=TABLE, Key=key_of(RECORD.address))["Item"]
    assert stored["of_the_next_release"] == {"S": "kept"}
    assert stored["parts_ended"] == {"N": str(writes - 1)}
