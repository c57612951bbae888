"""What the demo shows at its end, for a person to read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bigin_import import object_keys
from bigin_import.ports import Files
from bigin_import.report.summary import rows
from tests.local_stack.demo import proof
from tests.local_stack.demo.reported import STATUSES, Reported
from tests.local_stack.workspace import ROOT

type Records = Mapping[str, Sequence[Mapping[str, Any]]]


def show(console: Console, reported: Sequence[Reported], records: Records) -> None:
    """Show what became of the rows, why not all are in Bigin, and where it can be read."""
    table = Table(
        "", *(one.file.name for one in reported), title="What became of the rows", box=None
    )
    for key in ("state", "rows", *STATUSES, "jobs", "seconds"):
        table.add_row(key, *(_figure(one.facts[key]) for one in reported))
    console.print(table)
    for one in reported:
        show_words(console, one)
        _show_files(console, one)
    for module, found in records.items():
        console.print(f"In Bigin now: {len(found):,} {module}")


def show_proof(console: Console, reported: Sequence[Reported], records: Records) -> None:
    """Show how many rows are in Bigin twice or not at all, where it is known which should be."""
    if any(one.file.key_field for one in reported):
        twice, lost = proof.twice_and_lost(reported, records)
        console.print(f"Rows in Bigin twice: {twice:,}. Rows lost: {lost:,}.")


def show_notice(console: Console, bucket: Files, import_id: str) -> None:
    """Show the notice as a person gets it."""
    text = json.loads(bucket.read(object_keys.notice_file(import_id)))
    console.rule(Text(f"Subject: {text['subject']}"))
    console.print(Text(text["body"].rstrip()), soft_wrap=True)  # links and commands stay whole
    console.rule()


def show_words(console: Console, reported: Reported) -> None:
    """Show what keeps an import from being COMPLETED; cells of the drop are shown as they are."""
    words = list(reported.words())
    if words:
        console.print(f"{reported.file.name} is {reported.facts['state']}:", markup=False)
    for line in words:
        console.print(f"  {line}", markup=False, soft_wrap=True)


def _show_files(console: Console, reported: Reported) -> None:
    counted = {
        made["key"].rpartition("/")[2]: made["rows"] for made in reported.facts["files"].values()
    }
    copies = sorted(reported.folder.iterdir())
    if copies:
        console.print(f"Results of {reported.file.name}, copied from the bucket:", markup=False)
    for path in copies:
        count = counted.get(path.name)
        shown = "" if count is None else f"  ({rows(count)})"
        console.print(
            f"  {path.relative_to(ROOT, walk_up=True)}{shown}", markup=False, soft_wrap=True
        )


def _figure(fact: str | int | None) -> str:
    if fact is None:
        return "not known"
    return f"{fact:,}" if isinstance(fact, int) else fact
