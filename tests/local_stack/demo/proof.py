"""Does Bigin hold exactly the rows that the results say, no row twice and none besides?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.local_stack.demo.reported import STATUSES, Reported

type Record = Mapping[str, Any]
CLOSED_WITH_ROWS = ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED")


def modules(reported: Sequence[Reported]) -> frozenset[str]:
    """Return the modules that rows were sent to."""
    return frozenset(
        one.facts["module"]
        for one in reported
        if one.facts["state"] in CLOSED_WITH_ROWS and one.facts["module"]
    )


def faults(reported: Sequence[Reported], records: Mapping[str, Sequence[Record]]) -> Iterator[str]:
    """
    Say everything that is not as it should be; nothing if all is well.

    Args:
        records: What is in Bigin now, for each of the `modules`; nothing was there before.
    """
    for one in reported:
        if one.facts["state"] in CLOSED_WITH_ROWS:
            yield from _faults_of_counts(one)
            yield from _faults_of_rows(one, records.get(one.facts["module"], ()))
        else:
            yield f"{one.file.name} is {one.facts['state']}"
    for module, found in records.items():
        yield from _faults_of_module(module, reported, found)


def _faults_of_counts(reported: Reported) -> Iterator[str]:
    facts = reported.facts
    accounted = sum(facts[row_result] for row_result in STATUSES)
    if accounted != facts["rows"]:
        yield f"{reported.file.name} has {facts['rows']} rows, {accounted} are accounted for"
    if facts["counts_disagree"]:
        yield f"{reported.file.name}: the rows contradict Bigin's counts"


def twice_and_lost(
    reported: Sequence[Reported], records: Mapping[str, Sequence[Record]]
) -> tuple[int, int]:
    """Return how many of the rows that are known beforehand are in Bigin twice, and not at all."""
    twice = lost = 0
    for one in reported:
        if one.file.key_field is not None:
            held = Counter(_keys(one, records.get(one.facts["module"], ())))
            twice += sum(count - 1 for count in held.values())
            lost += len(one.file.expected - held.keys())
    return twice, lost


def _keys(reported: Reported, found: Sequence[Record]) -> Iterator[str]:
    return (str(record[reported.file.key_field or ""]) for record in found)


def _faults_of_rows(reported: Reported, found: Sequence[Record]) -> Iterator[str]:
    """Compare with the file itself where it is known beforehand which rows are good."""
    if reported.file.key_field is None:
        return
    held = Counter(_keys(reported, found))
    twice = [value for value, count in held.items() if count > 1]
    missing, surplus = reported.file.expected - held.keys(), held.keys() - reported.file.expected
    for what, values in (("twice", twice), ("missing", missing), ("not wanted", surplus)):
        if values:
            yield f"{reported.file.name}: {len(values)} rows are {what} in Bigin"


def _faults_of_module(
    module: str, reported: Sequence[Reported], found: Sequence[Record]
) -> Iterator[str]:
    said = {id_ for one in reported if one.facts["module"] == module for id_ in one.succeeded_ids()}
    held = {str(record["id"]) for record in found}
    if said != held:
        yield (
            f"{module}: {len(said - held)} records that the results name are not in Bigin, "
            f"{len(held - said)} are in Bigin that no result names"
        )
