"""`import.json`: the same facts for machines. Keys are only ever added."""

from __future__ import annotations

import json
from typing import Any

from bigin_import.models.findings import RankedReason
from bigin_import.report.summary import ImportSummary, PartSummary

_FATES = ("added", "updated", "existing", "skipped", "unprocessed", "invalid", "unclear")


def import_json(summary: ImportSummary) -> bytes:
    """Return `import.json`: UTF-8, the keys in a fixed order, one newline at the end."""
    return (json.dumps(_facts(summary), ensure_ascii=False, indent=2) + "\n").encode()


def _facts(it: ImportSummary) -> dict[str, Any]:
    return {
        "import_id": it.import_id,
        "file": it.file,
        "state": it.state.value,
        "rows": it.rows,
        **{fate: getattr(it.counts, fate) for fate in _FATES},
        "jobs": sum(len(part.job_ids) for part in it.parts),
        "seconds": it.seconds,
        "counts_disagree": it.counts_disagree,
        "received_at": it.received_at,
        "module": it.module or None,
        "operation": it.operation or None,
        "find_by": it.find_by or None,
        "credits": it.credits,
        "blank": it.blank,
        "encoding": it.encoding or None,
        "delimiter": it.delimiter or None,
        "mapping": {"key": it.mapping_key, "version_id": it.mapping_version}
        if it.mapping_key
        else None,
        "parent": it.parent or None,
        "winner": it.winner or None,
        "hold_reason": it.hold_reason or None,
        "warnings": list(it.warnings),
        "problems": [
            {"where": problem.where, "what": problem.what, "remedy": problem.remedy}
            for problem in it.problems
        ],
        "reasons": [_reason(ranked) for ranked in it.reasons],
        "parts": [_part(part) for part in it.parts],
        "files": {link.kind: {"key": link.key, "rows": link.rows} for link in it.files},
    }


def _reason(ranked: RankedReason) -> dict[str, Any]:
    return {
        "code": ranked.reason.code or None,
        "what": ranked.reason.what,
        "remedy": ranked.reason.remedy or None,
        "rows": ranked.rows,
        "examples": list(ranked.examples),
    }


def _part(part: PartSummary) -> dict[str, Any]:
    counts, reported = part.counts, part.reported
    return {
        "number": part.number,
        "state": part.state,
        "rows": part.rows,
        "first_row": part.first_row,
        "last_row": part.last_row,
        "job_ids": list(part.job_ids),
        "closed_by": part.closed_by or None,
        "seconds": part.seconds,
        "credits": part.credits,
        "counts": counts and {fate: getattr(counts, fate) for fate in _FATES},
        "reported": reported
        and {
            "added": reported.added,
            "updated": reported.updated,
            "skipped": reported.skipped,
            "total": reported.total,
        },
        "disagrees": part.disagrees,
        "note": part.note or None,
    }
