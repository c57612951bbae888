"""What a stack starts ends with it, even if whoever started it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.local_stack.workspace import ROOT

# Starts a process that holds a named pipe open for as long as it lives.
STARTER = """
import os, sys, time
from pathlib import Path
from tests.local_stack import processes

hold = "import sys, time; held = open(sys.argv[1], 'w'); time.sleep(3600)"
command = [sys.executable, "-c", hold, sys.argv[1]]
with processes.running(command, env=dict(os.environ), cwd=Path.cwd(), log=Path(sys.argv[2])):
    time.sleep(3600)
"""


def test_a_killed_starter_leaves_no_process_behind(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    arguments = [sys.executable, "-c", STARTER, str(pipe), str(tmp_path / "log")]
    ours = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        subprocess.Popen(arguments, cwd=ROOT, env=ours) as starter,
        pipe.open() as reading,  # both are open
    ):
        starter.send_signal(signal.SIGKILL)

        assert reading.read() == ""  # comes only once the process that held the pipe has ended
