"""What ends without having gone its whole way: parts that nobody will send, holds nobody ends."""

from __future__ import annotations

from dataclasses import replace

from pydantic import TypeAdapter

from bigin_import import places
from bigin_import.changes import change
from bigin_import.importing import problems
from bigin_import.models import Problem
from bigin_import.ports import Files, Ledger
from bigin_import.records import Import, ImportState, steps

PROBLEMS = TypeAdapter(tuple[Problem, ...])


def abandon_parts(ledger: Ledger, import_id: str, now: int) -> None:
    """Let every part of an import end that is not under way at Bigin."""
    for part in ledger.parts(import_id):
        change(ledger, part.address, steps.abandoned(now))


def give_up_hold(ledger: Ledger, files: Files, record: Import, now: int) -> None:
    """End a hold that nobody decided about; what became of its parts is then for the finisher."""
    abandon_parts(ledger, record.import_id, now)
    if record.totals is not None:
        return
    problem = problems.nobody_decided(record.source.key, record.hold_reason or "")
    key = places.problems_file(record.import_id)
    files.write(key, PROBLEMS.dump_json((problem,)), content_type="application/json")

    def failed(seen: Import) -> Import | None:
        if seen.state is not ImportState.ON_HOLD:
            return None
        return replace(
            seen,
            state=ImportState.FINISHING,
            verdict=ImportState.FAILED,
            hold_reason=None,
            due_at=now,
        )

    change(ledger, record.address, failed)
