"""All imports at a glance: what is open and what it waits for, and what was closed lately."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict

from bigin_import.domain import listing
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import Exit, Terminal, columns
from bigin_import.report.figures import duration, moment, number
from bigin_import.settling.summarize import CREDITS_PER_JOB

_DAY_SECONDS = 86_400
_MOST_SHOWN = 100
_WITHOUT_JOBS = frozenset(
    {
        ImportState.REJECTED,
        ImportState.UNCHANGED,
        ImportState.DRY_RUN,
        ImportState.WITHDRAWN,
        ImportState.SUPERSEDED,
    }
)
_UNKNOWN = "Imports that were closed before this release was deployed are not listed."


def show_status(stack: Stack, terminal: Terminal, *, held_only: bool, days: int) -> Exit:
    """List open imports, those that need a person first, and what was closed in *days*."""
    now = int(time.time())
    headings = listing.OPEN[:1] if held_only else listing.OPEN
    open_now = [record for each in headings for record in stack.ledger.find_listed(each)]
    closed = [] if held_only else list(_load_closed(stack, since=now - days * _DAY_SECONDS))
    needs_person = [record for record in open_now if listing.listing_of(record)[0] == listing.HELD]
    terminal.say(*_open_lines(open_now, now), "")
    if not held_only:
        terminal.say(*_closed_lines(closed, days), "", _UNKNOWN)
    terminal.report({"open": list(map(asdict, open_now)), "closed": list(map(asdict, closed))})
    return Exit.ON_HOLD if needs_person else Exit.GOOD


def show_credits(stack: Stack, terminal: Terminal, *, days: int) -> Exit:
    """Say what the jobs of the last days took; Bigin itself says nothing of what is left."""
    since = int(time.time()) - days * _DAY_SECONDS
    records = [
        *_load_closed(stack, since=since),
        *(record for heading in listing.OPEN for record in stack.ledger.find_listed(heading)),
    ]
    jobs = sum(map(_planned_jobs, records))
    spent = jobs * CREDITS_PER_JOB
    terminal.say(
        f"{number(spent)} credits at most for {number(jobs)} jobs of the last {days} days.",
        "Bigin shows what is left under Setup, Data Administration, Storage, API Dashboard.",
    )
    terminal.report({"days": days, "jobs": jobs, "credits": spent})
    return Exit.GOOD


def _planned_jobs(record: Import) -> int:
    """Return how many jobs an import may have made: one for each part, if it sent any."""
    sent_nothing = record.dry_run or record.state in _WITHOUT_JOBS
    return 0 if sent_nothing or record.totals is None else record.totals.parts


def _load_closed(stack: Stack, *, since: int) -> Iterator[Import]:
    """Yield imports closed after *since*, the newest month first."""
    month, now = listing.closed_in(since), int(time.time())
    headings = {listing.closed_in(at): None for at in range(now, since, -_DAY_SECONDS)}
    for heading in (*headings, *([] if month in headings else [month])):
        for record in stack.ledger.find_listed(heading):
            if (record.closed_at or 0) > since:
                yield record


def _open_lines(records: list[Import], now: int) -> Iterator[str]:
    if not records:
        yield "Nothing is open."
        return
    yield f"Open ({len(records)}):"
    table = [
        (
            record.import_id,
            _waits_for(record),
            f"for {duration(now - record.received_at)}",
            record.source.key or "(forgotten)",
        )
        for record in records[:_MOST_SHOWN]
    ]
    yield from (f"  {line}" for line in columns(table))
    for record in records[:_MOST_SHOWN]:
        if listing.listing_of(record)[0] == listing.HELD:
            yield f"  decide: bigin-drop decide {record.import_id}"


def _waits_for(record: Import) -> str:
    heading = listing.listing_of(record)[0]
    if heading == listing.HELD:
        return f"{record.state}: needs a decision"
    return f"{record.state}: waits for credits" if heading == listing.CREDITS else record.state


def _closed_lines(records: list[Import], days: int) -> Iterator[str]:
    yield f"Closed in the last {days} days ({len(records)}):"
    table = [
        (
            record.import_id,
            record.state,
            moment(record.closed_at or 0),
            f"{number(record.counts.succeeded)} of {number(record.counts.total)} rows in"
            if record.counts
            else "-",
            record.source.key or "(forgotten)",
        )
        for record in records[:_MOST_SHOWN]
    ]
    yield from (f"  {line}" for line in (columns(table) if table else ()))
    if records[_MOST_SHOWN:]:
        yield f"  and {number(len(records) - _MOST_SHOWN)} more; --json lists them all"
