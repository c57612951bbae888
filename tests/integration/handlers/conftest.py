"""The functions on moto and on a running twin."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.bigin_twin import model
from tests.bigin_twin.deliveries import Routes
from tests.bigin_twin.server_state import Server
from tests.bigin_twin.serving import Address, Running, serving
from tests.bigin_twin.settings import Settings
from tests.integration.handlers.deployed import Deployed, deployed

# The tests post the callbacks themselves, as the events of API Gateway.
SETTINGS = Settings(added_seconds=0, job_seconds=0, callback_when="never")


@pytest.fixture(scope="session")
def running_twin() -> Iterator[Running]:
    server = Server(lambda: model.Bigin(random.Random(1), settings=SETTINGS), time.time)
    with serving(server, Routes({}, None, None), Address()) as running:
        with server.bigin() as bigin:
            bigin.settings = bigin.settings.changed({"public_url": running.url})
        yield running


@pytest.fixture
def stack(
    running_twin: Running,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],  # so that the functions log where a test can read it
) -> Iterator[Deployed]:
    """Yield the stack: an empty account, an empty organisation in Bigin."""
    running_twin.server.reset()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws(), deployed(running_twin) as running:
        yield running
