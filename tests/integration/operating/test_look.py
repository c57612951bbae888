"""`bigin-drop show` and `status`: what is said of imports, and what cannot be known."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from bigin_import.operating.look import show, show_status
from bigin_import.operating.terminal import Exit, Terminal
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.harness_stack import HarnessStack, stack_of


def said_by(look: Callable[[Terminal], Exit], *, as_json: bool = False) -> str:
    out = io.StringIO()
    look(Terminal(out, out, None, as_json=as_json))
    return out.getvalue()


def imported(harness: Harness) -> tuple[HarnessStack, str]:
    """Let Bigin take two rows; return the stack and the id of their import."""
    harness.drop("incoming/people.mapping.json", MAPPING)
    source = harness.drop("incoming/people.csv", ROWS)
    harness.tick(minutes=3)
    return stack_of(harness), harness.import_of(source).import_id


def test_an_import_is_shown_with_its_jobs_and_who_made_them() -> None:
    harness = Harness()
    stack, import_id = imported(harness)
    (job_id,) = harness.bigin.made

    said = said_by(lambda terminal: show(stack, terminal, import_id))
    facts = said_by(lambda terminal: show(stack, terminal, import_id), as_json=True)

    (line,) = [line for line in said.splitlines() if job_id in line]
    assert line.split() == ["1", "COLLECTED", "2", "1", job_id, "Patricia", "Boyle", "tick"]
    assert "  credits    500\n" in said
    assert "nothing happens any more" in said
    assert json.loads(facts)["parts"][0]["created_by"] == "Patricia Boyle"


def test_what_happens_next_is_said_with_its_time() -> None:
    harness = Harness()
    harness.bigin.runs = False
    stack, import_id = imported(harness)

    said = said_by(lambda terminal: show(stack, terminal, import_id))

    assert "  state      SENT\n" in said
    assert "Looked at again " in said


def test_what_a_dry_run_counts_is_the_same_wherever_it_is_told() -> None:
    harness = Harness()
    harness.drop("incoming/people.mapping.json", {**MAPPING, "dry_run": True})
    source = harness.drop("incoming/people.csv", ROWS + b"grace@example.com,\n")
    harness.tick(minutes=3)
    stack, import_id = stack_of(harness), harness.import_of(source).import_id

    facts = json.loads(harness.result(source, "import.json"))
    page = harness.result(source, "report.html").decode()
    notice = " ".join(harness.notices.published[0].body.split())
    shown = said_by(lambda terminal: show(stack, terminal, import_id))

    assert (facts["rows"], facts["invalid"]) == (3, 1)
    assert facts["dry_run"] == {"rows": 2, "jobs": 1, "credits": 500}
    assert "1 row would not be sent" in page
    assert "2 rows of 3 would be sent in 1 job, for 500 credits" in notice
    assert "  invalid    1, which would not be sent\n" in shown


def test_the_list_says_what_it_cannot_know() -> None:
    stack, import_id = imported(Harness())

    said = said_by(lambda terminal: show_status(stack, terminal, held_only=False, days=10_000))

    assert "Imports that were closed before this release was deployed are not listed." in said
    assert import_id in said
