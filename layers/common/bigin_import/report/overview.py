"""The page of all imports: one line each, the open ones on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import CREDITS_PER_JOB
from bigin_import.domain.states import ImportState
from bigin_import.report.page import templates
from bigin_import.report.summary import Share, balance

_WITHOUT_JOBS = frozenset(
    {
        ImportState.REJECTED,
        ImportState.UNCHANGED,
        ImportState.DRY_RUN,
        ImportState.WITHDRAWN,
        ImportState.SUPERSEDED,
    }
)
_STATES = {
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
    """

    record: Import
    waits: str = ""
    needs_person: bool = False

    @property
    def kind(self) -> str:
        """By what the page can be filtered: open, held, good, warn, bad or calm."""
        return HELD if self.needs_person else _STATES[self.record.state][0]

    @property
    def state(self) -> str:
        return self.waits or _STATES[self.record.state][1]

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
