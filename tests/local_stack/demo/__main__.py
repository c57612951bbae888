"""`python -m tests.local_stack.demo [--csv FILE [--mapping FILE]]`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.markup import escape

from bigin_import.aws.files import S3Files
from bigin_import.aws.ledger import DynamoLedger
from bigin_import.domain.drop import ObjectVersion
from tests.local_stack import LocalStack
from tests.local_stack.demo import files, proof
from tests.local_stack.demo.files import DemoFile
from tests.local_stack.demo.killing import drop_and_kill
from tests.local_stack.demo.reported import Reported, read_report
from tests.local_stack.demo.showing import show, show_notice, show_proof
from tests.local_stack.demo.watching import watch
from tests.local_stack.workspace import LOCAL, ROOT

GIVE_UP_SECONDS = 300
KILLED_SECONDS = 1_200  # the lease of a killed function outlives it by minutes
COPIES = LOCAL / "demo"


def main() -> int:
    """Run the demo; 0 only if every row is where it should be."""
    started = time.monotonic()
    options = _options()
    console = Console(stderr=True, highlight=False)
    _log_little()
    try:
        dropped = _files(options.csv, options.mapping)
    except OSError as error:
        console.print(f"{error.filename}: {error.strerror}", markup=False)
        return 2
    with LocalStack.running("demo") as stack:
        reported, faults = run(stack, dropped, console, kills=options.kill)
    conclude(console, reported, seconds=time.monotonic() - started)
    return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description="See it work.")
    parser.add_argument("--csv", type=Path, help="your own file")
    parser.add_argument("--mapping", type=Path, help="its mapping, if it does not lie beside it")
    parser.add_argument(
        "--kill", action="store_true", help="kill the function in the middle of a create"
    )
    return parser.parse_args()


def _log_little() -> None:
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    for noisy in ("botocore", "urllib3", "faker"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def _files(csv_file: Path | None, mapping_file: Path | None) -> list[DemoFile]:
    if csv_file is None:
        return [files.companies(), files.contacts()]
    return [files.own(csv_file, mapping_file)]


def run(
    stack: LocalStack, dropped: Sequence[DemoFile], console: Console, *, kills: bool = False
) -> tuple[list[Reported], list[str]]:
    """Drop the files and follow them to their end; return what is told of them, and what of that
    is not as it should be."""
    ledger = DynamoLedger(stack.client("dynamodb"), stack.table)
    bucket = S3Files(stack.client("s3"), stack.bucket)
    if kills:
        sources = drop_and_kill(stack, ledger, dropped, console, drop)
    else:
        sources = [drop(stack, file) for file in dropped]
    patience = KILLED_SECONDS if kills else GIVE_UP_SECONDS
    seen = watch(ledger, sources, console, seconds=patience)
    if not all(one.has_ended for one in seen):
        console.print(f"[red]Not all ended within {patience} s; this is how they stand.[/red]")
    reported = [
        read_report(bucket, *each, below=COPIES) for each in zip(dropped, seen, strict=True)
    ]
    for at, one in enumerate(reported):
        if one.file.key_field is not None and one.failed is not None:
            correction = _correct(stack, ledger, bucket, one, console)
            # Its report names the correction now.
            reported = [
                *reported[:at],
                read_report(bucket, one.file, seen[at], below=COPIES),
                *reported[at + 1 :],
            ]
            reported.append(correction)
            break
    records = {module: _records(stack, module) for module in sorted(proof.modules(reported))}
    show(console, reported, records)
    show_proof(console, reported, records)
    faults = list(proof.faults(reported, records))
    for fault in faults:
        console.print(f"[red]WRONG[/red] {escape(fault)}")
    if not faults:
        console.print("[green]Every row is accounted for, and Bigin holds exactly those.[/green]")
    return reported, faults


def _correct(
    stack: LocalStack, ledger: DynamoLedger, bucket: S3Files, one: Reported, console: Console
) -> Reported:
    """Do what a person does with failed rows: read the notice, correct them, drop them."""
    show_notice(console, bucket, one.facts["import_id"])
    console.print("Now a person corrects the failed rows and drops them:", markup=False)
    file = files.corrected(one.failed or b"")
    (seen,) = watch(ledger, [drop(stack, file)], console, seconds=GIVE_UP_SECONDS)
    reported = read_report(bucket, file, seen, below=COPIES)
    there = one.facts["added"] + (reported.facts["added"] or 0)
    console.print(f"{there:,} of {one.facts['rows']:,} rows of {one.file.name} are in Bigin.")
    return reported


def conclude(console: Console, reported: Sequence[Reported], *, seconds: float) -> None:
    """
    Say how long it took, what it cost, and where to read it; or, for programs, JSON.

    A line of JSON for each import is the last of all with JSON=1, or without a terminal.
    """
    console.print(f"{seconds:.0f} s in all")
    if not console.is_terminal or os.environ.get("JSON") == "1":
        for one in reported:
            sys.stdout.write(one.line + "\n")
        return
    for one in reported:
        if one.report.exists():
            path = one.report.relative_to(ROOT, walk_up=True)
            console.print(f"Report: {path}", markup=False, soft_wrap=True)
    spent = sum(one.facts.get("credits") or 0 for one in reported)
    console.print(f"It took {spent:,} of Bigin's API credits.", markup=False)


def drop(stack: LocalStack, file: DemoFile) -> ObjectVersion:
    """Put a CSV and its mapping in the bucket, as a person does."""
    s3 = stack.client("s3")
    key = f"incoming/{file.name}"
    if file.mapping:
        mapping_key = f"incoming/{Path(file.name).stem}.mapping.json"
        s3.put_object(Bucket=stack.bucket, Key=mapping_key, Body=file.mapping)
    put = s3.put_object(Bucket=stack.bucket, Key=key, Body=file.body)
    return ObjectVersion(stack.bucket, key, put["VersionId"])


def _records(stack: LocalStack, module: str) -> list[Mapping[str, Any]]:
    """Return what Bigin holds of *module*; nothing, if a mapping named one that it lacks."""
    answer = requests.get(
        f"{stack.twin_url}/_twin/records",
        params={"module": module},
        verify=stack.authority,
        timeout=60,
    )
    body = answer.json()
    if body.get("code") == "INVALID_MODULE":
        return []
    answer.raise_for_status()
    records: list[Mapping[str, Any]] = body["records"]
    return records


if __name__ == "__main__":
    sys.exit(main())
