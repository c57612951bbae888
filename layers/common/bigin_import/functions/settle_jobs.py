"""settle_jobs: parts are to be collected, and every minute whatever is overdue."""

from __future__ import annotations

import os
from functools import cache
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
    """Do what messages ask for; for the tick what is due; for the doctor look around."""
    application = container().application(context)
    match event:
        case {"Records": list()}:
            return collect_all(event, context, application)
        case {"tick": True}:
            application.tick.tick()
            return None
        case {"doctor": True}:
            return application.self_check.examine(event)
    raise ValueError(f"neither messages, tick nor doctor: an event with {sorted(event)}")


def collect_all(
    event: dict[str, Any], context: LambdaContext, application: Application
) -> dict[str, Any]:
    """Do what each message asks for; those that fail come back, the others do not."""
    # Imported here: it loads asyncio and every event class, a quarter of the time that boto3
    # takes, and of 1,440 ticks a day none needs it (tests/bench/imports.py).
    from aws_lambda_powertools.utilities.batch import (  # noqa: PLC0415  # see above
        BatchProcessor,
        EventType,
        process_partial_response,
    )

    return dict(
        process_partial_response(
            event=event,
            record_handler=lambda record: collect_one(record.body, application),
            processor=BatchProcessor(event_type=EventType.SQS),
            context=context,
        )
    )


def collect_one(body: str, application: Application) -> None:
    """Collect the part that a message names, then close its import if that was the last."""
    wanted = collect_message(body)
    with container().telemetry.mark_lines(wanted.import_id):
        application.collect_messages.act(wanted.import_id, wanted.part)
