"""Where a local stack keeps what it writes, and that only one of a name runs at a time."""

from __future__ import annotations

import fcntl
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"


class StackInUseError(Exception):
    """Another process runs a stack of this name."""


def folder_of(name: str) -> Path:
    return LOCAL / "stack" / name


@contextmanager
def claimed(name: str) -> Iterator[Path]:
    """
    Yield an empty folder that is ours until the block ends, or this process dies.

    Raises:
        StackInUseError: Another process has it.
    """
    folder = folder_of(name)
    with locked(folder.with_suffix(".lock"), wait=False):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield folder


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold the lock file *path*; the system lets go of it when its holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as exc:
            raise StackInUseError(
                f'the stack "{path.stem}" is running already (`make down` stops "up")'
            ) from exc
        yield


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
