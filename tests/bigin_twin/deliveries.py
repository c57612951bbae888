"""Posts callbacks when they are due, as Bigin would from outside."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from tests.bigin_twin.callbacks import CallbackPost
from tests.bigin_twin.server_state import Server

#: What receivers get before the POST counts as failed; there is no second try.
TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Routes:
    """
    Where hosts of callback URLs really are on this machine.

    Attributes:
        bases: Host -> base URL that stands for `https://<host>`.
        api_gateway: Base URL that stands for every API Gateway host, followed by the API's id:
            `https://<id>.execute-api.<region>.amazonaws.com/<path>` becomes `<base>/<id>/<path>`.
        ca_bundle: File with the authorities to trust; None for the usual ones.
    """

    bases: Mapping[str, str] = field(default_factory=dict)
    api_gateway: str | None = None
    ca_bundle: str | None = None

    def resolve(self, url: str) -> str:
        """Return the URL to call for *url*."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        rest = parts.path + (f"?{parts.query}" if parts.query else "")
        if host in self.bases:
            return self.bases[host].rstrip("/") + rest
        api_id, _, service = host.partition(".")
        if self.api_gateway and service.startswith("execute-api."):
            return f"{self.api_gateway.rstrip('/')}/{api_id}{rest}"
        return url


class Deliveries:
    """A worker that waits for the next event of the model and posts what is due."""

    def __init__(self, server: Server, routes: Routes) -> None:
        self._server = server
        self._routes = routes
        self._thread = threading.Thread(target=self._run, name="callbacks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        """Wait for the worker to end, after `Server.stop`."""
        self._thread.join()

    def deliver_due(self) -> None:
        """Post every callback that is due now."""
        with self._server.bigin() as bigin:
            due = bigin.callbacks_due(self._server.clock())
        self.deliver(due)

    def deliver(self, posts: list[CallbackPost]) -> None:
        """Post callbacks one after the other and note what came of each."""
        for post in posts:
            self._deliver(post)

    def post(self, url: str, body: bytes, content_type: str) -> int | None:
        """POST and return the status, or None if there was no answer."""
        try:
            response = requests.post(
                self._routes.resolve(url),
                data=body,
                headers={"Content-Type": content_type, "User-Agent": "ZohoBigin"},
                timeout=TIMEOUT_SECONDS,
                verify=self._routes.ca_bundle or True,
                allow_redirects=False,
            )
        except requests.RequestException:
            # Bigin does not mind a deaf receiver; the delivery log shows it.
            return None
        return response.status_code

    def _deliver(self, post: CallbackPost) -> None:
        status = self.post(post.url, post.body, post.content_type)
        self._server.callbacks.append(
            {"at": self._server.clock(), "job_id": post.job_id, "status": status}
            | {"content_type": post.content_type, "bytes": len(post.body)}
        )

    def _run(self) -> None:
        while not self._server.stopping.is_set():
            self.deliver_due()
            self._wait_for_event()

    def _wait_for_event(self) -> None:
        server = self._server
        with server.changed:
            moment = server.next_event()
            wait = None if moment is None else moment - server.clock()
            if not server.stopping.is_set() and (wait is None or wait > 0):
                server.changed.wait(wait)
