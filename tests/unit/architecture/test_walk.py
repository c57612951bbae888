"""The walk of a good drop, as the architecture page tells it: which modules it passes."""

from __future__ import annotations

import re
import sys
from functools import cache
from inspect import CO_OPTIMIZED
from pathlib import Path
from types import FrameType

from bigin_import.domain.states import ImportState
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.unit.architecture.source import LAYER, PACKAGE

FOLDER = LAYER / PACKAGE
MOST_MODULES = 70
# Not on the fakes: what Lambda calls, and what asks AWS and Bigin.
ADAPTERS = ("functions/", "aws/", "bigin/")


@cache
def walk() -> frozenset[str]:
    """Return the modules whose functions run from the drop of two rows to its closing."""
    harness = Harness()
    files = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        is_function = frame.f_code.co_flags & CO_OPTIMIZED  # what is only loaded runs no function
        if event == "call" and is_function:
            files.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        harness.drop("incoming/mapping.json", MAPPING)
        source = harness.drop("incoming/contacts.csv", ROWS)
        harness.settle()
        for part in harness.parts_of(source):
            harness.call_back(part)
        harness.settle()
    finally:
        sys.setprofile(before)
    assert harness.import_of(source).state is ImportState.COMPLETED
    inside = {Path(file) for file in files if file.startswith(str(FOLDER))}
    return frozenset(
        path.relative_to(FOLDER).with_suffix("").as_posix()
        for path in inside
        if path.suffix == ".py"
    )


def test_a_good_drop_passes_few_modules() -> None:
    assert len(walk()) <= MOST_MODULES, sorted(walk())


def test_the_page_tells_the_walk_as_it_is() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    told = page.partition("**A drop is sent**")[2].partition("**Something did not happen**")[0]
    named = {each.removesuffix(".py") for each in re.findall(r"`([a-z_]+(?:/[a-z_]+|\.py))`", told)}

    assert len(named) > 20
    assert {each for each in named if not each.startswith(ADAPTERS)} - walk() == set()
