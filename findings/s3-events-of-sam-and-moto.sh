#!/usr/bin/env bash
# The S3 events that SAM CLI 1.170.0 and moto 5.2.5 make spell a key otherwise than S3 does.
#
# S3 writes a space as + and leaves slashes alone: `in/Q1+list.csv`, as its documentation of event
# notifications says. `sam local generate-event s3 put` writes %20, so that a function which decodes
# with `unquote` passes with it and looks for `Q1+list.csv` in production. moto writes slashes as
# %2F, so that a filter on the folder of the key as it came never matches; and its events of a bucket
# with versioning have neither `versionId` nor `sequencer`. Only `unquote_plus`, before anything
# looks at the key, is right for all three.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" aws-sam-cli==1.170.0 'moto[s3,sqs]==5.2.5'
export SAM_CLI_TELEMETRY=0
environment/bin/sam local generate-event s3 put --bucket drops --key 'in/Q1 list.csv' > sam.json 2> /dev/null
python - <<'PYTHON'
import json
import os
from urllib.parse import unquote, unquote_plus

import boto3
from moto import mock_aws

os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
KEY, DOCUMENTED = "in/Q1 list.csv", "in/Q1+list.csv"


def event_of_moto() -> dict:
    s3 = boto3.client("s3", region_name="us-east-1")
    sqs = boto3.client("sqs", region_name="us-east-1")
    queue = sqs.create_queue(QueueName="drops")["QueueUrl"]
    names = {"QueueUrl": queue, "AttributeNames": ["QueueArn"]}
    arn = sqs.get_queue_attributes(**names)["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket="drops")
    s3.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket="drops",
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    assert "VersionId" in s3.put_object(Bucket="drops", Key=KEY, Body=b"Email\n")
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    bodies = [json.loads(message["Body"]) for message in messages]
    (event,) = [body for body in bodies if "Records" in body]
    return event["Records"][0]["s3"]["object"]


with open("sam.json") as file:
    sam = json.load(file)["Records"][0]["s3"]["object"]
with mock_aws():
    moto = event_of_moto()
for maker, key in (("S3", DOCUMENTED), ("SAM CLI", sam["key"]), ("moto", moto["key"])):
    print(f"{maker:8} {key:20} unquote: {unquote(key)}")
    assert unquote_plus(key) == KEY
print("moto's object has:", ", ".join(sorted(moto)))
assert sam["key"] == "in/Q1%20list.csv", sam["key"]
assert moto["key"] == "in%2FQ1+list.csv", moto["key"]
assert not {"versionId", "sequencer"} & moto.keys(), moto
PYTHON
