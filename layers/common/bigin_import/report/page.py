"""The report: one import as one self-contained page."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bigin_import import object_keys
from bigin_import.domain.row_result import RowStatus
from bigin_import.domain.states import ImportState, PartState
from bigin_import.report.summary import (
    FamilySummary,
    ImportSummary,
    balance,
    delimiter_name,
    duration,
    headline,
    moment,
    number,
    sentence,
)
from bigin_import.row_results.reasons import shortened

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
    """Say what to do with each kind of file, as the first lines of the page do."""
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
