"""A twin that serves in this process, and whose jobs end at once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bigin_twin import model
from tests.bigin_twin.deliveries import Routes
from tests.bigin_twin.server_state import Server
from tests.bigin_twin.serving import Address, Running, serving
from tests.bigin_twin.settings import Settings

# Callbacks are made by hand, as events of API Gateway.
SETTINGS = Settings(added_seconds=0, job_seconds=0, callback_when="never")


@contextmanager
def organisation() -> Iterator[Running]:
    server = Server(lambda: model.Bigin(random.Random(1), settings=SETTINGS), time.time)
    with serving(server, Routes({}, None, None), Address()) as running:
        with server.bigin() as bigin:
            bigin.settings = bigin.settings.changed({"public_url": running.url})
        yield running
