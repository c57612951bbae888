"""Read, decide, write if it is still as it was read; and no way that the tables do not have."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.edges import ForbiddenEdgeError
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from bigin_import.ledger import create_if_absent, update
from tests.fakes.memory_ledger import MemoryLedger
from tests.unit.architecture.packages import MODULES

WAITING = Import(
    import_id="i1",
    source=ObjectVersion("bucket", "incoming/contacts.csv", "v1"),
    state=ImportState.WAITING_FOR_MAPPING,
    received_at=50,
)
# Records without states, written where their own lock is kept.
ALSO_SAVE = {
    "bigin.token_store",
    "importing.prepare",
    "settling.waiting",
    "settling.write_overview",
}


def test_a_forbidden_edge_names_both_states_and_writes_nothing() -> None:
    ledger = MemoryLedger()
    stored = ledger.save(WAITING)

    with pytest.raises(ForbiddenEdgeError) as caught:
        update(ledger, stored.address, lambda seen: replace(seen, state=ImportState.SENT))

    assert (caught.value.old, caught.value.new) == ("WAITING_FOR_MAPPING", "SENT")
    assert ledger.load(stored.address) == stored


def test_an_import_that_begins_in_the_middle_is_not_stored() -> None:
    ledger = MemoryLedger()

    with pytest.raises(ForbiddenEdgeError) as caught:
        create_if_absent(ledger, replace(WAITING, state=ImportState.SENDING))

    assert (caught.value.old, caught.value.new) == ("", "SENDING")
    assert ledger.load(WAITING.address) is None


def test_records_with_states_are_saved_in_one_place_only() -> None:
    """There the record that was read is given to the ledger, which checks the edge."""
    saving = {
        name.removeprefix("bigin_import.")
        for name, module in MODULES.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "save"
    }

    assert saving - ALSO_SAVE == {"ledger"}
