"""`bigin-drop`, as an operator types it, on the deployed stack."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bigin_import.domain import part_transitions
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.states import ImportState, PartState
from bigin_import.ledger import update
from bigin_import.object_keys import OVERVIEW
from bigin_import.operating.terminal import Exit
from tests.bigin_twin.tokens import Client
from tests.e2e.desk import CONTACTS, Desk, as_csv, as_json
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.waiting import until
from tests.local_stack import LocalStack, processes
from tests.local_stack.workspace import ROOT

type Command = Callable[..., "Said"]


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it wrote."""

    exit_code: Exit
    out: str
    err: str


@pytest.fixture(scope="module")
def command(stack: LocalStack) -> Command:
    """Type a command; *typed* are the answers to its questions."""
    env = processes.environment(
        **stack.emulator.environment(), PYTHONPATH=str(ROOT / "layers" / "common")
    )

    def run(*words: str, typed: str = "") -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "bigin_import", *words],
            env=env,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        for secret in (Client().client_secret, Client().refresh_token, "/v1/callback/"):
            assert secret not in said
        return Said(Exit(done.returncode), done.stdout, done.stderr)

    return run


@pytest.fixture
def files(tmp_path: Path, desk: Desk) -> Path:
    """A folder with two good contacts and one without an address, and their mapping."""
    rows = [["E-mail", "Surname"], *([each, "Plantagenet"] for each in desk.emails(2)), ["no", "X"]]
    (tmp_path / "people.csv").write_bytes(as_csv(rows))
    (tmp_path / "people.mapping.json").write_bytes(as_json(CONTACTS))
    return tmp_path


def drop(command: Command, desk: Desk, files: Path, *more: str) -> Said:
    mapping = str(files / "people.mapping.json")
    words = ("drop", str(files / "people.csv"), "--mapping", mapping, "--to", desk.name)
    return command(*words, *more)


def test_a_file_is_dropped_followed_shown_and_its_results_fetched(
    command: Command, desk: Desk, files: Path, tmp_path: Path
) -> None:
    dropped = drop(command, desk, files, "--wait", "--seconds", "60", "--yes")

    assert dropped.exit_code is Exit.FINDINGS  # a row is not in Bigin
    assert "2 of 3 rows of people.csv are in Bigin, 1 is not." in dropped.out

    shown = command("show", f"{desk.name}/people.csv", "--json")
    import_id = json.loads(shown.out)["import"]["import_id"]
    assert json.loads(shown.out)["import"]["state"] == ImportState.COMPLETED_WITH_ERRORS
    assert json.loads(shown.out)["parts"][0]["credits"] == 500
    assert import_id in command("show", import_id).out

    fetched = command("results", import_id, "--to", str(tmp_path / "fetched"))
    assert fetched.exit_code is Exit.FINDINGS
    assert {"people.failed.csv", "people.success.csv", "report.html"} < {
        path.name for path in (tmp_path / "fetched").iterdir()
    }

    listed = command("status", "--json")
    assert import_id in {each["import_id"] for each in json.loads(listed.out)["closed"]}
    assert "2 of 3 rows in" in command("status").out
    assert json.loads(command("credits", "--json").out)["credits"] >= 500

    logged = command("logs", import_id)
    assert "import_csv drop received" in logged.out
    assert "settle_jobs import closed" in logged.out

    again = command("retry", import_id)
    assert again.exit_code is Exit.REFUSED
    assert f'"force": "{import_id}"' in again.err


def test_a_check_sends_nothing(command: Command, desk: Desk, files: Path, bigin: SeenBigin) -> None:
    checked = drop(command, desk, files, "--check", "--wait", "--seconds", "60", "--json")

    assert json.loads(checked.out)["import"]["state"] == ImportState.DRY_RUN
    assert json.loads(checked.out)["parts"] == []
    assert bigin.emails_at(desk.name) == {}


def test_a_held_part_is_decided_about(command: Command, desk: Desk, bigin: SeenBigin) -> None:
    bigin.break_once("create_timeout_before_effect")
    source = desk.drop("held.csv", desk.contacts(2), CONTACTS)
    held = hold(desk, source)

    assert command("status", "--held").exit_code in (Exit.GOOD, Exit.ON_HOLD)
    choices = command("decide", held)
    assert choices.exit_code is Exit.ON_HOLD
    assert f"bigin-drop decide {held} --part 1 give-up" in choices.out

    refused = command("decide", held, "create", "--yes")
    assert refused.exit_code is Exit.REFUSED
    assert f"--confirm {held}" in refused.err

    decided = command("decide", held, "give-up", "--yes")
    assert decided.exit_code is Exit.GOOD, decided
    assert desk.closed(source).counts is not None
    assert command("decide", held, "give-up", "--yes").exit_code is Exit.REFUSED


def hold(desk: Desk, source: ObjectVersion) -> str:
    """Let a part be held whose create had no answer, which takes the functions ten minutes."""
    part = desk.part_reached(source, PartState.UNKNOWN)
    desk.reached(source, lambda seen: seen.lease_until == 0, what="has given its lease back")
    update(desk.ledger, part.address, part_transitions.hold(desk.now()))
    return part.import_id


