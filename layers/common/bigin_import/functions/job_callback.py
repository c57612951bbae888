"""job_callback: Bigin says that a job has ended."""

from __future__ import annotations

import os
from functools import cache
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from bigin_import.aws.events import callback_request
from bigin_import.callback_url import read_job_id, verify
from bigin_import.container import Container
from bigin_import.settings import CallbackSettings

logger = Logger()


@cache
def container() -> Container:
    """Read the settings on first use, so that importing this module needs no environment."""
    return Container(CallbackSettings.from_env(os.environ))


@logger.inject_lambda_context(clear_state=True, log_event=False)
def lambda_handler(event: object, context: LambdaContext) -> dict[str, Any]:
    """
    Answer 403 if the signature is wrong, having read nothing but keys, else 200, whatever it said.

    So is every event that is no callback at all. A key may be newer than those that are kept:
    before one is refused, they are read again. None is ever logged, whatever
    POWERTOOLS_LOGGER_LOG_EVENT says: its path holds the signature.
    """
    sent = callback_request(event)
    target = verify(*sent.segments, container().read_signing_keys()) or verify(
        *sent.segments, container().read_signing_keys_again()
    )
    if target is None or sent.body is None:
        container().record_refused(context, sent.segments[0], sent.caller)
        return _answer(HTTPStatus.FORBIDDEN)
    hint = read_job_id(sent.body, sent.content_type)
    with container().telemetry.mark_lines(target.import_id):
        container().application(context).callback_recorder.receive(target, hint)
    return _answer(HTTPStatus.OK)


def _answer(status: HTTPStatus) -> dict[str, Any]:
    return {"statusCode": status.value, "headers": {}, "body": ""}
