"""What only time brings about: nobody invokes anything here but the deployed schedule."""

from __future__ import annotations

from bigin_import.domain.states import ClosedBy, ImportState
from tests.e2e.desk import CONTACTS, Desk, as_json
from tests.e2e.seen_bigin import SeenBigin

TWO_TICKS_SECONDS = 300  # and more, on a slow machine


def test_the_schedule_settles_a_lost_callback_and_rejects_what_has_no_mapping_until_it_comes(
    desk: Desk, bigin: SeenBigin
) -> None:
    bigin.break_once("callback_lost")
    overlooked = desk.drop("overlooked.csv", desk.contacts(), CONTACTS)
    unmapped = desk.put("unmapped.csv", desk.contacts(first=11))

    settled = desk.closed(overlooked, seconds=TWO_TICKS_SECONDS)
    rejected = desk.closed(unmapped, seconds=TWO_TICKS_SECONDS)

    (part,) = desk.parts_of(overlooked)
    assert settled.state is ImportState.COMPLETED
    assert part.attempt is not None
    assert part.attempt.outcome is not None
    assert part.attempt.outcome.closed_by is ClosedBy.TICK
    assert rejected.state is ImportState.REJECTED
    assert bigin.sent_for(rejected.import_id) == []
    assert f"incoming/{desk.name}/unmapped.csv: no mapping for it was found within 1 minutes" in (
        desk.notice(rejected).body
    )
    assert "Drop unmapped.mapping.json beside it" in desk.notice(rejected).body
    desk.put("unmapped.mapping.json", as_json(CONTACTS))
    assert desk.closed(unmapped, take=2).state is ImportState.COMPLETED
