"""
Every command of `bigin-drop`, run in this process: how it ends, that --json says one document and
nothing else, and that nothing secret is in what it says, whatever goes wrong.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest

from bigin_import.domain.states import ImportState
from bigin_import.operating.command_line import main, parser
from bigin_import.operating.doctor import examine
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import Exit, Terminal
from tests.bigin_twin.tokens import Client
from tests.e2e.desk import CONTACTS, Desk, as_csv, as_json
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.test_the_operators_command import hold
from tests.e2e.test_what_all_of_it_left_behind import ACCESS_TOKEN, FUNCTIONS, secrets, signatures
from tests.local_stack import LocalStack
from tests.local_stack.workspace import ROOT

PLANTED = "planted-Secret-of-whoever-types"
PRESIGNED = re.compile(r"X-Amz-(?:Signature|Credential|Security-Token)")
JOB_SECONDS = 30  # of one that must not end while it is put aside


@dataclass(frozen=True, slots=True)
class Case:
    """
    A command as it is typed on a stack with some imports.

    Attributes:
        words: After the name of the command; in braces, what `Imports.words` knows.
        typed: Answers to its questions.
    """

    words: str
    ends: Exit
    typed: tuple[str, ...] = ()


# The commands that change something are here as they refuse; other tests let them do it.
CASES = {
    "connect": Case(
        "--data-center EU --secret by-table --accounts-url {twin} --api-url {twin}",
        Exit.REFUSED,
        (Client().client_id, Client().client_secret, "a code that was never generated"),
    ),
    "doctor": Case("--callback-url {callback}", Exit.GOOD),
    "check": Case("{folder}/people.csv --mapping {folder}/people.mapping.json", Exit.FINDINGS),
    "drop": Case("{folder}/people.csv --to table --check", Exit.GOOD),
    "watch": Case("{under_way} --seconds 0", Exit.TIMED_OUT),
    "show": Case("{held}", Exit.ON_HOLD),
    "logs": Case("{closed}", Exit.GOOD),
    "status": Case("--held", Exit.ON_HOLD),
    "credits": Case("--days 2", Exit.GOOD),
    "results": Case("{closed} --to {folder}/fetched", Exit.FINDINGS),
    "open": Case("--to {folder}/page --no-browser", Exit.GOOD),
    "decide": Case("{held}", Exit.ON_HOLD),
    "retry": Case("{closed}", Exit.REFUSED),
    "undo": Case("{under_way}", Exit.REFUSED),
    "rotate": Case("signing", Exit.REFUSED, ("n",)),
    "forget": Case("{held} --confirm {held}", Exit.REFUSED),
    "uninstall": Case("--confirm {stack}", Exit.REFUSED),
    "adopt": Case("--bucket {bucket} --table {table}", Exit.REFUSED),
}


@dataclass(frozen=True, slots=True)
class Ended:
    code: int
    out: str
    err: str


type Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def words(
    stack: LocalStack,
    twin: SeenBigin,
    desk_at: Callable[[str], Desk],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, str]]:
    """What a person types: names of imports that are closed, on hold and under way; of files."""
    desk, folder = desk_at("every command"), tmp_path_factory.mktemp("typed")
    rows = as_csv([["E-mail", "Surname"], [desk.emails(1)[0], "Plantagenet"], ["no", "X"]])
    (folder / "people.csv").write_bytes(rows)
    (folder / "people.mapping.json").write_bytes(as_json(CONTACTS))
    closed = desk.closed(desk.drop("people.csv", rows, CONTACTS))
    with twin.changed(callback_when="never", job_seconds=JOB_SECONDS):
        under_way = desk.drop("waits.csv", desk.contacts(first=11), CONTACTS)
        desk.reached(under_way, lambda seen: seen.state is ImportState.SENT, what="is sent")
        desk.leave_alone(under_way)
        twin.break_once("create_timeout_before_effect")
        held = desk.drop("held.csv", desk.contacts(first=21), CONTACTS)
        hold(desk, held)
        desk.make_due(held)
        stack.invoke_tick()
        on_hold = desk.held(held)
    desk.leave_alone(under_way)  # a tick that was at it may have made it due again
    parked = desk.import_of(under_way)
    assert parked is not None
    assert parked.state is ImportState.SENT
    yield {
        "closed": closed.import_id,
        "held": on_hold.import_id,
        "under_way": parked.import_id,
        "folder": str(folder),
        "twin": stack.twin_url,
        "callback": stack.callback_url,
        "bucket": stack.bucket,
        "table": stack.table,
        "stack": stack.name,
    }
    resume = {"resume": on_hold.import_id, "decision": "give_up", "part": 1, "attempt": 1}
    stack.invoke("import-csv", resume)
    desk.make_due(under_way)
    stack.invoke_tick()
    for source in (held, under_way):
        desk.closed(source)


@pytest.fixture
def typed_here(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> pytest.MonkeyPatch:
    """The environment of one who types commands for the stack."""
    for name, value in {**stack.emulator.environment(), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    return monkeypatch


@pytest.fixture
def run(
    typed_here: pytest.MonkeyPatch,
    stack: LocalStack,
    twin: SeenBigin,
    words: dict[str, str],
    capfd: pytest.CaptureFixture[str],
) -> Run:
    """Run a command as CASES has it, and look for secrets in what it says."""

    def run(name: str, *more: str) -> Ended:
        case = CASES[name]
        typed_here.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in case.typed)))
        capfd.readouterr()
        try:
            code = main([name, *case.words.format(**words).split(), *more])
        except SystemExit as exc:
            code = int(str(exc.code))
        said = capfd.readouterr()
        assert found_in(said.out + said.err, stack, twin) == []
        return Ended(code, said.out, said.err)

    return run


def found_in(text: str, stack: LocalStack, twin: SeenBigin) -> list[str]:
    """Return what is secret and stands in *text*."""
    known = [*secrets(stack), *signatures(twin), *Client().grant_codes, PLANTED]
    return [
        *(word for word in known if word in text),
        *ACCESS_TOKEN.findall(text),
        *PRESIGNED.findall(text),
        *re.findall(r"Traceback", text),
    ]


def test_every_command_has_a_line_in_the_table() -> None:
    (commands,) = (
        action.choices
        for action in parser()._subparsers._group_actions  # type: ignore[union-attr]
    )

    assert set(commands or ()) == set(CASES)


@pytest.mark.usefixtures("refreshes")
@pytest.mark.parametrize("name", CASES)
def test_a_command_ends_as_its_code_says_and_its_json_is_one_document(name: str, run: Run) -> None:
    ended = run(name, "--json")

    assert Exit(ended.code) is CASES[name].ends, ended
    assert isinstance(json.loads(ended.out), dict)


@pytest.mark.parametrize("name", CASES)
def test_a_command_for_a_stack_that_is_not_there_is_refused(name: str, run: Run) -> None:
    ended = run(name, "--json", "--stack", "nobody")

    # Without Bigin's fields nothing is known against the file.
    without = {"check": Exit.GOOD, "doctor": Exit.FINDINGS}
    assert Exit(ended.code) is without.get(name, Exit.REFUSED), ended
    assert isinstance(json.loads(ended.out), dict)


@pytest.mark.parametrize("name", CASES)
def test_a_command_with_a_wrong_key_says_so_without_the_key(
    name: str, run: Run, typed_here: pytest.MonkeyPatch
) -> None:
    typed_here.setenv("AWS_ACCESS_KEY_ID", "AKIAPLANTEDPLANTED00")
    typed_here.setenv("AWS_SECRET_ACCESS_KEY", PLANTED)

    ended = run(name)

    without = {"check": Exit.GOOD, "doctor": Exit.FINDINGS}
    assert Exit(ended.code) is without.get(name, Exit.REFUSED), ended


@pytest.mark.parametrize("name", CASES)
def test_what_a_command_cannot_read_is_usage_and_nothing_is_on_its_output(
    name: str, run: Run
) -> None:
    ended = run(name, "--no-such-option")

    assert Exit(ended.code) is Exit.USAGE
    assert ended.out == ""
    assert "usage: bigin-drop" in ended.err


@pytest.mark.usefixtures("refreshes")
def test_with_a_broken_zoho_secret_no_command_shows_it(run: Run, stack: LocalStack) -> None:
    client = stack.client("secretsmanager")
    good = client.get_secret_value(SecretId="zoho")["SecretString"]
    client.put_secret_value(SecretId="zoho", SecretString=f'{{"refresh_token": "{PLANTED}"')
    try:
        ended = {name: run(name, "--json") for name in CASES}
    finally:
        client.put_secret_value(SecretId="zoho", SecretString=good)
        stack.invoke_tick()

    assert ended["doctor"].code == Exit.FINDINGS
    assert "zoho_secret" in ended["doctor"].out
    assert not any(PLANTED in line for name in FUNCTIONS for line in stack.logs(name))


def test_a_dead_tick_is_seen(
    typed_here: pytest.MonkeyPatch, stack: LocalStack, words: dict[str, str]
) -> None:
    """By the doctor's clock ten minutes have passed since any tick."""
    out = io.StringIO()
    here = Stack(stack.name, boto3.session.Session())

    ended = examine(
        here,
        Terminal(out, out, None),
        callback_url=stack.callback_url,
        now=lambda: time.time() + 600,
    )

    assert ended is Exit.FINDINGS
    (wrong,) = [line for line in out.getvalue().splitlines() if line.startswith("WRONG")]
    assert wrong.startswith("WRONG  tick: none in the last 5 minutes. See whether the schedule")


def test_status_is_a_target_of_the_makefile(
    typed_here: pytest.MonkeyPatch, stack: LocalStack, words: dict[str, str]
) -> None:
    """The environment is as it is: to see whether it is up to date is not what is tried here."""
    done = subprocess.run(
        ["/usr/bin/make", "--assume-old=.venv/.installed", "status", f"STACK={stack.name}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert words["closed"] in done.stdout, done.stderr
    assert f"Error {Exit.ON_HOLD:d}" in done.stderr
