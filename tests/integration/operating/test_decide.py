"""`bigin-drop decide` acts on what it showed, and says so where that has changed since."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from bigin_import.domain.states import ImportState, PartState
from bigin_import.errors import BiginOutcomeUnknownError, BiginRefusedError
from bigin_import.importing.decisions import Decision
from bigin_import.operating.decide import Wish, decide, retry
from bigin_import.operating.look import show, show_status
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from tests.fakes.harness import MAPPING, ROWS, Harness
from tests.fakes.harness_stack import stack_of

type Meanwhile = Callable[[], object]


class Person(io.StringIO):
    """Says yes, but not before something else has happened."""

    def __init__(self, meanwhile: Meanwhile) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def readline(self, _size: int = -1, /) -> str:  # type: ignore[override]  # as StringIO
        self._meanwhile()
        return "y\n"


@pytest.fixture
def held() -> Harness:
    """An import whose only part is held: its create had no answer."""
    harness = Harness()
    harness.bigin.fail("create_job", BiginOutcomeUnknownError("no answer"))
    harness.drop("incoming/people.mapping.json", MAPPING)
    harness.drop("incoming/people.csv", ROWS)
    harness.settle()
    harness.tick(minutes=90)
    return harness


def id_of(harness: Harness) -> str:
    (record,) = harness.ledger.find_listed("OPEN#HELD")
    return record.import_id


def wished(
    harness: Harness, decision: Decision, *, meanwhile: Meanwhile = lambda: None
) -> tuple[Exit, str]:
    out, import_id = io.StringIO(), id_of(harness)
    terminal = Terminal(out, out, Person(meanwhile))
    wish = Wish(decision, confirmed=import_id)
    return decide(stack_of(harness), terminal, import_id, wish), out.getvalue()


@pytest.mark.parametrize(
    ("decision", "state"),
    [(Decision.CREATE, PartState.CREATED), (Decision.GIVE_UP, PartState.GIVEN_UP)],
)
def test_what_is_decided_is_done(held: Harness, decision: Decision, state: PartState) -> None:
    import_id = id_of(held)

    ended, said = wished(held, decision)

    (part,) = held.ledger.load_parts(import_id)
    assert ended is Exit.GOOD
    assert part.state is state
    assert said.endswith("Done.\n")


@pytest.mark.parametrize(
    ("decision", "other"),
    [(Decision.CREATE, Decision.GIVE_UP), (Decision.GIVE_UP, Decision.CREATE)],
)
def test_what_somebody_else_decided_meanwhile_stays_and_is_said(
    held: Harness, decision: Decision, other: Decision
) -> None:
    import_id = id_of(held)

    def decide_first() -> None:
        wished(held, other)

    with pytest.raises(CommandRefusedError, match="it changed since it was shown"):
        wished(held, decision, meanwhile=decide_first)

    (part,) = held.ledger.load_parts(import_id)
    created = other is Decision.CREATE
    assert part.state is (PartState.CREATED if created else PartState.GIVEN_UP)
    assert len(held.bigin.made) == created


def test_a_job_that_is_none_is_not_adopted_and_the_reason_is_said_at_once(held: Harness) -> None:
    out, import_id = io.StringIO(), id_of(held)
    terminal = Terminal(out, out, None, yes=True)
    held.bigin.fail("job", BiginRefusedError(code="INVALID_DATA", message="no", resolution=""))

    with pytest.raises(CommandRefusedError, match="Bigin does not know a job 42"):
        decide(stack_of(held), terminal, import_id, Wish(Decision.ADOPT, job_id="42"))

    assert held.ledger.find_listed("OPEN#HELD")[0].state is ImportState.ON_HOLD


def test_a_file_is_dropped_again_only_if_a_person_says_so() -> None:
    harness = Harness()
    harness.drop("incoming/people.mapping.json", MAPPING)
    source = harness.drop("incoming/people.csv", b"E-mail,Surname\n")
    harness.settle()
    out, import_id = io.StringIO(), harness.import_of(source).import_id

    with pytest.raises(CommandRefusedError, match="nothing was changed"):
        retry(stack_of(harness), Terminal(out, out, io.StringIO("n\n")), import_id)

    said = "incoming/people.csv is REJECTED and wrote nothing; a new version of it is dropped.\n"
    assert out.getvalue().startswith(said)


def test_commands_that_are_shown_can_be_typed_for_the_same_stack(held: Harness) -> None:
    import_id, options = id_of(held), "--stack acme --region eu-west-1 --profile 'two words'"
    stack, out = stack_of(held), io.StringIO()
    vars(stack)["options"] = f" {options}"
    terminal = Terminal(out, out, None)

    decide(stack, terminal, import_id, None)
    show(stack, terminal, import_id)
    show_status(stack, terminal, held_only=True, days=1)

    lines = re.findall(r"bigin-drop decide .*", out.getvalue())
    assert len(lines) == 5
    assert all(line.endswith(f" {options}") for line in lines)


@pytest.fixture
def refused() -> Harness:
    """An import on hold, for its job is not what was asked for."""
    harness = Harness()
    ask = harness.bigin.get_job
    harness.bigin.get_job = lambda job_id: replace(ask(job_id), ignore_empty=False)  # type: ignore[method-assign]
    harness.drop("incoming/people.mapping.json", MAPPING)
    harness.drop("incoming/people.csv", ROWS)
    harness.settle()
    harness.bigin.get_job = ask  # type: ignore[method-assign]
    return harness


def test_an_import_that_goes_on_is_told_with_its_state(refused: Harness) -> None:
    ended, said = wished(refused, Decision.CONTINUE)

    assert ended is Exit.GOOD
    assert "Done: it is " in said


def test_an_import_that_is_held_again_at_once_is_told_with_the_reason(held: Harness) -> None:
    import_id = id_of(held)

    ended, said = wished(held, Decision.CONTINUE)

    assert ended is Exit.ON_HOLD
    assert "It is on hold again: Bigin never said whether it made the job of part 1" in said
    assert said.endswith(f"See what can be decided: bigin-drop decide {import_id}\n")
    assert "Done" not in said


def test_what_waits_for_a_decision_is_not_tried_again(held: Harness) -> None:
    stack, import_id = stack_of(held), id_of(held)

    with pytest.raises(CommandRefusedError, match="is on hold: ") as found:
        retry(stack, Terminal(io.StringIO(), io.StringIO(), None), import_id)

    assert found.value.exit_code is Exit.ON_HOLD
    assert found.value.remedy.endswith(f"bigin-drop decide {import_id}")
    assert stack.functions.asked == []


def test_an_open_import_is_looked_at_where_that_can_move_it() -> None:
    harness = Harness()
    harness.bigin.runs = False
    waiting = harness.drop("incoming/people.csv", ROWS)
    harness.settle()
    stack, import_id = stack_of(harness), harness.import_of(waiting).import_id
    out = io.StringIO()
    terminal = Terminal(out, out, None)

    assert retry(stack, terminal, import_id) is Exit.GOOD
    assert [each["resume"] for each in stack.functions.asked] == [import_id]
    harness.drop("incoming/people.mapping.json", MAPPING)
    harness.settle()
    assert retry(stack, terminal, import_id) is Exit.GOOD

    assert len(stack.functions.asked) == 1
    assert "incoming/people.csv is WAITING_FOR_MAPPING; it is looked at now.\n" in out.getvalue()
    assert "incoming/people.csv is SENT; it was sent, and goes on by itself" in out.getvalue()


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Look again: bigin-drop undo 01k", "Look again: bigin-drop undo 01k --stack acme"),
        (
            "Mend it (bigin-drop rotate zoho), or",
            "Mend it (bigin-drop rotate zoho --stack acme), or",
        ),
        ("With --changed-too they are deleted", "With --changed-too they are deleted"),
    ],
)
def test_commands_that_a_function_says_are_those_of_its_stack(said: str, wanted: str) -> None:
    assert Stack.of("acme", region=None, profile=None).completed(said) == wanted


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (("bigin-drop", None, None), ""),
        (("acme", "eu-west-1", None), " --stack acme --region eu-west-1"),
    ],
)
def test_a_stack_remembers_how_it_was_named(
    given: tuple[str, str | None, str | None], options: str
) -> None:
    name, region, profile = given

    assert Stack.of(name, region=region, profile=profile).command("status") == (
        f"bigin-drop status{options}"
    )
