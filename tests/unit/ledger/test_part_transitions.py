"""Every step of a part: what it does, and that it does nothing where it does not apply."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bigin_import.domain import part_transitions
from bigin_import.domain.edges import check_edge
from bigin_import.domain.part_record import Attempt, Outcome, Part, Refusal, Sent
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import ClosedBy, OpenKind, PartState

NOW = 1_760_000_000
ATTEMPT = Attempt(number=1, started_at=NOW, decide_after=NOW + 600)
WITH_JOB = replace(ATTEMPT, job_id="7001")
OUTCOME = Outcome(status="COMPLETED", added=3, closed_by=ClosedBy.CALLBACK, at=NOW)
REFUSAL = Refusal(code="INVALID_FIELD", message="no such field")

CALLED_BACK = replace(ATTEMPT, callback_at=NOW)
WRITTEN_OFF = replace(CALLED_BACK, written_off=True)


def part(state: PartState, *attempts: Attempt) -> Part:
    return Part(
        import_id="i" * 26,
        number=1,
        state=state,
        rows=3,
        csv_bytes=30,
        sha256="0" * 64,
        first_row=2,
        last_row=4,
        repeatable=False,
        attempts=attempts,
        open=OpenKind.WORK,
        due_at=NOW,
    )


EVERY_STEP = {
    "uploaded": part_transitions.record_upload("5001", NOW),
    "creating": part_transitions.begin_create(NOW, NOW + 600),
    "never_sent": part_transitions.undo_create(1),
    "unanswered": part_transitions.mark_unanswered(1),
    "refused": part_transitions.refuse(REFUSAL, NOW),
    "created": part_transitions.record_job(1, "7001", NOW),
    "settled": part_transitions.record_outcome(1, OUTCOME),
    "collected": part_transitions.record_collected(
        Counts(added=3), disagree=False, results_sha256="5ha", now=NOW
    ),
    "held": part_transitions.hold(NOW),
    "unknown": part_transitions.mark_unknown(),
    "sent_again": part_transitions.send_again(NOW),
    "written_off": part_transitions.confirm_not_created(NOW),
    "outdated": part_transitions.expire_upload(NOW + 2 * 86_400),
    "abandoned": part_transitions.abandon(NOW),
    "given_up": part_transitions.give_up(NOW),
    "kept_back": part_transitions.keep_back(NOW),
}

S = PartState
APPLIES = [
    (S.STORED, (), "uploaded", S.UPLOADED),
    (S.STORED, (), "refused", S.JOB_REFUSED),
    (S.STORED, (), "abandoned", S.JOB_REFUSED),
    (S.STORED, (), "kept_back", S.JOB_REFUSED),
    (S.STORED, (ATTEMPT,), "kept_back", S.GIVEN_UP),
    (S.UPLOADED, (), "kept_back", S.JOB_REFUSED),
    (S.STORED, (ATTEMPT,), "abandoned", S.GIVEN_UP),
    (S.STORED, (ATTEMPT,), "refused", S.GIVEN_UP),
    (S.STORED, (ATTEMPT,), "created", S.CREATED),
    (S.STORED, (CALLED_BACK,), "unknown", S.UNKNOWN),
    (S.STORED, (WRITTEN_OFF,), "refused", S.JOB_REFUSED),
    (S.UPLOADED, (), "uploaded", S.UPLOADED),
    (S.UPLOADED, (), "creating", S.CREATING),
    (S.UPLOADED, (), "refused", S.JOB_REFUSED),
    (S.UPLOADED, (), "outdated", S.STORED),
    (S.UPLOADED, (), "abandoned", S.JOB_REFUSED),
    (S.UPLOADED, (ATTEMPT,), "created", S.CREATED),
    (S.UPLOADED, (ATTEMPT,), "creating", S.CREATING),
    (S.UPLOADED, (WRITTEN_OFF,), "creating", S.CREATING),
    (S.UPLOADED, (CALLED_BACK,), "unknown", S.UNKNOWN),
    (S.CREATING, (ATTEMPT,), "never_sent", S.UPLOADED),
    (S.CREATING, (ATTEMPT,), "unanswered", S.UNKNOWN),
    (S.CREATING, (ATTEMPT,), "refused", S.JOB_REFUSED),
    (S.CREATING, (ATTEMPT,), "created", S.CREATED),
    # A callback without a job's id, as of a probe of the address, outweighs no definite answer.
    (S.CREATING, (CALLED_BACK,), "refused", S.JOB_REFUSED),
    (S.CREATING, (CALLED_BACK,), "never_sent", S.UPLOADED),
    (S.CREATING, (ATTEMPT,), "abandoned", S.GIVEN_UP),
    (S.CREATED, (WITH_JOB,), "settled", S.SETTLED),
    (S.CREATED, (WITH_JOB,), "given_up", S.GIVEN_UP),
    (S.SETTLED, (WITH_JOB,), "collected", S.COLLECTED),
    (S.UNKNOWN, (ATTEMPT,), "created", S.CREATED),
    (S.UNKNOWN, (ATTEMPT,), "held", S.HELD),
    (S.UNKNOWN, (ATTEMPT,), "sent_again", S.STORED),
    (S.UNKNOWN, (ATTEMPT,), "abandoned", S.GIVEN_UP),
    (S.HELD, (ATTEMPT,), "created", S.CREATED),
    (S.HELD, (ATTEMPT,), "written_off", S.STORED),
    (S.HELD, (ATTEMPT,), "abandoned", S.GIVEN_UP),
    (S.HELD, (ATTEMPT,), "given_up", S.GIVEN_UP),
]


UPLOADED = part_transitions.record_upload("5001", NOW)(part(S.STORED))
assert UPLOADED is not None
CREATED = replace(UPLOADED, state=S.CREATING, attempts=(ATTEMPT,))


@pytest.mark.parametrize(
    ("before", "steps", "sent", "charged"),
    [
        (part(S.STORED), (), Sent.NOTHING, 0),
        (part(S.STORED), ("abandoned",), Sent.NOTHING, 0),
        (part(S.STORED), ("kept_back",), Sent.NOTHING, 0),
        (part(S.STORED), ("refused",), Sent.UPLOAD, 0),  # no create was begun: its upload
        (UPLOADED, (), Sent.UPLOAD, 0),
        (UPLOADED, ("kept_back",), Sent.UPLOAD, 0),
        (UPLOADED, ("creating", "never_sent"), Sent.UPLOAD, 0),
        (UPLOADED, ("creating",), Sent.CREATE, 1),
        (CREATED, ("refused",), Sent.CREATE, 0),
        (CREATED, ("unanswered",), Sent.CREATE, 1),
        (CREATED, ("created", "settled"), Sent.CREATE, 1),
        (part(S.STORED, WRITTEN_OFF), ("kept_back",), Sent.CREATE, 1),
    ],
)
def test_what_was_sent_of_a_part_is_said_in_one_place(
    before: Part, steps: tuple[str, ...], sent: Sent, charged: int
) -> None:
    for name in steps:
        after = EVERY_STEP[name](before)
        assert after is not None, name
        before = after

    assert (before.sent, before.charged_jobs) == (sent, charged)


@pytest.mark.parametrize(
    ("attempts", "counts"),
    [
        ((), Counts(unprocessed=3)),
        ((WRITTEN_OFF,), Counts(unprocessed=3)),
        ((ATTEMPT,), Counts(unclear=3)),
    ],
)
def test_rows_of_a_refused_part_are_unclear_where_an_earlier_create_was_never_answered(
    attempts: tuple[Attempt, ...], counts: Counts
) -> None:
    after = EVERY_STEP["refused"](part(S.UPLOADED, *attempts))

    assert after is not None
    assert after.counts == counts


@pytest.mark.parametrize(("state", "attempts", "name", "then"), APPLIES)
def test_a_step_moves_a_part_along_an_allowed_edge(
    state: PartState, attempts: tuple[Attempt, ...], name: str, then: PartState
) -> None:
    before = part(state, *attempts)

    after = EVERY_STEP[name](before)

    assert after is not None
    assert after.state is then
    check_edge(before, after)


@pytest.mark.parametrize("state", list(PartState))
@pytest.mark.parametrize("name", EVERY_STEP)
def test_a_step_that_does_not_apply_leaves_the_part_alone(state: PartState, name: str) -> None:
    attempts = () if state in (S.STORED, S.UPLOADED) else (WITH_JOB,)
    applies = {(known, step) for known, _, step, _ in APPLIES}

    after = EVERY_STEP[name](part(state, *attempts))

    if (state, name) not in applies:
        assert after is None


@pytest.mark.parametrize("state", [S.STORED, S.UPLOADED])
def test_no_create_is_begun_beside_one_whose_job_may_be_there(state: PartState) -> None:
    seen = part(state, CALLED_BACK)

    assert part_transitions.begin_create(NOW, NOW + 600)(seen) is None
    assert part_transitions.send_again(NOW)(replace(seen, state=S.UNKNOWN)) is None


def test_a_job_id_that_a_callback_named_is_kept_until_bigin_was_asked_about_it() -> None:
    seen = part(S.UNKNOWN, ATTEMPT)

    told = part_transitions.record_callback(1, NOW, "7001")(seen)
    assert told is not None
    asked = part_transitions.clear_hint(1, "7001")(told)

    assert told.attempts[0].hint == "7001"
    assert asked is not None
    assert asked.attempts[0].hint is None
    assert part_transitions.clear_hint(1, "9999")(told) is None


def test_a_second_job_for_one_attempt_is_not_taken_over() -> None:
    seen = part(S.UNKNOWN, WITH_JOB)

    after = part_transitions.record_job(1, "9999", NOW)(seen)

    assert after is None


def test_an_outcome_of_an_earlier_attempt_is_kept_beside_and_overwrites_nothing() -> None:
    second = Attempt(number=2, started_at=NOW, decide_after=NOW + 600, job_id="7002")
    seen = part(S.CREATED, WITH_JOB, second)

    after = part_transitions.record_outcome(1, OUTCOME)(seen)

    assert after is not None
    assert after.state is S.CREATED
    assert after.attempts == (replace(WITH_JOB, outcome=OUTCOME), second)


def test_a_callback_makes_the_part_due_at_once_and_is_remembered_once() -> None:
    seen = replace(part(S.CREATED, WITH_JOB), due_at=NOW + 600)

    after = part_transitions.record_callback(1, NOW)(seen)

    assert after is not None
    assert (after.due_at, after.attempts[0].callback_at) == (NOW, NOW)
    assert part_transitions.record_callback(1, NOW + 1)(after) is None


def test_the_tick_asks_less_and_less_often() -> None:
    seen, pauses, now = part(S.CREATED, WITH_JOB), [], NOW
    for _ in range(7):
        after = part_transitions.postpone(now)(seen)
        assert after is not None
        assert after.due_at is not None
        pauses.append(after.due_at - now)
        seen, now = after, after.due_at

    assert pauses == [60, 120, 300, 600, 1800, 1800, 1800]


def test_a_part_that_is_not_due_is_left_alone() -> None:
    seen = replace(part(S.CREATED, WITH_JOB), due_at=NOW + 1)

    assert part_transitions.postpone(NOW)(seen) is None


def test_each_create_has_a_number_of_its_own_also_after_one_that_never_left() -> None:
    """By it a create that was marked beside its archive is told from the next one's."""
    uploaded = part(PartState.UPLOADED)
    numbers = []
    for _ in range(3):
        begun = part_transitions.begin_create(NOW, NOW + 600)(uploaded)
        assert begun is not None
        assert begun.attempt is not None
        numbers.append((begun.attempt.number, begun.attempt.create, begun.creates))
        undone = part_transitions.undo_create(begun.attempt.number)(begun)
        assert undone is not None
        uploaded = undone

    assert numbers == [(1, 1, 1), (1, 2, 2), (1, 3, 3)]


