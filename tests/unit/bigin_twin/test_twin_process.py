"""The twin as a process of its own, spoken to over loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.unit.bigin_twin.scenario import CREDENTIALS, archive, body

ROOT = Path(__file__).parents[3]


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.bigin_twin", "--setting", "allow_http_callback=true"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        yield started
        started.kill()


def test_the_twin_says_where_it_is_serves_hangs_up_to_order_and_stops(
    process: subprocess.Popen[str],
) -> None:
    assert process.stdout is not None
    url = json.loads(process.stdout.readline())["url"]
    with requests.Session() as session:
        token = session.post(f"{url}/oauth/v2/token", data=CREDENTIALS, timeout=10).json()
        session.headers["Authorization"] = f"Zoho-oauthtoken {token['access_token']}"
        uploaded = session.post(
            f"{url}/bigin/v2/upload",
            headers={"feature": "bulk-write", "X-CRM-ORG": "10358250"},
            files={"file": ("contacts.zip", archive("Last_Name\nBoyle\n"))},
            timeout=10,
        ).json()
        session.post(
            f"{url}/_twin/faults", json={"name": "create_timeout_after_effect"}, timeout=10
        )

        with pytest.raises(requests.ConnectionError):
            session.post(
                f"{url}/bigin/bulk/v2/write",
                json=body(uploaded["details"]["file_id"]),
                timeout=10,
            )
        jobs = session.get(f"{url}/_twin/jobs", timeout=10).json()["jobs"]

    process.send_signal(signal.SIGTERM)
    assert token["api_domain"] == url
    assert len(jobs) == 1
    assert process.wait(timeout=10) == 0


def test_the_twin_listens_on_loopback_only() -> None:
    command = [sys.executable, "-m", "tests.bigin_twin", "--host", "0.0.0.0"]

    refused = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=30
    )

    assert refused.returncode == 2
    assert "loopback" in refused.stderr
