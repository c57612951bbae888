"""
What a name promises: whoever reaches a port says with a verb what it does there.

Who reads `is_free` or `_pinned` takes it for a look at values. What asks Bigin, reads the
bucket or writes is named for that: `find_mapping`, `compare_job`, `record_refusal`.
"""

from __future__ import annotations

import pytest

from tests.unit.architecture.packages import MODULES, package_of
from tests.unit.architecture.reach import Code, Place

_VERBS = """
abandon acquire act adopt advance ask back begin change check claim close collect compare compose
conclude create decide delete download drain emit examine expire find finish follow forget get
give go hold join keep leave list load look mark match note notify obtain open pause pin plan
prepare publish put read recall receive record refresh refuse register reject release remember
remind renew repeat report restore resume save send settle show sleep split store suggest take
tick try update upload verify wait wake write
"""
VERBS = frozenset(_VERBS.split())
# Named by others: Lambda's documentation.
NAMES_OF_OTHERS = frozenset({"lambda_handler"})
# They hand ports to use cases and call none of them.
PUT_TOGETHER = frozenset({"wiring", "container"})

CODE = Code(MODULES)
REACHING = {
    place: by
    for place, by in CODE.reaching().items()
    if package_of(MODULES[place.module]) not in PUT_TOGETHER
    and place.name not in NAMES_OF_OTHERS
    and not place.name.startswith("__")
}


def first_word(name: str) -> str:
    return name.strip("_").partition("_")[0]


@pytest.mark.parametrize("place", REACHING, ids=str)
def test_what_reaches_a_port_begins_with_a_verb(place: Place) -> None:
    assert first_word(place.name) in VERBS, f"it reaches {REACHING[place]}"


def test_a_port_names_its_methods_by_verbs() -> None:
    nouns = {
        f"{port}.{method}"
        for port, methods in CODE.ports.items()
        for method in methods
        if first_word(method) not in VERBS
    }

    assert nouns == set()


def test_every_verb_is_used() -> None:
    """So that the list stays what the code says, and nobody hides behind a word for later."""
    used = {first_word(place.name) for place in CODE.functions}

    assert VERBS - used == set()


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("importing.importer.Importer._receive", "Telemetry.emit"),  # at once
        ("importing.prepare.Preparer.check_awaited", "corrections"),  # through self
        ("settling.tick.Tick._act_on_part", ""),  # by what it is made of
        ("settling.close.abandon_parts", "Ledger.load_parts"),  # a parameter
        ("importing.lease.Lease.change", "ledger.update"),  # a function of another module
    ],
)
def test_the_reach_is_really_found(name: str, by: str) -> None:
    found = {str(place): by for place, by in REACHING.items()}

    assert found[name].startswith(by)


def test_the_time_and_a_signature_are_no_reach() -> None:
    found = {str(place) for place in REACHING}

    assert "importing.send.Sender._is_ours" not in found
    assert "settling.tick.Tick._is_held_too_long" not in found
