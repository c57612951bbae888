"""The tables of allowed ways, and what may change after the end."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

import pytest

from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.edges import ForbiddenEdgeError, check_edge
from bigin_import.domain.import_record import Import
from bigin_import.domain.import_transitions import EDGES as IMPORT_EDGES
from bigin_import.domain.import_transitions import FIRST_STATES as FIRST_IMPORT_STATES
from bigin_import.domain.locks import ContentClaim
from bigin_import.domain.part_record import Part
from bigin_import.domain.part_transitions import EDGES as PART_EDGES
from bigin_import.domain.part_transitions import FIRST_STATES as FIRST_PART_STATES
from bigin_import.domain.row_result import Counts
from bigin_import.domain.states import ImportState, OpenKind, PartState

IMPORT = Import(
    import_id="i1",
    source=ObjectVersion("bucket", "incoming/contacts.csv", "v1"),
    state=ImportState.WAITING_FOR_MAPPING,
    received_at=50,
)
PART = Part(
    import_id="i1",
    number=1,
    state=PartState.STORED,
    rows=10,
    csv_bytes=100,
    sha256="00",
    first_row=2,
    last_row=11,
    repeatable=True,
)


def reachable[S](first: AbstractSet[S], edges: dict[S, frozenset[S]]) -> set[S]:
    seen: set[S] = set()
    ahead = set(first)
    while ahead:
        state = ahead.pop()
        seen.add(state)
        ahead |= edges[state] - seen
    return seen


def test_every_state_of_a_part_can_be_reached_and_left_unless_it_is_final() -> None:
    assert reachable(FIRST_PART_STATES, dict(PART_EDGES)) == set(PartState)
    assert {state for state, ways in PART_EDGES.items() if not ways} == {
        state for state in PartState if state.is_final
    }


def test_every_state_of_an_import_can_be_reached_and_left_unless_it_is_closed() -> None:
    assert reachable(FIRST_IMPORT_STATES, dict(IMPORT_EDGES)) == set(ImportState)
    assert {state for state, ways in IMPORT_EDGES.items() if not ways} == {
        state for state in ImportState if state.is_closed
    }


def test_from_every_state_of_an_import_there_is_a_way_to_its_end() -> None:
    for state in ImportState:
        assert any(end.is_closed for end in reachable({state}, dict(IMPORT_EDGES)))


def test_from_every_state_of_a_part_there_is_a_way_to_its_end() -> None:
    for state in PartState:
        assert any(end.is_final for end in reachable({state}, dict(PART_EDGES)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (PartState.STORED, PartState.CREATING),
        (PartState.STORED, PartState.CREATED),
        (PartState.CREATING, PartState.SETTLED),
        (PartState.CREATING, PartState.HELD),
        (PartState.UNKNOWN, PartState.JOB_REFUSED),
        (PartState.CREATED, PartState.CREATING),
        (PartState.SETTLED, PartState.CREATED),
        (PartState.COLLECTED, PartState.SETTLED),
        (PartState.GIVEN_UP, PartState.UPLOADED),
    ],
)
def test_a_part_takes_no_forbidden_way(old: PartState, new: PartState) -> None:
    with pytest.raises(ForbiddenEdgeError, match=f"in {old} "):
        check_edge(replace(PART, state=old), replace(PART, state=new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (ImportState.WAITING_FOR_MAPPING, ImportState.SENDING),
        (ImportState.PREPARING, ImportState.SENT),
        (ImportState.PREPARING, ImportState.REJECTED),
        (ImportState.SENDING, ImportState.COMPLETED),
        (ImportState.SENT, ImportState.PREPARING),
        (ImportState.COMPLETED, ImportState.SENDING),
        (ImportState.REJECTED, ImportState.PREPARING),
    ],
)
def test_an_import_takes_no_forbidden_way(old: ImportState, new: ImportState) -> None:
    with pytest.raises(ForbiddenEdgeError, match=f"in {old} "):
        check_edge(replace(IMPORT, state=old), replace(IMPORT, state=new))


def test_records_begin_where_their_way_begins() -> None:
    check_edge(None, IMPORT)
    check_edge(None, PART)

    with pytest.raises(ForbiddenEdgeError, match="begins as CREATING"):
        check_edge(None, replace(PART, state=PartState.CREATING))
    with pytest.raises(ForbiddenEdgeError, match="begins as SENT"):
        check_edge(None, replace(IMPORT, state=ImportState.SENT))


def test_facts_may_change_while_the_state_stays() -> None:
    check_edge(IMPORT, replace(IMPORT, epoch=1))
    check_edge(PART, replace(PART, polls=1))


def test_after_the_end_only_the_notice_and_the_index_change() -> None:
    closed = replace(IMPORT, state=ImportState.COMPLETED, open=OpenKind.WORK, due_at=9, version=4)
    final = replace(PART, state=PartState.COLLECTED, version=4)

    check_edge(closed, replace(closed, noticed_at=7, open=None, due_at=None, expires_at=99))
    check_edge(final, replace(final, open=None, due_at=None, expires_at=99))

    with pytest.raises(ForbiddenEdgeError, match="changes after its end"):
        check_edge(closed, replace(closed, counts=Counts(added=1)))
    with pytest.raises(ForbiddenEdgeError, match="changes after its end"):
        check_edge(final, replace(final, counts=Counts(added=1)))


def test_records_without_states_change_as_they_like() -> None:
    check_edge(ContentClaim(digest="d", import_id="i1"), ContentClaim(digest="d", import_id="i2"))
