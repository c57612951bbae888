"""The command runs wherever Python does: the package imports nothing that only POSIX has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.unit.architecture.source import Module, modules

# Of the standard library's modules, those whose pages say "Availability: Unix".
ONLY_POSIX = frozenset(
    {
        *("crypt", "curses", "fcntl", "grp", "nis", "ossaudiodev", "posix", "posixshmem"),
        *("pty", "pwd", "readline", "resource", "spwd", "syslog", "termios", "tty"),
    }
)
# Functions of portable modules that are not there on Windows.
ONLY_POSIX_NAMES = frozenset(
    {
        *("os.fork", "os.forkpty", "os.getpgid", "os.getpgrp", "os.geteuid", "os.getuid"),
        *("os.killpg", "os.mkfifo", "os.setsid", "os.uname", "os.wait", "os.chown"),
        *("os.posix_spawn", "os.sched_getaffinity", "os.statvfs", "signal.SIGKILL"),
        *("signal.alarm", "signal.pause", "signal.setitimer", "time.tzset"),
    }
)


def imported(module: Module) -> set[str]:
    """Return the top names of what a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
            names |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names.add(f"{node.value.id}.{node.attr}")
    return names


@pytest.mark.parametrize("module", modules().values(), ids=lambda module: module.name)
def test_nothing_is_imported_that_only_posix_has(module: Module) -> None:
    assert imported(module) & (ONLY_POSIX | ONLY_POSIX_NAMES) == set()


def test_the_test_sees_what_it_looks_for(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text("import fcntl\nfrom os import fork\nimport os\nos.killpg(1, 9)\n")

    found = imported(Module("sample", path))

    assert found & (ONLY_POSIX | ONLY_POSIX_NAMES) == {"fcntl", "os.fork", "os.killpg"}
