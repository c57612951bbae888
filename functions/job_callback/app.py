"""job_callback: Bigin says that a job has ended."""

from __future__ import annotations

import base64
import os
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent, event_source
from aws_lambda_powertools.utilities.typing import LambdaContext

from bigin_import.callback_url import read_job_id, verify
from bigin_import.container import Container
from bigin_import.settings import CallbackSettings

logger = Logger()


@cache
def container() -> Container:
    """Read the settings on first use, so that importing this module needs no environment."""
    return Container(CallbackSettings.from_env(os.environ))


@logger.inject_lambda_context(clear_state=True, log_event=False)
@event_source(data_class=APIGatewayProxyEvent)
def lambda_handler(event: APIGatewayProxyEvent, context: LambdaContext) -> dict[str, Any]:
    """
    Answer 403 without reading anything if the signature is wrong, else 200, whatever it said.

    The event is never logged, whatever POWERTOOLS_LOGGER_LOG_EVENT says: its path holds the
    signature.
    """
    segments = event.path_parameters
    target = verify(
        segments.get("import_id", ""),
        segments.get("part", ""),
        segments.get("attempt", ""),
        segments.get("signature", ""),
        container().read_signing_keys(),
    )
    if target is None:
        container().record_refused(context, event.request_context.identity.source_ip)
        return _answer(HTTPStatus.FORBIDDEN)
    hint = read_job_id(_body(event), event.headers.get("content-type"))
    container().application(context).callback_recorder.receive(target, hint)
    return _answer(HTTPStatus.OK)


def _body(event: APIGatewayProxyEvent) -> bytes:
    body = (event.body or "").encode("utf-8", "replace")
    return base64.b64decode(body) if event.is_base64_encoded else body


def _answer(status: HTTPStatus) -> dict[str, Any]:
    return {"statusCode": status.value, "headers": {}, "body": ""}
