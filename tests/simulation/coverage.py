"""
Which faults struck where: port by state of a part by kind of fault.

The table of the complete search is kept beside this file. A cell that was there must be there
for ever: a search that does not reach it any more proves less than it did.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from bigin_import.domain.states import PartState

KEPT = Path(__file__).parent / "coverage.json"
NO_PART = "-"

type Cell = tuple[str, str, str]


def merged(cells: Iterable[Cell]) -> frozenset[Cell]:
    """Leave out of the labels what is no port: the moment and the kind of record."""
    return frozenset((label.split(" ")[0], state, kind) for label, state, kind in cells)


def kept() -> frozenset[Cell]:
    """Return the cells that must be reached."""
    listed = json.loads(KEPT.read_text(encoding="utf-8"))
    return frozenset(
        (port, state, kind)
        for port, states in listed.items()
        for state, kinds in states.items()
        for kind in kinds
    )


def keep(cells: Iterable[Cell]) -> None:
    """Write down what is reached now."""
    table: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for port, state, kind in sorted(merged(cells)):
        table[port][state].append(kind)
    KEPT.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


def as_table(cells: Iterable[Cell]) -> str:
    """Return lines of ports and columns of states; in each place how many kinds struck there."""
    kinds: dict[tuple[str, str], set[str]] = defaultdict(set)
    for port, state, kind in merged(cells):
        kinds[port, state].add(kind)
    states = [NO_PART, *PartState]
    ports = sorted({port for port, _ in kinds})
    head = f"{'':24}" + "".join(f"{state[:9]:>10}" for state in states)
    lines = (
        f"{port:24}" + "".join(f"{len(kinds[port, state]) or '.':>10}" for state in states)
        for port in ports
    )
    return "\n".join((head, *lines))
