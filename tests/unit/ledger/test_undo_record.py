"""The record of an undo: what was confirmed is what was shown, and what is done stays so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bigin_import.domain import undo
from bigin_import.domain.edges import ForbiddenEdgeError, check_edge
from bigin_import.domain.states import OpenKind
from bigin_import.domain.undo import Undo, UndoState

NOW = 1_000
SHOWN = Undo(
    import_id="i1",
    state=UndoState.SHOWN,
    sha256="a" * 64,
    rows=250,
    added=250,
    changed=0,
    updated=0,
    changed_too=False,
    changed_since=500,
    credits=4,
    families=("i1",),
    shown_at=900,
)


def after(seen: Undo, step: undo.UndoStep) -> Undo:
    """Return what *step* makes of a record, by a way that is allowed."""
    found = step(seen)
    assert found is not None
    check_edge(seen, found)
    return found


RUNNING = after(SHOWN, undo.confirm(SHOWN.token, "ada", NOW))
LEASED = after(RUNNING, undo.take_lease(NOW, NOW + 360))


def through(seen: Undo) -> Undo:
    """Return a record once all of its list is gone through."""
    step = undo.record_deleted(seen.lease_until, 0, gone_through=250, deleted=249)
    return after(seen, step)


def test_only_what_was_shown_is_confirmed() -> None:
    assert undo.confirm("another", "ada", NOW)(SHOWN) is None
    assert (RUNNING.open, RUNNING.due_at, RUNNING.confirmed_by) == (OpenKind.WORK, 1060, "ada")
    assert undo.confirm(SHOWN.token, "bob", NOW)(RUNNING) is None


def test_what_is_shown_again_takes_the_place_of_what_was_shown_but_not_of_what_is_confirmed() -> (
    None
):
    other = replace(SHOWN, sha256="b" * 64)

    assert after(SHOWN, undo.show_again(other)).sha256 == other.sha256
    assert undo.show_again(other)(RUNNING) is None


def test_one_runner_at_a_time_has_the_lease() -> None:
    assert undo.take_lease(NOW + 359, NOW + 700)(LEASED) is None
    assert after(LEASED, undo.take_lease(NOW + 360, NOW + 700)).lease_until == NOW + 700


def test_a_runner_that_lost_its_lease_records_nothing() -> None:
    taken_over = after(LEASED, undo.take_lease(NOW + 360, NOW + 700))
    late = undo.record_deleted(LEASED.lease_until, 0, gone_through=100, deleted=100)

    assert late(taken_over) is None


def test_a_call_is_counted_once() -> None:
    step = undo.record_deleted(LEASED.lease_until, 0, gone_through=100, deleted=99)
    counted = after(LEASED, step)

    assert (counted.gone_through, counted.deleted, counted.kept) == (100, 99, 1)
    assert step(counted) is None


def test_it_ends_only_when_all_is_gone_through() -> None:
    assert undo.finish(249, NOW)(LEASED) is None

    done = after(through(LEASED), undo.finish(249, NOW))

    assert (done.state, done.open, done.due_at, done.kept) == (UndoState.DONE, None, None, 1)


def test_waits_are_counted_until_something_moves() -> None:
    waiting = after(LEASED, undo.pause(NOW, 60, waits=True))
    again = after(after(waiting, undo.take_lease(NOW, 1_360)), undo.pause(NOW, 60, waits=True))

    assert (waiting.due_at, waiting.lease_until) == (NOW + 60, 0)
    assert again.waits == 2
    assert through(after(again, undo.take_lease(NOW, 1_360))).waits == 0


def test_what_is_removed_is_neither_confirmed_nor_shown_again() -> None:
    removed = after(SHOWN, undo.forget)
    never_shown = undo.forgotten("i1", NOW, 2_000)
    check_edge(None, never_shown)

    for forgotten in (removed, never_shown):
        assert (forgotten.state, forgotten.open) == (UndoState.FORGOTTEN, None)
        assert undo.confirm(SHOWN.token, "ada", NOW)(forgotten) is None
        assert undo.confirm(forgotten.token, "ada", NOW)(forgotten) is None
        assert undo.show_again(SHOWN)(forgotten) is None


def test_what_is_confirmed_is_not_forgotten() -> None:
    done = after(through(LEASED), undo.finish(249, NOW))

    for seen in (RUNNING, LEASED, done):
        assert undo.forget(seen) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, RUNNING),
        (RUNNING, replace(RUNNING, state=UndoState.FORGOTTEN)),
        (replace(SHOWN, state=UndoState.FORGOTTEN), SHOWN),
        (SHOWN, replace(SHOWN, state=UndoState.DONE)),
        (SHOWN, replace(RUNNING, sha256="b" * 64)),
        (RUNNING, SHOWN),
        (RUNNING, replace(RUNNING, sha256="b" * 64)),
        (through(LEASED), LEASED),
        (replace(through(LEASED), state=UndoState.DONE), through(LEASED)),
        (
            replace(through(LEASED), state=UndoState.DONE),
            replace(through(LEASED), state=UndoState.DONE, deleted=1),
        ),
    ],
)
def test_any_other_way_is_a_bug(old: Undo | None, new: Undo) -> None:
    with pytest.raises(ForbiddenEdgeError):
        check_edge(old, new)
