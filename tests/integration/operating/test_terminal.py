"""How a command asks and shows, on a terminal and where there is none."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest

from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal

# As a shell does: this process gets the terminal that its input is.
ASK = """
import fcntl, os, sys, termios
from bigin_import.operating.terminal import Terminal
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
terminal = Terminal(sys.stdout, sys.stderr, sys.stdin)
terminal.say(f"{len(terminal.ask_secret('Code'))} characters")
"""


def typed_at_a_terminal(script: str, *, after: bytes, words: bytes) -> bytes:
    """Run *script* at a terminal, type *words* once it shows *after*; return what was shown."""
    ours, its = pty.openpty()
    shown = b""
    with subprocess.Popen([sys.executable, "-c", script], stdin=its, stdout=its, stderr=its):
        os.close(its)
        while after not in shown:
            shown += os.read(ours, 1024)
        os.write(ours, words + b"\n")
        while b"characters" not in shown:
            shown += os.read(ours, 1024)
    os.close(ours)
    return shown


def test_a_secret_that_is_typed_is_not_shown() -> None:
    shown = typed_at_a_terminal(ASK, after=b"(not shown): ", words=b"PLANTED")

    assert b"7 characters" in shown
    assert b"PLANTED" not in shown


def test_progress_is_a_line_for_each_change_where_nobody_watches() -> None:
    out = io.StringIO()

    with Terminal(out, out, None).progress("people.csv") as show:
        show("SENDING", 0.1)
        show("SENDING", 0.2)
        show("SENT", 0.5)

    assert out.getvalue() == "SENDING\nSENT\n"


class Screen(io.StringIO):
    """A terminal that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_never_among_what_programs_read() -> None:
    out, screen, as_json = io.StringIO(), Screen(), Screen()

    with Terminal(out, screen, None).progress("people.csv") as show:
        show("SENT", 0.5)
    with Terminal(out, as_json, None, as_json=True).progress("people.csv") as show:
        show("SENT", 0.5)

    assert "people.csv" in screen.getvalue()
    assert "━" in screen.getvalue()
    assert "SENT" in screen.getvalue()
    assert (out.getvalue(), as_json.getvalue()) == ("", "")


def test_where_nobody_can_be_asked_nothing_is_done() -> None:
    terminal = Terminal(io.StringIO(), io.StringIO(), None)

    with pytest.raises(CommandRefusedError, match="nobody is there to ask") as refused:
        terminal.confirm("Do it?")

    assert refused.value.exit_code is Exit.USAGE
    Terminal(io.StringIO(), io.StringIO(), None, yes=True).confirm("Do it?")
