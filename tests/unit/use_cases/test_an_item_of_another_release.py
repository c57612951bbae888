"""After a rollback the table has items that this release cannot read."""

from __future__ import annotations

import pytest

from bigin_import import identity
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import KeyLock
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import Address, ImportState
from bigin_import.errors import BiginUnreachableError
from tests.fakes.harness import MAPPING, ROWS, Harness

CSV, OTHER = "incoming/contacts.csv", "incoming/other.csv"


def waiting(harness: Harness) -> ObjectVersion:
    """Return a drop whose import waits for Bigin."""
    harness.drop("incoming/mapping.json", MAPPING)
    harness.bigin.fail("create_job", BiginUnreachableError("no route"))
    return harness.drop(CSV, ROWS)


def rolled_back(harness: Harness, *addresses: Address[Import] | Address[Part]) -> None:
    harness.ledger.of_another_release |= {(each.pk, each.sk) for each in addresses}


def test_it_keeps_nothing_else_from_its_turn_is_due_later_and_rings() -> None:
    harness = Harness()
    source = waiting(harness)
    record = harness.import_of(source)
    rolled_back(harness, record.address)

    other = harness.drop(OTHER, ROWS.replace(b"ada", b"eve"))
    harness.tick(minutes=5)

    assert harness.import_of(other).state is ImportState.COMPLETED
    assert harness.telemetry.names.count("item_unreadable") == 1
    left = harness.ledger.records[record.address.pk, record.address.sk]
    assert isinstance(left, Import)
    assert (left.due_at or 0) > harness.clock.now() + 1800
    harness.tick(minutes=70)
    assert harness.telemetry.names.count("item_unreadable") == 2


def test_a_release_that_knows_it_goes_on_with_it() -> None:
    harness = Harness()
    source = waiting(harness)
    record = harness.import_of(source)
    rolled_back(harness, record.address)
    harness.tick(minutes=5)

    harness.ledger.of_another_release.clear()
    harness.tick(minutes=70)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert len(harness.bigin.made) == 1


def test_an_import_with_such_a_part_waits_and_is_not_on_hold() -> None:
    harness = Harness()
    source = waiting(harness)
    record = harness.import_of(source)
    rolled_back(harness, Part.at(record.import_id, 1))

    harness.tick(minutes=120)
    assert harness.import_of(source).pause == "RELEASE"
    assert "item_unreadable" in harness.telemetry.names
    assert "on_hold" not in harness.telemetry.names
    harness.ledger.of_another_release.clear()
    harness.tick(minutes=70)

    assert harness.import_of(source).state is ImportState.COMPLETED


def test_a_drop_whose_key_lock_is_such_an_item_waits() -> None:
    harness = Harness()
    source = waiting(harness)
    lock = KeyLock.at(identity.place_of(source))
    harness.ledger.of_another_release.add((lock.pk, lock.sk))
    later = harness.drop(CSV, ROWS.replace(b"ada", b"eve"))

    harness.tick(minutes=3)
    assert harness.import_of(later).state is ImportState.WAITING_FOR_MAPPING
    harness.ledger.of_another_release.clear()
    harness.tick(minutes=120)

    assert harness.import_of(later).state is ImportState.COMPLETED


@pytest.mark.parametrize("event", ["drop", "callback", "message", "failed event"])
def test_no_event_about_it_fails(event: str) -> None:
    harness = Harness()
    source = waiting(harness)
    record = harness.import_of(source)
    harness.tick(minutes=2)
    (part,) = harness.parts_of(source)
    rolled_back(harness, record.address, part.address)

    match event:
        case "drop":
            harness.importer.receive(source)
        case "callback":
            harness.call_back(part, "7000")
        case "message":
            harness.queue.messages += [(record.import_id, 1), (record.import_id, None)]
            harness.settle()
        case _:
            harness.failures.events.append((source,))
            harness.tick()

    assert harness.failures.events == []
    assert "item_unreadable" in harness.telemetry.names or event == "message"
