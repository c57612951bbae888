"""What Bigin says of a job, compared with what was asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain.job_request import (
    FieldMapping,
    Job,
    JobRequest,
    JobStatus,
    Operation,
)
from bigin_import.importing.send import contradictions

ASKED = FieldMapping("Probability", index=3, default_value="5.0")
REQUEST = JobRequest(Operation.UPSERT, "Pipelines", "Deal_Name", True, (ASKED,))
ECHO = Job(
    job_id="1",
    status=JobStatus.ADDED,
    operation="upsert",
    module="Pipelines",
    ignore_empty=True,
    mappings=frozenset({ASKED}),
)


def mapped(**changes: object) -> Job:
    return replace(ECHO, mappings=frozenset({replace(ASKED, **changes)}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "echo",
    [
        pytest.param(ECHO, id="as asked"),
        pytest.param(replace(ECHO, module="Deals"), id="the engine's name of the module"),
        pytest.param(mapped(find_by="id"), id="a find_by that Bigin adds"),
        pytest.param(mapped(format="yyyy-MM-dd"), id="a format that Bigin adds"),
        pytest.param(mapped(default_value="5"), id="a number as Bigin writes it"),
        pytest.param(mapped(default_value=None), id="a key left out"),
    ],
)
def test_an_echo_that_says_the_same_is_no_contradiction(echo: Job) -> None:
    assert contradictions(echo, REQUEST, None) == ()


@pytest.mark.parametrize(
    "echo",
    [
        pytest.param(replace(ECHO, module="Contacts"), id="another module"),
        pytest.param(replace(ECHO, ignore_empty=False), id="empty cells erase"),
        pytest.param(replace(ECHO, operation="insert"), id="another operation"),
        pytest.param(replace(ECHO, mappings=frozenset()), id="a field is missing"),
        pytest.param(mapped(index=2), id="another column"),
        pytest.param(mapped(default_value="5.1"), id="another number"),
        pytest.param(mapped(default_value="05"), id="a zero in front, as of a code"),
    ],
)
def test_an_echo_that_says_something_else_is_a_contradiction(echo: Job) -> None:
    assert len(contradictions(echo, REQUEST, None)) == 1


def test_a_find_by_that_was_asked_for_must_come_back() -> None:
    wanted = replace(REQUEST, field_mappings=(replace(ASKED, find_by="Email"),))

    assert contradictions(mapped(find_by="id"), wanted, None)
