"""Steps of an import that apply in some states alone, and when what they leave open is due."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain import import_transitions
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.import_record import Import, Totals
from bigin_import.domain.states import HoldCause, ImportState, OpenKind

NOW = 1_760_000_000
S = ImportState


def seen_in(state: ImportState, *, cause: HoldCause | None = None) -> Import:
    return Import(
        import_id="i" * 26,
        source=ObjectVersion("bucket", "incoming/contacts.csv", "v1"),
        state=state,
        received_at=NOW - 60,
        open=OpenKind.WORK,
        due_at=NOW,
        hold_cause=cause,
        idle_resumes=3,
    )


def a_hold(cause: HoldCause) -> Import:
    return seen_in(S.ON_HOLD, cause=cause)


@pytest.mark.parametrize(
    ("seen", "then"),
    [
        (seen_in(S.SENT), S.SENDING),
        (a_hold(HoldCause.PART), S.SENDING),
        (a_hold(HoldCause.CONTRADICTION), None),
        (a_hold(HoldCause.NO_PROGRESS), None),
        *((seen_in(state), None) for state in S if state not in (S.SENT, S.ON_HOLD)),
    ],
)
def test_a_held_part_is_sent_again_where_only_parts_hold_the_import(
    seen: Import, then: ImportState | None
) -> None:
    after = import_transitions.send_again(NOW)(seen)

    assert (after and after.state) == then
    if after:
        assert (after.hold_cause, after.idle_resumes, after.due_at) == (None, 0, NOW)


@pytest.mark.parametrize("state", list(S))
def test_only_a_hold_fails_unprepared(state: ImportState) -> None:
    after = import_transitions.fail_unprepared(NOW)(seen_in(state))

    if state is not S.ON_HOLD:
        assert after is None
    else:
        assert after is not None
        assert (after.state, after.verdict, after.due_at) == (S.FINISHING, S.FAILED, NOW)


@pytest.mark.parametrize("state", [state for state in S if state is not S.ON_HOLD])
def test_only_a_hold_is_continued(state: ImportState) -> None:
    seen = replace(seen_in(state), held_at=NOW)

    assert import_transitions.continue_hold(NOW, NOW)(seen) is None


@pytest.mark.parametrize(("parts", "due_at"), [(0, NOW), (2, NOW + 60)])
def test_what_was_sent_is_looked_at_soon_since_whoever_sent_it_may_die(
    parts: int, due_at: int
) -> None:
    totals = Totals(rows=2, blank=0, invalid=0, parts=parts, content_sha256="00")

    after = import_transitions.record_sent(NOW)(replace(seen_in(S.SENDING), totals=totals))

    assert after is not None
    assert (after.state, after.due_at) == (S.SENT, due_at)


@pytest.mark.parametrize(
    ("due_at", "lease_until", "then"),
    [
        (NOW + 1, 0, None),  # not due yet
        (NOW, 0, NOW + 5),
        (NOW - 9, NOW, NOW + 5),  # the lease has just ended
        (NOW, NOW + 60, NOW + 60),  # its submitter may be at work
    ],
)
def test_what_is_due_is_due_again_before_it_is_worked_on(
    due_at: int, lease_until: int, then: int | None
) -> None:
    seen = replace(seen_in(S.SENDING), due_at=due_at, lease_until=lease_until)

    after = import_transitions.postpone(NOW, lambda _: 5)(seen)

    assert (after and after.due_at) == then
