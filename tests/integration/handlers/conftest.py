"""The functions on moto and on a running twin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bigin_twin.serving import Running
from tests.integration.handlers.deployed import Deployed, deployed
from tests.integration.handlers.organisation import organisation


@pytest.fixture(scope="session")
def running_twin() -> Iterator[Running]:
    with organisation() as running:
        yield running


@pytest.fixture
def stack(
    running_twin: Running,
    capsys: pytest.CaptureFixture[str],  # so that the functions log where a test can read it
) -> Iterator[Deployed]:
    """Yield the stack: an empty account, an empty organisation in Bigin."""
    running_twin.server.reset()
    with deployed(running_twin) as running:
        yield running
