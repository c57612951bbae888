"""What job_callback answers to strangers, and what it makes of bodies it cannot read."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from bigin_import import container
from bigin_import.callback_url import MAX_BODY_BYTES, NOBODY, sign
from bigin_import.container import LambdaClock
from bigin_import.domain.states import PartState
from tests.bigin_twin.create_request import Callback
from tests.bigin_twin.faults import Fault, FaultName
from tests.integration.handlers.deployed import SIGNING_KEY, Deployed
from tests.integration.handlers.sample_events import Event, callback_sample
from tests.integration.handlers.story import call_back, drop_both
from tests.integration.handlers.written_logs import log_lines, readings
from tests.template_reading import properties

FOREIGN_IMPORT = "a" * 26


def with_segment(name: str, value: str) -> Callable[[Event], None]:
    def change(event: Event) -> None:
        event["pathParameters"][name] = value

    return change


def without_segments(event: Event) -> None:
    event["pathParameters"] = None


def for_another_import(event: Event) -> None:
    """Keep the signature, which is good for its own import only."""
    event["pathParameters"]["import_id"] = FOREIGN_IMPORT


def with_another_key(event: Event) -> None:
    segments = event["pathParameters"]
    signature = sign(b"some other key", segments["import_id"], 1, 1)
    segments["signature"] = signature


def without_its_last_character(event: Event) -> None:
    segments = event["pathParameters"]
    segments["signature"] = segments["signature"][:-1]


FORGERIES: dict[str, Callable[[Event], None]] = {
    "signed with another key": with_another_key,
    "another import's signature": for_another_import,
    "another part's signature": with_segment("part", "0002"),
    "another attempt's signature": with_segment("attempt", "2"),
    "a signature cut short": without_its_last_character,
    "an empty signature": with_segment("signature", ""),
    "a part that is no number": with_segment("part", "1 OR"),
    "an import id that is none": with_segment("import_id", "../TOKEN"),
    "digits of another script": with_segment("part", "٠٠٠١"),
    "no path at all": without_segments,
}


def genuine(stack: Deployed) -> Event:
    (job_id,) = stack.job_ids()
    return callback_sample("callback-json", stack.callback_path(job_id), job_id)


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_callback_is_refused_with_nothing_read_and_nothing_written(
    stack: Deployed, forge: Callable[[Event], None]
) -> None:
    drop_both(stack)
    event = genuine(stack)
    forge(event)
    table, requests = stack.items(), len(stack.twin.server.requests)
    stack.messages()
    stack.calls.clear()

    answer = stack.run("job_callback", event)

    assert answer == {"statusCode": 403, "headers": {}, "body": ""}
    assert {call.service for call in stack.calls} == {"secretsmanager"}
    assert stack.items() == table
    assert len(stack.twin.server.requests) == requests
    assert stack.messages() == []


def test_the_genuine_one_of_these_is_accepted(stack: Deployed) -> None:
    """Else the table above would prove nothing."""
    drop_both(stack)
    stack.calls.clear()

    answer = stack.run("job_callback", genuine(stack))

    assert answer["statusCode"] == 200
    assert {"dynamodb", "sqs"} <= {call.service for call in stack.calls}


def test_refusing_costs_no_call_at_all_once_the_keys_are_known(stack: Deployed) -> None:
    drop_both(stack)
    event = genuine(stack)
    with_another_key(event)
    stack.run("job_callback", event)
    stack.calls.clear()

    stack.run("job_callback", event)

    assert stack.calls == []


def test_a_key_that_was_rotated_a_moment_ago_is_known_without_waiting(stack: Deployed) -> None:
    drop_both(stack)
    event = genuine(stack)
    segments = event["pathParameters"]
    with_another_key(event)
    assert stack.run("job_callback", event)["statusCode"] == 403
    stack.rotate_signing_key("a new key")
    segments["signature"] = sign(b"a new key", segments["import_id"], 1, 1)

    with patch.object(container, "RECHECK_SECONDS", 0):
        answer = stack.run("job_callback", event)

    assert answer["statusCode"] == 200


def test_refused_callbacks_are_all_counted_and_only_sampled_in_the_log(
    stack: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_both(stack)
    event = genuine(stack)
    with_another_key(event)
    event["requestContext"]["identity"]["sourceIp"] = "192.0.2.7"
    at = itertools.chain([1_000] * 50, [1_010]).__next__
    capsys.readouterr()

    with patch.object(LambdaClock, "now", lambda _: at()):
        for _ in range(51):
            stack.run("job_callback", event)

    written = capsys.readouterr().out
    lines = [line for line in log_lines(written) if line["message"] == "callback refused"]
    assert [line["address"] for line in lines] == ["192.0.2.7"] * 2
    counted = [each.value for each in readings(written) if each.name == "CallbacksRefused"]
    assert counted == [1, 50]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ([NOBODY], ["callback probed"]),
        ([NOBODY, FOREIGN_IMPORT, NOBODY], ["callback probed", "callback refused"]),
    ],
    ids=["alone", "among others"],
)
def test_what_the_doctor_tries_is_called_so_and_hides_nobody(
    stack: Deployed, capsys: pytest.CaptureFixture[str], named: list[str], said: list[str]
) -> None:
    drop_both(stack)
    event = genuine(stack)
    with_another_key(event)
    at = iter((1_000, 1_001, 1_010))
    capsys.readouterr()

    with patch.object(LambdaClock, "now", lambda _: next(at)):
        for import_id in named:
            event["pathParameters"]["import_id"] = import_id
            stack.run("job_callback", event)

    written = capsys.readouterr().out
    lines = [line for line in log_lines(written) if str(line["message"]).startswith("callback ")]
    assert [line["message"] for line in lines] == said
    levels = {"callback probed": "INFO", "callback refused": "WARNING"}
    assert [line["level"] for line in lines] == [levels[message] for message in said]


def test_a_callback_for_a_job_that_is_not_ours_is_answered_and_forgotten(stack: Deployed) -> None:
    """The signature is good, but the table has no such import: it was closed long ago."""
    drop_both(stack)
    event = genuine(stack)
    segments = event["pathParameters"]
    segments["import_id"] = FOREIGN_IMPORT
    segments["signature"] = sign(SIGNING_KEY.encode(), FOREIGN_IMPORT, 1, 1)
    table, requests = stack.items(), len(stack.twin.server.requests)

    answer = stack.run("job_callback", event)

    assert answer["statusCode"] == 200
    assert stack.items() == table
    assert len(stack.twin.server.requests) == requests


def test_only_post_reaches_the_function() -> None:
    """API Gateway answers every other method and path itself, 403 and without us."""
    (event,) = properties("JobCallbackFunction")["Events"].values()

    assert event["Type"] == "Api"
    assert event["Properties"]["Method"] == "POST"


def unanswered_create(stack: Deployed) -> str:
    """Drop a file whose create makes a job and gets no answer; return the job's id."""
    with stack.twin.server.bigin() as bigin:
        bigin.faults.add(Fault(name=FaultName.CREATE_TIMEOUT_AFTER_EFFECT))
    drop_both(stack)
    (part,) = stack.parts()
    (job_id,) = stack.job_ids()
    assert (part.state, part.attempt and part.attempt.job_id) == (PartState.UNKNOWN, None)
    return job_id


