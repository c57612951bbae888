"""The files of `events/`, about objects and jobs that exist here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parents[3] / "events"

type Event = dict[str, Any]


def sample(name: str) -> Event:
    """Return events/<name>.json."""
    event: Event = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return event


def s3_sample(name: str, version_id: str) -> Event:
    """Return an S3 event about this version of the key that the sample names."""
    event = sample(name)
    event["Records"][0]["s3"]["object"]["versionId"] = version_id
    return event


def callback_sample(name: str, path: str, job_id: str) -> Event:
    """Return a POST to *path*, the part of a callback URL below the stage, about a job."""
    event = sample(name)
    segments = dict(zip(event["pathParameters"], path.split("/")[-4:], strict=True))
    event["path"] = path
    event["requestContext"]["path"] = f"/live{path}"
    event["pathParameters"] = segments
    if event["body"]:
        event["body"] = event["body"].replace("111111000001492610", job_id)
    return event


def sqs_sample(*bodies: str) -> Event:
    """Return a batch of messages with these bodies and ids of their own."""
    (record,) = sample("sqs-collect")["Records"]
    return {
        "Records": [
            record | {"messageId": f"message-{number}", "body": body}
            for number, body in enumerate(bodies, start=1)
        ]
    }
