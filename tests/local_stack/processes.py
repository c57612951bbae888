"""Child processes: started with a log of their own, ended with everything they started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

STOP_SECONDS = 10
LOG_TAIL_LINES = 40
_KILL_AT_END_OF_INPUT = (
    "import os, signal, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), signal.SIGKILL)"
)


class CommandFailedError(Exception):
    """A command ended with an error; the message ends with the last lines of its log."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        tail = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        super().__init__("\n".join([f"{' '.join(command)} failed; see {log}", *tail]))


def environment(**added: str) -> dict[str, str]:
    """
    Return a small environment with *added*.

    Not a copy of ours: credentials and endpoints of the person at the keyboard stay out.
    """
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
    return {name: os.environ[name] for name in kept if name in os.environ} | added


def run(command: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
    """
    Run *command* to its end, its output into *log*.

    Raises:
        CommandFailedError: It ended with an error.
    """
    with log.open("ab") as output:
        done = subprocess.run(
            command, env=env, cwd=cwd, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        raise CommandFailedError(command, log)


@contextmanager
def running(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    log: Path,
    stdout: int | None = None,
    end: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[str]]:
    """
    Yield a running process that leads a group of its own; *end* the group with the block.

    If this process is killed, so is the group.
    """
    with log.open("ab") as output:
        process = _start(command, env=env, cwd=cwd, output=output, stdout=stdout)
        try:
            with _ended_with_us(process):
                yield process
        finally:
            _stop(process, end)


@contextmanager
def _ended_with_us(process: subprocess.Popen[str]) -> Iterator[None]:
    """Let a process of its own session kill the group, once the end of a pipe says that we died."""
    watch = [sys.executable, "-I", "-S", "-c", _KILL_AT_END_OF_INPUT, str(process.pid)]
    with subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True) as watcher:
        try:
            yield
        finally:
            watcher.kill()  # first: the number of the group may be another's once it has ended


def _start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    output: IO[bytes],
    stdout: int | None,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output if stdout is None else stdout,
        stderr=output,
        text=True,
        start_new_session=True,
    )


def _stop(process: subprocess.Popen[str], end: signal.Signals) -> None:
    """End the whole group: MiniStack's Lambda workers would outlive it."""
    if process.poll() is None:
        os.killpg(process.pid, end)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
