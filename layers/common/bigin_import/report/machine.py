"""`import.json`: the same facts for machines. Keys are only ever added."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from bigin_import.domain.drop import Problem
from bigin_import.domain.row_result import Counts, RankedReason
from bigin_import.report.summary import FamilyMember, FamilySummary, ImportSummary, PartSummary
from bigin_import.row_results.reasons import what_without_quotation


def import_json(summary: ImportSummary) -> bytes:
    """Return `import.json`: UTF-8, the keys in a fixed order, one newline at the end."""
    return (json.dumps(_facts(summary), ensure_ascii=False, indent=2) + "\n").encode()


def _facts(it: ImportSummary) -> dict[str, Any]:
    return {
        "import_id": it.import_id,
        "file": it.file,
        "state": it.state.value,
        "rows": it.rows,
        **_counts(it.counts),
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
        "family": it.family and _family(it.family),
        "winner": it.winner or None,
        "hold_reason": it.hold_reason or None,
        "contradiction": it.contradiction or None,
        "warnings": list(it.warnings),
        "notes": list(it.notes),
        "problems": [_problem(problem) for problem in it.problems],
        "reasons": [_reason(ranked) for ranked in it.reasons],
        "parts": [_part(part) for part in it.parts],
        "files": {link.kind: {"key": link.key, "rows": link.rows} for link in it.files},
    }


def _counts(counts: Counts) -> dict[str, int]:
    """Return rows by status; `skipped` is what `refused` was called, and stays for programs."""
    return {**asdict(counts), "skipped": counts.refused}


def _problem(problem: Problem) -> dict[str, str]:
    """Leave out the cells: `import.json` holds no cell of the drop."""
    return {"where": problem.where, "what": problem.what, "remedy": problem.remedy}


def _reason(ranked: RankedReason) -> dict[str, Any]:
    """Leave out words of Bigin that may hold a cell."""
    return {
        "code": ranked.reason.code or None,
        "what": what_without_quotation(ranked.reason),
        "remedy": ranked.reason.remedy or None,
        "rows": ranked.rows,
        "examples": list(ranked.examples),
    }


def _family(family: FamilySummary) -> dict[str, Any]:
    return {
        "root": _member(family.root),
        "parent": _member(family.parent),
        "corrections": [_member(each) for each in family.corrections],
        "rows": family.rows,
        "in_bigin": family.rows_in,
    }


def _member(member: FamilyMember) -> dict[str, Any]:
    return {
        "import_id": member.import_id,
        "file": member.file,
        "state": member.state.value,
        "in_bigin": member.rows_in,
        "report": member.url or None,
    }


def _part(part: PartSummary) -> dict[str, Any]:
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
        "counts": part.counts and _counts(part.counts),
        "reported": part.reported and asdict(part.reported),
        "disagrees": part.disagrees,
        "note": part.note or None,
    }
