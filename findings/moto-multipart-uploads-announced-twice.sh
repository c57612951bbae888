#!/usr/bin/env bash
# moto 5.2.5 announces one multipart upload twice, and says neither which version nor in what order.
#
# S3 sends `ObjectCreated:CompleteMultipartUpload` alone, with the version's id where the bucket has
# versions, and a `sequencer`. moto sends an `ObjectCreated:Put` before it for the same object, and
# leaves out both fields also in a versioned bucket. A test of code that takes each version of a
# key once, in the order in which they were written, proves nothing with these events: it must
# make its own.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" 'moto[s3,sqs]==5.2.5' boto3==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
python - <<'PYTHON'
import json

import boto3
from moto import mock_aws

BUCKET = "findings-uploads"

with mock_aws():
    s3, sqs = boto3.client("s3"), boto3.client("sqs")
    url = sqs.create_queue(QueueName="seen")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]
        },
    )
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="one.csv")
    where = {"Bucket": BUCKET, "Key": "one.csv", "UploadId": upload["UploadId"]}
    part = s3.upload_part(**where, PartNumber=1, Body=b"id\n1\n")
    done = s3.complete_multipart_upload(
        **where, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    versions = s3.list_object_versions(Bucket=BUCKET)["Versions"]
    records = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            records += json.loads(message["Body"]).get("Records", [])  # the first is a s3:TestEvent
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

print(f"versions of the object: {len(versions)}, the version's id is known: {'VersionId' in done}")
for record in records:
    print(record["eventName"], sorted(record["s3"]["object"]))
assert len(versions) == 1 and "VersionId" in done
assert sorted(record["eventName"] for record in records) == [
    "ObjectCreated:CompleteMultipartUpload",
    "ObjectCreated:Put",
]
assert all(set(record["s3"]["object"]) == {"key", "size", "eTag"} for record in records)
PYTHON
