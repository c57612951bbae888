"""`make demo KILL=1`: the function dies in the middle of a create, and nobody helps it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import requests
from rich.console import Console

from bigin_import import identity
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.states import PartState
from bigin_import.ports import Ledger
from tests.local_stack.demo.files import DemoFile
from tests.local_stack.stack import LocalStack
from tests.local_stack.workers import PROC, kill_workers

CREATE_SECONDS = 8.0  # so long that it is still under way once that was seen
LOOK_EVERY_SECONDS = 0.1
MOST_SECONDS = 120


class NothingToKillError(Exception):
    """No create was seen under way; the message says what to do."""


def drop_and_kill(
    stack: LocalStack,
    ledger: Ledger,
    dropped: Sequence[DemoFile],
    console: Console,
    drop: Callable[[LocalStack, DemoFile], ObjectVersion],
) -> list[ObjectVersion]:
    """
    Drop the files, and kill every process of import_csv while Bigin makes a job of the last.

    Raises:
        NothingToKillError: This system does not show processes, or no create came.
    """
    if not PROC.exists():
        raise NothingToKillError("KILL=1 finds the processes of a function in /proc: use Linux")
    _change(stack, create_seconds=CREATE_SECONDS)
    sources = [drop(stack, file) for file in dropped]
    _wait_for_create(stack, ledger, sources[-1])
    killed = kill_workers(stack, "import-csv")
    _change(stack, create_seconds=0)
    console.print(
        f"Killed {killed} processes of import_csv in the middle of a create. Its lease outlives "
        "it by some minutes; no clock is turned.",
        markup=False,
    )
    return sources


def _wait_for_create(stack: LocalStack, ledger: Ledger, source: ObjectVersion) -> None:
    import_id = identity.import_id_of(source)
    ends_at = time.monotonic() + MOST_SECONDS
    while time.monotonic() < ends_at:
        parts = ledger.load_parts(import_id)
        if any(part.state is PartState.CREATING for part in parts) and _is_answering(stack):
            return
        time.sleep(LOOK_EVERY_SECONDS)
    raise NothingToKillError(f"no create was seen within {MOST_SECONDS} s; see {stack.folder}")


def _change(stack: LocalStack, **settings: float) -> None:
    answer = requests.post(
        f"{stack.twin_url}/_twin/settings", json=settings, verify=stack.authority, timeout=60
    )
    answer.raise_for_status()


def _is_answering(stack: LocalStack) -> bool:
    """Return whether a call has come to Bigin and is not answered yet."""
    url = f"{stack.twin_url}/_twin/health"
    answer = requests.get(url, verify=stack.authority, timeout=60)
    return bool(answer.json()["parallel_calls"])
