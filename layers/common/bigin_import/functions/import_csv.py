"""import_csv: a file was dropped, an import is to go on, or a person has decided something."""

from __future__ import annotations

import os
from functools import cache

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

from bigin_import.aws.events import created_objects
from bigin_import.container import Container
from bigin_import.importing.decisions import Decision
from bigin_import.settings import ImportSettings
from bigin_import.wiring import Application

logger = Logger()


class Resume(BaseModel, extra="forbid", strict=True):
    """
    What the tick sends, and what a person sends with a decision about a held import.

    Strict, because it decides about rows: `true` is no part 1, and "1_0" no part 10.

    Attributes:
        resume: Id of the import that is to go on.
        part, attempt: The held part that a decision is about.
        held_at: The hold that `continue` is about, as its notice names it.
        job_id: The job to adopt.
    """

    resume: str
    decision: Decision | None = Field(None, strict=False)  # a word, as JSON has it
    part: int = 0
    attempt: int = 0
    held_at: int = 0
    job_id: str = ""


@cache
def container() -> Container:
    """Read the settings on first use, so that importing this module needs no environment."""
    return Container(ImportSettings.from_env(os.environ))


@logger.inject_lambda_context(clear_state=True, log_event=False)
def lambda_handler(event: object, context: LambdaContext) -> None:
    """Import each file of an S3 event, or go on with one import. Errors are left to Lambda."""
    application = container().application(context)
    importer = application.importer
    if isinstance(event, dict) and "resume" in event:
        wanted = Resume.model_validate(event)
        if wanted.decision is not None:
            with container().telemetry.mark_lines(wanted.resume):
                decide(wanted, application)
        importer.resume(wanted.resume)
        return
    for source in created_objects(event):
        if source.bucket == container().files.bucket:
            importer.receive(source)
        else:
            container().telemetry.emit("bucket_unknown", bucket=source.bucket)


def decide(wanted: Resume, application: Application) -> None:
    """Carry out a person's decision; one that comes too late changes nothing."""
    decisions = application.decisions
    about = (wanted.resume, wanted.part, wanted.attempt)
    match wanted.decision:
        case Decision.CREATE:
            decisions.create(*about)
        case Decision.ADOPT:
            decisions.adopt(*about, wanted.job_id)
        case Decision.GIVE_UP:
            decisions.give_up(*about)
        case _:
            decisions.go_on(wanted.resume, wanted.held_at)
