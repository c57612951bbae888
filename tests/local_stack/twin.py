"""The twin, our Bigin, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bigin_twin.tokens import Client
from tests.local_stack import processes
from tests.local_stack.emulator import Emulator
from tests.local_stack.workspace import ROOT


class TwinFailedError(Exception):
    """The twin ended before it was ready."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A running twin and the Zoho client that it knows."""

    url: str

    def zoho_client(self) -> dict[str, str]:
        """Return what a user puts in the Zoho secret."""
        client = Client()
        return {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "refresh_token": client.refresh_token,
        }


@contextmanager
def running(folder: Path, emulator: Emulator) -> Iterator[Twin]:
    """Yield the twin once it is ready; its callbacks for API Gateway go to *emulator*."""
    certificates = emulator.certificates
    command = [sys.executable, "-m", "tests.bigin_twin", "--host", "127.0.0.1", "--port", "0"]
    command += ["--certificate", str(certificates.certificate), "--key", str(certificates.key)]
    command += ["--api-gateway", f"{emulator.endpoint}/_aws/execute-api"]
    command += ["--ca-bundle", str(certificates.authority)]
    log = folder / "twin.log"
    with processes.running(
        command, env=processes.environment(), cwd=ROOT, log=log, stdout=subprocess.PIPE
    ) as process:
        yield Twin(_url_when_ready(process, log))


def _url_when_ready(process: subprocess.Popen[str], log: Path) -> str:
    """Read the one line of JSON that the twin writes when it listens."""
    if process.stdout is None:
        raise TypeError("the twin was started without a pipe for its first line")
    line = process.stdout.readline()
    if not line:
        raise TwinFailedError(f"the twin did not start; see {log}\n{log.read_text()}")
    url: str = json.loads(line)["url"]
    return url
