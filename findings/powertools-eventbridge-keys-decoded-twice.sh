#!/usr/bin/env bash
# Powertools for AWS Lambda (aws-lambda-powertools 3.37.0) decodes object keys that were never encoded.
#
# S3 writes keys form-encoded into the notifications it sends to Lambda, SQS and SNS, but as they
# are into the events it sends to EventBridge (moto 5.2.5 does both the same way). The data class
# of EventBridge events decodes all the same: `a+b.csv` becomes `a b.csv`, and `100%25.csv` another
# object's key, `100%.csv`; a handler then reads a wrong object or none. The model of the same
# event in the same package's parser leaves the key alone.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" 'aws-lambda-powertools[parser]==3.37.0' 'moto[s3,events,sqs]==5.2.5' boto3==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
python - <<'PYTHON'
import json

import boto3
from aws_lambda_powertools.utilities.data_classes import S3EventBridgeNotificationEvent
from aws_lambda_powertools.utilities.parser.models import S3EventNotificationEventBridgeModel
from moto import mock_aws

BUCKET = "findings-keys"
SEEN = {
    "plain.csv": ("plain.csv", "plain.csv"),
    "a+b.csv": ("a b.csv", "a+b.csv"),
    "100%25.csv": ("100%.csv", "100%25.csv"),
}


def events(keys):
    """What EventBridge hands on when objects with these keys are put."""
    s3, sqs, rules = (boto3.client(name) for name in ("s3", "sqs", "events"))
    url = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules.put_rule(Name="seen", EventPattern=json.dumps({"source": ["aws.s3"]}))
    rules.put_targets(Rule="seen", Targets=[{"Id": "seen", "Arn": arn}])
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            yield json.loads(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


with mock_aws():
    found = {}
    for event in events(SEEN):
        key = event["detail"]["object"]["key"]
        data_class = S3EventBridgeNotificationEvent(event).detail.object.key
        model = S3EventNotificationEventBridgeModel.model_validate(event).detail.object.key
        found[key] = (data_class, model)
for key, (data_class, model) in found.items():
    print(f"put and sent as {key!r:14} data class {data_class!r:14} model {model!r}")
assert found == SEEN, found
PYTHON
