"""settle_jobs: parts are to be collected, and every minute whatever is overdue."""

from __future__ import annotations

import os
from functools import cache
from traceback import extract_tb
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from bigin_import.aws.queue import collect_message
from bigin_import.container import Container
from bigin_import.settings import SettleSettings
from bigin_import.wiring import Application

logger = Logger()


@cache
def container() -> Container:
    """Read the settings on first use, so that importing this module needs no environment."""
    return Container(SettleSettings.from_env(os.environ))


@logger.inject_lambda_context(clear_state=True, log_event=False)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any] | None:
    """Do what messages ask for; for the tick what is due; for people look around, or undo."""
    application = container().application(context)
    match event:
        case {"Records": list()}:
            return collect_all(event, application)
        case {"tick": True}:
            application.tick.tick()
            return None
        case {"doctor": True}:
            return application.self_check.examine(event)
        case {"undo": str(import_id)}:
            with container().telemetry.mark_lines(import_id):
                return application.undo_desk.act(event)
    raise ValueError(f"neither messages, tick, doctor nor undo: an event with {sorted(event)}")


def collect_all(event: dict[str, Any], application: Application) -> dict[str, Any]:
    """
    Do what each message asks for; those that fail come back, the others do not.

    If all fail, so does the invocation: the function's alarm rings before the messages are in the
    dead-letter queue. Powertools' batch does so too, but loads asyncio and every class of event:
    a third of what a bare handler takes to start.
    """
    failed: dict[str, Exception] = {}
    for message in event["Records"]:
        try:
            collect_one(message["body"], application)
        except Exception as exc:  # noqa: BLE001  # SQS delivers it again, or Lambda sees it below
            failed[message["messageId"]] = exc
            _report_failure(message["messageId"], exc)
    if failed and len(failed) == len(event["Records"]):
        raise next(iter(failed.values()))
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _report_failure(message_id: str, exc: Exception) -> None:
    """Say where a message failed; not the error's words, which may be those of the message."""
    *_, last = extract_tb(exc.__traceback__)
    error, where = type(exc).__name__, f"{last.name}:{last.lineno}"
    container().telemetry.emit("message_failed", message_id=message_id, error=error, where=where)


def collect_one(body: str, application: Application) -> None:
    """Collect the part that a message names, then close its import if that was the last."""
    wanted = collect_message(body)
    with container().telemetry.mark_lines(wanted.import_id):
        if wanted.undo:
            application.undo_runner.go_on(wanted.import_id)
            return
        application.collect_messages.act(wanted.import_id, wanted.part)
