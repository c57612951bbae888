"""The pages of the architecture say what is there."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path

import pytest

from bigin_import.domain import import_transitions, part_transitions
from bigin_import.domain.job_request import CREDITS_PER_JOB, MAX_BYTES, MAX_ROWS
from bigin_import.domain.states import ImportState, PartState
from tests.template_reading import resources_of_type
from tests.unit.architecture.source import LAYER, PACKAGE, ROOT

FOLDER = LAYER / PACKAGE
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
PAGES = (
    *(FOLDER / "README.md", FOLDER / "DECISIONS.md", ROOT / "README.md", ROOT / "tests/README.md"),
    *(ROOT / "tests/bench/README.md", ROOT / ".github/CONTRIBUTING.md", ROOT / "events/README.md"),
    *(FOLDER / "operating/README.md", FOLDER / "mapping/README.md", ROOT / "findings/README.md"),
)
LONGEST_README = 150
COSTS = FOLDER / "operating/README.md"
ALARMS = len(resources_of_type("AWS::CloudWatch::Alarm"))
_CODE = re.compile(r"`([^`\n]+)`")
_OURS = re.compile(r"(?:[a-z_]+/)*[a-z_]+(?:\.py)?")
_ARROW = re.compile(r"^    (\S+) --> (\S+)$", re.MULTILINE)


def section(title: str) -> str:
    lines = iter(PAGE.partition(f"## {title}\n")[2].splitlines())
    return "\n".join(takewhile(lambda line: not line.startswith("## "), lines))


def test_every_module_that_the_page_names_is_there() -> None:
    packages = {path.name for path in FOLDER.iterdir() if path.is_dir()}
    named = {each for each in _CODE.findall(PAGE) if _OURS.fullmatch(each)}
    modules = {each for each in named if each.partition("/")[0] in packages and each[-1] != "/"}

    gone = {each for each in modules if "/" in each and not (FOLDER / f"{each}.py").exists()}
    assert gone == set()
    assert len(modules) > 30
    beside = {each for each in named if each.endswith(".py") and "/" not in each}
    assert {each for each in beside if not (FOLDER / each).exists()} == set()


def test_the_list_of_packages_is_complete() -> None:
    listed = set(_CODE.findall(section("Packages")))
    packages = {f"{path.parent.name}/" for path in FOLDER.glob("*/__init__.py")}
    modules = {path.name for path in FOLDER.glob("[a-z]*.py")}

    assert (packages | modules) - listed == set()


def test_the_diagram_of_an_import_has_the_allowed_edges() -> None:
    drawn = set(_ARROW.findall(section("State machines").split("A part")[0]))

    assert drawn == {
        *(("[*]", state.name) for state in import_transitions.FIRST_STATES),
        *(
            (old.name, "[*]" if new.is_closed else new.name)
            for old in ImportState
            for new in import_transitions.EDGES[old]
        ),
    }


def test_the_diagram_of_a_part_has_the_allowed_edges() -> None:
    drawn = set(_ARROW.findall(section("State machines").split("A part")[1]))

    assert drawn == {
        *(("[*]", state.name) for state in part_transitions.FIRST_STATES),
        *((old.name, new.name) for old in PartState for new in part_transitions.EDGES[old]),
        *((state.name, "[*]") for state in PartState if not part_transitions.EDGES[state]),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [each for each in links if not (page.parent / each).exists()] == []


def test_every_suite_and_every_sample_event_is_told_of() -> None:
    tests, events = ((ROOT / name / "README.md").read_text("utf-8") for name in ("tests", "events"))
    folders = [path.name for path in (ROOT / "tests").iterdir() if list(path.glob("*.py"))]

    assert [name for name in folders if f"`{name}/`" not in tests] == []
    patterns = [each for each in _CODE.findall(events) if each.endswith(".json")]
    assert [
        path.name
        for path in (ROOT / "events").glob("*.json")
        if not any(path.match(pattern) for pattern in patterns)
    ] == []


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < LONGEST_README


def test_the_readme_says_in_short_what_the_table_of_costs_adds_up_to() -> None:
    readme, table = (path.read_text("utf-8") for path in (ROOT / "README.md", COSTS))
    rows = [line.split("|")[1:4] for line in table.splitlines() if line.startswith("| ")]
    idle = [(what, float(cost)) for what, _, cost in rows if what.startswith(" idle")]
    sent = [cost for what, _, cost in rows if what.startswith(" 100,000 rows")]
    (watching,) = [cost for what, cost in idle if f"{ALARMS} alarms, the dashboard" in what]
    *dollars, credits_used = sent

    assert f"{round(sum(cost for _, cost in idle))} dollars a month, " in readme
    assert f"{round(watching)} of them for alarms and dashboard" in readme
    assert f"100,000 rows cost {100 * sum(map(float, dollars)):.1f} cent" in readme
    assert f"and {credits_used.split()[0]} of Bigin's credits" in readme
    assert "UK and AE" in readme


def test_the_readme_says_how_large_a_job_is_and_what_it_costs() -> None:
    limits = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Limits")[2]

    assert f"at most {MAX_ROWS:,} records" in limits
    assert f"{MAX_BYTES:,} bytes" in limits
    assert f"One job costs {CREDITS_PER_JOB} credits" in limits
    assert f"at most {MAX_ROWS:,} rows, {MAX_BYTES:,} bytes" in section("Glossary")
