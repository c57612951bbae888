"""What ends without having gone its whole way: parts that nobody will send, holds nobody ends."""

from __future__ import annotations

from dataclasses import replace

from bigin_import.changes import change
from bigin_import.importing import problems
from bigin_import.importing.plans import write_problems
from bigin_import.ports import Files, Ledger
from bigin_import.records import Import, ImportState, steps


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
    write_problems(files, record.import_id, (problem,))

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
