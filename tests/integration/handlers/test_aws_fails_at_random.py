"""
Forty runs in which each twentieth call to AWS fails, through the real adapters.

Nothing repeats a call here: of the SDK's four tries only the first is made, so that what it usually
hides comes through. A call fails before it has an effect, or its answer is lost after it had one.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from moto.core.models import botocore_stubber

from bigin_import import container
from bigin_import.domain.states import ImportState
from bigin_import.splitting import splitter
from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import Event, callback_sample, s3_sample, sqs_sample
from tests.integration.handlers.story import CSV_KEY, MAPPING_KEY

RUNS = 40
MINUTE = 60
SHARE = 0.05
MOST_MINUTES = 600  # of a run; an hour of them is waited where nobody knows of a create
TRIES_OF_LAMBDA = 3
ROWS = 5
COLUMNS = {"E-mail": "Email", "Surname": "Last_Name"}
OPERATIONS = (
    {"module": "Contacts", "operation": "insert", "columns": COLUMNS},
    {"module": "Contacts", "operation": "upsert", "find_by": "Email", "columns": COLUMNS},
)


@dataclass
class World:
    """Time as the functions see it, chance, and what came of it."""

    chance: random.Random
    now: float = field(default_factory=time.time)
    is_calm: bool = True
    failed: Counter[str] = field(default_factory=Counter)
    calls: int = 0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def trouble(
        self, request: AWSPreparedRequest, event_name: str, **_: object
    ) -> AWSResponse | None:
        """Fail a call, or let it go on to moto: the handler of botocore's event `before-send`."""
        self.calls += 1
        if self.is_calm or self.chance.random() >= SHARE:
            return None
        service = event_name.split(".")[1]
        kind = self.chance.choice(("refused", "lost before", "lost after"))
        self.failed[f"{service}: {kind}"] += 1
        if kind == "refused":
            return AWSResponse(str(request.url), 503, HTTPHeaders(), _Nothing())
        if kind == "lost after":
            botocore_stubber(event_name, request)
            raise ReadTimeoutError(endpoint_url=str(request.url))
        raise EndpointConnectionError(endpoint_url=str(request.url))


class _Nothing:
    """The body of an answer that has none."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield b""


@pytest.fixture
def world(seed: int, stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(random.Random(seed))
    once = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 1})
    monkeypatch.setattr(container, "CLIENT_CONFIG", once)
    monkeypatch.setattr(container, "time", made)
    with stack.disturbed(made.trouble):
        yield made


class Cloud:
    """Lambda, SQS and Bigin's callbacks around the functions: what fails is delivered again."""

    def __init__(self, stack: Deployed, world: World) -> None:
        self._stack = stack
        self._world = world
        self._called_back: set[str] = set()

    def run_until_closed(self) -> int:
        """Return how many minutes it took."""
        began = self._world.now
        while self._world.now < began + MOST_MINUTES * MINUTE:
            self._call_back()
            self._deliver_messages()
            if self.is_closed():
                return int(self._world.now - began) // MINUTE
            is_early = self._world.now < began + 10 * MINUTE
            self._world.now += MINUTE if is_early else 5 * MINUTE  # nobody counts idle ticks
            self._try("settle_jobs", {"tick": True}, tries=1)
            while self._stack.invocations:
                self.invoke(self._stack.invocations.pop(0))
        raise AssertionError("it is never closed")

    def invoke(self, event: Event) -> None:
        """Invoke import_csv asynchronously: three times, then the event goes to its queue."""
        if not self._try("import_csv", event, tries=TRIES_OF_LAMBDA):
            self._stack.fail({"requestPayload": event})

    def is_closed(self) -> bool:
        records = self._stack.imports()
        return bool(records) and all(each.noticed_at is not None for each in records)

    def _try(self, function: str, event: Event, *, tries: int) -> bool:
        for _ in range(tries):
            try:
                self._stack.run(function, event)
            except Exception as exc:  # noqa: BLE001  # whatever it is, Lambda tries again
                self._world.failed[f"{function}: {type(exc).__name__}"] += 1
            else:
                return True
        return False

    def _call_back(self) -> None:
        """Let Bigin report each job that has ended, once, whatever it is answered."""
        for job_id in self._stack.job_ids():
            if job_id not in self._called_back:
                self._called_back.add(job_id)
                path = self._stack.callback_path(job_id)
                self._try("job_callback", callback_sample("callback-json", path, job_id), tries=1)

    def _deliver_messages(self) -> None:
        bodies = self._stack.messages()
        for body in bodies:
            if not self._collect(body):
                self._stack.send_again(body)

    def _collect(self, body: str) -> bool:
        try:
            answer = self._stack.run("settle_jobs", sqs_sample(body))
        except Exception:  # noqa: BLE001  # SQS delivers it again
            return False
        return not (answer or {}).get("batchItemFailures")


@pytest.mark.parametrize("seed", range(RUNS))
def test_whatever_fails_the_import_is_closed_with_every_row_in_bigin_once(
    seed: int,
    stack: Deployed,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(splitter, "MAX_ROWS", ROWS if seed % 4 < 2 else 2)  # one part, or three
    stack.drop(MAPPING_KEY, json.dumps(OPERATIONS[seed % 2]).encode())
    version = stack.drop(CSV_KEY, csv_of(ROWS))
    cloud = Cloud(stack, world)
    world.is_calm = False

    cloud.invoke(s3_sample("s3-put-csv", version))
    cloud.run_until_closed()

    world.is_calm = True
    (record,) = stack.imports()
    with stack.twin.server.bigin() as bigin:
        emails = [str(each.values["Email"]) for each in bigin.tables["Contacts"].records.values()]
    assert (record.state, sorted(emails)) == (ImportState.COMPLETED, EMAILS)
    assert len(stack.job_ids()) == len(stack.parts())
    assert not any(part.held_at for part in stack.parts())
    assert record.held_at is None


EMAILS = [f"person{number}@example.com" for number in range(ROWS)]


def csv_of(rows: int) -> bytes:
    lines = (f"{EMAILS[number]},Name{number}\r\n" for number in range(rows))
    return ("E-mail,Surname\r\n" + "".join(lines)).encode()
