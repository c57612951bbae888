"""What a person decides about an import on hold, and what makes one go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import CREDITS_PER_JOB
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.importing.decisions import Decision
from bigin_import.operating.look import exit_of
from bigin_import.operating.stack import LOOK_SECONDS, Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.report.summary import span

_CARRIED_OUT_SECONDS = 60  # an asynchronous event, a cold start, one call to Bigin

CONSEQUENCES = {
    Decision.CREATE: "no job was made for it, and its rows are not in Bigin: make the job, for "
    f"{CREDITS_PER_JOB} credits. If they are there after all, they are then there twice",
    Decision.ADOPT: "the job of this id was made for it: go on with that",
    Decision.GIVE_UP: "nobody can tell: stop waiting; its rows are reported as unclear",
    Decision.CONTINUE: "the cause is mended: go on with the import",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """
    A decision as it was typed.

    Attributes:
        part: 0 where it was not said, which does where only one is held.
        job_id: Of the job to adopt.
        confirmed: The import id typed again; `create` wants it.
    """

    decision: Decision
    part: int = 0
    job_id: str = ""
    confirmed: str = ""


def decide(stack: Stack, terminal: Terminal, name: str, wish: Wish | None) -> Exit:
    """Carry out *wish* about the attempt and hold as they are now; None: show the choices."""
    record = stack.find_import(name)
    held = [part for part in stack.ledger.load_parts(record.import_id) if _is_held(part)]
    if wish is None:
        return _show_choices(terminal, record, held)
    if wish.decision is Decision.CONTINUE:
        return _continue(stack, terminal, record)
    part = _held_part(record, held, wish)
    if wish.decision is Decision.CREATE and wish.confirmed != record.import_id:
        raise CommandRefusedError(
            f"a job is made only with --confirm {record.import_id}, which says that "
            f"{CONSEQUENCES[wish.decision]}"
        )
    terminal.say(f"Part {part.number}: {CONSEQUENCES[wish.decision]}.")
    terminal.confirm("Do it?")
    attempt = part.attempt.number if part.attempt else 0
    payload = {
        "resume": record.import_id,
        "decision": wish.decision,
        "part": part.number,
        "attempt": attempt,
        **({"job_id": wish.job_id} if wish.job_id else {}),
    }
    return _send(stack, terminal, record, payload, lambda: _verify_decided(stack, part))


def _continue(stack: Stack, terminal: Terminal, record: Import) -> Exit:
    if record.state is not ImportState.ON_HOLD:
        raise CommandRefusedError(f"import {record.import_id} is {record.state}, not on hold")
    terminal.say(f"On hold because: {record.hold_reason}.", CONSEQUENCES[Decision.CONTINUE] + ".")
    terminal.confirm("Go on?")
    payload = {
        "resume": record.import_id,
        "decision": Decision.CONTINUE,
        "held_at": record.held_at or 0,
    }
    return _send(stack, terminal, record, payload, lambda: _verify_released(stack, record))


def _send(
    stack: Stack,
    terminal: Terminal,
    record: Import,
    payload: Mapping[str, object],
    is_done: Callable[[], bool],
) -> Exit:
    """Ask import_csv, and wait until the ledger shows that it was done."""
    stack.client("lambda").invoke(
        FunctionName=stack.outputs["ImportFunction"],
        InvocationType="Event",
        Payload=json.dumps(payload).encode(),
    )
    ends_at = time.monotonic() + _CARRIED_OUT_SECONDS
    while not is_done():
        if time.monotonic() >= ends_at:
            seen = stack.ledger.load(record.address) or record
            why = seen.refused_decision or "it changed since, or the function is late"
            raise CommandRefusedError(
                f"nothing was changed: {why}", f"Look again: bigin-drop show {record.import_id}"
            )
        time.sleep(LOOK_SECONDS)
    terminal.say("Done.")
    terminal.report({"import_id": record.import_id, "sent": dict(payload)})
    return Exit.GOOD


def _is_held(part: Part) -> bool:
    return part.state is PartState.HELD


def _verify_decided(stack: Stack, part: Part) -> bool:
    seen = stack.ledger.load(part.address)
    return seen is not None and not (_is_held(seen) and seen.attempt == part.attempt)


def _verify_released(stack: Stack, record: Import) -> bool:
    seen = stack.ledger.load(record.address)
    return seen is not None and seen.held_at != record.held_at


def _held_part(record: Import, held: list[Part], wish: Wish) -> Part:
    wanted = [part for part in held if wish.part in (0, part.number)]
    if len(wanted) == 1:
        return wanted[0]
    numbers = ", ".join(str(part.number) for part in held) or "none"
    raise CommandRefusedError(
        f"of import {record.import_id} these parts are held: {numbers}",
        "Name one with --part" if held else f"See bigin-drop show {record.import_id}",
    )


def _show_choices(terminal: Terminal, record: Import, held: list[Part]) -> Exit:
    command = f"bigin-drop decide {record.import_id}"
    for part in held:
        terminal.say(f"Part {part.number}, {span(part.first_row, part.last_row)}, is held. If")
        for decision in (Decision.CREATE, Decision.ADOPT, Decision.GIVE_UP):
            word = {"create": f"create --confirm {record.import_id}", "adopt": "adopt JOB"}.get(
                decision, decision.replace("_", "-")
            )
            terminal.say(
                f"- {CONSEQUENCES[decision]}:", f"    {command} --part {part.number} {word}"
            )
    if not held and record.state is ImportState.ON_HOLD:
        terminal.say(
            f"On hold because: {record.hold_reason}. If",
            f"- {CONSEQUENCES[Decision.CONTINUE]}:",
            f"    {command} continue",
        )
    if not held and record.state is not ImportState.ON_HOLD:
        terminal.say(f"{record.state}: there is nothing to decide.")
    terminal.report(
        {"state": record.state, "reason": record.hold_reason, "parts": [p.number for p in held]}
    )
    return Exit.ON_HOLD if held else exit_of(record)


def retry(stack: Stack, terminal: Terminal, name: str) -> Exit:
    """
    Let a file be imported again that certainly wrote nothing, or an open import go on now.

    Raises:
        CommandRefusedError: Rows of it are in Bigin already.
    """
    record = stack.find_import(name)
    if not record.state.is_closed:
        _resume(stack, record)
        terminal.say(f"{record.source.key} is {record.state}; it is looked at now.")
        terminal.report({"import_id": record.import_id, "state": record.state})
        return Exit.GOOD
    if not record.state.wrote_nothing:
        raise CommandRefusedError(
            f"{record.source.key} is {record.state}: rows of it are in Bigin",
            f'Correct and drop its failed.csv; or write "force": "{record.import_id}" in its '
            "mapping and drop the file again, if every row is really to be sent once more",
        )
    version = _copy_onto_itself(stack, record)
    terminal.say(f"Dropped {record.source.key} again, as version {version}.")
    terminal.report({"key": record.source.key, "version_id": version})
    return Exit.GOOD


def _resume(stack: Stack, record: Import) -> None:
    stack.client("lambda").invoke(
        FunctionName=stack.outputs["ImportFunction"],
        InvocationType="Event",
        Payload=json.dumps({"resume": record.import_id}).encode(),
    )


def _copy_onto_itself(stack: Stack, record: Import) -> str:
    """Make a new version of exactly what was dropped, and return its id."""
    source = {"Bucket": stack.bucket, "Key": record.source.key}
    if record.source.version_id not in ("", "null"):
        source["VersionId"] = record.source.version_id
    answer = stack.client("s3").copy_object(
        Bucket=stack.bucket,
        Key=record.source.key,
        CopySource=source,
        MetadataDirective="REPLACE",
    )
    version: str = answer.get("VersionId", "null")
    return version
