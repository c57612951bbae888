"""How often the ledger is asked for one drop: each call is time, and money, of every import."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import pytest

from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ImportState
from bigin_import.importing.importer import Importer
from tests.fakes.harness import MAPPING, Harness
from tests.fakes.memory_ledger import MemoryLedger

ROWS_OF_A_PART = 2


class CountedHarness(Harness):
    """
    Everything on fakes, with small parts.

    Attributes:
        calls: How often the ledger was asked, by kind of call.
        items: How many records its answers held.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.items = 0
        self.ledger = MemoryLedger(hook=self._count)

    @property
    def importer(self) -> Importer:
        usual = super().importer
        return replace(usual, preparer=replace(usual.preparer, max_rows=ROWS_OF_A_PART))

    def _count(self, moment: str, call: str, _subject: object) -> None:
        if moment == "after":
            return
        self.calls[call] += 1
        self.items += {"load": 1, "parts": len(self.parts_there)}.get(call, 0)

    @property
    def parts_there(self) -> list[Part]:
        return [record for record in self.ledger.records.values() if isinstance(record, Part)]


class Cost(NamedTuple):
    """Ledger calls until an import is SENT and until it is closed, and the records read."""

    until_sent: int
    until_closed: int
    items: int


def cost_of(parts: int) -> Cost:
    """Return what a drop of so many parts costs, each reported by a callback."""
    harness = CountedHarness()
    rows = (f"p{n}@example.com,N{n}\n" for n in range(parts * ROWS_OF_A_PART))
    harness.drop("incoming/mapping.json", MAPPING)
    harness.calls.clear()
    source = harness.drop("incoming/a.csv", ("E-mail,Surname\n" + "".join(rows)).encode())
    until_sent = harness.calls.total()
    assert len(harness.parts_there) == parts

    harness.settle()
    for part in harness.parts_there:
        harness.call_back(part)
        harness.settle()

    cost = Cost(until_sent, harness.calls.total(), harness.items)
    assert harness.import_of(source).state is ImportState.COMPLETED
    return cost


@pytest.mark.parametrize(
    ("parts", "most"), [(1, Cost(28, 45, 24)), (3, Cost(40, 80, 48)), (40, Cost(260, 720, 520))]
)
def test_a_drop_costs_few_calls_and_reads_each_part_a_few_times(parts: int, most: Cost) -> None:
    cost = cost_of(parts)

    assert cost.until_sent <= most.until_sent
    assert cost.until_closed <= most.until_closed
    assert cost.items <= most.items


def test_what_is_read_grows_with_the_parts_and_not_with_their_square() -> None:
    few, more = cost_of(20).items, cost_of(40).items

    assert more < 2.1 * few
