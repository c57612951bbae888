"""Undoing an import: what that deletes is shown by settle_jobs first, then done as it was shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from bigin_import.domain.undo import Undo, UndoState
from bigin_import.operating.look import LOOK_SECONDS, undo_lines
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.report.summary import number, rows
from bigin_import.report.undone import COMPANIES, CUTS_LINKS, records


@dataclass(frozen=True, slots=True)
class Wish:
    """
    What was typed.

    Attributes:
        confirmed: Names what was shown, which is then deleted; "" to be shown it.
        changed_too: Show also what was changed since.
        seconds: How long its end is waited for.
    """

    confirmed: str = ""
    changed_too: bool = False
    seconds: float = 3600


def undo(
    stack: Stack,
    terminal: Terminal,
    name: str,
    wish: Wish,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Exit:
    """
    Show what undoing an import deletes; with a confirmation, let it be deleted, and follow that.

    Raises:
        CommandRefusedError: It cannot be undone, or something else was shown last.
    """
    record = stack.find_import(name)
    payload = {
        "undo": record.import_id,
        "changed_too": wish.changed_too,
        "confirm": wish.confirmed,
        "by": stack.client("sts").get_caller_identity()["Arn"],
    }
    said = _ask(stack, payload)
    if not wish.confirmed:
        terminal.say(f"{record.source.key}, import {record.import_id}:", *_shown_lines(said))
        if record.module == COMPANIES:
            terminal.say(f"- {CUTS_LINKS}")
        terminal.say("", "To delete exactly these:", f"    {_command(stack, said)}")
        terminal.report(said)
        return Exit.GOOD
    return _follow(stack, terminal, record.import_id, partial(sleep, LOOK_SECONDS), wish.seconds)


def _ask(stack: Stack, payload: Mapping[str, object]) -> Mapping[str, Any]:
    """Return what settle_jobs says; it asks Bigin, under its own role."""
    answer = stack.patient_lambda.invoke(
        FunctionName=stack.outputs["SettleFunction"], Payload=json.dumps(payload).encode()
    )
    said = json.loads(answer["Payload"].read() or b"null")
    if "FunctionError" in answer or not isinstance(said, dict):
        raise CommandRefusedError(
            "settle_jobs ended with an error",
            "See its log; the stack may be of a release that cannot undo imports",
        )
    if "refused" in said:
        raise CommandRefusedError(str(said["refused"]), stack.completed(str(said["remedy"])))
    return said


def _shown_lines(said: Mapping[str, Any]) -> Iterator[str]:
    yield f"- {records(said['rows'])} that it added would be deleted; their ids are certain"
    if said["changed"] is None:
        yield "- Bigin does not say which of them were changed since: these go as well"
    elif said["changed_too"]:
        yield f"- {number(said['changed'])} of them changed since, and go as well"
    else:
        yield f"- {records(said['changed'])} changed since, and stay"
    yield f"- {records(said['updated'])} it only updated, which stay as they are"
    looks = "to look at each of them" if said.get("asks_each") else "for each list of 200"
    yield f"- it takes {number(said['credits'])} credits, 1 for 100 records and 1 {looks}"
    yield "- Bigin's workflows are not run; its recycle bin keeps the records for a while"


def _command(stack: Stack, said: Mapping[str, Any]) -> str:
    return stack.command(f"undo {said['import_id']} --confirm {said['confirm']}")


def _follow(
    stack: Stack, terminal: Terminal, import_id: str, wait: Callable[[], None], seconds: float
) -> Exit:
    """Follow an import until it is undone."""
    ends_at = time.monotonic() + seconds
    with terminal.progress(f"Undoing {import_id}") as show_progress:
        while (seen := _load(stack, import_id)).state is not UndoState.DONE:
            if time.monotonic() >= ends_at:
                terminal.report(asdict(seen))
                terminal.say(*undo_lines(seen), "It goes on without you.")
                return Exit.TIMED_OUT
            done = f"{number(seen.gone_through)} of {rows(seen.rows)}"
            show_progress(done, seen.gone_through / seen.rows)
            wait()
    terminal.say(*undo_lines(seen), "Its report and a notice say what was left.")
    terminal.report(asdict(seen))
    return Exit.FINDINGS if seen.kept else Exit.GOOD


def _load(stack: Stack, import_id: str) -> Undo:
    seen = stack.ledger.load(Undo.at(import_id))
    if seen is None:
        raise CommandRefusedError(
            f"of import {import_id} nothing was shown", f"See {stack.command(f'undo {import_id}')}"
        )
    return seen