def body(job_id: str) -> bytes:
    return json.dumps({"job_id": job_id}).encode()


def padded(job_id: str) -> bytes:
    return body(job_id).ljust(MAX_BODY_BYTES + 1)


READ: dict[str, Callable[[str], dict[str, Any]]] = {
    "text": lambda job_id: {"body": body(job_id).decode()},
    "base64": lambda job_id: {
        "body": base64.b64encode(body(job_id)).decode(),
        "isBase64Encoded": True,
    },
    "of the largest size": lambda job_id: {"body": body(job_id).ljust(MAX_BODY_BYTES).decode()},
}
UNREAD: dict[str, Callable[[str], dict[str, Any]]] = {
    "over 64 KB": lambda job_id: {"body": padded(job_id).decode()},
    "over 64 KB in base64": lambda job_id: {
        "body": base64.b64encode(padded(job_id)).decode(),
        "isBase64Encoded": True,
    },
    "no id": lambda _: {"body": '{"state": "COMPLETED"}'},
    "an id that is no number": lambda _: {"body": '{"job_id": "../../org"}'},
    "broken JSON": lambda job_id: {"body": f'{{"job_id": "{job_id}"'},
    "brackets without end": lambda _: {"body": "[" * 60_000},
    "a list": lambda job_id: {"body": f'["{job_id}"]'},
    "not UTF-8": lambda _: {
        "body": base64.b64encode(b"\xff\xfe").decode(),
        "isBase64Encoded": True,
    },
    "lone surrogates": lambda _: {"body": "\ud800"},
}


@pytest.mark.parametrize("change", READ.values(), ids=READ)
def test_a_body_that_names_the_job_of_an_unanswered_create_has_it_adopted(
    stack: Deployed, change: Callable[[str], dict[str, Any]]
) -> None:
    job_id = unanswered_create(stack)

    answer = stack.run("job_callback", genuine(stack) | change(job_id))

    (part,) = stack.parts()
    assert answer["statusCode"] == 200
    assert (part.state, part.attempt and part.attempt.job_id) == (PartState.SETTLED, job_id)


@pytest.mark.parametrize("change", UNREAD.values(), ids=UNREAD)
def test_a_body_that_cannot_be_read_is_answered_and_marks_that_the_job_may_exist(
    stack: Deployed, change: Callable[[str], dict[str, Any]]
) -> None:
    job_id = unanswered_create(stack)
    requests = len(stack.twin.server.requests)

    answer = stack.run("job_callback", genuine(stack) | change(job_id))

    (part,) = stack.parts()
    assert answer["statusCode"] == 200
    assert part.state is PartState.UNKNOWN
    assert part.attempt is not None
    assert part.attempt.callback_at is not None
    assert len(stack.twin.server.requests) == requests


def test_a_job_that_is_not_proven_ours_is_not_adopted(stack: Deployed) -> None:
    """A body may name any job of the organisation; Bigin's own answer decides."""
    unanswered_create(stack)
    event = genuine(stack)
    with stack.twin.server.bigin() as bigin:
        (ours,) = bigin.jobs.values()
        theirs = "999999000000000001"
        request = replace(ours.request, callback=Callback("https://elsewhere.example/hook"))
        bigin.jobs[theirs] = replace(ours, id=theirs, request=request)

    answer = stack.run("job_callback", event | {"body": body(theirs).decode()})

    (part,) = stack.parts()
    assert answer["statusCode"] == 200
    assert (part.state, part.attempt and part.attempt.job_id) == (PartState.UNKNOWN, None)


def test_bigin_out_of_reach_is_answered_200_and_left_to_the_tick(stack: Deployed) -> None:
    drop_both(stack)
    with stack.twin.server.bigin() as bigin:
        bigin.faults.add(Fault(name=FaultName.SERVER_ERROR, status=503, path="/write/"))

    answer = call_back(stack)
    stack.run("settle_jobs", {"tick": True})

    (part,) = stack.parts()
    assert answer["statusCode"] == 200
    assert part.attempt is not None
    assert part.attempt.outcome is not None
    assert part.attempt.outcome.closed_by == "tick"
