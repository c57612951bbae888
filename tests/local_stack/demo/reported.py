"""What is reported of one import: its facts, and its result files, copied out of the bucket."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bigin_import.domain.drop import Problem
from bigin_import.importing.pauses import Pause
from bigin_import.ports import Files
from bigin_import.report.summary import rows, sentence
from tests.local_stack.demo.files import DemoFile
from tests.local_stack.demo.watching import Seen

STATUSES = ("added", "updated", "existing", "refused", "unprocessed", "invalid", "unclear")
LINE_KEYS = ("import_id", "file", "state", "rows", *STATUSES, "jobs", "seconds")
LARGEST_RESULT_BYTES = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Reported:
    """
    What the results of one import say.

    Attributes:
        facts: `import.json`; of an import that is not closed, what the ledger knows of it.
        folder: Where its result files were copied to; empty if it has none.
    """

    file: DemoFile
    facts: Mapping[str, Any]
    folder: Path

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    @property
    def failed(self) -> bytes | None:
        """Return the failed file as it was copied; None if no row failed."""
        files = list(self.folder.glob("*.failed.csv"))
        return files[0].read_bytes() if files else None

    @property
    def line(self) -> str:
        """One line of JSON."""
        return json.dumps({key: self.facts[key] for key in LINE_KEYS})

    def succeeded_ids(self) -> list[str]:
        """Return the record id of every row that was added, updated or there already."""
        texts = [path.read_text("utf-8-sig") for path in self.folder.glob("*.success.csv")]
        delimiter = self.facts["delimiter"] or ","
        return [
            row["bigin__Id"]
            for text in texts
            for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]

    def words(self) -> Iterator[str]:
        """Say why the import is not simply COMPLETED; nothing if it is."""
        facts = self.facts
        if facts["pause"]:
            yield sentence(f"It waits: {facts['pause']}")
        if facts["hold_reason"]:
            yield sentence(f"A person must decide: {facts['hold_reason']}")
        for problem in facts["problems"]:
            yield sentence(str(Problem(**problem)))
        for reason in facts["reasons"]:
            remedy = f" {reason['remedy']}" if reason["remedy"] else ""
            yield f"{rows(reason['rows'])}: {reason['what']}{remedy}"
        for part in facts["parts"]:
            if part["note"]:
                yield f"Part {part['number']}: {part['note']}"


def read_report(bucket: Files, file: DemoFile, seen: Seen, *, below: Path) -> Reported:
    """Copy what an import left in *bucket* to a folder of its own *below*, and read its facts."""
    folder = below / seen.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    prefix = seen.record.results if seen.record else None
    for key in bucket.list_keys(prefix) if prefix else ():
        body = bucket.read(key, at_most=LARGEST_RESULT_BYTES)
        (folder / key.rpartition("/")[2]).write_bytes(body)
    return Reported(file, _facts(folder, seen), folder)


def _facts(folder: Path, seen: Seen) -> dict[str, Any]:
    closed = folder / "import.json"
    if closed.exists():
        facts: dict[str, Any] = json.loads(closed.read_text("utf-8"))
        return facts | {"pause": None}
    return _facts_so_far(seen)


def _facts_so_far(seen: Seen) -> dict[str, Any]:
    """Return facts of an import that waits for a person, or for what nobody brought in time."""
    facts: dict[str, Any] = dict.fromkeys((*LINE_KEYS, "pause", "hold_reason", "delimiter"))
    facts |= {"file": seen.key, "state": seen.state, "module": None}
    facts |= {"problems": [], "reasons": [], "parts": [], "files": {}, "counts_disagree": False}
    facts["jobs"] = sum(a.job_id is not None for part in seen.parts for a in part.attempts)
    if seen.record is not None:
        facts["import_id"] = seen.record.import_id
        facts["rows"] = seen.record.totals.rows if seen.record.totals else None
        facts["pause"] = Pause[seen.record.pause] if seen.record.pause else None
        facts["hold_reason"] = seen.record.hold_reason
    return facts