@pytest.mark.parametrize(("seconds", "is_outdated"), [(24 * 3600, False), (24 * 3600 + 1, True)])
def test_an_upload_serves_for_a_day(seconds: int, is_outdated: bool) -> None:
    uploaded = replace(part(PartState.UPLOADED), file_id="5001", uploaded_at=NOW)

    step = part_transitions.expire_upload(NOW + seconds)

    assert (step(uploaded) is not None) is is_outdated


def test_a_part_that_is_held_is_due_in_a_day_when_people_are_reminded() -> None:
    held = part_transitions.hold(NOW)(part(PartState.UNKNOWN, ATTEMPT))

    assert held is not None
    assert (held.held_at, held.due_at, held.open) == (NOW, NOW + 86_400, OpenKind.WORK)


@pytest.mark.parametrize(
    ("changes", "due_at"),
    [
        ({"due_at": NOW + 900}, NOW + 240),
        ({"due_at": NOW + 240}, None),
        ({"due_at": NOW}, None),
        ({"due_at": None}, None),
        ({"due_at": NOW + 900, "open": None}, None),
    ],
    ids=["later", "just then", "sooner", "never", "not open"],
)
def test_after_an_outage_an_open_part_is_looked_at_by_then_and_never_later_than_before(
    changes: dict[str, Any], due_at: int | None
) -> None:
    seen = replace(part(PartState.CREATED, WITH_JOB), **changes)

    changed = part_transitions.look_by(NOW + 240)(seen)

    assert (changed.due_at if changed else None) == due_at
