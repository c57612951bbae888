"""
The report of an import as one self-contained page, and as `import.json` for machines.

Keys of `import.json` are only ever added. The page of all imports has a line for each, the open
ones on top.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bigin_import import object_keys
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import CREDITS_PER_JOB
from bigin_import.domain.row_result import Counts, RankedReason, RowStatus
from bigin_import.domain.states import ImportState, PartState
from bigin_import.report.summary import (
    DryRun,
    FamilyMember,
    FamilySummary,
    ImportSummary,
    PartSummary,
    Share,
    balance,
    delimiter_name,
    duration,
    headline,
    moment,
    number,
    sentence,
)
from bigin_import.row_results.reasons import shortened, what_without_quotation

if TYPE_CHECKING:
    from jinja2 import Environment


_ADVICE = {
    "failed": "correct it and drop it under incoming/",
    "unprocessed": "drop it unchanged",
    "unclear": "do not drop it; look in Bigin first",
    "success": "these rows are in Bigin, with their ids",
    "suggestion": "read it, correct it, and drop it beside the file",
}
_HEARD = defaultdict(str, {"callback": "Bigin itself", "tick": "asking Bigin"})
_STATES = defaultdict(
    str,
    {
        PartState.STORED: "not sent yet",
        PartState.UPLOADED: "being sent",
        PartState.CREATING: "being sent",
        PartState.CREATED: "Bigin is working on it",
        PartState.SETTLED: "Bigin is done with it",
        PartState.COLLECTED: "done",
        PartState.JOB_REFUSED: "refused by Bigin",
        PartState.UNKNOWN: "Bigin has not answered",
        PartState.HELD: "waits for a decision",
        PartState.GIVEN_UP: "given up",
    },
)
_LONGEST_TEXT = 2_000
_LONGEST_NAME = 80


def render_report(summary: ImportSummary) -> str:
    """Return the page; it loads nothing and runs no script."""
    return (
        templates()
        .get_template("page.html.j2")
        .render(
            it=summary,
            verdict=headline(summary),
            balance=balance(summary.counts),
            download=_download(summary.failed_csv),
            failed_name=f"{object_keys.result_name(summary.file)}.failed.csv",
            reasons_title=_reasons_title(summary),
            rows_title=_rows_title(summary),
            key=_key(summary),
            advice=_advice(summary),
            facts=tuple(_facts(summary)),
            states=_STATES,
            heard=_HEARD,
            files=tuple(link for link in summary.files if link.kind != "report"),
            family=render_family(summary.family, summary.import_id),
        )
    )


_FAMILY = ("<!-- family -->", "<!-- end of family -->")
_END = "</main>"


def render_family(family: FamilySummary | None, import_id: str) -> str:
    """Return the part of a page that names the other files of its family, between its marks."""
    template = templates().get_template("family.html.j2")
    body = template.render(family=family, import_id=import_id) if family else ""
    return f"{_FAMILY[0]}{body}{_FAMILY[1]}"


def with_family(page: str, family: FamilySummary, import_id: str) -> str:
    """Return the report of import *import_id*, written before, with its family as it is now."""
    part = render_family(family, import_id)
    start, _, rest = page.partition(_FAMILY[0])
    _, mark, end = rest.partition(_FAMILY[1])
    if mark:
        return f"{start}{part}{end}"
    before, after, end = page.rpartition(_END)  # of the release before, which had no marks
    return f"{before}{part}{after}{end}" if after else page


@cache
def templates() -> Environment:
    """Return the templates of this package; what they show is escaped."""
    # Imported here: only a closing needs it, and a cold start of settle_jobs is short of time.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415  # see above

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # select_autoescape would not know .j2
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "sentence": sentence,
        "duration": duration,
        "moment": moment,
        "delimiter_name": delimiter_name,
        "text": lambda text: shortened(text, _LONGEST_TEXT),
        "name": lambda name: shortened(name, _LONGEST_NAME),
    }
    return environment


def _download(body: bytes | None) -> str | None:
    """Return *body* as a data URL."""
    if body is None:
        return None
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(body).decode()}"


def _reasons_title(it: ImportSummary) -> str:
    counts = it.counts
    if not counts.unclear:
        return "Why rows are not in Bigin"
    if counts.unclear == counts.data - counts.succeeded:
        return "Why it is unclear whether rows are in Bigin"
    return "Why rows are not in Bigin, or why that is unclear"


def _rows_title(it: ImportSummary) -> str:
    unclear = [row.status is RowStatus.UNCLEAR for row in it.failed_rows]
    if all(unclear):
        return "The first unclear rows"
    return "The first failed and unclear rows" if any(unclear) else "The first failed rows"


def _key(it: ImportSummary) -> str:
    """Return the header by which rows are recognised; all of them show that column first."""
    return next((row.cells[0][0] for row in it.failed_rows if row.cells), "")


def _advice(it: ImportSummary) -> Mapping[str, str]:
    """Return what to do with each kind of file, as the first lines of the page do."""
    if not it.mend_first:
        return _ADVICE
    is_whole_drop = it.is_refused and it.counts.unprocessed == it.counts.data
    advice = "no row was sent" if is_whole_drop else "mend the cause, then drop it"
    return {**_ADVICE, "unprocessed": advice}


_WINNER_IS = {ImportState.SUPERSEDED: "Later version: import"}


def _facts(it: ImportSummary) -> Iterator[tuple[str, str]]:
    """Yield what the foot of the page tells; facts that are not known are left out."""
    key = f", found by {it.find_by}" if it.find_by else ""
    named = (
        ("Import", it.import_id),
        ("Bigin", f"{it.operation} into {it.module}{key}" if it.module else ""),
        ("Rows", _rows(it) if it.rows else ""),
        ("Encoding", it.encoding),
        ("Delimiter", delimiter_name(it.delimiter)),
        ("Mapping", it.mapping_key),
        ("Mapping version", it.mapping_version),
        ("Credits", number(it.credits) if it.parts else ""),
        ("Corrects import", it.parent),
        (_WINNER_IS.get(it.state, "Same content as import"), it.winner),
    )
    return ((name, value) for name, value in named if value)


def _rows(it: ImportSummary) -> str:
    lines = "blank line" if it.blank == 1 else "blank lines"
    return f"{number(it.rows)}, and {number(it.blank)} {lines}" if it.blank else number(it.rows)


def import_json(summary: ImportSummary) -> bytes:
    """Return `import.json`: UTF-8, the keys in a fixed order, one newline at the end."""
    return (json.dumps(_json_facts(summary), ensure_ascii=False, indent=2) + "\n").encode()


def _json_facts(it: ImportSummary) -> dict[str, Any]:
    return {
        "import_id": it.import_id,
        "file": it.file,
        "state": it.state.value,
        "rows": it.rows,
        **_counts(_found(it)),
        "jobs": sum(len(part.job_ids) for part in it.parts),
        "seconds": it.seconds,
        "counts_disagree": it.counts_disagree,
        "received_at": it.received_at,
        "module": it.module or None,
        "operation": it.operation or None,
        "find_by": it.find_by or None,
        "credits": it.credits,
        "dry_run": it.dry_run and _would_be_sent(it.dry_run),
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


def _found(it: ImportSummary) -> Counts:
    """Return rows by what became of them; of a dry run only those that would not be sent."""
    if it.dry_run is None:
        return it.counts
    return replace(it.counts, invalid=it.dry_run.invalid, left_out=it.dry_run.left_out)


def _would_be_sent(found: DryRun) -> dict[str, int]:
    return {"rows": found.rows, "jobs": found.jobs, "credits": found.credits}


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
        "undone": member.is_undone,
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


_WITHOUT_JOBS = frozenset(
    {
        ImportState.REJECTED,
        ImportState.UNCHANGED,
        ImportState.DRY_RUN,
        ImportState.WITHDRAWN,
        ImportState.SUPERSEDED,
    }
)
_OVERVIEW_STATES = {
    ImportState.WAITING_FOR_MAPPING: ("open", "waits for a mapping"),
    ImportState.PREPARING: ("open", "is being prepared"),
    ImportState.SENDING: ("open", "is being sent"),
    ImportState.SENT: ("open", "Bigin is working on it"),
    ImportState.FINISHING: ("open", "is being closed"),
    ImportState.ON_HOLD: ("held", "needs a decision"),
    ImportState.COMPLETED: ("good", "imported"),
    ImportState.COMPLETED_WITH_ERRORS: ("warn", "imported, but not every row"),
    ImportState.FAILED: ("bad", "nothing was written to Bigin"),
    ImportState.REJECTED: ("bad", "refused, nothing was sent"),
    ImportState.UNCHANGED: ("calm", "in Bigin already"),
    ImportState.DRY_RUN: ("calm", "checked, nothing was sent"),
    ImportState.SUPERSEDED: ("calm", "replaced by a newer version"),
    ImportState.WITHDRAWN: ("calm", "removed before it was sent"),
}
HELD = "held"


def planned_jobs(record: Import) -> int:
    """Return how many jobs an import may have made: one for each part, if it sent any."""
    sent_nothing = record.dry_run or record.state in _WITHOUT_JOBS
    return 0 if sent_nothing or record.totals is None else record.totals.parts


@dataclass(frozen=True, slots=True)
class Line:
    """
    An import as the page shows it.

    Attributes:
        waits: What it waits for, in words; "" if it waits for nothing but time.
        needs_person: Nothing happens until somebody decides.
        undone: How far it is undone, in words; "" if nobody wants that.
    """

    record: Import
    waits: str = ""
    needs_person: bool = False
    undone: str = ""

    @property
    def kind(self) -> str:
        """By what the page can be filtered: open, held, good, warn, bad, calm or undone."""
        if self.undone:
            return "undone"
        return HELD if self.needs_person else _OVERVIEW_STATES[self.record.state][0]

    @property
    def state(self) -> str:
        return self.waits or _OVERVIEW_STATES[self.record.state][1]

    @property
    def folder(self) -> str:
        """Return the folders below `incoming/`, "" for none."""
        return self.record.source.key.partition("/")[2].rpartition("/")[0]

    @property
    def file(self) -> str:
        return self.record.source.key.rpartition("/")[2] or "(forgotten)"

    @property
    def report(self) -> str:
        """Return the report's address, seen from `results/`; "" if there is none or it has dots."""
        results = self.record.results
        if not results or not self.record.state.is_closed:
            return ""
        path = f"{results.partition('/')[2]}report.html"
        if not {".", ".."}.isdisjoint(path.split("/")):
            return ""  # a browser would leave the folder
        return f"./{quote(path)}"

    @property
    def shares(self) -> Sequence[Share]:
        return balance(self.record.counts) if self.record.counts else ()

    @property
    def credits(self) -> int:
        """Return the credits that its jobs took, at most."""
        return planned_jobs(self.record) * CREDITS_PER_JOB


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    What a page of imports shows.

    Attributes:
        title: What its imports have in common.
        lines: Open imports first, those that need a person on top; then closed ones, newest first.
        written_at: In seconds since the epoch.
        more: There are more imports than lines.
        months: Pages of months beside it, the newest first.
        is_month: It is one of those.
    """

    title: str
    lines: Sequence[Line]
    written_at: int
    more: bool = False
    months: Sequence[str] = ()
    is_month: bool = False


def render_overview(page: Page) -> str:
    """Return the page; it loads nothing and runs no script, and its links are relative."""
    shown = {line.record.import_id for line in page.lines}
    return templates().get_template("overview.html.j2").render(page=page, shown=shown)
