"""Whoever knows no signature changes nothing; whoever knows one decides nothing by it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import ClosedBy, ImportState
from tests.e2e.desk import CONTACTS, Desk
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.waiting import until
from tests.local_stack import LocalStack

FORGED = "A" * 43


@pytest.fixture(scope="session")
def shared(desk_at: Callable[[str], Desk]) -> Desk:
    return desk_at("callbacks")


@pytest.fixture(scope="session")
def under_way(
    stack: LocalStack, shared: Desk, twin: SeenBigin
) -> tuple[ObjectVersion, ObjectVersion]:
    """Two imports whose jobs have ended at Bigin, which tells nobody."""
    with twin.changed(callback_when="never"):
        bodies = {"a.csv": shared.contacts(first=1), "b.csv": shared.contacts(first=11)}
        drops = [shared.drop(name, body, CONTACTS) for name, body in bodies.items()]
        for source in drops:
            shared.reached(source, has_been_sent, what="is sent")
            shared.leave_alone(source)
            until(partial(has_ended, twin, shared.parts_of(source)[0]), what="the job has ended")
    until(partial(is_quiet, stack), what="no function has a message to read")
    return drops[0], drops[1]


def has_been_sent(record: Import) -> bool:
    return record.state is ImportState.SENT and record.lease_until == 0


def is_quiet(stack: LocalStack) -> bool:
    """Return whether nothing is under way that would write to the table unasked."""
    queue = stack.resource("CollectQueue")
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=counts)
    return all(int(answer["Attributes"][count]) == 0 for count in counts)


def has_ended(twin: SeenBigin, part: Part) -> bool:
    (job,) = twin.jobs_of(part.import_id)
    return bool(job["status"] == "COMPLETED")


def path_of(twin: SeenBigin, part: Part) -> str:
    """Return the signed end of the callback URL that Bigin was given for *part*."""
    (body,) = twin.creates_of(part.import_id)
    return "/".join(urlsplit(body["callback"]["url"]).path.split("/")[-4:])


def items_of(stack: LocalStack, *parts: Part) -> list[dict[str, Any]]:
    """Return what the table has of the imports of *parts*; the tick writes items of its own."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.table)
    own = {part.import_id for part in parts}
    items = (item for page in pages for item in page["Items"])
    found = (each for each in items if each.get("import_id", {}).get("S") in own)
    return sorted(found, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def names_job(call: dict[str, Any], part: Part) -> bool:
    """Return whether a request to Bigin was about the job of *part*."""
    assert part.attempt is not None
    assert part.attempt.job_id is not None
    return part.attempt.job_id in str(call["path"])


def post(
    stack: LocalStack, http: requests.Session, path: str, job_id: str | None = None
) -> requests.Response:
    content = {"job_id": job_id, "state": "COMPLETED"}
    return http.post(f"{stack.callback_url}/{path}", json=content, timeout=30)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda own, other: own[:-43] + FORGED, id="forged"),
        pytest.param(lambda own, other: own[:-43] + own[-43:].swapcase(), id="wrong"),
        pytest.param(lambda own, other: own[:-43] + other[-43:], id="of another import"),
        pytest.param(lambda own, other: own.replace("/0001/", "/0002/"), id="of another part"),
        pytest.param(lambda own, other: own.replace("/1/", "/2/"), id="of another attempt"),
        pytest.param(lambda own, other: own[:-1], id="short"),
        pytest.param(lambda own, other: own[:-43], id="missing"),
        pytest.param(lambda own, other: own[:-44], id="missing with its slash"),
    ],
)
def test_a_callback_without_its_own_signature_changes_nothing(
    stack: LocalStack,
    http: requests.Session,
    twin: SeenBigin,
    shared: Desk,
    under_way: tuple[ObjectVersion, ObjectVersion],
    changed: Callable[[str, str], str],
) -> None:
    (own,), (other,) = (shared.parts_of(source) for source in under_way)
    path = changed(path_of(twin, own), path_of(twin, other))
    before, asked = items_of(stack, own, other), len(twin.requests())

    answer = post(stack, http, path)

    assert answer.status_code == 403
    assert before
    assert items_of(stack, own, other) == before
    assert not any(names_job(call, own) for call in twin.requests()[asked:])


def test_a_callback_that_names_another_job_settles_its_own(
    stack: LocalStack,
    http: requests.Session,
    twin: SeenBigin,
    shared: Desk,
    under_way: tuple[ObjectVersion, ObjectVersion],
) -> None:
    (own,), (other,) = (shared.parts_of(source) for source in under_way)
    assert own.attempt is not None
    assert other.attempt is not None

    answer = post(stack, http, path_of(twin, own), job_id=other.attempt.job_id)
    stack.invoke_tick()

    assert answer.status_code == 200
    facts = shared.facts(shared.closed(under_way[0]))
    assert facts["parts"][0]["job_ids"] == [own.attempt.job_id]
    assert shared.parts_of(under_way[1]) == (other,)


def test_what_no_callback_reported_the_tick_closes(
    stack: LocalStack, shared: Desk, under_way: tuple[ObjectVersion, ObjectVersion]
) -> None:
    source = under_way[1]
    shared.make_due(source)

    stack.invoke_tick()

    record = shared.closed(source)
    (part,) = shared.parts_of(source)
    assert record.state is ImportState.COMPLETED
    assert part.attempt is not None
    assert part.attempt.outcome is not None
    assert part.attempt.outcome.closed_by is ClosedBy.TICK


def test_bigin_may_try_the_address_before_it_makes_the_job(desk: Desk, bigin: SeenBigin) -> None:
    bigin.change(probe_callback=True)

    source = desk.drop("people.csv", desk.contacts(), CONTACTS)

    record = desk.closed(source)
    assert record.state is ImportState.COMPLETED
    assert bigin.emails_at(desk.name) == dict.fromkeys(desk.emails(), 1)
    assert len(bigin.jobs_of(record.import_id)) == 1


def test_a_job_of_somebody_else_is_not_adopted(
    stack: LocalStack, http: requests.Session, bigin: SeenBigin, desk: Desk
) -> None:
    theirs = desk.drop("theirs.csv", desk.contacts(first=1), CONTACTS)
    desk.closed(theirs)
    (their_part,) = desk.parts_of(theirs)
    assert their_part.attempt is not None
    bigin.break_once("create_timeout_before_effect")
    ours = desk.drop("ours.csv", desk.contacts(first=11), CONTACTS)
    desk.reached(ours, lambda seen: seen.epoch > 0 and seen.lease_until == 0, what="is paused")
    desk.leave_alone(ours)
    (part,) = desk.parts_of(ours)

    answer = post(stack, http, path_of(bigin, part), job_id=their_part.attempt.job_id)

    assert answer.status_code == 200
    (unmoved,) = desk.parts_of(ours)
    assert unmoved.state is part.state
    assert unmoved.attempt is not None
    assert unmoved.attempt.job_id is None
