"""
Looking at imports: all at a glance or in a browser; one, its progress, its results, its log lines.

Nothing is changed here.
"""

from __future__ import annotations

import json
import re
import time
import webbrowser
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from html import unescape
from itertools import chain, islice
from pathlib import Path
from urllib.parse import unquote

from bigin_import.domain import listing
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import CREDITS_PER_JOB
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.domain.undo import Undo, UndoState
from bigin_import.errors import MissingObjectError
from bigin_import.importing.pauses import Pause
from bigin_import.object_keys import OVERVIEW, notice_file
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal, columns
from bigin_import.report.page import planned_jobs
from bigin_import.report.summary import duration, moment, number, rows
from bigin_import.report.undone import how_far, records
from bigin_import.settling.summarize import part_summary
from bigin_import.settling.write_overview import (
    OpenImports,
    find_open,
    load_undos,
    words_of_undo,
)

LOOK_SECONDS = 2.0  # between two looks at an import that is watched
# How much of its way a part has behind it; in a state that is not here it has ended.
_DONE = {
    PartState.STORED: 0.1,
    PartState.UPLOADED: 0.2,
    PartState.CREATING: 0.3,
    PartState.UNKNOWN: 0.3,
    PartState.HELD: 0.3,
    PartState.CREATED: 0.5,
    PartState.SETTLED: 0.8,
}
_GOOD = frozenset(
    {
        ImportState.COMPLETED,
        ImportState.DRY_RUN,
        ImportState.UNCHANGED,
        ImportState.WITHDRAWN,
        ImportState.SUPERSEDED,
    }
)


def show(stack: Stack, terminal: Terminal, name: str) -> Exit:
    """Show one import: its state, parts and jobs, credits, and what happens next and when."""
    record = stack.find_import(name)
    parts = stack.ledger.load_parts(record.import_id)
    undo = stack.ledger.load(Undo.at(record.import_id))
    terminal.say(*_import_lines(stack, record, parts, now=int(time.time()), undo=undo))
    terminal.say(*(undo_lines(undo) if undo else ()))
    terminal.report({**_facts(record, parts), "undo": asdict(undo) if undo else None})
    return exit_of(record)


def _facts(record: Import, parts: tuple[Part, ...]) -> Mapping[str, object]:
    return {"import": asdict(record), "parts": [asdict(part_summary(part)) for part in parts]}


def _import_lines(
    stack: Stack,
    record: Import,
    parts: tuple[Part, ...],
    *,
    now: int,
    undo: Undo | None = None,
) -> Iterator[str]:
    about: list[tuple[str, str]] = [
        ("import", record.import_id),
        ("state", record.state),
        ("received", moment(record.received_at)),
    ]
    if record.module:
        about.append(("writes to", f"{record.module} ({record.operation})"))
    if record.mapping:
        about.append(("mapping", record.mapping.key))
    if record.totals:
        about.append(("rows", number(record.totals.rows)))
    if record.totals and record.dry_run and record.totals.invalid:
        about.append(("invalid", f"{number(record.totals.invalid)}, which would not be sent"))
    if outcome := _counted(record):
        about.append(("outcome", outcome))
    if undone := words_of_undo(record, {undo.import_id: undo} if undo else {}):
        about.append(("since then", undone))
    if parts:
        credits_spent = sum(part_summary(part).credits for part in parts)
        about.append(("credits", number(credits_spent)))
    if record.results:
        about.append(("results", record.results))
    yield record.source.key
    yield from (f"  {line}" for line in columns(about))
    yield from _part_lines(parts)
    yield ""
    yield from _next_lines(stack, record, now=now)


def undo_lines(undo: Undo) -> Iterator[str]:
    """Yield how far an import is undone, in words."""
    match undo.state:
        case UndoState.SHOWN:
            yield f"Undoing it was shown {moment(undo.shown_at)} and not confirmed."
        case UndoState.RUNNING:
            yield (
                f"It is being undone: {number(undo.deleted)} of {records(undo.rows)} deleted, "
                f"{number(undo.kept)} left, since {moment(undo.confirmed_at or 0)}."
            )
        case UndoState.DONE:
            kept = f", {number(undo.kept)} could not be" if undo.kept else ""
            yield f"Undone {moment(undo.done_at or 0)}: {records(undo.deleted)} deleted{kept}."
        case UndoState.FORGOTTEN:
            yield "What was kept of it is removed: it cannot be undone any more."


def _counted(record: Import) -> str:
    counts = asdict(record.counts) if record.counts else {}
    return ", ".join(f"{number(n)} {name.replace('_', ' ')}" for name, n in counts.items() if n)


