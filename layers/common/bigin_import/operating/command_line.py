"""The command `bigin-drop`: what may be typed, and which use case it leads to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from botocore.exceptions import BotoCoreError, ClientError

from bigin_import.bigin.datacenters import DATA_CENTERS
from bigin_import.errors import BiginImportError
from bigin_import.importing.decisions import Decision
from bigin_import.operating import adopt, check, connect, decide, doctor, drop, look, remove, undo
from bigin_import.operating.stack import Stack
from bigin_import.operating.terminal import CommandRefusedError, Exit, Terminal
from bigin_import.settling.summarize import DEFAULT_STACK

type Options = argparse.Namespace
type Command = Callable[[Options, Stack, Terminal], Exit]

DEFAULT_SECRET = "bigin-drop-zoho"  # noqa: S105 - its name
_HOW_IT_ENDS = (
    f"Exit codes: {Exit.GOOD:d} good, {Exit.FINDINGS:d} findings or rows that are not in, "
    f"{Exit.REFUSED:d} refused, {Exit.ON_HOLD:d} on hold, {Exit.TIMED_OUT:d} timed out, "
    f"{Exit.USAGE:d} usage."
)
_INTERRUPTED = 130  # as shells have it
_DECISIONS = {decision.value.replace("_", "-"): decision for decision in Decision}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (`terminal.Exit`)."""
    options = parser().parse_args(arguments)
    terminal = Terminal(sys.stdout, sys.stderr, _answers(), as_json=options.json, yes=options.yes)
    try:
        stack = Stack.of(options.stack, region=options.region, profile=options.profile)
        command: Command = options.command
        return command(options, stack, terminal)
    except CommandRefusedError as exc:
        terminal.report_refusal(str(exc), exc.remedy)
        return exc.exit_code
    except BiginImportError as exc:
        terminal.report_refusal(str(exc), str(getattr(exc, "resolution", "")))
    except ClientError as exc:
        said = exc.response["Error"]
        terminal.report_refusal(
            f"AWS says {said['Code']} to {exc.operation_name}", _access_remedy(said["Code"])
        )
    except BotoCoreError as exc:
        terminal.report_refusal(str(exc).rstrip("."), "See aws configure, --profile and --region")
    except OSError as exc:  # a file of this machine, or an answer that never came
        terminal.report_refusal(_what_failed(exc), "")
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return _INTERRUPTED
    return Exit.REFUSED


def _what_failed(exc: OSError) -> str:
    """Say which file, or what kind of failure: the words of others may hold an address."""
    return f"{exc.filename}: {exc.strerror}" if exc.filename else type(exc).__name__


def _answers() -> TextIO | None:
    return sys.stdin if sys.stdin and not sys.stdin.closed else None


def _access_remedy(code: str) -> str:
    return "Use a role that may do that" if "Denied" in code or "Unauthorized" in code else ""


