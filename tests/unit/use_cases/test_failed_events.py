"""Events that import_csv failed on are taken from their queue as import_csv would have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.states import ImportState
from bigin_import.identity import import_id_of
from tests.fakes.harness import MAPPING, ROWS, Harness

CSV, SIDECAR = "incoming/contacts.csv", "incoming/contacts.mapping.json"


@pytest.mark.parametrize("was_taken", [False, True])
def test_an_event_without_a_version_is_about_the_newest_one(was_taken: bool) -> None:
    harness = Harness()
    harness.drop(SIDECAR, MAPPING)
    source = harness.files.put(CSV, ROWS)
    unversioned = replace(source, version_id="null", etag="e1")
    if was_taken:
        harness.clock.begin()
        harness.importer.receive(unversioned)

    harness.failures.events.append((unversioned,))
    harness.tick(minutes=3)

    assert harness.import_of(source).state is ImportState.COMPLETED
    assert harness.ledger.load(Import.at(import_id_of(unversioned))) is None
    assert len(harness.bigin.made) == 1


@pytest.mark.parametrize("key", ["incoming/other.csv", "incoming/mapping.json"])
def test_an_event_of_another_bucket_registers_and_wakes_nothing(key: str) -> None:
    harness = Harness()
    waiting = harness.drop(CSV, ROWS)
    harness.settle()
    foreign = ObjectVersion("somebody-elses", key, "v1")

    harness.failures.events.append((foreign,))
    harness.clock.advance(60)
    harness.clock.begin()
    harness.sweeper.tick()

    assert harness.ledger.load(Import.at(import_id_of(foreign))) is None
    assert harness.resumer.asked == []
    assert harness.import_of(waiting).state is ImportState.WAITING_FOR_MAPPING
    assert ("bucket_unknown", {"bucket": "somebody-elses"}) in harness.telemetry.events
    assert harness.failures.events == []
