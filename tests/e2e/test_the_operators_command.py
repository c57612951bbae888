"""`bigin-drop`, as an operator types it, on the deployed stack."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain import part_transitions
from bigin_import.domain.drop import ObjectVersion
from bigin_import.domain.locks import LastNotice
from bigin_import.domain.states import ImportState, PartState
from bigin_import.ledger import update
from bigin_import.object_keys import OVERVIEW
from bigin_import.operating.terminal import Exit
from bigin_import.settling.waiting import WAITING_FOR_ZOHO
from tests.bigin_twin.tokens import Client
from tests.e2e.desk import CONTACTS, Desk, as_csv, as_json
from tests.e2e.seen_bigin import SeenBigin
from tests.e2e.waiting import PATIENCE_SECONDS, until
from tests.local_stack import LocalStack, deployment, processes, tunnel
from tests.local_stack.workspace import ROOT

ACCESS_TOKEN = re.compile(r"1000\.[0-9a-f]{16,}")

type Command = Callable[..., "Said"]


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it wrote."""

    exit_code: Exit
    out: str
    err: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the command keeps what it was told of Bigin's fields."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def command(stack: LocalStack, home: Path) -> Command:
    """Type a command; *typed* are the answers to its questions. It must show nothing secret."""
    return command_for(stack, home)


