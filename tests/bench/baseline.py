"""
The build that speed is compared with: a worktree of one commit, so that it runs in the same run.

How much faster than the standard library anything is moves by a third with the load of a machine;
how much faster than another build in interleaved rounds does not.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.bench.figures import LOCAL, ROOT

COMMIT = "12954e7"


def tree() -> Path | None:
    """Return the folder of the commit; None in a clone that does not have it."""
    folder = LOCAL / "bench" / COMMIT
    if (folder / "layers").exists():
        return folder
    _run("worktree", "prune")
    done = _run("worktree", "add", "--detach", "--force", str(folder), COMMIT)
    return folder if done.returncode == 0 else None


def environment(folder: Path) -> dict[str, str]:
    """Return the variables with which Python imports what is in *folder*, then the peers."""
    paths = [str(folder), str(folder / "layers" / "common"), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths)}


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)
