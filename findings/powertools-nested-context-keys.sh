#!/usr/bin/env bash
# The logger of Powertools for AWS Lambda (aws-lambda-powertools 3.37.0) forgets an outer key at the end of an inner block.
#
# `append_context_keys` adds keys for a block. Where blocks nest and use the same key, as work on one
# item may begin work on another, the end of the inner one removes the key instead of giving back
# the outer one's value: the lines after it say nothing of what they are about, or, with a default
# of an alarm's filter, are counted nowhere.
set -euo pipefail
. "$(dirname "$0")/in_venv.sh" aws-lambda-powertools==3.37.0
python - <<'PYTHON'
import io
import json

from aws_lambda_powertools import Logger

out = io.StringIO()
logger = Logger(service="findings", stream=out)
with logger.append_context_keys(item="outer"):
    logger.info("before")
    with logger.append_context_keys(item="inner"):
        logger.info("within")
    logger.info("after")
found = [(line["message"], line.get("item")) for line in map(json.loads, out.getvalue().splitlines())]
for message, item in found:
    print(f"{message:7} item={item}")
assert found == [("before", "outer"), ("within", "inner"), ("after", None)], found
PYTHON
