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
import time
from pathlib import Path
from typing import NoReturn

from tests.local_stack import workspace
from tests.local_stack.demo import files
from tests.local_stack.mirror import Mirror
from tests.local_stack.stack import LocalStack
from tests.local_stack.workspace import LOCAL, ROOT, StackInUseError

NAME = "up"
COPY_EVERY_SECONDS = 2.0
AWSCLI = LOCAL / "awscli" / "bin"


class StackFailedError(Exception):
    """The stack did not come up; the message is what it said."""


def up() -> str:
    """
    Start the standing stack and return what to do with it, for a person to read.

    Raises:
        StackFailedError: It did not come up; the message is what it said.
    """
    log = workspace.folder_of(NAME).with_suffix(".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.write(f"Starting; {log.relative_to(ROOT)} shows how it goes.\n")
    command = [sys.executable, "-m", "tests.local_stack", "serve"]
    # Its output goes to a file: it lives on, and must not keep the caller's terminal open.
    with log.open("w") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise StackFailedError(log.read_text())
    return _instructions(**json.loads(line))


def serve() -> NoReturn:
    """Hold the stack until SIGTERM; write one line of JSON when it is ready."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with LocalStack.running(NAME) as stack:
        (stack.folder / "process").write_text(str(os.getpid()))
        mapping = stack.folder / "companies.mapping.json"
        mapping.write_bytes(files.companies().mapping)
        facts = {
            "settings": str(_write_settings(stack).relative_to(ROOT)),
            "mapping": str(mapping.relative_to(ROOT)),
            "bucket": stack.bucket,
            "table": stack.table,
            "twin": stack.twin_url,
            "endpoint": stack.emulator.endpoint,
            "folder": str(stack.folder.relative_to(ROOT)),
        }
        sys.stdout.write(json.dumps(facts) + "\n")
        sys.stdout.flush()
        mirror = Mirror(stack, stack.folder)
        while True:
            mirror.copy()
            time.sleep(COPY_EVERY_SECONDS)


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
    lines.append(f'bigin-drop() {{ {_command()} "$@"; }}')
    settings.write_text("\n".join(lines) + "\n")
    return settings


def _command() -> str:
    """Return how a shell starts the operators' command from this folder, whatever is installed."""
    layer = shlex.quote(str(ROOT / "layers" / "common"))
    return f"PYTHONPATH={layer} {shlex.quote(sys.executable)} -m bigin_import"


def _instructions(**facts: str) -> str:
    """
    Return what to do with the stack.

    Each command names the endpoint: for SQS, AWS CLI v1 ignores AWS_ENDPOINT_URL, and would ask
    AWS itself.
    """
    facts |= {name: shlex.quote(facts[name]) for name in ("settings", "mapping", "folder")}
    facts["aws"] = f"--endpoint-url {facts['endpoint']}"
    return _TEXT.format(**facts)


_TEXT = """
The stack is up. In this shell, once:

  . {settings}

Drop a mapping for everything in a folder, then a file:

  aws s3 cp {mapping} s3://{bucket}/incoming/companies/mapping.json {aws}
  aws s3 cp tests/samples/sp500-companies.csv s3://{bucket}/incoming/companies/ {aws}

Results and notices are copied to this machine every few seconds. Open the page of all imports
in a browser, and read what people are sent:

  {folder}/results/index.html
  cat {folder}/notices/*.txt

Look at the ledger, at the log, and at what is in Bigin now:

  bigin-drop status
  aws dynamodb query --table-name {table} --index-name open {aws} \\
    --key-condition-expression '#o = :work' --expression-attribute-names '{{"#o": "open"}}' \\
    --expression-attribute-values '{{":work": {{"S": "WORK"}}}}'
  aws logs filter-log-events --log-group-name /aws/lambda/bigin-drop-import-csv {aws} \\
    --query 'events[].[message]' --output text
  curl -s --cacert "$AWS_CA_BUNDLE" '{twin}/_twin/records?module=Accounts'

Stop it with `make down`.
"""
