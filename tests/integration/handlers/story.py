"""The steps that most tests of the functions take, over one small drop."""

from __future__ import annotations

import json
from typing import Any

from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import callback_sample, s3_sample, sqs_sample

CSV_KEY = "incoming/Umzug 2026/Kunden + Kontakte (Köln).csv"
MAPPING_KEY = "incoming/Umzug 2026/mapping.json"
CELLS = ("planted.boyle@example.com", "Plantedboyle", "planted-nobody@example.com", "Plantedcity")
CSV = (
    "E-mail,Surname,City\r\n"
    f"{CELLS[0]},{CELLS[1]},{CELLS[3]}\r\n"
    f"{CELLS[2]},,{CELLS[3]}\r\n"  # refused by Bigin: a contact needs a last name
).encode()
MAPPING: dict[str, Any] = {
    "module": "Contacts",
    "operation": "upsert",
    "find_by": "Email",
    "columns": {"E-mail": "Email", "Surname": "Last_Name"},
}


def drop_both(stack: Deployed) -> None:
    """Drop the mapping, then the CSV; import_csv hears of the CSV."""
    stack.drop(MAPPING_KEY, json.dumps(MAPPING).encode())
    stack.run("import_csv", s3_sample("s3-put-csv", stack.drop(CSV_KEY, CSV)))


def call_back(stack: Deployed, kind: str = "callback-json") -> dict[str, Any]:
    """Report the only job as Bigin does; return the answer."""
    (job_id,) = stack.job_ids()
    event = callback_sample(kind, stack.callback_path(job_id), job_id)
    answer: dict[str, Any] = stack.run("job_callback", event)
    return answer


def settled(stack: Deployed) -> str:
    """Take the drop as far as its job's end; return the message that asks for collection."""
    drop_both(stack)
    stack.messages()
    call_back(stack)
    (message,) = stack.messages()
    return message


def collect(stack: Deployed) -> None:
    """Deliver the messages of the queue, as many batches as it takes."""
    while bodies := stack.messages():
        for body in bodies:
            stack.run("settle_jobs", sqs_sample(body))


def drop_to_closing(stack: Deployed) -> None:
    """Take the drop the whole way."""
    drop_both(stack)
    call_back(stack)
    collect(stack)
