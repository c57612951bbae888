"""The report: one import as one self-contained page."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bigin_import import places
from bigin_import.records import PartState
from bigin_import.report.figures import balance, delimiter_name, duration, moment, number, sentence
from bigin_import.report.summary import ImportSummary
from bigin_import.report.verdict import verdict
from bigin_import.tabular.ranking import SHOWN_CELLS

if TYPE_CHECKING:
    from jinja2 import Environment

_ADVICE = defaultdict(
    str,
    failed="correct it and drop it under incoming/",
    unprocessed="drop it unchanged",
    unclear="do not drop it; look in Bigin first",
    success="these rows are in Bigin, with their ids",
    suggestion="read it, correct it, and drop it beside the file",
)
_HEARD = defaultdict(str, {"callback": "its callback", "tick": "asking Bigin"})
_STATES = defaultdict(str, {each: each.lower().replace("_", " ") for each in PartState})


def render_report(summary: ImportSummary) -> str:
    """Return the page; it loads nothing and runs no script."""
    return (
        _templates()
        .get_template("page.html.j2")
        .render(
            it=summary,
            verdict=verdict(summary),
            balance=balance(summary.counts),
            download=_download(summary.failed_csv),
            failed_name=f"{places.result_name(summary.file)}.failed.csv",
            advice=_ADVICE,
            facts=tuple(_facts(summary)),
            states=_STATES,
            heard=_HEARD,
            files=tuple(link for link in summary.files if link.kind != "report"),
            shown_cells=SHOWN_CELLS,
        )
    )


@cache
def _templates() -> Environment:
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
    }
    return environment


def _download(body: bytes | None) -> str | None:
    """Return *body* as a data URL."""
    if body is None:
        return None
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(body).decode()}"


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
        ("Same content as import", it.winner),
    )
    return ((name, value) for name, value in named if value)


def _rows(it: ImportSummary) -> str:
    lines = "blank line" if it.blank == 1 else "blank lines"
    return f"{number(it.rows)}, and {number(it.blank)} {lines}" if it.blank else number(it.rows)
