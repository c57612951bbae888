"""The whole path: a CSV and a mapping in the bucket, records in Bigin, a closed import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import (  # type: ignore[import-untyped]  # ships no types
    yaml_parse,
)

from bigin_import.domain.states import ClosedBy, ImportState
from tests.e2e.desk import CONTACTS, PLANTED, Desk, as_csv, as_json
from tests.e2e.seen_bigin import SeenBigin
from tests.local_stack import LocalStack
from tests.local_stack.deployment import STACK_NAME
from tests.template_reading import template

DOCUMENTED = Path(__file__).parents[1] / "samples" / "mappings"


def exactly_once(desk: Desk, count: int) -> dict[str, int]:
    return dict.fromkeys(desk.emails(count), 1)


def test_a_mapping_and_then_its_csv_become_records(desk: Desk, bigin: SeenBigin) -> None:
    source = desk.drop("people.csv", desk.contacts(3), CONTACTS)

    record = desk.closed(source)

    assert record.state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == exactly_once(desk, 3)
    assert desk.notice(record).body.startswith("All 3 rows of people.csv are in Bigin: 3 added.\n")


def test_a_csv_and_then_its_mapping_become_records(desk: Desk, bigin: SeenBigin) -> None:
    source = desk.put("people.csv", desk.contacts(3))
    desk.reached(source, lambda seen: seen.lease_until == 0 and seen.epoch > 0, what="waits")

    desk.put("people.mapping.json", as_json(CONTACTS))

    assert desk.closed(source).state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == exactly_once(desk, 3)


def test_the_nearest_folder_mapping_counts(desk: Desk, bigin: SeenBigin) -> None:
    desk.put("mapping.json", as_json(CONTACTS | {"columns": {"E-mail": "Email"}}))
    desk.put("shop/mapping.json", as_json(CONTACTS))

    source = desk.put("shop/2026/november.csv", desk.contacts(3))

    record = desk.closed(source)
    assert record.state is ImportState.COMPLETED
    assert record.mapping is not None
    assert record.mapping.key == f"incoming/{desk.name}/shop/mapping.json"
    assert bigin.emails_at(desk.name) == exactly_once(desk, 3)


def test_the_callback_closes_the_import(desk: Desk, bigin: SeenBigin) -> None:
    source = desk.drop("people.csv", desk.contacts(3), CONTACTS)

    desk.closed(source)

    (part,) = desk.parts_of(source)
    assert part.attempt is not None
    assert part.attempt.outcome is not None
    assert part.attempt.outcome.closed_by is ClosedBy.CALLBACK
    posted = [call for call in bigin.callbacks() if call["job_id"] == part.attempt.job_id]
    assert [call["status"] for call in posted] == [200]


@pytest.mark.parametrize("operation", ["insert", "update", "upsert"])
def test_the_create_request_equals_the_documented_one(
    desk: Desk, bigin: SeenBigin, operation: str
) -> None:
    text = (DOCUMENTED / f"documented-{operation}.json").read_bytes()
    rows = {
        "insert": [["Phone", "E-mail"], ["1234", desk.emails(1)[0]]],
        "update": [["Name", "Record"], [PLANTED, "111111000000000001"]],
        "upsert": [
            ["E-mail", "Name", "Company", "Born"],
            [desk.emails(1)[0], PLANTED, "", "1970-01-31"],
        ],
    }

    source = desk.drop("people.csv", as_csv(rows[operation]), text)

    record = desk.closed(source)
    (sent,) = bigin.creates_of(record.import_id)
    assert sent == with_places_of(sent, documented(json.loads(text)))
    assert sent["callback"]["method"] == "post"


def documented(body: dict[str, Any]) -> dict[str, Any]:
    """
    Return a documented body in the spelling of the parameter tables, with our two keys.

    Bigin's update sample says `callBack` and `Id` where its tables, and what was seen of the
    API, say `callback` and `id`.
    """
    text = json.dumps(body).replace('"callBack"', '"callback"').replace('"Id"', '"id"')
    spelled: dict[str, Any] = json.loads(text)
    spelled["character_encoding"] = "UTF-8"
    spelled["resource"][0]["ignore_empty"] = True
    return spelled


def with_places_of(sent: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Return *body* with what only the moment decides: the uploaded file and the callback."""
    body["resource"][0]["file_id"] = sent["resource"][0]["file_id"]
    body["callback"]["url"] = sent["callback"]["url"]
    return body


def test_what_is_deployed_is_the_template_itself(stack: LocalStack) -> None:
    answer = stack.client("cloudformation").get_template(
        StackName=STACK_NAME, TemplateStage="Original"
    )

    deployed = yaml_parse(answer["TemplateBody"])
    assert without_code(deployed) == without_code(template())


def without_code(read: dict[str, Any]) -> dict[str, Any]:
    """Return a template without what `sam build` and `sam deploy` put in."""
    for resource in read["Resources"].values():
        for code in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            del resource["Properties"][code]
        metadata = resource.get("Metadata", {})
        for note in ("SamResourceId", "BuildArchitecture"):
            metadata.pop(note, None)
        if not metadata:
            resource.pop("Metadata", None)
    return read
