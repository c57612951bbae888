"""The plan of an import, kept beside its parts: written once, when the drop was read."""

from __future__ import annotations

from functools import cache

from pydantic import TypeAdapter

from bigin_import import places
from bigin_import.models import Plan
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
