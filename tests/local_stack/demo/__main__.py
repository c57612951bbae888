"""`python -m tests.local_stack.demo [--csv FILE [--mapping FILE]]`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.table import Table

from bigin_import.aws.ledger import DynamoLedger
from bigin_import.models import ObjectVersion
from tests.local_stack import LocalStack
from tests.local_stack.demo import files, proof
from tests.local_stack.demo.files import DemoFile
from tests.local_stack.demo.proof import FATES, Told
from tests.local_stack.demo.watching import DemoTimeoutError, Seen, watch

GIVE_UP_SECONDS = 300
LINE_KEYS = ("import_id", "file", "state", "rows", *FATES, "jobs", "seconds")


def main() -> int:
    """Run the demo; 0 only if every row is where it should be."""
    parser = argparse.ArgumentParser(prog="make demo", description="See it work.")
    parser.add_argument("--csv", type=Path, help="your own file")
    parser.add_argument("--mapping", type=Path, help="its mapping, if it does not lie beside it")
    options = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    for noisy in ("botocore", "urllib3", "faker"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    try:
        dropped = _files(options.csv, options.mapping)
    except OSError as error:
        console.print(f"{error.filename}: {error.strerror}")
        return 2
    with LocalStack.running("demo") as stack:
        return run(stack, dropped, console)


def _files(csv_file: Path | None, mapping_file: Path | None) -> list[DemoFile]:
    if csv_file is None:
        return [files.companies(), files.contacts()]
    return [files.own(csv_file, mapping_file)]


def run(stack: LocalStack, dropped: Sequence[DemoFile], console: Console) -> int:
    """Drop the files, follow them to their end, show and check what came of them."""
    ledger = DynamoLedger(stack.client("dynamodb"), stack.table)
    sources = [drop(stack, file) for file in dropped]
    try:
        seen = watch(ledger, sources, console, seconds=GIVE_UP_SECONDS)
    except DemoTimeoutError as error:
        console.print(f"[red]{error}[/red]")
        return 1
    told = [_told(stack, file, one) for file, one in zip(dropped, seen, strict=True)]
    records = {file.module: _records(stack, file.module) for file in dropped}
    _show(console, told, records)
    found = list(proof.faults(told, records))
    for fault in found:
        console.print(f"[red]WRONG[/red] {fault}")
    if not found:
        console.print("[green]Every row is accounted for, and Bigin holds exactly those.[/green]")
    for one in told:
        sys.stdout.write(json.dumps({key: one.facts[key] for key in LINE_KEYS}) + "\n")
    return 1 if found else 0


def drop(stack: LocalStack, file: DemoFile) -> ObjectVersion:
    """Put a CSV and its mapping in the bucket, as a person does."""
    s3 = stack.client("s3")
    key = f"incoming/{file.name}"
    mapping_key = f"incoming/{Path(file.name).stem}.mapping.json"
    s3.put_object(Bucket=stack.bucket, Key=mapping_key, Body=file.mapping)
    put = s3.put_object(Bucket=stack.bucket, Key=key, Body=file.body)
    return ObjectVersion(stack.bucket, key, put["VersionId"])


def _told(stack: LocalStack, file: DemoFile, seen: Seen) -> Told:
    if seen.record is None or seen.record.results is None:
        raise DemoTimeoutError(f"{file.name} has no results")
    s3 = stack.client("s3")
    listed = s3.list_objects_v2(Bucket=stack.bucket, Prefix=seen.record.results)["Contents"]
    bodies = {
        item["Key"].rpartition("/")[2]: s3.get_object(Bucket=stack.bucket, Key=item["Key"])[
            "Body"
        ].read()
        for item in listed
        if item["Key"].endswith((".success.csv", "import.json"))
    }
    success = next((body for name, body in bodies.items() if name.endswith(".csv")), None)
    return Told(file, json.loads(bodies["import.json"]), success)


def _records(stack: LocalStack, module: str) -> list[Mapping[str, Any]]:
    answer = requests.get(
        f"{stack.twin_url}/_twin/records",
        params={"module": module},
        verify=stack.authority,
        timeout=60,
    )
    answer.raise_for_status()
    records: list[Mapping[str, Any]] = answer.json()["records"]
    return records


def _show(
    console: Console, told: Sequence[Told], records: Mapping[str, Sequence[Mapping[str, Any]]]
) -> None:
    table = Table("", *(one.file.name for one in told), title="What became of the rows", box=None)
    for key in ("state", "rows", *FATES, "jobs", "seconds"):
        table.add_row(key, *(_figure(one.facts[key]) for one in told))
    console.print(table)
    console.print("Where it lies in the bucket:")
    for one in told:
        for made in one.facts["files"].values():
            rows = "" if made["rows"] is None else f"  ({made['rows']:,} rows)"
            console.print(f"  {made['key']}{rows}", soft_wrap=True)
    for module, found in records.items():
        console.print(f"  In Bigin now: {len(found):,} {module}")


def _figure(fact: str | int) -> str:
    return f"{fact:,}" if isinstance(fact, int) else fact


if __name__ == "__main__":
    started = time.monotonic()
    status = main()
    Console(stderr=True).print(f"{time.monotonic() - started:.0f} s in all")
    sys.exit(status)