def command_for(stack: LocalStack, home: Path) -> Command:
    env = processes.environment(
        **stack.emulator.environment(), PYTHONPATH=str(ROOT / "layers" / "common")
    )
    signing = stack.client("secretsmanager").get_secret_value(
        SecretId=stack.resource("SigningSecret")
    )

    def run(*words: str, typed: str = "", endpoint: str = "", proxy: str = "") -> Said:
        there = {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}
        there |= {"HTTPS_PROXY": proxy, "NO_PROXY": "localhost"} if proxy else {}
        done = subprocess.run(
            [sys.executable, "-m", "bigin_import", *words],
            env={**env, "HOME": str(home), **there},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        client = Client()
        for secret in (
            *(client.client_secret, client.refresh_token, *client.grant_codes),
            *(signing["SecretString"], "/v1/callback/0"),
        ):
            assert secret not in said
        assert not ACCESS_TOKEN.search(said)
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
    dropped = drop(command, desk, files, "--wait", "--seconds", str(PATIENCE_SECONDS), "--yes")

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
    checked = drop(
        command, desk, files, "--check", "--wait", "--seconds", str(PATIENCE_SECONDS), "--json"
    )

    assert json.loads(checked.out)["import"]["state"] == ImportState.DRY_RUN
    assert json.loads(checked.out)["parts"] == []
    assert bigin.emails_at(desk.name) == {}


def test_a_held_part_is_decided_about(command: Command, desk: Desk, bigin: SeenBigin) -> None:
    bigin.break_once("create_timeout_before_effect")
    source = desk.drop("held.csv", desk.contacts(2), CONTACTS)
    held = hold(desk, source)

    assert command("status", "--held").exit_code in (Exit.GOOD, Exit.ON_HOLD)
    assert command("uninstall", "--confirm", "bigin-drop").exit_code is Exit.REFUSED
    assert command("forget", held, "--confirm", held).exit_code is Exit.REFUSED
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

    asked = command("retry", rejected.import_id)
    again = command("retry", rejected.import_id, "--json", "--yes")

    assert asked.exit_code is Exit.REFUSED
    assert again.exit_code is Exit.GOOD
    version = json.loads(again.out)["version_id"]
    assert version != source.version_id


def test_what_is_kept_of_an_import_is_removed_and_its_content_stays_known(
    command: Command, desk: Desk, files: Path
) -> None:
    drop(command, desk, files, "--wait", "--seconds", str(PATIENCE_SECONDS))
    shown = json.loads(command("show", f"{desk.name}/people.csv", "--json").out)
    import_id, results = shown["import"]["import_id"], shown["import"]["results"]

    assert command("forget", import_id).exit_code is Exit.REFUSED
    assert command("forget", import_id, "--confirm", import_id).exit_code is Exit.GOOD

    listed = desk.s3.list_object_versions(Bucket=desk.stack.bucket, Prefix=results)
    assert not listed.get("Versions")
    assert desk.name not in command("show", import_id).out
    again = drop(command, desk, files, "--wait", "--seconds", str(PATIENCE_SECONDS), "--json")
    assert json.loads(again.out)["import"]["state"] == ImportState.UNCHANGED


def test_the_page_of_all_imports_is_opened_with_its_reports_and_forgets_with_the_rest(
    command: Command, desk: Desk, files: Path, tmp_path: Path
) -> None:
    drop(command, desk, files, "--wait", "--seconds", str(PATIENCE_SECONDS))
    import_id = json.loads(command("show", f"{desk.name}/people.csv", "--json").out)["import"][
        "import_id"
    ]
    desk.stack.invoke_tick()
    desk.stack.invoke_tick()

    (tmp_path / "taken").touch()
    refused = command("open", "--to", str(tmp_path / "taken"), "--no-browser")
    assert refused.exit_code is Exit.REFUSED
    assert "a file has the name of a folder" in refused.err
    folder = tmp_path / "page"  # beside the files that were dropped
    assert command("open", "--to", str(folder), "--no-browser").exit_code is Exit.GOOD

    page = (folder / "index.html").read_text("utf-8")
    line = page.partition(f'id="{import_id}"')[2].partition("</li>")[0]
    assert "2 added" in line
    link = line.partition('href="./')[2].partition('"')[0]
    assert (folder / link).read_text("utf-8").startswith("<!doctype html>")

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


def test_a_file_is_checked_here_and_where_no_stack_can_be_reached(
    command: Command, desk: Desk, files: Path, bigin: SeenBigin
) -> None:
    words = ("check", str(files / "people.csv"), "--mapping", str(files / "people.mapping.json"))

    asked = command(*words)
    offline = command(*words, "--json", endpoint="https://127.0.0.1:9")

    assert asked.exit_code is offline.exit_code is Exit.FINDINGS
    assert "2 of 3 rows would be sent in 1 jobs, for 500 credits." in asked.out
    assert "row 4: " in asked.out
    assert "Compared with Bigin's fields as they are now" in asked.out
    assert json.loads(offline.out)["sent"] == 2
    assert "Compared with the fields saved in" in json.loads(offline.out)["basis"]
    assert bigin.emails_at(desk.name) == {}


@pytest.mark.usefixtures("refreshes")
def test_a_mapping_is_held_against_the_fields_that_bigin_has_now(
    command: Command, stack: LocalStack, files: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.mapping.json"
    wrong.write_bytes(as_json({**CONTACTS, "columns": {"E-mail": "Emial"}}))
    stack.invoke_tick()
    words = ("doctor", "--callback-url", stack.callback_url, "--mapping")

    fits = command(*words, str(files / "people.mapping.json"))
    does_not = command(*words, str(wrong))

    assert "ok     mapping: people.mapping.json fits the fields of Contacts" in fits.out
    assert fits.exit_code is Exit.GOOD, fits
    assert does_not.exit_code is Exit.FINDINGS
    assert "WRONG  mapping: wrong.mapping.json" in does_not.out
    assert "Emial" in does_not.out


def test_a_mapping_may_be_dropped_alone(command: Command, desk: Desk, files: Path) -> None:
    source = desk.drop("people.csv", (files / "people.csv").read_bytes(), None)

    dropped = command("drop", str(files / "people.mapping.json"), "--to", desk.name)

    assert dropped.exit_code is Exit.GOOD
    assert desk.closed(source).state is ImportState.COMPLETED_WITH_ERRORS


def test_corrections_are_forgotten_with_the_file(
    command: Command, desk: Desk, files: Path, tmp_path: Path
) -> None:
    drop(command, desk, files, "--wait", "--seconds", str(PATIENCE_SECONDS))
    shown = json.loads(command("show", f"{desk.name}/people.csv", "--json").out)
    import_id = shown["import"]["import_id"]
    command("results", import_id, "--to", str(tmp_path / "fetched"))
    failed = tmp_path / "fetched" / "people.failed.csv"
    failed.write_text(failed.read_text("utf-8-sig").replace(",no,", f",new@{desk.name}.example,"))
    words = (
        "drop",
        str(failed),
        "--to",
        f"{desk.name}/fixed",
        "--wait",
        "--seconds",
        str(PATIENCE_SECONDS),
    )
    corrected = command(*words)
    assert corrected.exit_code is Exit.GOOD, corrected
    assert "With all corrections, 3 of 3 rows of" in corrected.out
    ids = json.loads(command("show", f"{desk.name}/fixed/people.failed.csv", "--json").out)

    forgotten = command("forget", import_id, "--confirm", import_id, "--json")

    assert set(json.loads(forgotten.out)["forgotten"]) == {import_id, ids["import"]["import_id"]}
    assert any("35 days" in line for line in json.loads(forgotten.out)["not_reached"])
    table = desk.stack.client("dynamodb").scan(TableName=desk.stack.table)["Items"]
    assert not [item for item in table if f"{desk.name}/people.csv" in json.dumps(item)]


def test_connect_stores_what_the_functions_read(command: Command, stack: LocalStack) -> None:
    connected = connect(command, stack, "--json", code=0, typed=["y"])

    assert connected.exit_code is Exit.GOOD, connected
    assert json.loads(connected.out)["organisation"] == "Zylker"
    held = json.loads(
        stack.client("secretsmanager").get_secret_value(SecretId="by-command")["SecretString"]
    )
    assert {"client_id", "client_secret", "refresh_token", "zgid"} < set(held)
    assert held["refresh_token"] not in connected.out + connected.err


def connect(
    command: Command,
    stack: LocalStack,
    *more: str,
    code: int,
    typed: list[str],
    client_id: str = "",
    into: str = "by-command",
) -> Said:
    """Connect to the twin's organisation, into a secret of this name; each code serves once."""
    client = Client()
    answers = [
        client_id or client.client_id,
        client.client_secret,
        client.grant_codes[code],
        *typed,
    ]
    urls = ("--accounts-url", stack.twin_url, "--api-url", stack.twin_url)
    words = ("connect", "--data-center", "EU", "--secret", into, *urls)
    return command(*words, *more, typed="".join(f"{line}\n" for line in answers))


def test_a_client_of_another_data_centre_is_not_connected(
    command: Command, stack: LocalStack
) -> None:
    refused = connect(command, stack, code=1, typed=["y"], client_id="1000.ELSEWHERE")

    assert refused.exit_code is Exit.REFUSED
    assert "Zoho says invalid_client" in refused.err
    assert "This data centre does not know the client id" in refused.err


def test_in_the_wrong_data_centre_the_right_one_is_named_and_connected(
    command: Command, bigin: SeenBigin, stack: LocalStack
) -> None:
    """Under Zoho's own addresses: a proxy leads them to our Bigin, that knows the client in one."""
    bigin.change(token_host="accounts.zoho.in")
    client = Client()
    typed = "".join(
        f"{line}\n" for line in (client.client_id, client.client_secret, client.grant_codes[5], "y")
    )
    with tunnel.leading_to(stack.twin_url) as proxy:
        words = ("connect", "--secret", "by-its-own-name", "--data-center")
        wrong = command(*words, "EU", typed=typed, proxy=proxy)
        right = command(*words, "IN", typed=typed, proxy=proxy)

    assert wrong.exit_code is Exit.REFUSED
    assert "Zoho says invalid_client" in wrong.err
    assert "It is known in IN: give --data-center IN" in wrong.err
    assert right.exit_code is Exit.GOOD, right
    assert "https://api-console.zoho.in" in right.out
    assert "DataCenter=IN" in right.out


def test_the_secret_of_another_organisation_is_replaced_only_by_its_name(
    command: Command, stack: LocalStack
) -> None:
    secrets, name = stack.client("secretsmanager"), "of-another-organisation"
    theirs = json.dumps({"organisation": "Acme", "zgid": "1"})
    secrets.create_secret(Name=name, SecretString=theirs)

    refused = connect(command, stack, code=2, typed=["y", "Acne"], into=name)
    assert refused.exit_code is Exit.REFUSED
    assert 'is for "Acme"' in refused.out
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == theirs

    replaced = connect(command, stack, code=3, typed=["y", "Acme"], into=name)
    assert replaced.exit_code is Exit.GOOD, replaced
    assert "Acme" not in secrets.get_secret_value(SecretId=name)["SecretString"]


@pytest.mark.usefixtures("refreshes")
def test_the_zoho_credentials_of_a_stack_are_put_in_place_anew(
    command: Command, stack: LocalStack
) -> None:
    typed = ["", "", Client().grant_codes[4], "y", "zoho"]

    rotated = command("rotate", "zoho", typed="".join(f"{line}\n" for line in typed))

    assert rotated.exit_code is Exit.GOOD, rotated
    held = stack.client("secretsmanager").get_secret_value(SecretId="zoho")["SecretString"]
    assert json.loads(held)["refresh_token"] != Client().refresh_token
    assert json.loads(held)["client_secret"] == Client().client_secret
    stack.invoke_tick()
    looked = command("doctor", "--callback-url", stack.callback_url)
    assert looked.exit_code is Exit.GOOD, looked


@pytest.mark.usefixtures("refreshes")
def test_the_doctor_finds_nothing_wrong_with_a_stack_that_is_well(
    command: Command, stack: LocalStack
) -> None:
    stack.invoke_tick()

    looked = command("doctor", "--callback-url", stack.callback_url, "--json")

    wrong = [check for check in json.loads(looked.out)["checks"] if check["remedy"]]
    assert wrong == []
    assert looked.exit_code is Exit.GOOD


@pytest.mark.usefixtures("refreshes")
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


@pytest.mark.usefixtures("refreshes")
def test_the_doctor_sees_a_broken_secret_and_a_missing_scope(
    command: Command, stack: LocalStack, bigin: SeenBigin
) -> None:
    secrets = stack.client("secretsmanager")
    good = secrets.get_secret_value(SecretId="zoho")["SecretString"]
    words = ("doctor", "--callback-url", stack.callback_url)

    secrets.put_secret_value(SecretId="zoho", SecretString="no JSON, PLANTED")
    broken = command(*words)
    secrets.put_secret_value(SecretId="zoho", SecretString=good)
    bigin.change(missing_scopes=["ZohoFiles.files.ALL"])
    lacking = command(*words)

    assert broken.exit_code is lacking.exit_code is Exit.FINDINGS
    assert "WRONG  token and organisation: refused (zoho_secret)" in broken.out
    assert "PLANTED" not in broken.out + broken.err
    assert "WRONG  scopes: the refresh token lacks ZohoFiles.files.ALL" in lacking.out
    bigin.change(missing_scopes=[])
    stack.invoke_tick()
    assert command(*words).exit_code is Exit.GOOD


@pytest.mark.usefixtures("refreshes")
def test_imports_wait_for_zoho_and_go_on_with_a_corrected_secret(
    stack: LocalStack, desk: Desk, ledger: DynamoLedger
) -> None:
    def tell() -> dict[str, Any] | None:
        """Return a notice with Zoho's code; a tick that finds the secret new asks once more."""
        if (told := ledger.load(LastNotice.at(WAITING_FOR_ZOHO))) is not None:
            ledger.delete(told)  # people are told once a day
        stack.invoke_tick()
        notices = [each for each in stack.inbox.notices() if "wait for Zoho" in each["Subject"]]
        return next((each for each in notices if "invalid_client_secret" in each["Message"]), None)

    secrets = stack.client("secretsmanager")
    good = secrets.get_secret_value(SecretId="zoho")["SecretString"]
    secrets.put_secret_value(
        SecretId="zoho", SecretString=json.dumps({**json.loads(good), "client_secret": "wrong"})
    )
    try:
        source = desk.drop("people.csv", desk.contacts(2), CONTACTS)
        desk.reached(source, lambda seen: seen.pause == "ACCESS", what="waits for Zoho")
        notice = until(tell, what="a notice with the code of Zoho")
    finally:
        secrets.put_secret_value(SecretId="zoho", SecretString=good)
    stack.invoke_tick()

    assert desk.closed(source).state is ImportState.COMPLETED
    assert "aws secretsmanager put-secret-value --secret-id arn:" in notice["Message"]


@pytest.mark.after_all  # callbacks with the new key are refused until old copies are dropped
def test_the_signing_key_is_rotated_once_while_jobs_are_open(
    command: Command, desk: Desk, bigin: SeenBigin
) -> None:
    bigin.break_once("create_timeout_before_effect")
    held = hold(desk, desk.drop("held.csv", desk.contacts(2), CONTACTS))

    assert command("rotate", "signing", "--yes").exit_code is Exit.GOOD
    again = command("rotate", "signing", "--yes")

    assert again.exit_code is Exit.REFUSED
    assert "open jobs were made with the key before" in again.err
    assert command("decide", held, "give-up", "--yes").exit_code is Exit.GOOD


@pytest.mark.after_all  # with a stack of its own
def test_a_stack_is_uninstalled_adopted_and_uninstalled_with_its_data(
    home: Path, tmp_path: Path
) -> None:
    with LocalStack.running("uninstall") as own:
        command = command_for(own, home)
        words, files = ("uninstall", "--confirm", own.name), tmp_path
        (files / "people.csv").write_bytes(as_csv([["E-mail", "Surname"], ["a@b.example", "A"]]))
        (files / "people.mapping.json").write_bytes(as_json(CONTACTS))
        desk = Desk(own, own.client("s3"), DynamoLedger(own.client("dynamodb"), own.table), "own")
        before = drop(command, desk, files, "--wait", "--json")
        refused = command("uninstall", "--yes")
        gone = command(*words, "--json")

        assert before.exit_code is Exit.GOOD, before
        assert refused.exit_code is Exit.REFUSED
        assert f"--confirm {own.name}" in refused.err
        assert gone.exit_code is Exit.GOOD, gone
        kept = json.loads(gone.out)["kept"]
        assert set(kept) == {"bucket", "table", "secret"}
        assert is_there(own, kept) == {"bucket": True, "table": True, "secret": True}
        assert f"there is no stack {own.name}" in command("status").err

        package(own, tmp_path / "packaged.yaml")
        adopted = adopt(command, own, kept, tmp_path / "packaged.yaml")
        again = drop(command, desk, files, "--wait", "--json")

        assert adopted.exit_code is Exit.GOOD, adopted
        changes = json.loads(adopted.out)["changes"]
        assert {changes["DropBucket"], changes["LedgerTable"]} == {"Import"}
        assert json.loads(again.out)["import"]["state"] == ImportState.UNCHANGED

        removed = command(*words, "--with-data", "--with-secret", "--json")

        assert removed.exit_code is Exit.GOOD, removed
        assert json.loads(removed.out)["kept"] == {}
        assert is_there(own, kept) == {"bucket": False, "table": False, "secret": False}


def package(stack: LocalStack, target: Path) -> None:
    """Package what was built for *stack*, as `sam build` and `sam package` leave it to a person."""
    built = deployment.BUILD / "build" / "template.yaml"
    words = ["sam", "package", "--template-file", str(built), "--resolve-s3", "--no-progressbar"]
    env = processes.environment(**stack.emulator.environment()) | deployment.tool_settings()
    log = stack.folder / "package.log"
    processes.run(
        [*words, "--output-template-file", str(target)], env=env, cwd=target.parent, log=log
    )


def adopt(command: Command, stack: LocalStack, kept: Mapping[str, str], template: Path) -> Said:
    given = {**stack.parameters, "Architecture": deployment.architecture()}
    parameters = [word for pair in given.items() for word in ("--parameter", "=".join(pair))]
    words = ("adopt", "--bucket", kept["bucket"], "--table", kept["table"])
    return command(*words, "--template", str(template), *parameters, "--yes", "--json")


def is_there(stack: LocalStack, kept: Mapping[str, str]) -> dict[str, bool]:
    """Return which of what a stack keeps is there; a secret that is to go is not."""
    buckets = stack.client("s3").list_buckets()["Buckets"]
    tables = stack.client("dynamodb").list_tables()["TableNames"]
    secret = stack.client("secretsmanager").describe_secret(SecretId=kept["secret"])
    return {
        "bucket": kept["bucket"] in {each["Name"] for each in buckets},
        "table": kept["table"] in tables,
        "secret": "DeletedDate" not in secret,
    }
