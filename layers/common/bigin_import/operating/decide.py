"""What a person decides about an import on hold, and what makes one go on."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bigin_import.domain.import_record import Import
from bigin_import.domain.import_transitions import SUBMITTER_STATES
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
        return _show_choices(stack, terminal, record, held)
    if wish.decision is Decision.CONTINUE:
        return _continue(stack, terminal, record)
    part = _held_part(stack, record, held, wish)
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
    _send(stack, record, payload, lambda: _verify_decided(stack, part, wish))
    terminal.say("Done.")
    terminal.report({"import_id": record.import_id, "sent": payload})
    return Exit.GOOD


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
    _send(stack, record, payload, lambda: _verify_released(stack, record))
    seen = _wait_for_rest(stack, record)
    if seen.state is ImportState.ON_HOLD:
        terminal.say(
            f"It is on hold again: {seen.hold_reason}.",
            f"See what can be decided: {stack.command(f'decide {record.import_id}')}",
        )
    else:
        terminal.say(f"Done: it is {seen.state} now.", *_follow_lines(stack, seen))
    facts = {"state": seen.state, "reason": seen.hold_reason}
    terminal.report({"import_id": record.import_id, "sent": payload, **facts})
    return exit_of(seen)


def _wait_for_rest(stack: Stack, record: Import) -> Import:
    """Return an import that went on as it is once it waits for somebody, or a minute later."""
    ends_at = time.monotonic() + _CARRIED_OUT_SECONDS
    while True:
        seen = stack.ledger.load(record.address) or record
        is_under_way = seen.state in SUBMITTER_STATES and seen.pause is None
        if not is_under_way or time.monotonic() >= ends_at:
            return seen
        time.sleep(LOOK_SECONDS)


def _follow_lines(stack: Stack, record: Import) -> Iterator[str]:
    if not record.state.is_closed:
        yield f"Follow it: {stack.command(f'watch {record.import_id}')}"


def _send(
    stack: Stack, record: Import, payload: Mapping[str, object], is_done: Callable[[], bool]
) -> None:
    """
    Ask import_csv, and wait until the ledger shows that it was done.

    Raises:
        CommandRefusedError: It was not.
    """
    stack.client("lambda").invoke(
        FunctionName=stack.outputs["ImportFunction"],
        InvocationType="Event",
        Payload=json.dumps(payload).encode(),
    )
    ends_at = time.monotonic() + _CARRIED_OUT_SECONDS
    while not is_done():
        seen = stack.ledger.load(record.address) or record
        is_refused = seen.refused_decision != record.refused_decision
        if is_refused or time.monotonic() >= ends_at:
            why = seen.refused_decision or "the function is late"
            raise _unchanged(stack, record.import_id, why)
        time.sleep(LOOK_SECONDS)


def _unchanged(stack: Stack, import_id: str, why: str) -> CommandRefusedError:
    again = stack.command(f"show {import_id}")
    return CommandRefusedError(f"nothing was changed: {why}", f"Look again: {again}")


def _is_held(part: Part) -> bool:
    return part.state is PartState.HELD


def _verify_decided(stack: Stack, part: Part, wish: Wish) -> bool:
    """
    Return whether *part* is as it was wished; False while it is held as it was shown.

    Raises:
        CommandRefusedError: Something else was decided about it.
    """
    seen = stack.ledger.load(part.address)
    if seen is None or (_is_held(seen) and seen.attempt == part.attempt):
        return False
    if not _is_as_wished(seen, part.attempt.number if part.attempt else 0, wish):
        raise _unchanged(stack, part.import_id, "it changed since it was shown")
    return True


def _is_as_wished(seen: Part, number: int, wish: Wish) -> bool:
    attempt = seen.numbered(number)
    match wish.decision:
        case Decision.CREATE:
            return attempt is not None and attempt.written_off
        case Decision.ADOPT:
            return attempt is not None and wish.job_id in attempt.job_ids
    return seen.state is PartState.GIVEN_UP


def _verify_released(stack: Stack, record: Import) -> bool:
    seen = stack.ledger.load(record.address)
    return seen is not None and seen.held_at != record.held_at


def _held_part(stack: Stack, record: Import, held: list[Part], wish: Wish) -> Part:
    wanted = [part for part in held if wish.part in (0, part.number)]
    if len(wanted) == 1:
        return wanted[0]
    numbers = ", ".join(str(part.number) for part in held) or "none"
    raise CommandRefusedError(
        f"of import {record.import_id} these parts are held: {numbers}",
        "Name one with --part" if held else f"See {stack.command(f'show {record.import_id}')}",
    )


def _show_choices(stack: Stack, terminal: Terminal, record: Import, held: list[Part]) -> Exit:
    words = f"decide {record.import_id}"
    for part in held:
        terminal.say(f"Part {part.number}, {span(part.first_row, part.last_row)}, is held. If")
        for decision in (Decision.CREATE, Decision.ADOPT, Decision.GIVE_UP):
            choice = {"create": f"create --confirm {record.import_id}", "adopt": "adopt JOB"}.get(
                decision, decision.replace("_", "-")
            )
            command = stack.command(f"{words} --part {part.number} {choice}")
            terminal.say(f"- {CONSEQUENCES[decision]}:", f"    {command}")
    if not held and record.state is ImportState.ON_HOLD:
        terminal.say(
            f"On hold because: {record.hold_reason}. If",
            f"- {CONSEQUENCES[Decision.CONTINUE]}:",
            f"    {stack.command(f'{words} continue')}",
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
        CommandRefusedError: It waits for a decision, rows of it are in Bigin already, or a person
            said no.
    """
    record = stack.find_import(name)
    if record.state is ImportState.ON_HOLD:
        raise CommandRefusedError(
            f"{record.source.key} is on hold: {record.hold_reason}",
            f"See what can be decided: {stack.command(f'decide {record.import_id}')}",
            exit_code=Exit.ON_HOLD,
        )
    if not record.state.is_closed:
        return _go_on(stack, terminal, record)
    if not record.state.wrote_nothing:
        raise CommandRefusedError(
            f"{record.source.key} is {record.state}: rows of it are in Bigin",
            f'Correct and drop its failed.csv; or write "force": "{record.import_id}" in its '
            "mapping and drop the file again, if every row is really to be sent once more",
        )
    terminal.say(
        f"{record.source.key} is {record.state} and wrote nothing; a new version of it is dropped."
    )
    terminal.confirm("Drop it?")
    version = _copy_onto_itself(stack, record)
    terminal.say(f"Dropped {record.source.key} again, as version {version}.")
    terminal.report({"key": record.source.key, "version_id": version})
    return Exit.GOOD


def _go_on(stack: Stack, terminal: Terminal, record: Import) -> Exit:
    """Let import_csv look at an open import now; asked or not it does nothing that it would not."""
    is_its = record.state in SUBMITTER_STATES
    if is_its:
        _resume(stack, record)
    does = "is looked at now" if is_its else "was sent, and goes on by itself as Bigin's jobs end"
    terminal.say(f"{record.source.key} is {record.state}; it {does}.")
    terminal.say(*_follow_lines(stack, record))
    terminal.report({"import_id": record.import_id, "state": record.state, "looked_at": is_its})
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
