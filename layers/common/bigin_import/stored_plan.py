"""
What an import keeps in the bucket: plan, pinned mapping and archives, each under a key that holds
its SHA-256, which is in the ledger too; or the problems that it was rejected for.

A submitter that stood still until its lease had ended may still write, but only the same bytes
under the same key. So storing is idempotent, and a reader gets what the ledger speaks of.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from io import BytesIO, TextIOWrapper

from pydantic import TypeAdapter

from bigin_import import object_keys
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import FIRST_READING, Plan, RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.errors import ChangedObjectError, MissingObjectError, hiding_adapter
from bigin_import.ports import Files

# A plan of a thousand parts and two hundred columns stays below a fifth of it, and so do the
# problems below; a mapping of the 1 MB that people may drop takes several once it is pinned.
MOST_BYTES = 20_000_000
ARCHIVE_BYTES = 26_214_400  # 25 MB, the largest upload Bigin takes
GIGABYTE = 1_000_000_000  # far more than the decisions about a million rows
_HAS_READING = b'"reading":'
MOST_PROBLEMS = 200  # nobody corrects more of them in one go
MOST_CHARACTERS = 1_000  # of each of its sentences: a header or an API name may be a novel


def write_plan(files: Files, import_id: str, plan: Plan) -> str:
    """Store the plan and return its SHA-256."""
    body = _plans().dump_json(plan)
    sha256 = _sha256(body)
    key, *_ = object_keys.plan_file(import_id, sha256)
    files.write(key, body, content_type="application/json")
    return sha256


def read_plan(files: Files, record: Import) -> Plan:
    """
    Return the plan of an import.

    Raises:
        MissingObjectError: The drop was never read to its end, or the plan is not kept any more.
        ChangedObjectError: Something else lies there.
    """
    sha256 = record.plan_sha256 or ""
    keys = object_keys.plan_file(record.import_id, sha256)
    body = _read(files, keys, sha256)
    plan = _plans().validate_json(body)
    if _HAS_READING in body:
        return plan
    # Until one release later: a plan of the first releases does not say how cells are read.
    return replace(plan, columns=replace(plan.columns, reading=FIRST_READING))


def write_mapping(files: Files, import_id: str, text: bytes) -> str:
    """Keep *text*, a mapping as JSON, beside the parts of an import, and return its SHA-256."""
    sha256 = _sha256(text)
    key, *_ = object_keys.pinned_mapping(import_id, sha256)
    files.write(key, text, content_type="application/json")
    return sha256


def read_mapping_text(files: Files, record: Import) -> bytes:
    """
    Return the pinned mapping of an import as JSON.

    Raises:
        MissingObjectError: None was pinned, or it is not kept any more.
        ChangedObjectError: Something else lies there.
    """
    sha256 = record.mapping_sha256 or ""
    return _read(files, object_keys.pinned_mapping(record.import_id, sha256), sha256)


def write_archive(files: Files, import_id: str, number: int, archive: bytes) -> None:
    """Store what is sent of part *number*."""
    key, *_ = object_keys.archive(import_id, number, _sha256(archive))
    files.write(key, archive, content_type="application/zip")


def read_archive(files: Files, part: Part) -> bytes:
    """
    Return exactly what is sent, or was sent, of *part*.

    Raises:
        MissingObjectError: It is not kept any more.
        ChangedObjectError: Something else lies there.
    """
    keys = object_keys.archive(part.import_id, part.number, part.sha256)
    return _read(files, keys, part.sha256, at_most=ARCHIVE_BYTES)


def check_archive(files: Files, part: Part) -> bool:
    """Return whether what is sent, or was sent, of *part* still lies there."""
    keys = object_keys.archive(part.import_id, part.number, part.sha256)
    return any(files.find_newest(key) is not None for key in keys)


def _read(files: Files, keys: object_keys.Keys, sha256: str, *, at_most: int = MOST_BYTES) -> bytes:
    """Return what has *sha256*; imports begun by the release before have it under another key."""
    changed = None
    for key in keys:
        try:
            body = files.read(key, at_most=at_most)
        except MissingObjectError:
            continue
        if _sha256(body) == sha256:
            return body
        changed = key
    if changed:
        raise ChangedObjectError(changed, sha256)
    raise MissingObjectError(keys[0])


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@cache
def _plans() -> TypeAdapter[Plan]:
    return hiding_adapter(Plan)  # on first use: made on import, it would slow down every cold start


def write_decisions(files: Files, import_id: str, decisions: Iterable[RowDecision]) -> str:
    """Keep what was decided about rows, in their order, and return its SHA-256; "" for nothing."""
    packed = BytesIO()
    with (
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=packed, mtime=0) as archive,
        TextIOWrapper(archive, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text)
        writer.writerow(RowDecision._fields)
        is_empty = True
        for decision in decisions:
            writer.writerow(decision._replace(restored=json.dumps(decision.restored)))  # type: ignore[arg-type]
            is_empty = False
    if is_empty:
        return ""
    body = packed.getvalue()
    sha256 = _sha256(body)
    key = object_keys.decisions_file(import_id, sha256)
    files.write(key, body, content_type="application/gzip")
    return sha256


def with_refused(
    decisions: Iterable[RowDecision], refused: Iterable[tuple[int, str]]
) -> Iterator[RowDecision]:
    """Yield *decisions* and, at their places among them, why rows are not sent; both in order."""
    ahead = iter(refused)
    number, reason = next(ahead, (0, ""))
    for decision in decisions:
        while reason and number < decision.row:
            yield RowDecision(number, reason=reason)
            number, reason = next(ahead, (0, ""))
        if reason and number == decision.row:
            yield decision._replace(reason=reason)
            number, reason = next(ahead, (0, ""))
        else:
            yield decision
    while reason:
        yield RowDecision(number, reason=reason)
        number, reason = next(ahead, (0, ""))


def read_decisions(files: Files, import_id: str, sha256: str) -> Iterator[RowDecision]:
    """
    Yield what was decided about the rows of an import; nothing if *sha256* is "".

    Raises:
        MissingObjectError: It is not kept any more.
        ChangedObjectError: Something else lies there.
    """
    if not sha256:
        return
    body = _read(files, (object_keys.decisions_file(import_id, sha256),), sha256, at_most=GIGABYTE)
    with gzip.open(BytesIO(body), "rt", encoding="utf-8", newline="") as text:
        for line in csv.DictReader(text):
            yield RowDecision(
                int(line["row"]),
                RowStatus(line["status"]) if line["status"] else None,
                line["record_id"],
                line["through"],
                line["root_import"],
                int(line["root_row"]),
                tuple((at, cell) for at, cell in json.loads(line["restored"])),
                line.get("reason") or "",  # the release before kept none
            )


def write_problems(files: Files, import_id: str, problems: tuple[Problem, ...]) -> None:
    """Keep why an import was rejected: the first problems, each cut to what can be read."""
    body = _problems().dump_json(tuple(_bounded(problems)))
    files.write(object_keys.problems_file(import_id), body, content_type="application/json")


def _bounded(problems: tuple[Problem, ...]) -> Iterator[Problem]:
    for problem in problems[:MOST_PROBLEMS]:
        yield replace(
            problem,
            where=_shortened(problem.where),
            what=_shortened(problem.what),
            remedy=_shortened(problem.remedy),
        )
    if len(problems) > MOST_PROBLEMS:
        yield _not_listed(len(problems) - MOST_PROBLEMS)


def _shortened(words: str) -> str:
    return words if len(words) <= MOST_CHARACTERS else words[: MOST_CHARACTERS - 1] + "…"


def read_problems(files: Files, import_id: str) -> tuple[Problem, ...]:
    """Return why an import was rejected; nothing if it was not."""
    try:
        text = files.read(object_keys.problems_file(import_id), at_most=MOST_BYTES)
    except MissingObjectError:
        return ()
    return _problems().validate_json(text)


@cache
def _problems() -> TypeAdapter[tuple[Problem, ...]]:
    return hiding_adapter(tuple[Problem, ...])


def _not_listed(more: int) -> Problem:
    """So many problems were found that *more* of them are left out."""
    return Problem(
        where="And so on",
        what=f"{more:,} more problems were found",
        remedy="Correct these first; what is then still wrong is told again",
    )
