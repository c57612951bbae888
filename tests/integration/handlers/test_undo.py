"""A person asks settle_jobs to undo an import; then its queue, and its tick, carry it out."""

from __future__ import annotations

import json
from dataclasses import replace

from bigin_import.domain.undo import Undo, UndoState
from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import Event, sample
from tests.integration.handlers.story import CELLS, collect, drop_to_closing


def asked(stack: Deployed, **more: object) -> Event:
    return sample("undo") | {"undo": stack.the_import().import_id} | more


def undo_of(stack: Deployed) -> Undo:
    found = stack.ledger.load(Undo.at(stack.the_import().import_id))
    assert found is not None
    return found


def contacts(stack: Deployed) -> int:
    with stack.twin.server.bigin() as bigin:
        return len(bigin.tables["Contacts"].records)


def test_what_is_shown_is_deleted_once_it_is_confirmed(stack: Deployed) -> None:
    drop_to_closing(stack)

    shown = stack.run("settle_jobs", asked(stack))
    assert (shown["state"], shown["rows"], shown["changed"]) == ("SHOWN", 1, 0)
    assert (contacts(stack), stack.messages()) == (1, [])
    begun = stack.run("settle_jobs", asked(stack, confirm=shown["confirm"]))
    assert (begun["state"], contacts(stack)) == ("RUNNING", 1)
    collect(stack)

    undone = undo_of(stack)
    assert (undone.state, undone.deleted, undone.open) == (UndoState.DONE, 1, None)
    assert undone.confirmed_by == "arn:aws:iam::111122223333:user/ada"
    assert contacts(stack) == 0
    (_, notice) = stack.notices()
    assert notice["Subject"].startswith("Undone: ")
    (key,) = [key for key in stack.keys("results/") if key.endswith(".undone.csv")]
    assert CELLS[0] in stack.body(key).decode("utf-8-sig")


def test_what_cannot_be_undone_is_refused_with_a_remedy(stack: Deployed) -> None:
    drop_to_closing(stack)

    refused = stack.run("settle_jobs", asked(stack, confirm="0" * 12))

    assert "is not what was shown last" in refused["refused"]
    assert refused["remedy"].startswith("Look again: bigin-drop undo")
    assert contacts(stack) == 1


def test_where_the_message_is_lost_the_tick_asks_again(stack: Deployed) -> None:
    drop_to_closing(stack)
    shown = stack.run("settle_jobs", asked(stack))
    stack.run("settle_jobs", asked(stack, confirm=shown["confirm"]))
    (message,) = stack.messages()
    assert json.loads(message) == {"import_id": stack.the_import().import_id, "undo": True}
    stack.ledger.save(replace(undo_of(stack), due_at=0))

    stack.run("settle_jobs", {"tick": True})
    collect(stack)

    assert undo_of(stack).state is UndoState.DONE
