"""Fifty files for an account that affords ten jobs a day: nobody has to touch anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from bigin_import.domain.job_request import JobRequest
from bigin_import.domain.states import ImportState
from bigin_import.errors import BiginBusyError
from tests.fakes.harness import MAPPING, Harness

FILES = 50
JOBS_A_DAY = 10  # 5,000 credits over a rolling day, 500 for a job
DAY_SECONDS = 24 * 3600
LOOK_SECONDS = 15 * 60


def with_few_credits(harness: Harness) -> Callable[..., str]:
    """Return a create call that says 429 once ten jobs were created within a day."""
    create, spent = harness.bigin.create_job, deque[int]()

    def create_job(request: JobRequest, *, file_id: str, callback_url: str, zgid: str) -> str:
        now = harness.clock.now()
        while spent and spent[0] <= now - DAY_SECONDS:
            spent.popleft()
        if len(spent) >= JOBS_A_DAY:
            raise BiginBusyError("no credits left")
        spent.append(now)
        return create(request, file_id=file_id, callback_url=callback_url, zgid=zgid)

    return create_job


def test_fifty_files_get_in_over_the_days() -> None:
    harness = Harness()
    harness.bigin.create_job = with_few_credits(harness)  # type: ignore[method-assign]
    harness.drop("incoming/mapping.json", MAPPING)
    sources = [
        harness.drop(f"incoming/{number}.csv", b"E-mail,Surname\n%d@example.com,Name\n" % number)
        for number in range(FILES)
    ]

    for _ in range(6 * DAY_SECONDS // LOOK_SECONDS):
        harness.clock.advance(LOOK_SECONDS)
        harness.clock.begin()
        harness.sweeper.tick()
        harness.settle()

    states = {harness.import_of(source).state for source in sources}
    assert states == {ImportState.COMPLETED}
    assert len(harness.bigin.made) == FILES
