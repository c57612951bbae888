"""Does Bigin hold exactly the rows that the results say, no row twice and none besides?"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.local_stack.demo.files import DemoFile

type Record = Mapping[str, Any]
CLOSED_WITH_ROWS = ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED")
FATES = ("added", "updated", "existing", "skipped", "unprocessed", "invalid", "unclear")


@dataclass(frozen=True, slots=True)
class Told:
    """What the results of one import say: `import.json`, and the success file if there is one."""

    file: DemoFile
    facts: Mapping[str, Any]
    success_csv: bytes | None

    def succeeded_ids(self) -> list[str]:
        """Return the record id of every row that was added, updated or there already."""
        text = (self.success_csv or b"").decode("utf-8-sig")
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=self._delimiter)
        return [row["bigin__Id"] for row in rows]

    @property
    def _delimiter(self) -> str:
        return str(self.facts.get("delimiter") or ",")


def faults(told: Sequence[Told], records: Mapping[str, Sequence[Record]]) -> Iterator[str]:
    """
    Say everything that is not as it should be; nothing if all is well.

    Args:
        records: By module, what is in Bigin now; nothing was there before the demo.
    """
    for one in told:
        yield from _faults_of_counts(one)
        yield from _faults_of_rows(one, records[one.file.module])
    for module, found in records.items():
        yield from _faults_of_module(module, told, found)


def _faults_of_counts(told: Told) -> Iterator[str]:
    facts = told.facts
    if facts["state"] not in CLOSED_WITH_ROWS:
        yield f"{told.file.name} is {facts['state']}"
    accounted = sum(facts[fate] for fate in FATES)
    if accounted != facts["rows"]:
        yield f"{told.file.name} has {facts['rows']} rows, {accounted} are accounted for"
    if facts["counts_disagree"]:
        yield f"{told.file.name}: the rows contradict Bigin's counts"


def _faults_of_rows(told: Told, found: Sequence[Record]) -> Iterator[str]:
    """Compare with the file itself where it is known beforehand which rows are good."""
    if told.file.key_field is None:
        return
    held = Counter(str(record[told.file.key_field]) for record in found)
    twice = [value for value, count in held.items() if count > 1]
    missing, surplus = told.file.expected - held.keys(), held.keys() - told.file.expected
    for what, values in (("twice", twice), ("missing", missing), ("not wanted", surplus)):
        if values:
            yield f"{told.file.name}: {len(values)} rows are {what} in Bigin"


def _faults_of_module(module: str, told: Sequence[Told], found: Sequence[Record]) -> Iterator[str]:
    said = {id_ for one in told if one.file.module == module for id_ in one.succeeded_ids()}
    held = {str(record["id"]) for record in found}
    if said != held:
        yield (
            f"{module}: {len(said - held)} records that the results name are not in Bigin, "
            f"{len(held - said)} are in Bigin that no result names"
        )
