#!/usr/bin/env bash
# MiniStack 1.5.33 lets a new stack take over a table that exists, and empties it.
#
# CloudFormation refuses to create what has a given name already: the stack rolls back and the table
# stays as it was. MiniStack answers CREATE_COMPLETE and puts an empty table in its place, so a test
# of "deploy beside what is there" passes where AWS fails, and one of "delete the stack, keep the
# table, come back" loses the items that it looks for.
set -euo pipefail
. "$(dirname "$0")/with_ministack.sh" ministack==1.5.33 boto3==1.43.106
python - <<'PYTHON'
import json

import boto3

TABLE = {
    "TableName": "ledger",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
dynamodb, stacks = boto3.client("dynamodb"), boto3.client("cloudformation")
dynamodb.create_table(**TABLE)
dynamodb.put_item(TableName="ledger", Item={"pk": {"S": "import-1"}})

template = {"Resources": {"Ledger": {"Type": "AWS::DynamoDB::Table", "Properties": TABLE}}}
stacks.create_stack(StackName="second", TemplateBody=json.dumps(template))
stacks.get_waiter("stack_create_complete").wait(StackName="second", WaiterConfig={"Delay": 1})

status = stacks.describe_stacks(StackName="second")["Stacks"][0]["StackStatus"]
items = dynamodb.scan(TableName="ledger")["Items"]
print(f"the second stack: {status}, items in the table: {items}")
assert (status, items) == ("CREATE_COMPLETE", []), (status, items)
PYTHON
