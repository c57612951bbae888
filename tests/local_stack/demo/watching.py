"""Follows imports in the ledger until they are closed, and shows how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bigin_import import identity, object_keys
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState
from bigin_import.ports import Ledger

LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """One import as it stands, with its parts; no record before S3's event was delivered."""

    key: str
    record: Import | None
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        return object_keys.result_name(self.key)

    @property
    def has_ended(self) -> bool:
        """Closed and told, or waiting for a person."""
        record = self.record
        return record is not None and (
            record.noticed_at is not None or record.state is ImportState.ON_HOLD
        )

    @property
    def state(self) -> str:
        return self.record.state.value if self.record else "dropped"


def watch(
    ledger: Ledger, sources: Sequence[ObjectVersion], console: Console, *, seconds: float
) -> tuple[Seen, ...]:
    """
    Show the imports of *sources* until all have ended, or for *seconds*; return how they stand.
    """
    give_up_at = time.monotonic() + seconds
    show = _live if console.is_terminal else _plain
    for seen in show(lambda: tuple(_look(ledger, source) for source in sources), console):
        if all(one.has_ended for one in seen) or time.monotonic() > give_up_at:
            return seen
    raise AssertionError("the look never ends by itself")


def _look(ledger: Ledger, source: ObjectVersion) -> Seen:
    import_id = identity.import_id_of(source)
    record = ledger.load(Import.at(import_id))
    return Seen(source.key, record, ledger.load_parts(import_id))


type Look = Callable[[], tuple[Seen, ...]]


def _live(look: Look, console: Console) -> Iterator[tuple[Seen, ...]]:
    with Live(console=console, transient=True) as live:
        while True:
            seen = look()
            live.update(_table(seen))
            yield seen
            time.sleep(LOOK_EVERY_SECONDS)


def _plain(look: Look, console: Console) -> Iterator[tuple[Seen, ...]]:
    """Print a line whenever something has changed."""
    printed: dict[str, str] = {}
    while True:
        seen = look()
        for one in seen:
            line = _line(one)
            if printed.get(one.name) != line:
                printed[one.name] = line
                console.print(f"  {line}", highlight=False)
        yield seen
        time.sleep(LOOK_EVERY_SECONDS)


def _line(seen: Seen) -> str:
    parts = " ".join(f"{part.number}:{part.state.value}" for part in seen.parts)
    return f"{seen.name}: {seen.state}" + (f" [{parts}]" if parts else "")


def _table(seen: tuple[Seen, ...]) -> Table:
    table = Table("import", "state", "part", "rows", "part is", "job", box=None)
    for one in seen:
        table.add_row(one.name, one.state)
        for part in one.parts:
            job_id = (part.attempt.job_id if part.attempt else None) or ""
            table.add_row("", "", str(part.number), f"{part.rows:,}", part.state.value, job_id)
    return table
