"""
What an import keeps in the bucket: plan, pinned mapping, archives, row results, and what is to be
deleted to undo it, each under a key that holds its SHA-256, which is in the ledger too; or the
problems that it was rejected for.

A submitter that stood still until its lease had ended may still write, and so may a collector
whom another has overtaken, but only the same bytes under the same key. So storing is idempotent,
and a reader gets what the ledger speaks of.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO, TextIOWrapper

from bigin_import import object_keys
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.part_record import Part
from bigin_import.domain.plan import FIRST_READING, Plan, RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.domain.undo import UndoRow
from bigin_import.errors import ChangedObjectError, DropRejectedError, MissingObjectError
from bigin_import.plain_values import Stored, UnreadableValueError
from bigin_import.ports import Files

# A plan of a thousand parts and two hundred columns stays below a fifth of it, and so do the
# problems below; a mapping of the 1 MB that people may drop takes several once it is pinned.
MOST_BYTES = 20_000_000
ARCHIVE_BYTES = 26_214_400  # 25 MB, the largest upload Bigin takes
GIGABYTE = 1_000_000_000  # far more than the decisions about a million rows
_PLANS = Stored[Plan](Plan)
_PROBLEMS = Stored[tuple[Problem, ...]](tuple[Problem, ...])
_HAS_READING = b'"reading":'
MOST_PROBLEMS = 200  # nobody corrects more of them in one go
MOST_CHARACTERS = 1_000  # of each of its sentences: a header or an API name may be a novel


def write_plan(files: Files, import_id: str, plan: Plan) -> str:
    """Store the plan and return its SHA-256."""
    body = _PLANS.as_json(plan)
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
    plan = _PLANS.read_json(body)
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


def write_row_results_file(files: Files, import_id: str, number: int, body: bytes) -> str:
    """Store what became of each row of part *number*, and return its SHA-256."""
    sha256 = _sha256(body)
    key, *_ = object_keys.row_results_file(import_id, number, sha256)
    files.write(key, body, content_type="application/gzip")
    return sha256


def read_row_results_file(files: Files, part: Part) -> bytes:
    """
    Return what became of each row of *part*, whatever its size: what was written is read again.

    Raises:
        MissingObjectError: It is not kept any more.
        ChangedObjectError: Something else lies there.
    """
    sha256 = part.results_sha256
    keys = object_keys.row_results_file(part.import_id, part.number, sha256)
    if not sha256:
        return files.read(keys[-1], at_most=sys.maxsize)
    return _read(files, keys[:1], sha256, at_most=sys.maxsize)


def _read(files: Files, keys: object_keys.Keys, sha256: str, *, at_most: int = MOST_BYTES) -> bytes:
    """Return what has *sha256*; imports begun by the release before have it under another key."""
    changed = None
    for key in keys:
        try:
            body = files.read(key, at_most=at_most)
        except MissingObjectError:
            continue
        except DropRejectedError:  # larger than all that is stored there
            changed = key
            continue
        if _sha256(body) == sha256:
            return body
        changed = key
    if changed:
        raise ChangedObjectError(changed, sha256)
    raise MissingObjectError(keys[0])


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


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


def write_undo_list(files: Files, import_id: str, rows: Iterable[UndoRow]) -> tuple[str, int]:
    """Keep which records undoing an import deletes; return the list's SHA-256 and its length."""
    packed, count = BytesIO(), 0
    with (
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=packed, mtime=0) as archive,
        TextIOWrapper(archive, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text)
        for count, row in enumerate(rows, 1):  # noqa: B007  # it is the length
            writer.writerow(row)
    sha256 = _sha256(packed.getvalue())
    key = object_keys.undo_list(import_id, sha256)
    files.write(key, packed.getvalue(), content_type="application/gzip")
    return sha256, count


def read_undo_list(files: Files, import_id: str, sha256: str) -> Iterator[UndoRow]:
    """
    Yield which records undoing an import deletes.

    Raises:
        MissingObjectError: The list is not kept any more.
        ChangedObjectError: Something else lies there.
    """
    body = _read(files, (object_keys.undo_list(import_id, sha256),), sha256, at_most=GIGABYTE)
    with gzip.open(BytesIO(body), "rt", encoding="utf-8", newline="") as text:
        for row, record_id, ended_at, modified in csv.reader(text):
            yield UndoRow(int(row), record_id, int(ended_at), modified)


def write_undone(files: Files, results: str, record_ids: Iterable[str]) -> None:
    """Keep which records undoing an import has deleted, beside its kept rows."""
    key = object_keys.undone_file(results)
    with (
        files.open_writer(key, content_type="application/gzip") as stream,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=stream, mtime=0) as archive,
    ):
        archive.writelines(f"{record_id}\n".encode() for record_id in record_ids)


def read_undone(files: Files, imports: Iterable[Import | None]) -> frozenset[str]:
    """Return the ids of the records that undoing *imports* has deleted, as far as it is kept."""
    found: set[str] = set()
    for record in imports:
        if record is not None and record.results:  # else a person had it forgotten
            with suppress(MissingObjectError):  # it is kept as long as its kept rows
                body = files.read(object_keys.undone_file(record.results), at_most=GIGABYTE)
                found.update(gzip.decompress(body).decode().split())
    return frozenset(found)


def write_problems(files: Files, import_id: str, problems: tuple[Problem, ...]) -> None:
    """Keep why an import was rejected: the first problems, each cut to what can be read."""
    body = _PROBLEMS.as_json(tuple(_bounded(problems)))
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
    """Return why an import was rejected; nothing if it was not, or if that cannot be read."""
    unreadable = (MissingObjectError, DropRejectedError, UnreadableValueError)
    with suppress(*unreadable):  # a person may have removed or replaced it
        text = files.read(object_keys.problems_file(import_id), at_most=MOST_BYTES)
        return _PROBLEMS.read_json(text)
    return ()


def problems_not_kept(import_id: str) -> Problem:
    """Return what is told of an import that was rejected if nobody knows any more why."""
    return Problem(
        where=object_keys.problems_file(import_id),
        what="why the file was rejected cannot be read any more, for this object was removed from "
        "the bucket or replaced",
        remedy="Drop the file again to hear it once more; nothing of it was sent",
    )


def _not_listed(more: int) -> Problem:
    """So many problems were found that *more* of them are left out."""
    return Problem(
        where="And so on",
        what=f"{more:,} more problems were found",
        remedy="Correct these first; what is then still wrong is told again",
    )