class _Parser(argparse.ArgumentParser):
    """Ends with 64 for what it cannot read: 2 says that a command was refused."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: {message}\n")


class _CommandParser(_Parser):
    """
    Takes words between options too, as in `decide ID --part 1 give-up`, which notices have.

    argparse gives up on an optional word that does not stand beside the others, unless it parses
    intermixed; and it never asks a subcommand to do that.
    """

    _is_asked = False

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]  # noqa: ANN001,ANN202 - as argparse has it
        if self._is_asked:  # by itself, once for options and once for words
            return super().parse_known_args(args, namespace)
        self._is_asked = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_asked = False


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    common = _CommandParser(add_help=False)
    common.add_argument("--stack", default=DEFAULT_STACK, help=f"default: {DEFAULT_STACK}")
    common.add_argument("--region", help="default: that of your AWS configuration")
    common.add_argument("--profile", help="of your AWS configuration")
    common.add_argument("--json", action="store_true", help="answer with one JSON document")
    common.add_argument("--yes", action="store_true", help="say yes where a command asks")
    description = "Look after a deployed Bigin Drop."
    top = _Parser(prog="bigin-drop", description=description, epilog=_HOW_IT_ENDS)
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=_CommandParser)

    def add(name: str, does: str, command: Command) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=does, description=f"{does}.", parents=[common])
        added.set_defaults(command=command)
        return added

    _add_first_steps(add)
    _add_looking(add)
    _add_changing(add)
    return top


type _Add = Callable[[str, str, Command], argparse.ArgumentParser]


def _add_first_steps(add: _Add) -> None:
    one = add("connect", "Make the secret with your Zoho client", _connect)
    one.add_argument("--data-center", required=True, type=str.upper, choices=list(DATA_CENTERS))
    one.add_argument(
        "--secret", default=DEFAULT_SECRET, help=f"its name; default: {DEFAULT_SECRET}"
    )
    for name, parameter in (("--accounts-url", "AccountsUrl"), ("--api-url", "ApiUrl")):
        one.add_argument(name, default="", type=_as_https, help=f"as the template's {parameter}")
    one.add_argument("--confirm", default="", help="the organisation that the secret is for now")
    one = add("doctor", "Look whether everything is there that imports need", _doctor)
    one.add_argument("--callback-url", default="", help="if Bigin reaches the API by another")
    one.add_argument("--mapping", type=Path, help="held against Bigin's fields as they are now")
    one = add("check", "Check a CSV file and its mapping here; nothing is dropped or sent", _check)
    one.add_argument("file", type=Path)
    one.add_argument("--mapping", type=Path, required=True)
    one.add_argument("--fields", type=Path, help="saved fields; default: asked, else saved last")


def _as_https(url: str) -> str:
    """Take *url* only if a secret may go there."""
    if url and not url.startswith("https://"):
        raise argparse.ArgumentTypeError("it must begin with https://")
    return url


def _add_looking(add: _Add) -> None:
    one = add("drop", "Drop a CSV file", _drop)
    one.add_argument("file", type=Path)
    one.add_argument("--mapping", type=Path, help="dropped beside it, before it")
    one.add_argument("--to", default="", metavar="FOLDER", help="below incoming/")
    one.add_argument("--check", action="store_true", help="send nothing, only say what is wrong")
    one.add_argument("--wait", action="store_true", help="follow it to its end")
    one.add_argument("--seconds", type=float, default=3600, help="how long to follow it")
    one = add("watch", "Follow an import to its end", _watch)
    _add_import(one)
    one.add_argument("--seconds", type=float, default=3600, help="how long; default: an hour")
    _add_import(add("show", "Show an import, its parts and jobs, and what happens next", _show))
    one = add("logs", "Show every log line about an import, or what went wrong lately", _logs)
    one.add_argument(
        "name", metavar="IMPORT", nargs="?", help="else all warnings and errors of the last hours"
    )
    one.add_argument("--hours", type=int, default=24, help="default: 24")
    one = add("status", "List what is open and what was closed lately", _status)
    one.add_argument("--held", action="store_true", help="only what needs a decision")
    one.add_argument("--days", type=int, default=7, help="default: 7")
    one = add("credits", "Say what the jobs of the last days took", _credits)
    one.add_argument("--days", type=int, default=1, help="default: 1")
    one = add("results", "Fetch the result files of an import", _results)
    _add_import(one)
    one.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="default: here")
    one = add("open", "Open the page of all imports, with their latest reports", _open)
    one.add_argument(
        "--to", type=Path, default=Path("bigin-imports"), metavar="DIR", help="where to copy them"
    )
    one.add_argument("--no-browser", action="store_true", help="only copy them")


def _add_changing(add: _Add) -> None:
    one = add("decide", "Show what can be decided about an import on hold, or decide it", _decide)
    _add_import(one)
    one.add_argument("decision", nargs="?", choices=list(_DECISIONS))
    one.add_argument("job", nargs="?", default="", help="the job's id, for adopt")
    one.add_argument("--part", type=int, default=0)
    one.add_argument("--confirm", default="", metavar="ID", help="for create: the import's id")
    _add_import(add("retry", "Import a file again that wrote nothing, or go on now", _retry))
    one = add("undo", "Show what undoing an import deletes from Bigin, or delete that", _undo)
    _add_import(one)
    one.add_argument("--changed-too", action="store_true", help="also what was changed since")
    one.add_argument("--confirm", default="", metavar="SHOWN", help="what was shown before")
    one.add_argument("--seconds", type=float, default=3600, help="how long to follow it")
    one = add("rotate", "Put Zoho's credentials, or the signing key, in place anew", _rotate)
    one.add_argument("what", choices=["zoho", "signing"])
    one.add_argument("--confirm", default="", help="the organisation that the secret is for now")
    one = add("forget", "Remove all that is kept of a closed import", _forget)
    _add_import(one)
    one.add_argument("--confirm", default="", metavar="ID", help="the import's id")
    one = add("uninstall", "Delete the stack; bucket, table and Zoho secret stay", _uninstall)
    one.add_argument("--confirm", default="", metavar="STACK", help="the stack's name")
    one.add_argument("--with-data", action="store_true", help="delete bucket and table, too")
    one.add_argument("--with-secret", action="store_true", help="delete the Zoho secret, too")
    one = add("adopt", "Take bucket and table of a deleted stack up again", _adopt)
    one.add_argument("--bucket", required=True)
    one.add_argument("--table", required=True)
    one.add_argument("--template", type=Path, default=Path("packaged.yaml"), help="by sam package")
    one.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")


def _add_import(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="IMPORT", help="its id, or the key of its file")


def _connect(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    wanted = connect.Wanted(
        options.data_center,
        options.secret,
        options.accounts_url,
        options.api_url,
        options.confirm,
        stack=options.stack,
    )
    return connect.connect(stack.client("secretsmanager"), terminal, wanted)


def _doctor(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return doctor.examine(
        stack, terminal, callback_url=options.callback_url, mapping=options.mapping
    )


def _check(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return check.check_file(
        stack, terminal, options.file, mapping=options.mapping, fields=options.fields
    )


def _drop(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return drop.drop(
        stack,
        terminal,
        options.file,
        mapping=options.mapping,
        folder=options.to,
        is_check=options.check,
        wait_seconds=options.seconds if options.wait else None,
    )


def _status(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return look.show_status(stack, terminal, held_only=options.held, days=options.days)


def _credits(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return look.show_credits(stack, terminal, days=options.days)


def _watch(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return look.watch(stack, terminal, options.name, seconds=options.seconds)


def _show(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return look.show(stack, terminal, options.name)


def _logs(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return look.show_logs(stack, terminal, options.name, hours=options.hours)


def _results(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return look.fetch_results(stack, terminal, options.name, options.to)


def _open(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return look.open_overview(stack, terminal, options.to, shows=not options.no_browser)


def _decide(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    wish = None
    if options.decision:
        decision = _DECISIONS[options.decision]
        wish = decide.Wish(decision, options.part, options.job, options.confirm)
        if decision is Decision.ADOPT and not options.job:
            raise CommandRefusedError("adopt wants the id of the job", exit_code=Exit.USAGE)
    return decide.decide(stack, terminal, options.name, wish)


def _retry(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return decide.retry(stack, terminal, options.name)


def _undo(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    wish = undo.Wish(options.confirm, options.changed_too, options.seconds)
    return undo.undo(stack, terminal, options.name, wish)


def _rotate(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    if options.what == "zoho":
        return connect.rotate_zoho(stack, terminal, confirmed=options.confirm)
    return connect.rotate_signing_key(stack, terminal)


def _forget(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return remove.forget(stack, terminal, options.name, confirmed=options.confirm)


def _uninstall(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    return remove.uninstall(
        stack,
        terminal,
        confirmed=options.confirm,
        with_data=options.with_data,
        with_secret=options.with_secret,
    )


def _adopt(options: Options, stack: Stack, terminal: Terminal) -> Exit:
    pairs = [each.partition("=") for each in options.parameter]
    if not all(name and equals for name, equals, _ in pairs):
        raise CommandRefusedError("--parameter wants NAME=VALUE", exit_code=Exit.USAGE)
    parameters = {name: value for name, _, value in pairs}
    wanted = adopt.Adoption(options.bucket, options.table, options.template, parameters)
    return adopt.adopt(stack, terminal, wanted)