def test_a_file_that_wrote_nothing_is_dropped_again(command: Command, desk: Desk) -> None:
    source = desk.drop("wrong.csv", b"E-mail,Surname\n", CONTACTS)
    rejected = desk.closed(source)

    again = command("retry", rejected.import_id, "--json")

    assert again.exit_code is Exit.GOOD
    version = json.loads(again.out)["version_id"]
    assert version != source.version_id


def test_what_is_kept_of_an_import_is_removed_and_its_content_stays_known(
    command: Command, desk: Desk, files: Path
) -> None:
    drop(command, desk, files, "--wait", "--seconds", "60")
    shown = json.loads(command("show", f"{desk.name}/people.csv", "--json").out)
    import_id, results = shown["import"]["import_id"], shown["import"]["results"]

    assert command("forget", import_id).exit_code is Exit.REFUSED
    assert command("forget", import_id, "--confirm", import_id).exit_code is Exit.GOOD

    listed = desk.s3.list_object_versions(Bucket=desk.stack.bucket, Prefix=results)
    assert not listed.get("Versions")
    assert desk.name not in command("show", import_id).out
    again = drop(command, desk, files, "--wait", "--seconds", "60", "--json")
    assert json.loads(again.out)["import"]["state"] == ImportState.UNCHANGED


def test_the_page_of_all_imports_is_opened_with_its_reports_and_forgets_with_the_rest(
    command: Command, desk: Desk, files: Path, tmp_path: Path
) -> None:
    drop(command, desk, files, "--wait", "--seconds", "60")
    import_id = json.loads(command("show", f"{desk.name}/people.csv", "--json").out)["import"][
        "import_id"
    ]
    desk.stack.invoke_tick()
    desk.stack.invoke_tick()

    assert command("open", "--to", str(tmp_path), "--no-browser").exit_code is Exit.GOOD

    page = (tmp_path / "index.html").read_text("utf-8")
    line = page.partition(f'id="{import_id}"')[2].partition("</li>")[0]
    assert "2 added" in line
    link = line.partition('href="./')[2].partition('"')[0]
    assert (tmp_path / link).read_text("utf-8").startswith("<!doctype html>")

    command("forget", import_id, "--confirm", import_id)
    desk.stack.invoke_tick()
    until(lambda: desk.name not in _index(desk) or None, what="the page names it no more")


def _index(desk: Desk) -> str:
    found = desk.s3.get_object(Bucket=desk.stack.bucket, Key=OVERVIEW)
    page: str = found["Body"].read().decode()
    return page


def test_what_the_command_cannot_do_is_said_with_what_to_do(command: Command) -> None:
    unknown = command("show", "no/such.csv")
    assert unknown.exit_code is Exit.REFUSED
    assert "no import no/such.csv is known" in unknown.err
    elsewhere = command("show", "x", "--stack", "nobody")
    assert "there is no stack nobody in eu-central-1" in elsewhere.err
    assert command("decide").exit_code is Exit.USAGE


def test_connect_stores_what_the_functions_read(command: Command, stack: LocalStack) -> None:
    client = Client()
    typed = f"{client.client_id}\n{client.client_secret}\n{client.grant_codes[0]}\ny\n"
    urls = ("--accounts-url", stack.twin_url, "--api-url", stack.twin_url)

    connected = command(
        "connect", "--data-center", "EU", "--secret", "by-command", *urls, typed=typed
    )

    assert connected.exit_code is Exit.GOOD, connected
    held = json.loads(
        stack.client("secretsmanager").get_secret_value(SecretId="by-command")["SecretString"]
    )
    assert {"client_id", "client_secret", "refresh_token", "zgid"} < set(held)
    assert held["refresh_token"] not in connected.out + connected.err


def test_the_doctor_finds_nothing_wrong_with_a_stack_that_is_well(
    command: Command, stack: LocalStack
) -> None:
    stack.invoke_tick()

    looked = command("doctor", "--callback-url", stack.callback_url, "--json")

    wrong = [check for check in json.loads(looked.out)["checks"] if check["remedy"]]
    assert wrong == []
    assert looked.exit_code is Exit.GOOD


def test_the_doctor_says_what_is_wrong_and_what_to_do(
    command: Command, stack: LocalStack, bigin: SeenBigin
) -> None:
    versioning = {"Bucket": stack.bucket, "VersioningConfiguration": {"Status": "Suspended"}}
    dead = stack.outputs["CollectDeadLetterQueueUrl"]
    stack.client("s3").put_bucket_versioning(**versioning)
    stack.client("sqs").send_message(QueueUrl=dead, MessageBody="{}")
    bigin.break_once("token_refused", code="invalid_client", times=None)
    try:
        looked = command("doctor", "--callback-url", stack.twin_url)
    finally:
        versioning["VersioningConfiguration"] = {"Status": "Enabled"}
        stack.client("s3").put_bucket_versioning(**versioning)
        stack.client("sqs").purge_queue(QueueUrl=dead)

    assert looked.exit_code is Exit.FINDINGS
    wrong = [line for line in looked.out.splitlines() if line.startswith("WRONG")]
    assert [line.split(":")[0].removeprefix("WRONG").strip() for line in wrong] == [
        "bucket",
        "dead-letter queue",
        "callback",
        "signed callback",
        "token and organisation",
    ]
    assert "versioning suspended" in wrong[0]
    assert "invalid_client" in wrong[4]

    bigin.mend()
    mended = command("doctor", "--callback-url", stack.callback_url)
    assert mended.exit_code is Exit.GOOD, mended  # and the refusal is remembered no more
