"""Callbacks: when each is due, and the bodies that Bigin might send (none is documented)."""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

type BodyKind = Literal["json", "form", "empty", "no_id", "other_keys"]


@dataclass(frozen=True, slots=True)
class CallbackPost:
    """One POST to make now. The URL holds the receiver's secret: not for logs."""

    job_id: str
    url: str = field(repr=False)
    content_type: str
    body: bytes = field(repr=False)


class CallbackQueue:
    """Job ids by the time at which their next callback is due."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, str]] = []
        self._count = 0

    def add(self, job_id: str, due: float) -> None:
        self._count += 1
        heapq.heappush(self._due, (due, self._count, job_id))

    def take(self, now: float) -> list[str]:
        """Remove and return the jobs whose callback is due, the earliest first."""
        taken = []
        while self._due and self._due[0][0] <= now:
            taken.append(heapq.heappop(self._due)[2])
        return taken

    def next_due(self) -> float | None:
        return self._due[0][0] if self._due else None


def callback_post(url: str, details: dict[str, Any], kind: BodyKind) -> CallbackPost:
    """Build the POST that reports a job, whose *details* are as the job is at this moment."""
    job_id = details["id"]
    flat = {"job_id": job_id, "state": details["status"], "operation": details["operation"]}
    match kind:
        case "json":
            return _json(job_id, url, {**details, "job_id": job_id, "state": details["status"]})
        case "form":
            body = urlencode(flat).encode()
            return CallbackPost(job_id, url, "application/x-www-form-urlencoded", body)
        case "empty":
            return CallbackPost(job_id, url, "application/json", b"")
        case "no_id":
            return _json(job_id, url, {"state": details["status"]})
        case "other_keys":
            content = {"details": {"id": job_id}, "status": details["status"]}
            return _json(job_id, url, content)


def _json(job_id: str, url: str, content: dict[str, Any]) -> CallbackPost:
    return CallbackPost(job_id, url, "application/json", json.dumps(content).encode())
