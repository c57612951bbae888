"""What an import keeps beside its parts: its plan, or the problems that it was rejected for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from pydantic import TypeAdapter

from bigin_import import object_keys
from bigin_import.domain.drop import Problem
from bigin_import.domain.plan import Plan
from bigin_import.errors import MissingObjectError
from bigin_import.ports import Files

# A plan of a thousand parts and two hundred columns stays below a fifth of it, and so do the
# problems below; a mapping of the 1 MB that people may drop takes several once it is pinned.
MOST_BYTES = 20_000_000
MOST_PROBLEMS = 200  # nobody corrects more of them in one go
MOST_CHARACTERS = 1_000  # of each of its sentences: a header or an API name may be a novel


def write_plan(files: Files, import_id: str, plan: Plan) -> str:
    """Store the plan and return its SHA-256."""
    body = _plans().dump_json(plan)
    sha256 = hashlib.sha256(body).hexdigest()
    # Under a name of its own nobody writes over it: see `read_plan`.
    for key in (object_keys.plan_copy(import_id, sha256), object_keys.plan_file(import_id)):
        files.write(key, body, content_type="application/json")
    return sha256


def read_plan(files: Files, import_id: str, *, sha256: str | None = None) -> Plan:
    """
    Return the plan that was stored.

    Args:
        sha256: Of the plan that is wanted. If there is another, a submitter without its lease has
            written over it; the right one is put back.

    Raises:
        MissingObjectError: The drop was never read to its end.
    """
    key = object_keys.plan_file(import_id)
    body = files.read(key, at_most=MOST_BYTES)
    if sha256 is not None and hashlib.sha256(body).hexdigest() != sha256:
        body = files.read(object_keys.plan_copy(import_id, sha256), at_most=MOST_BYTES)
        files.write(key, body, content_type="application/json")
    return _plans().validate_json(body)


@cache
def _plans() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)  # on first use: made on import, it would slow down every cold start


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
    return TypeAdapter(tuple[Problem, ...])


def _not_listed(more: int) -> Problem:
    """So many problems were found that *more* of them are left out."""
    return Problem(
        where="And so on",
        what=f"{more:,} more problems were found",
        remedy="Correct these first; what is then still wrong is told again",
    )
