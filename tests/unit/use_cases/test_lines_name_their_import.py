"""Every event of an import's work names it, also where a call has failed that knows none."""

from __future__ import annotations

from bigin_import.errors import BiginAccessError, BiginUnreachableError
from tests.fakes.harness import MAPPING, ROWS, Harness

# What is about no import: the tick itself, and what it measures.
OF_NO_IMPORT = {"tick", "open_work"}


def unnamed(harness: Harness) -> set[str]:
    seen = harness.telemetry
    return {
        event
        for (event, _), import_id in zip(seen.events, seen.import_ids, strict=True)
        if import_id is None
    }


def test_from_drop_to_closing() -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    source = harness.drop("incoming/a.csv", ROWS)
    harness.call_back(harness.parts_of(source)[0])
    harness.settle()
    harness.tick()

    assert len(harness.telemetry.events) > 5
    assert unnamed(harness) == OF_NO_IMPORT


def test_where_bigin_is_away_and_then_refuses_the_token() -> None:
    harness = Harness()
    harness.bigin.fail("upload", BiginUnreachableError("down"))
    harness.bigin.fail("fields", BiginAccessError("no", code="invalid_code", resolution="-"))
    harness.drop("incoming/mapping.json", MAPPING)
    harness.drop("incoming/a.csv", ROWS)
    harness.tick(minutes=30)

    assert {"sending_paused", "token_refused"} <= set(harness.telemetry.names)
    assert unnamed(harness) == OF_NO_IMPORT | {"zoho_secret_changed"}


def test_while_a_job_cannot_be_asked_about() -> None:
    harness = Harness()
    harness.drop("incoming/mapping.json", MAPPING)
    harness.drop("incoming/a.csv", ROWS)
    harness.bigin.fail("job", *[BiginUnreachableError("down")] * 3)
    harness.tick(minutes=10)

    assert "item_failed" in harness.telemetry.names
    assert unnamed(harness) == OF_NO_IMPORT
