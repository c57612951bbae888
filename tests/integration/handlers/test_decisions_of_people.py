"""The commands of a notice, as they arrive at import_csv."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bigin_import.domain import import_transitions
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.states import HoldCause, ImportState, PartState
from tests.bigin_twin.faults import Fault, FaultName
from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import Event, sample
from tests.integration.handlers.story import drop_both

NOW = 1_760_000_000


def held(stack: Deployed, *, job_exists: bool) -> str:
    """
    Bring the drop's part to HELD: nobody knows whether its create made a job.

    Returns:
        The id of the import.
    """
    after = FaultName.CREATE_TIMEOUT_AFTER_EFFECT
    name = after if job_exists else FaultName.CREATE_TIMEOUT_BEFORE_EFFECT
    with stack.twin.server.bigin() as bigin:
        bigin.faults.add(Fault(name=name))
    drop_both(stack)
    (part,) = stack.parts()
    assert part.state is PartState.UNKNOWN
    # What an hour without a callback would come to.
    stack.ledger.save(replace(part, state=PartState.HELD))
    put_on_hold(stack, HoldCause.PART)
    return part.import_id


def put_on_hold(stack: Deployed, cause: HoldCause) -> None:
    record = stack.the_import()
    on_hold = import_transitions.put_on_hold(cause, "it is not known", NOW)(record)
    assert on_hold is not None
    stack.ledger.save(on_hold)


def decide(stack: Deployed, name: str, import_id: str, **changes: object) -> None:
    event: Event = sample(name) | {"resume": import_id} | changes
    stack.run("import_csv", event)


def state(stack: Deployed) -> tuple[ImportState, PartState]:
    (part,) = stack.parts()
    return stack.the_import().state, part.state


def test_create_makes_another_attempt(stack: Deployed) -> None:
    import_id = held(stack, job_exists=False)

    decide(stack, "decision-create", import_id)

    (part,) = stack.parts()
    assert state(stack) == (ImportState.SENT, PartState.CREATED)
    assert part.attempt is not None
    assert part.attempt.number == 2
    assert stack.job_ids() == [part.attempt.job_id]


def test_adopt_takes_the_job_that_the_person_found(stack: Deployed) -> None:
    import_id = held(stack, job_exists=True)
    (job_id,) = stack.job_ids()

    decide(stack, "decision-adopt", import_id, job_id=job_id)

    (part,) = stack.parts()
    assert part.state is PartState.CREATED
    assert part.attempt is not None
    assert (part.attempt.number, part.attempt.job_id) == (1, job_id)


def test_give_up_ends_the_part_and_asks_for_the_end_of_the_import(stack: Deployed) -> None:
    import_id = held(stack, job_exists=True)

    decide(stack, "decision-give-up", import_id)

    assert stack.parts()[0].state is PartState.GIVEN_UP
    assert {json.loads(message)["import_id"] for message in stack.messages()} == {import_id}
    assert len(stack.job_ids()) == 1


def test_continue_takes_the_import_off_hold(stack: Deployed) -> None:
    drop_both(stack)
    put_on_hold(stack, HoldCause.NO_PROGRESS)
    import_id = stack.the_import().import_id

    decide(stack, "decision-continue", import_id, held_at=NOW)

    assert stack.the_import().state is ImportState.SENT
    assert stack.the_import().hold_reason is None
    assert len(stack.job_ids()) == 1


def test_continue_is_said_about_one_hold_and_no_other(stack: Deployed) -> None:
    drop_both(stack)
    put_on_hold(stack, HoldCause.CONTRADICTION)
    import_id = stack.the_import().import_id

    decide(stack, "decision-continue", import_id, held_at=NOW - 600)

    assert stack.the_import().state is ImportState.ON_HOLD
    assert stack.the_import().contradiction == "it is not known"


@pytest.mark.parametrize("name", ["decision-create", "decision-adopt", "decision-give-up"])
def test_a_decision_about_an_earlier_attempt_decides_nothing(stack: Deployed, name: str) -> None:
    import_id = held(stack, job_exists=True)
    (job_id,) = stack.job_ids()
    changes: dict[str, object] = {"job_id": job_id} if name == "decision-adopt" else {}

    decide(stack, name, import_id, attempt=2, **changes)

    (part,) = stack.parts()
    assert part.state is PartState.HELD
    assert len(part.attempts) == 1
    assert stack.job_ids() == [job_id]


def test_a_decision_taken_twice_creates_once(stack: Deployed) -> None:
    import_id = held(stack, job_exists=False)

    decide(stack, "decision-create", import_id)
    decide(stack, "decision-create", import_id)

    assert len(stack.job_ids()) == 1
    assert stack.parts()[0].state is PartState.CREATED


def test_resume_goes_on_where_the_import_stopped(stack: Deployed) -> None:
    """The submitter died right after the plan stood: nothing was sent."""
    drop_both(stack)
    (part,) = stack.parts()
    fresh = replace(part, state=PartState.STORED, file_id=None, attempts=(), created_at=None)
    stack.ledger.save(fresh)
    stack.ledger.save(replace(stack.the_import(), state=ImportState.SENDING, compared_at=None))

    stack.run("import_csv", sample("resume") | {"resume": part.import_id})

    assert state(stack) == (ImportState.SENT, PartState.CREATED)
    assert isinstance(stack.ledger.load(Import.at(part.import_id)), Import)
    assert isinstance(stack.ledger.load(Part.at(part.import_id, 1)), Part)


def test_a_resume_of_an_import_that_nobody_knows_does_nothing(stack: Deployed) -> None:
    stack.run("import_csv", sample("resume"))

    assert stack.items() == []
    assert stack.twin.server.requests == []