def _part_lines(parts: tuple[Part, ...]) -> Iterator[str]:
    if not parts:
        return
    heads = ("part", "state", "rows", "attempt", "job", "made by", "known by")
    table: list[tuple[object, ...]] = [heads]
    for part in parts:
        told = part_summary(part)
        attempt = part.attempt.number if part.attempt else "-"
        jobs = " ".join(part.job_ids) or "-"
        state = "JOB_REFUSED" if part.state is PartState.JOB_REFUSED else part.state
        by = (told.created_by or "-", told.closed_by or "-")
        table.append((part.number, state, number(part.rows), attempt, jobs, *by))
    yield ""
    yield from (f"  {line}" for line in columns(table))


def _next_lines(stack: Stack, record: Import, *, now: int) -> Iterator[str]:
    if record.state.is_closed:
        yield f"Closed {moment(record.closed_at or 0)}; nothing happens any more."
        return
    if record.state is ImportState.ON_HOLD:
        yield f"On hold: {record.hold_reason}."
        yield f"See what can be decided: {stack.command(f'decide {record.import_id}')}"
        return
    if record.pause:
        yield f"Waits: {Pause.__members__.get(record.pause, record.pause)}."
    if record.due_at is not None:
        seconds = max(record.due_at - now, 0)
        yield f"Looked at again {moment(record.due_at)}, in {number(seconds)} s at the latest."


def exit_of(record: Import) -> Exit:
    """Return how a command about *record* ends: good only if every row is in."""
    if record.state is ImportState.ON_HOLD:
        return Exit.ON_HOLD
    is_bad = record.state.is_closed and record.state not in _GOOD
    return Exit.FINDINGS if is_bad else Exit.GOOD


def watch(
    stack: Stack,
    terminal: Terminal,
    name: str,
    *,
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Exit:
    """Follow an import until it is closed or on hold, then show its notice."""
    record = stack.find_import(name)
    ends_at = time.monotonic() + seconds
    with terminal.progress(record.source.key) as show_progress:
        while not _is_at_rest(record) and time.monotonic() < ends_at:
            parts = stack.ledger.load_parts(record.import_id)
            show_progress(_progress(record, parts), _share_done(record, parts))
            sleep(LOOK_SECONDS)
            record = stack.ledger.load(record.address) or record
    if not _is_at_rest(record):
        terminal.report({"import_id": record.import_id, "state": record.state})
        terminal.say(f"Still {record.state} after {seconds:g} s; it goes on without you.")
        return Exit.TIMED_OUT
    show_notice(stack, terminal, record)
    terminal.report(_facts(record, stack.ledger.load_parts(record.import_id)))
    return exit_of(record)


def _is_at_rest(record: Import) -> bool:
    is_told = record.noticed_at is not None or record.is_quiet
    return (record.state.is_closed and is_told) or record.state is ImportState.ON_HOLD


def _share_done(record: Import, parts: tuple[Part, ...]) -> float:
    """Return how far an import is by what its parts have behind them."""
    if record.state.is_closed or record.state is ImportState.FINISHING:
        return 1.0
    total = sum(part.rows for part in parts)
    return sum(part.rows * _DONE.get(part.state, 1.0) for part in parts) / total if total else 0.0


def _progress(record: Import, parts: tuple[Part, ...]) -> str:
    done = sum(part.rows for part in parts if part.state.is_final)
    ended = sum(part.state.is_final for part in parts)
    behind = f": {ended} of {len(parts)} parts, {rows(done)} done" if parts else ""
    return f"{record.state}{behind}"


def show_notice(stack: Stack, terminal: Terminal, record: Import) -> None:
    """Show what people were told of *record*, or what is known of it where they were not."""
    notice = next(stack.files.list_keys(notice_file(record.import_id)), None)
    if notice is None:
        terminal.say(
            *_import_lines(
                stack, record, stack.ledger.load_parts(record.import_id), now=int(time.time())
            )
        )
        return
    body: str = json.loads(stack.files.read(notice))["body"]
    terminal.say("", *body.splitlines())


def fetch_results(stack: Stack, terminal: Terminal, name: str, folder: Path) -> Exit:
    """
    Copy the result files of a closed import into *folder*.

    Raises:
        CommandRefusedError: It has none (yet).
    """
    record = stack.find_import(name)
    keys = list(stack.files.list_keys(record.results)) if record.results else []
    if not keys:
        raise CommandRefusedError(
            f"import {record.import_id} is {record.state} and has no results",
            f"See what it waits for: {stack.command(f'show {record.import_id}')}",
        )
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / key.rpartition("/")[2] for key in keys]
    for key, path in zip(keys, paths, strict=True):
        stack.client("s3").download_file(stack.bucket, key, str(path))
        terminal.say(str(path))
    terminal.report({"files": [str(path) for path in paths]})
    return exit_of(record)


