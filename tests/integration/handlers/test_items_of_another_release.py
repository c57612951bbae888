"""Items as a later release may have left them in the table before it was rolled back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.handlers.deployed import Deployed
from tests.integration.handlers.sample_events import sample
from tests.integration.handlers.story import drop_both

UNKNOWN_STATE: dict[str, Any] = {"state": {"S": "ARCHIVING"}}
UNKNOWN_VALUE: dict[str, Any] = {"hold_cause": {"S": "MOON_PHASE"}}


def written_by_another_release(stack: Deployed, sk: str, changed: dict[str, Any]) -> dict[str, Any]:
    """Change the item *sk* of the only import, let it be due first, and return it."""
    (item,) = (each for each in stack.items() if each["sk"]["S"] == sk)
    item |= changed | {"open": {"S": "WORK"}, "due_at": {"N": "1"}, "mood": {"S": "new"}}
    stack.put_item(item)
    return item


@pytest.mark.parametrize(
    ("sk", "changed"),
    [("IMPORT", UNKNOWN_STATE), ("IMPORT", UNKNOWN_VALUE), ("PART#0001", UNKNOWN_STATE)],
)
def test_a_tick_writes_it_back_due_later_and_as_it_was(
    stack: Deployed, sk: str, changed: dict[str, Any]
) -> None:
    drop_both(stack)
    before = written_by_another_release(stack, sk, changed)

    stack.run("settle_jobs", sample("tick"))

    (after,) = (each for each in stack.items() if each["sk"]["S"] == sk)
    moved = {"due_at", "version", "write_id"}
    assert {k: v for k, v in after.items() if k not in moved} == {
        k: v for k, v in before.items() if k not in moved
    }
    assert int(after["due_at"]["N"]) > 1_000_000
    assert int(after["version"]["N"]) == int(before["version"]["N"]) + 1


def test_an_open_item_of_a_kind_that_is_not_known_keeps_nothing_from_its_turn(
    stack: Deployed,
) -> None:
    drop_both(stack)
    stack.let_everything_be_due()
    stack.put_item(
        {"pk": {"S": "BATCH#7"}, "sk": {"S": "BATCH"}, "version": {"N": "3"}}
        | {"open": {"S": "WORK"}, "due_at": {"N": "1"}}
    )

    stack.run("settle_jobs", sample("tick"))

    (part,) = stack.parts()
    assert part.polls + (part.due_at or 0) > 0
    (other,) = (each for each in stack.items() if each["pk"]["S"] == "BATCH#7")
    assert int(other["due_at"]["N"]) > 1_000_000


@pytest.mark.parametrize("version", [{"S": "7"}, {"N": "1.5"}, {"M": {}}, None], ids=str)
def test_it_is_due_later_whatever_its_version_is(
    stack: Deployed, version: dict[str, Any] | None, capsys: pytest.CaptureFixture[str]
) -> None:
    drop_both(stack)
    item = written_by_another_release(stack, "IMPORT", UNKNOWN_STATE)
    item.pop("version")
    stack.put_item(item | ({"version": version} if version else {}))

    stack.run("settle_jobs", sample("tick"))

    (after,) = (each for each in stack.items() if each["sk"]["S"] == "IMPORT")
    assert int(after["due_at"]["N"]) > 1_000_000
    assert after.get("version") == version
    assert "item unreadable" in capsys.readouterr().out
