"""What a command says and asks: for people as text, for programs as one JSON document."""

from __future__ import annotations

import getpass
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, TextIO

from bigin_import.errors import BiginImportError

if TYPE_CHECKING:
    from rich.progress import Progress


class Exit(IntEnum):
    """How a command ends; EX_USAGE is that of sysexits.h."""

    GOOD = 0
    FINDINGS = 1  # something is wrong, or not every row is in Bigin
    REFUSED = 2
    ON_HOLD = 3
    TIMED_OUT = 4
    USAGE = 64


class CommandRefusedError(BiginImportError):
    """
    The command does nothing, and says why.

    Attributes:
        remedy: What to do about it, as a sentence without its full stop.
        exit_code: How the command ends.
    """

    def __init__(self, what: str, remedy: str = "", *, exit_code: Exit = Exit.REFUSED) -> None:
        self.remedy = remedy
        self.exit_code = exit_code
        super().__init__(what)


class Terminal:
    """
    Speaks to whoever typed the command.

    Args:
        answers: Where answers are read from; None if nobody is there to ask.
        as_json: Say nothing but the facts at the end, as JSON.
        yes: Take every question for answered with yes; not those that want a name typed.
    """

    def __init__(
        self,
        out: TextIO,
        err: TextIO,
        answers: TextIO | None,
        *,
        as_json: bool = False,
        yes: bool = False,
    ) -> None:
        self._out = out
        self._err = err
        self._answers = answers
        self.as_json = as_json
        self._yes = yes

    def say(self, *lines: str) -> None:
        """Write lines for people."""
        if not self.as_json:
            self._out.write("".join(f"{line}\n" for line in lines))
            self._out.flush()

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[str, float], None]]:
        """
        Yield what shows how far something is: in words, and as a share from 0 to 1.

        A bar on a terminal that has rich (an extra of the package), else a line for each change.
        """
        progress = _rich_progress(self._err) if self._err.isatty() and not self.as_json else None
        if progress is None:
            yield self._show_changes()
            return
        with progress:
            bar = progress.add_task(title, total=1.0, state="")
            yield lambda words, share: progress.update(bar, completed=share, state=words)

    def _show_changes(self) -> Callable[[str, float], None]:
        last = ""

        def show(words: str, _share: float) -> None:
            nonlocal last
            if words != last:
                self.say(words)
            last = words

        return show

    def report(self, facts: Mapping[str, object]) -> None:
        """Write what the command found, for programs."""
        if self.as_json:
            self._out.write(json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n")

    def report_refusal(self, what: str, remedy: str) -> None:
        """Write why the command did not do its work."""
        if self.as_json:
            self._out.write(json.dumps({"error": what, "remedy": remedy}) + "\n")
            return
        self._err.write(f"bigin-drop: {what}.\n" + (f"{remedy}.\n" if remedy else ""))

    def ask(self, question: str) -> str:
        """
        Return what a person types.

        Raises:
            CommandRefusedError: Nobody is there to ask.
        """
        if self._answers is None:
            raise CommandRefusedError(f"{question}: nobody is there to ask", exit_code=Exit.USAGE)
        self._err.write(f"{question}: ")
        self._err.flush()
        return self._answers.readline().strip()

    def ask_secret(self, question: str) -> str:
        """Return what a person types without showing it; from a pipe, its next line."""
        if self._answers is not None and self._answers.isatty():
            return getpass.getpass(f"{question} (not shown): ").strip()
        return self.ask(question)

    def confirm(self, question: str) -> None:
        """
        Go on only if a person, or `--yes`, says so.

        Raises:
            CommandRefusedError: The answer was no.
        """
        if not self._yes and self.ask(f"{question} [y/N]").casefold() not in ("y", "yes"):
            raise CommandRefusedError("nothing was changed")

    def confirm_by_name(self, name: str, confirmed: str, remedy: str) -> None:
        """
        Go on only if *name* was given with `--confirm`, or is typed now; `--yes` is not enough.

        Raises:
            CommandRefusedError: It was not.
        """
        if confirmed == name:
            return
        typed = "" if confirmed or not self._is_there else self.ask(f'Type "{name}" to go on')
        if typed != name:
            raise CommandRefusedError(f'"{name}" was not given, so nothing was changed', remedy)

    @property
    def _is_there(self) -> bool:
        """Return whether a person, or what was piped in for one, can answer."""
        return self._answers is not None and not self.as_json


def _rich_progress(file: TextIO) -> Progress | None:
    """Return a progress bar; None where rich is not installed."""
    if find_spec("rich") is None:
        return None
    from rich.console import Console  # noqa: PLC0415  # an extra of the package
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    shown = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
    return Progress(*shown, TimeElapsedColumn(), console=Console(file=file))


def columns(rows: Iterable[Sequence[object]]) -> list[str]:
    """Return rows of cells as lines, each column as wide as its widest cell."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*texts, strict=True)]
    padded = (map(str.ljust, row, widths) for row in texts)
    return ["  ".join(row).rstrip() for row in padded]
