"""MiniStack: AWS on this machine, with IAM and TLS enforced."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tests.local_stack import processes
from tests.local_stack.certificates import Certificates
from tests.local_stack.workspace import LOCAL, ROOT, free_port

REGION = "eu-central-1"
MINISTACK = (str(LOCAL / "ministack" / "bin" / "python"), "tests/local_stack/ministack_as_aws.py")


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running MiniStack. Whoever holds these credentials is root of its only account."""

    endpoint: str
    certificates: Certificates
    process: subprocess.Popen[str]

    def client(self, service: str) -> Any:  # noqa: ANN401 - its type hangs on *service*
        """Return a boto3 client with root's credentials."""
        return boto3.session.Session().client(
            service,  # type: ignore[call-overload]  # one overload for each service's name
            region_name=REGION,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            verify=str(self.certificates.authority),
        )

    def environment(self) -> dict[str, str]:
        """Return what an AWS tool needs to speak to this account and to no other."""
        return self.certificates.trust() | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
        }


@contextmanager
def running(folder: Path, certificates: Certificates) -> Iterator[Emulator]:
    """Yield MiniStack once it answers."""
    port = free_port()
    log = folder / "ministack.log"
    scratch = folder / "tmp"
    scratch.mkdir()
    env = processes.environment(**_settings(port, scratch, certificates))
    # It keeps nothing, and an orderly end may wait for its clients' idle connections.
    with processes.running(MINISTACK, env=env, cwd=ROOT, log=log, end=signal.SIGKILL) as process:
        emulator = Emulator(f"https://localhost:{port}", certificates, process)
        _wait_until_healthy(emulator)
        yield emulator


def _settings(port: int, scratch: Path, certificates: Certificates) -> dict[str, str]:
    """Return MiniStack's settings; its Lambda workers inherit them, trust included."""
    return certificates.trust() | {
        "AUTH": "true",
        "USE_SSL": "1",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "MINISTACK_SSL_CERT": str(certificates.certificate),
        "MINISTACK_SSL_KEY": str(certificates.key),
        "TMPDIR": str(scratch),
    }


def _wait_until_healthy(emulator: Emulator) -> None:
    patience = Retry(total=60, backoff_factor=0.1, backoff_max=1, status_forcelist=[503])
    with requests.Session() as session:
        session.mount("https://", HTTPAdapter(max_retries=patience))
        answer = session.get(
            f"{emulator.endpoint}/_ministack/health",
            verify=str(emulator.certificates.authority),
            timeout=10,
        )
    answer.raise_for_status()
