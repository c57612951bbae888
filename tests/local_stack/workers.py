"""The processes in which the emulator runs a function's code; found in /proc, so on Linux only."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from tests.local_stack.deployment import STACK_NAME
from tests.local_stack.stack import FunctionName, LocalStack

PROC = Path("/proc")


def kill_workers(stack: LocalStack, function: FunctionName) -> int:
    """End every process of *stack* that runs *function*, at once; return how many there were."""
    found = list(_workers(stack, function))
    for process_id in found:
        os.kill(process_id, signal.SIGKILL)
    return len(found)


def _workers(stack: LocalStack, function: FunctionName) -> Iterator[int]:
    name = f"AWS_LAMBDA_FUNCTION_NAME={STACK_NAME}-{function}".encode()
    for folder in PROC.glob("[0-9]*"):
        process_id = int(folder.name)
        try:
            is_ours = os.getpgid(process_id) == stack.emulator.process.pid
            environment = (folder / "environ").read_bytes() if is_ours else b""
        except (ProcessLookupError, FileNotFoundError, PermissionError):
            continue  # it ended while we looked, or is not ours
        if name in environment.split(b"\0"):
            yield process_id
