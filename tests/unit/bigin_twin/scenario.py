"""A Bigin with a clock of its own, and the few steps that every test of it takes."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from typing import Any

from tests.bigin_twin.model import Bigin
from tests.bigin_twin.settings import Settings
from tests.bigin_twin.tokens import Client
from tests.bigin_twin.uploads import UploadCall

START = 1_800_000_000.0
CALLBACK = {"url": "https://abc123.execute-api.eu-west-1.amazonaws.com/prod/cb/x", "method": "post"}
CREDENTIALS = {
    "grant_type": "refresh_token",
    "client_id": Client().client_id,
    "client_secret": Client().client_secret,
    "refresh_token": Client().refresh_token,
}


def archive(text: str, *, name: str = "contacts.csv", encoding: str = "utf-8") -> bytes:
    """Return a zip with one CSV."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as entries:
        entries.writestr(name, text.encode(encoding))
    return target.getvalue()


def body(file_id: str, operation: str = "insert", **resource: object) -> dict[str, Any]:
    """Return a create body; keys of *resource* that are None are left out."""
    module = resource.pop("module", "Contacts")
    entry = {"type": "data", "module": {"api_name": module}, "file_id": file_id, **resource}
    kept = {key: value for key, value in entry.items() if value is not None}
    return {"operation": operation, "callback": CALLBACK, "resource": [kept]}


def mapping(*names: str) -> list[dict[str, Any]]:
    """Map the columns, from the first on, to fields."""
    return [{"api_name": name, "index": index} for index, name in enumerate(names)]


def rows_of(result: bytes) -> list[dict[str, str]]:
    """Return the rows of a result zip."""
    with zipfile.ZipFile(io.BytesIO(result)) as entries:
        (name,) = entries.namelist()
        return list(csv.DictReader(io.StringIO(entries.read(name).decode(), newline="")))


class Desk:
    """Someone who works with Bigin's API by hand."""

    def __init__(self, **settings: object) -> None:
        self.now = START
        self.bigin = Bigin(random.Random(7), settings=Settings(**settings))

    def upload(self, text: str, *, name: str = "contacts.csv") -> str:
        content = archive(text, name=name)
        call = UploadCall("bulk-write", self.bigin.catalogue.zgid, f"{name}.zip", content)
        answer = self.bigin.upload(call, self.now)
        return str(answer["details"]["file_id"])

    def create(self, text: str, operation: str = "insert", **resource: object) -> str:
        """Upload *text* and make a job of it; return the job's id."""
        sent = body(self.upload(text), operation, **resource)
        return str(self.bigin.create_job(sent, self.now)["details"]["id"])

    def run(self, text: str, operation: str = "insert", **resource: object) -> list[dict[str, str]]:
        """Make a job, let it end, return its result rows."""
        job_id = self.create(text, operation, **resource)
        self.now += 3600
        return self.results(job_id)

    def results(self, job_id: str) -> list[dict[str, str]]:
        return rows_of(self.bigin.result(self.bigin.catalogue.zgid, job_id, self.now))

    def job(self, job_id: str) -> dict[str, Any]:
        return self.bigin.job_details(job_id, self.now)

    def records(self, module: str = "Contacts") -> list[dict[str, Any]]:
        self.bigin.advance(self.now)
        return [record.values for record in self.bigin.tables[module].records.values()]
