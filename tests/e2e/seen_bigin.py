"""Bigin as the tests look into it and change its mood: the twin's admin endpoint."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

CREATE_PATH = "/bigin/bulk/v2/write"
UPLOAD_PATH = "/bigin/v2/upload"


@dataclass(frozen=True, slots=True)
class SeenBigin:
    """The inside of the twin at *url*."""

    url: str
    session: requests.Session

    def change(self, **settings: object) -> None:
        """Change standing behaviour; see `tests.bigin_twin.settings.Settings`."""
        self._call("POST", "settings", settings)

    @contextmanager
    def changed(self, **settings: object) -> Iterator[None]:
        """Put settings and faults back as they were, whatever the block does to them."""
        as_it_was = self._call("GET", "settings")
        try:
            self.change(**settings)
            yield
        finally:
            self.mend()
            self.change(**as_it_was)

    def break_once(self, name: str, **arguments: object) -> None:
        """Order a fault; see `tests.bigin_twin.faults.Fault`."""
        self._call("POST", "faults", {"name": name, **arguments})

    def mend(self) -> None:
        """Let no fault stand any more."""
        self._call("DELETE", "faults")

    def revoke_tokens(self) -> None:
        self._call("POST", "revoke-tokens")

    def records(self, module: str = "Contacts", **wanted: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "records", module=module, **wanted)[
            "records"
        ]
        return found

    def change_record(self, record_id: str, module: str = "Contacts", **values: str) -> None:
        """Change a record as a person does."""
        self._call("POST", "records", {"module": module, "id": record_id, "values": values})

    def emails_at(self, domain: str) -> Counter[str]:
        """Return how often each e-mail address of *domain* is in Bigin."""
        emails = (str(record.get("Email", "")) for record in self.records())
        return Counter(email for email in emails if email.endswith(f"@{domain}.example"))

    def jobs_of(self, import_id: str) -> list[dict[str, Any]]:
        """Return every job that was ever made for an import, whoever knows of it."""
        return [job for job in self.jobs() if str(job["file_name"]).startswith(import_id)]

    def jobs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "jobs")["jobs"]
        return found

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "requests")["requests"]
        return found

    def sent_for(self, import_id: str) -> list[dict[str, Any]]:
        """Return every upload and create of an import, refused ones too."""
        return [call for call in self.requests() if _concerns(call, import_id)]

    def creates_of(self, import_id: str) -> list[dict[str, Any]]:
        """Return the bodies of an import's create requests, oldest first."""
        return [body for body in self.creates() if import_id in body["callback"]["url"]]

    def creates(self) -> list[dict[str, Any]]:
        """Return the bodies of all creates but those that were turned away unread, as by 429."""
        calls = self.requests()
        return [call["json"] for call in calls if call["path"] == CREATE_PATH and "json" in call]

    def is_answering(self) -> bool:
        """Return whether a call has come and is not answered yet."""
        return bool(self._call("GET", "health")["parallel_calls"])

    def callbacks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "callbacks")["callbacks"]
        return found

    def _call(self, method: str, path: str, json: object = None, **params: str) -> dict[str, Any]:
        answer = self.session.request(
            method, f"{self.url}/_twin/{path}", json=json, params=params, timeout=60
        )
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


def _concerns(call: dict[str, Any], import_id: str) -> bool:
    if call["path"] == UPLOAD_PATH:
        return str(call.get("file_name")).startswith(import_id)
    return "json" in call and import_id in call["json"]["callback"]["url"]
