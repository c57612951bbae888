#!/usr/bin/env bash
# botocore 1.44.8 asks every handler of `before-send`, also when the first has answered already.
#
# A handler that returns a response answers a request without sending it, which is handy to let a
# service fail in a test. Under moto 5.2.5, which is such a handler itself, the caller sees the
# refusal, and the write takes place all the same: the test seems to try a request that was lost, and
# tries one whose answer was lost, which is another thing to survive. In which order they are
# registered changes nothing.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" 'moto[s3]==5.2.5' boto3==1.44.8 botocore==1.44.8
export AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none AWS_DEFAULT_REGION=us-east-1
python - <<'PYTHON'
import io

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

BUCKET = "findings-refused"


class Raw(io.BytesIO):
    def stream(self, *_args, **_kwargs):
        yield self.read()


def refuse(request, **_):
    return AWSResponse(request.url, 503, {}, Raw(b""))


def put_and_look(register):
    with mock_aws():
        s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
        s3.create_bucket(Bucket=BUCKET)
        getattr(s3.meta.events, register)("before-send.s3.PutObject", refuse)
        try:
            s3.put_object(Bucket=BUCKET, Key="a", Body=b"")
        except ClientError as exc:
            answer = exc.response["ResponseMetadata"]["HTTPStatusCode"]
        else:
            answer = 200
        return answer, s3.list_objects_v2(Bucket=BUCKET)["KeyCount"]


found = {how: put_and_look(how) for how in ("register_first", "register_last")}
for how, (answer, objects) in found.items():
    print(f"{how:14} the caller is told {answer}, objects afterwards: {objects}")
assert set(found.values()) == {(503, 1)}, found
PYTHON
