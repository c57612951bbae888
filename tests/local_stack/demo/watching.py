"""Follows imports in the ledger until they are closed, and shows how far they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bigin_import import identity, object_keys
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState, PartState
from bigin_import.ports import Ledger

LOOK_EVERY_SECONDS = 0.5
_DONE = {
    **dict.fromkeys(PartState, 1.0),
    PartState.STORED: 0.1,
    PartState.UPLOADED: 0.2,
    PartState.CREATING: 0.3,
    PartState.UNKNOWN: 0.3,
    PartState.HELD: 0.3,
    PartState.CREATED: 0.5,
    PartState.SETTLED: 0.8,
}


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
    def share_done(self) -> float:
        """How far it is, from 0 to 1, by the states of its parts."""
        if self.has_ended:
            return 1.0
        rows = sum(part.rows for part in self.parts)
        done = sum(part.rows * _DONE[part.state] for part in self.parts)
        return 0.95 * done / rows if rows else 0.0

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
    """Show a bar for each file."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        bars: dict[str, TaskID] = {}
        while True:
            seen = look()
            for one in seen:
                if one.key not in bars:
                    bars[one.key] = progress.add_task(one.name, total=1.0, state="dropped")
                progress.update(bars[one.key], completed=one.share_done, state=one.state)
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