def show_logs(stack: Stack, terminal: Terminal, name: str | None, *, hours: int) -> Exit:
    """
    Show every log line about an import, of all functions, the oldest first.

    Args:
        name: Without it, every warning and error of the last *hours*.
    """
    if name is None:
        since = int(time.time()) - hours * 3600
        lines = [
            each for each in _read_log_lines(stack, _TROUBLE, since=since) if _is_trouble(each)
        ]
    else:
        lines = list(_read_log_lines(stack, f'"{stack.find_import(name).import_id}"'))
    lines.sort(key=lambda line: str(line["timestamp"]))
    if name is None and not lines:
        terminal.say(f"No warning and no error in the last {hours} hours.")
    _say_log_lines(terminal, lines)
    terminal.report({"lines": lines})
    return Exit.FINDINGS if bool(lines) is (name is None) else Exit.GOOD


_LEVEL_KEYS = ("level", "log_level")  # the second: of Lambda's own lines
_LEVELS = ("WARNING", "ERROR", "CRITICAL")
_ENDS = ("timeout", "error", "failure")  # of an invocation, as Lambda itself writes them
_CONDITIONS = (
    *(f'($.{key} = "{level}")' for key in _LEVEL_KEYS for level in _LEVELS),
    *(f'($.record.status = "{end}")' for end in _ENDS),
)
_TROUBLE = f"{{ {' || '.join(_CONDITIONS)} }}"


def _is_trouble(line: Mapping[str, object]) -> bool:
    record = line.get("record")
    ended = record.get("status") if isinstance(record, dict) else None
    return any(line.get(key) in _LEVELS for key in _LEVEL_KEYS) or ended in _ENDS


def _say_log_lines(terminal: Terminal, lines: Sequence[Mapping[str, object]]) -> None:
    for line in lines:
        facts = " ".join(f"{key}={value}" for key, value in line.items() if _tells(key))
        terminal.say(f"{line['timestamp']} {line.get('service', '')} {line['message']} {facts}")


def _tells(key: str) -> bool:
    """Return whether a key of a log line says something that the line does not begin with."""
    if key in ("timestamp", "service", "level", "message", "location", "cold_start"):
        return False
    return not key.startswith(("function_", "xray_"))


