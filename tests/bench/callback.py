"""
`python -m tests.bench.callback`: how long job_callback takes, above its one call to Bigin.

The whole handler runs, from API Gateway's event to its answer: signature, five reads and three
writes of DynamoDB, one message, the log. AWS is moto in this process, so that the figure holds
moto's own work in place of the network's; it says that our code is no part worth speaking of.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from bigin_import.bigin.client import BiginClient
from bigin_import.domain.job_request import Job
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import PartState
from tests.bench.figures import Budget, Report, progress, publish
from tests.integration.handlers.deployed import Deployed, deployed, invocation
from tests.integration.handlers.organisation import organisation
from tests.integration.handlers.sample_events import Event, callback_sample
from tests.integration.handlers.story import drop_both

MOST_MILLISECONDS = 100


class Stopwatch:
    """Adds up what the calls to Bigin take."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

    @contextmanager
    def around_bigin(self) -> Iterator[None]:
        real = BiginClient.get_job

        def timed(client: BiginClient, job_id: str) -> Job:
            started = time.perf_counter()
            try:
                return real(client, job_id)
            finally:
                self.seconds += time.perf_counter() - started
                self.calls += 1

        with patch.object(BiginClient, "get_job", timed):
            yield


def run(*, callbacks: int = 300) -> Report:
    """Take milliseconds of our own: of the first callback, and the median and p95 of the rest."""
    progress(f"{callbacks} callbacks")
    with organisation() as twin, redirect_stdout(io.StringIO()), deployed(twin) as stack:
        drop_both(stack)
        (job_id,) = stack.job_ids()
        event = callback_sample("callback-json", stack.callback_path(job_id), job_id)
        (created,) = stack.parts()
        with patch.dict("os.environ", stack.environment("job_callback")):
            taken = [_one(stack, event, created) for _ in range(callbacks + 1)]
    first, *rest = taken
    figures = {
        "callbacks": callbacks,
        "first_ms": round(first, 1),
        "median_ms": round(statistics.median(rest), 1),
        "p95_ms": round(statistics.quantiles(rest, n=20)[-1], 1),
    }
    budget = Budget(
        "callback, above the call to Bigin, p95", figures["p95_ms"], MOST_MILLISECONDS, "ms"
    )
    return Report(figures, table(figures), (budget,))


def table(figures: dict[str, Any]) -> str:
    """Return the figures as a line of text."""
    return (
        f"callback, above the call to Bigin: p95 {figures['p95_ms']} ms, "
        f"median {figures['median_ms']} ms, first of a container {figures['first_ms']} ms"
    )


def _one(stack: Deployed, event: Event, created: Part) -> float:
    """Return the milliseconds of one callback that settles its part, without Bigin's."""
    seen = stack.ledger.load(created.address)
    if seen is not None:
        stack.ledger.save(replace(created, version=seen.version))
    handler, context = stack.app("job_callback").lambda_handler, invocation("job_callback")
    watch = Stopwatch()
    with watch.around_bigin():
        started = time.perf_counter()
        answer = handler(event, context)
        seconds = time.perf_counter() - started
    (part,) = stack.parts()
    if answer["statusCode"] != 200 or part.state is not PartState.SETTLED or watch.calls != 1:
        raise AssertionError(f"nothing was settled: {answer}, {part.state}, {watch.calls} calls")
    return (seconds - watch.seconds) * 1000


if __name__ == "__main__":
    publish("callback", run())
