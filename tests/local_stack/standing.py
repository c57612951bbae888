"""
A local stack that outlives the command that started it.

`up` starts a process that holds the stack and waits for its first line of output; `down` asks
that process to end. The process number is only ever used while the stack's lock proves that
its owner lives, so no foreign process can be hit.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from tests.local_stack import workspace
from tests.local_stack.stack import LocalStack
from tests.local_stack.workspace import LOCAL, ROOT, StackInUseError

NAME = "up"
AWSCLI = LOCAL / "awscli" / "bin"


class StackFailedError(Exception):
    """The stack did not come up."""


def up() -> str:
    """Start the standing stack and return what to do with it, for a person to read."""
    command = [sys.executable, "-m", "tests.local_stack", "serve"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    if process.stdout is None:
        raise TypeError("the stack was started without a pipe for its first line")
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise SystemExit(process.returncode or 1)
    return _instructions(**json.loads(line))


def serve() -> NoReturn:
    """Hold the stack until SIGTERM; write one line of JSON when it is ready."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with LocalStack.running(NAME) as stack:
        (stack.folder / "process").write_text(str(os.getpid()))
        settings = _write_settings(stack)
        facts = {"settings": str(settings), "bucket": stack.bucket, "table": stack.table}
        sys.stdout.write(json.dumps(facts | {"twin": stack.twin_url}) + "\n")
        sys.stdout.flush()
        while True:
            signal.pause()


def down() -> str:
    """Stop the standing stack, if there is one, and return when it has ended."""
    folder = workspace.folder_of(NAME)
    lock = folder.with_suffix(".lock")
    try:
        with workspace.locked(lock, wait=False):
            return "Nothing is running.\n"
    except StackInUseError:
        os.kill(int((folder / "process").read_text()), signal.SIGTERM)
    with workspace.locked(lock, wait=True):
        return "Stopped.\n"


def _write_settings(stack: LocalStack) -> Path:
    """Write a file for the shell: which account, whom to trust, and where `aws` is."""
    settings = stack.folder / "settings.sh"
    lines = [f"export {k}={shlex.quote(v)}" for k, v in stack.emulator.environment().items()]
    lines.append(f"export PATH={shlex.quote(str(AWSCLI))}:$PATH")
    settings.write_text("\n".join(lines) + "\n")
    return settings


def _instructions(*, settings: str, bucket: str, table: str, twin: str) -> str:
    return f"""
The stack is up. In this shell, once:

  . {shlex.quote(str(Path(settings).relative_to(ROOT)))}

Drop a mapping for everything in a folder, then a file:

  aws s3 cp tests/samples/mappings/contacts.mapping.json s3://{bucket}/incoming/contacts/mapping.json
  aws s3 cp tests/samples/contacts.csv s3://{bucket}/incoming/contacts/contacts.csv

Look at the results, at the ledger, at the log, and at what is in Bigin now:

  aws s3 ls --recursive s3://{bucket}/results/
  aws dynamodb query --table-name {table} --index-name open \\
    --key-condition-expression '#o = :work' --expression-attribute-names '{{"#o": "open"}}' \\
    --expression-attribute-values '{{":work": {{"S": "WORK"}}}}'
  aws logs tail /aws/lambda/bigin-drop-import-csv --since 10m
  curl -s --cacert "$AWS_CA_BUNDLE" '{twin}/_twin/records?module=Contacts'

Stop it with `make down`.
"""
