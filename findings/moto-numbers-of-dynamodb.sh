#!/usr/bin/env bash
# moto 5.2.5 keeps DynamoDB's numbers as texts: more digits than DynamoDB takes, and zeros it drops.
#
# DynamoDB refuses a number of more than 38 digits, and gives `1.500` back as `1.5`, in one form
# only, also in a set, where 1 and 1.0 are then twice the same member, which it refuses. moto stores
# 39 digits, gives back `1.500`, and keeps both members. Code that writes numbers with the client
# (boto3's resource checks the digits itself) passes its tests and fails, or compares unequal, on AWS.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" 'moto[dynamodb]==5.2.5' boto3==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
python - <<'PYTHON'
import boto3
from moto import mock_aws

with mock_aws():
    table = boto3.client("dynamodb")
    table.create_table(
        TableName="numbers",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    item = {
        "id": {"S": "one"},
        "long": {"N": "1" * 39},
        "zeros": {"N": "1.500"},
        "set": {"NS": ["1", "1.0"]},
    }
    table.put_item(TableName="numbers", Item=item)
    stored = table.get_item(TableName="numbers", Key={"id": {"S": "one"}})["Item"]
for name in ("long", "zeros", "set"):
    print(f"{name:6} put {item[name]}, got {stored[name]}")
assert stored == item, stored
PYTHON
