#!/usr/bin/env bash
# MiniStack 1.5.33 answers a ranged GET of a version with the whole version.
#
# S3 takes the header Range and the parameter versionId together, and so does whoever reads a large
# object piece by piece and wants all pieces of one version. MiniStack heeds the range only where no
# version is named: with one it answers 200 and everything, and pieces that are put together are the
# object several times over. A client notices by the missing Content-Range alone.
set -euo pipefail
. "$(dirname "$0")/with_ministack.sh" ministack==1.5.33 boto3==1.43.106
python - <<'PYTHON'
import boto3

s3 = boto3.client("s3")
s3.create_bucket(Bucket="drops")
s3.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
version = s3.put_object(Bucket="drops", Key="a.csv", Body=b"0123456789")["VersionId"]

SEEN = {"newest": (206, b"234"), "by version": (200, b"0123456789")}
found = {}
for name, of in {"newest": {}, "by version": {"VersionId": version}}.items():
    answer = s3.get_object(Bucket="drops", Key="a.csv", Range="bytes=2-4", **of)
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    found[name] = (status, answer["Body"].read())
    print(f"{name:12}{status} {found[name][1]!r}")
assert found == SEEN, found
PYTHON
