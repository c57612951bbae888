"""What the ledger in memory does beyond the contract: checks, hooks, a late index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.edges import ForbiddenEdgeError
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState, OpenKind
from tests.fakes.memory_ledger import MemoryLedger

IMPORT = Import(
    import_id="i1",
    source=ObjectVersion("bucket", "incoming/contacts.csv", "v1"),
    state=ImportState.WAITING_FOR_MAPPING,
    received_at=50,
    open=OpenKind.WORK,
    due_at=100,
)


def test_a_forbidden_way_is_an_error_and_changes_nothing() -> None:
    ledger = MemoryLedger()
    stored = ledger.save(IMPORT)

    with pytest.raises(ForbiddenEdgeError):
        ledger.save(replace(stored, state=ImportState.COMPLETED))

    assert ledger.load(Import.at("i1")) == stored


def test_a_process_that_dies_after_a_write_has_written() -> None:
    def die_after_save(moment: str, call: str, _subject: object) -> None:
        if (moment, call) == ("after", "save"):
            raise KeyboardInterrupt

    ledger = MemoryLedger(hook=die_after_save)

    with pytest.raises(KeyboardInterrupt):
        ledger.save(IMPORT)

    assert ledger.load(Import.at("i1")) is not None


def test_the_index_lags_and_keeps_the_order_of_one_items_writes() -> None:
    time = [100]
    delays: Iterator[int] = iter([20, 0, 5])
    ledger = MemoryLedger(now=lambda: time[0], lag=lambda: next(delays))

    first = ledger.save(IMPORT)  # seen at 120
    second = ledger.save(replace(first, due_at=110))  # 100, but not before the first: 120
    assert ledger.find_due(OpenKind.WORK, before=999, limit=9) == ()

    time[0] = 120
    assert ledger.find_due(OpenKind.WORK, before=110, limit=9) == (Import.at("i1"),)

    ledger.save(replace(second, open=None, due_at=None))  # seen at 125
    assert ledger.find_due(OpenKind.WORK, before=999, limit=9) == (Import.at("i1"),)

    time[0] = 125
    assert ledger.find_due(OpenKind.WORK, before=999, limit=9) == ()
