"""The Resumer port: an asynchronous invocation of import_csv."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


class LambdaResumer:
    """Invokes *function* (a name or an ARN) with {"resume": import_id}."""

    def __init__(self, client: LambdaClient, function: str) -> None:
        self._client = client
        self._function = function

    def resume(self, import_id: str) -> None:
        self._client.invoke(
            FunctionName=self._function,
            InvocationType="Event",
            Payload=json.dumps({"resume": import_id}),
        )
