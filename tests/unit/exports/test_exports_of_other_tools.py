"""What other tools export: what is suggested for it as it is, and what arrives of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bigin_import.bigin import wire
from tests.bigin_twin.catalogue import FIXTURES
from tests.bigin_twin.uploads import UploadCall
from tests.fakes.harness import Harness
from tests.unit.bigin_twin.scenario import Desk

EXPORTS = Path(__file__).parents[2] / "samples" / "exports"
NAMES = sorted(path.stem for path in EXPORTS.glob("*.csv"))
exports = pytest.mark.parametrize("name", NAMES)


def twin_harness() -> Harness:
    """Return the application over fakes, with the fields that the twin has."""
    harness = Harness()
    contacts = json.loads((FIXTURES / "contacts.json").read_text(encoding="utf-8"))
    fields = wire.fields({"fields": contacts["fields"]})
    assert fields is not None
    harness.bigin.module_fields["Contacts"] = fields
    return harness


def without_lines_above(name: str, lines: int) -> bytes:
    """Return an export as a person corrects it who was told to delete the lines above its table."""
    return b"".join((EXPORTS / f"{name}.csv").read_bytes().splitlines(keepends=True)[lines:])


def suggestion_of(name: str) -> dict[str, Any]:
    """Return what is suggested, or why nothing is."""
    harness = twin_harness()
    source = harness.drop(f"incoming/{name}.csv", (EXPORTS / f"{name}.csv").read_bytes())
    harness.settle()
    key = f"{harness.import_of(source).results}{name}.mapping.suggested.json"
    if harness.files.find_newest(key) is None:
        harness.tick(minutes=3)
        return {"refused": harness.notices.published[0].body.splitlines()[4].strip()}
    suggested = json.loads(harness.files.read(key))
    entries = {
        entry["api_name"]: entry.get("column", entry.get("index"))
        for entry in suggested["field_mappings"]
    }
    return {"missing": suggested.get("$missing", []), "fields": entries}


def arrived(name: str, lines_above: int) -> list[dict[str, Any]]:
    """Drop an export with its mapping, send its jobs to the twin, and return the records there."""
    harness, desk = twin_harness(), Desk()
    mapping = json.loads((EXPORTS / f"{name}.mapping.json").read_bytes())
    harness.drop(f"incoming/{name}.mapping.json", mapping)
    harness.drop(f"incoming/{name}.csv", without_lines_above(name, lines_above))
    harness.settle()
    for made in harness.bigin.made.values():
        call = UploadCall("bulk-write", desk.bigin.catalogue.zgid, "a.zip", made.archive)
        file_id = str(desk.bigin.upload(call, desk.now)["details"]["file_id"])
        body = wire.create_body(made.request, file_id=file_id, callback_url=made.callback_url)
        desk.bigin.create_job(body, desk.now)
        desk.now += 3600
    sent = [entry["api_name"] for entry in mapping["field_mappings"]]
    return [{field: record.get(field) for field in sent} for record in desk.records()]


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXPORTS / f"{name}.expected.json").read_bytes())
    return found


@exports
def test_what_is_suggested_for_an_export_as_it_is(name: str) -> None:
    assert suggestion_of(name) == expected(name)["suggestion"]


@exports
def test_what_arrives_of_an_export_with_its_mapping(name: str) -> None:
    known = expected(name)

    assert arrived(name, known["lines_above"]) == known["arrives"]


def test_every_export_is_in_the_table_of_the_readme() -> None:
    text = (EXPORTS / "README.md").read_text(encoding="utf-8")

    assert [name for name in NAMES if f"`{name}`" not in text] == []