def _read_log_lines(stack: Stack, pattern: str, *, since: int = 0) -> Iterator[dict[str, object]]:
    logs = stack.client("logs")
    for group in stack.list_resources("AWS::Logs::LogGroup"):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=pattern, startTime=since * 1000
        )
        for event in (event for page in pages for event in page["events"]):
            try:
                line = json.loads(event["message"])
            except ValueError:  # written by Lambda itself
                line = {"message": event["message"].strip()}
            line = line if isinstance(line, dict) else {"message": event["message"]}
            yield {"timestamp": moment(event["timestamp"] // 1000), "message": "", **line}


_DAY_SECONDS = 86_400
_MOST_SHOWN = 100
_UNKNOWN = "Imports that were closed before this release was deployed are not listed."


def show_status(stack: Stack, terminal: Terminal, *, held_only: bool, days: int) -> Exit:
    """List open imports, those that need a person first, and what was closed in *days*."""
    now = int(time.time())
    found = find_open(stack.ledger)
    if held_only:
        found = {listing.HELD: found[listing.HELD]}
    closed = [] if held_only else list(_load_closed(stack, since=now - days * _DAY_SECONDS))
    undos = {} if held_only else load_undos(stack.ledger)
    terminal.say(*_open_lines(stack, found, now), *_undoing_lines(undos.values()), "")
    if not held_only:
        terminal.say(*_closed_lines(closed, undos, days), "", _UNKNOWN)
    open_now = [asdict(record) for records in found.values() for record in records]
    facts = {"open": open_now, "closed": list(map(asdict, closed))}
    terminal.report({**facts, "undone": list(map(asdict, undos.values()))})
    return Exit.ON_HOLD if found[listing.HELD] else Exit.GOOD


def show_credits(stack: Stack, terminal: Terminal, *, days: int) -> Exit:
    """Say what the jobs of the last days took; Bigin itself says nothing of what is left."""
    since = int(time.time()) - days * _DAY_SECONDS
    records = [
        *_load_closed(stack, since=since),
        *chain.from_iterable(find_open(stack.ledger).values()),
    ]
    jobs = sum(map(planned_jobs, records))
    spent = jobs * CREDITS_PER_JOB
    terminal.say(
        f"{number(spent)} credits at most for {number(jobs)} jobs of the last {days} days.",
        "Bigin shows what is left under Setup, Data Administration, Storage, API Dashboard.",
    )
    terminal.report({"days": days, "jobs": jobs, "credits": spent})
    return Exit.GOOD


def _load_closed(stack: Stack, *, since: int) -> Iterator[Import]:
    """Yield imports closed after *since*, the newest month first."""
    month, now = listing.closed_in(since), int(time.time())
    headings = {listing.closed_in(at): None for at in range(now, since, -_DAY_SECONDS)}
    for heading in (*headings, *([] if month in headings else [month])):
        for record in stack.ledger.find_listed(heading):
            if (record.closed_at or 0) > since:
                yield record


def _open_lines(stack: Stack, found: OpenImports, now: int) -> Iterator[str]:
    shown = [(heading, record) for heading, records in found.items() for record in records]
    if not shown:
        yield "Nothing is open."
        return
    yield f"Open ({len(shown)}):"
    table = [
        (
            record.import_id,
            f"{record.state}{_WAITS_FOR.get(heading, '')}",
            f"for {duration(now - record.received_at)}",
            record.source.key or "(forgotten)",
        )
        for heading, record in shown[:_MOST_SHOWN]
    ]
    yield from (f"  {line}" for line in columns(table))
    for heading, record in shown[:_MOST_SHOWN]:
        if heading == listing.HELD:
            yield f"  decide: {stack.command(f'decide {record.import_id}')}"


_WAITS_FOR = {listing.HELD: ": needs a decision", listing.CREDITS: ": waits for credits"}


def _undoing_lines(undos: Iterable[Undo]) -> Iterator[str]:
    for undo in undos:
        if undo.state is UndoState.RUNNING:
            yield f"  {undo.import_id}  {how_far(undo, undo.added)}"


def _closed_lines(records: list[Import], undos: Mapping[str, Undo], days: int) -> Iterator[str]:
    yield f"Closed in the last {days} days ({len(records)}):"
    table = [
        (
            record.import_id,
            record.state,
            moment(record.closed_at or 0),
            f"{number(record.counts.succeeded)} of {number(record.counts.total)} rows in"
            if record.counts and record.counts.total
            else "-",
            record.source.key or "(forgotten)",
            words_of_undo(record, undos),
        )
        for record in records[:_MOST_SHOWN]
    ]
    yield from (f"  {line}" for line in (columns(table) if table else ()))
    if records[_MOST_SHOWN:]:
        yield f"  and {number(len(records) - _MOST_SHOWN)} more; --json lists them all"


MOST_REPORTS = 50
_MOST_BYTES = 10_000_000
_RESULTS = "results/"
_REPORT = re.compile(r'href="\./([^"]+/report\.html)"')


def open_overview(stack: Stack, terminal: Terminal, folder: Path, *, shows: bool) -> Exit:
    """
    Copy the page and the reports of its first lines into *folder*; open it if it *shows*.

    Raises:
        CommandRefusedError: There is no page yet.
    """
    try:
        page = stack.files.read(OVERVIEW, at_most=_MOST_BYTES).decode()
    except MissingObjectError as exc:
        raise CommandRefusedError(
            "there is no page of all imports yet",
            f"The tick writes it every minute; {stack.command('doctor')} says whether it runs",
        ) from exc
    linked = (unquote(unescape(link)) for link in _REPORT.findall(page))
    reports = [f"{_RESULTS}{path}" for path in islice(linked, MOST_REPORTS)]
    for key in (OVERVIEW, *reports):
        _download(stack, key, folder)
    path = (folder / OVERVIEW.removeprefix(_RESULTS)).resolve()
    terminal.say(f"The page of all imports and {len(reports)} reports: {path}")
    terminal.report({"page": str(path), "reports": len(reports)})
    if shows:
        webbrowser.open(path.as_uri())
    return Exit.GOOD


def _download(stack: Stack, key: str, folder: Path) -> None:
    """Copy an object below *folder*; names of files come from people, but never lead out of it."""
    path = (folder / key.removeprefix(_RESULTS)).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise CommandRefusedError(f"{key} would be written outside of {folder}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as exc:
        raise CommandRefusedError(
            f"{exc.filename} cannot be made: a file has the name of a folder",
            "Fetch the page into an empty folder, with --to",
        ) from exc
    stack.client("s3").download_file(stack.bucket, key, str(path))
