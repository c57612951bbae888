"""What an import keeps beside its parts: its plan, or the problems that it was rejected for."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter

from bigin_import import places
from bigin_import.errors import MissingObjectError
from bigin_import.models import Plan, Problem
from bigin_import.ports import Files

MOST_BYTES = 5_000_000  # a thousand parts and two hundred columns stay below one


def write_plan(files: Files, import_id: str, plan: Plan) -> None:
    body = _plans().dump_json(plan)
    files.write(places.plan_file(import_id), body, content_type="application/json")


def read_plan(files: Files, import_id: str) -> Plan:
    """
    Return the plan that was stored.

    Raises:
        MissingObjectError: The drop was never read to its end.
    """
    return _plans().validate_json(files.read(places.plan_file(import_id), at_most=MOST_BYTES))


@cache
def _plans() -> TypeAdapter[Plan]:
    return TypeAdapter(Plan)  # on first use: made on import, it would slow down every cold start


def write_problems(files: Files, import_id: str, problems: tuple[Problem, ...]) -> None:
    body = _problems().dump_json(problems)
    files.write(places.problems_file(import_id), body, content_type="application/json")


def read_problems(files: Files, import_id: str) -> tuple[Problem, ...]:
    """Return why an import was rejected; nothing if it was not."""
    try:
        return _problems().validate_json(files.read(places.problems_file(import_id)))
    except MissingObjectError:
        return ()


@cache
def _problems() -> TypeAdapter[tuple[Problem, ...]]:
    return TypeAdapter(tuple[Problem, ...])
