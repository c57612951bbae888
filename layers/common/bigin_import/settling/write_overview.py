"""
Use case: pages about several imports: `results/index.html`, a page a month, and families.

The tick writes the page of all imports when what it shows has changed, and once more a minute
later, for the index it is read from lags behind the ledger. A month gets its page when it is
over, and hourly while it has more imports than the first page shows. Imports expire from the
ledger; a page of a month older than that stays as it was last written.

When a correction closes, the reports of its family name it: a closed import never changes, but
its report says what followed it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice

from bigin_import import object_keys
from bigin_import.domain import listing
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family, Overview
from bigin_import.errors import ConflictError, MissingObjectError
from bigin_import.importing.pauses import Pause
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Clock, Files, Ledger
from bigin_import.report.page import Line, Page, render_overview, with_family
from bigin_import.report.summary import FamilyMember, FamilySummary, ImportSummary
from bigin_import.row_results.kept_rows import KeptRow, read_kept_rows
from bigin_import.settling.summarize import ConsoleLinks

MOST_LINES = 1_000  # half a megabyte, which a browser shows at once
MOST_LINES_OF_A_MONTH = 20_000
AGAIN_SECONDS = 60
LEASE_SECONDS = 300  # the time-out of settle_jobs: whoever had the lease is dead then
HOUR_SECONDS = 3600


type OpenImports = Mapping[str, Sequence[Import]]
"""Open imports by their heading in the index, those that wait for a person first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewWriter:
    """
    Writes the pages.

    Attributes:
        keep_seconds: How long the ledger keeps a closed import.
        most_lines: How many imports the first page shows.
    """

    ledger: Ledger
    files: Files
    clock: Clock
    keep_seconds: int
    most_lines: int = MOST_LINES

    def write_if_changed(self, open_imports: OpenImports) -> None:
        """Write what has changed, unless another tick does."""
        now = self.clock.now()
        seen = self.ledger.load(Overview.at()) or create_if_absent(self.ledger, Overview())[0]
        last_closed = self.ledger.find_listed(listing.closed_in(now), limit=1)
        mark = _mark(open_imports, last_closed)
        is_changed = mark != seen.mark
        is_due = is_changed or (seen.again_at is not None and seen.again_at <= now)
        if not is_due or seen.leased_until > now:
            return
        try:
            leased = self.ledger.save(replace(seen, leased_until=now + LEASE_SECONDS))
        except ConflictError:
            return  # another tick has just begun
        written = replace(
            self._write(open_imports, leased, now),
            mark=mark,
            again_at=now + AGAIN_SECONDS if is_changed else None,
            stale=leased.stale if is_changed else (),
            leased_until=0,
        )
        try:
            self.ledger.save(written)
        except ConflictError:
            # We were frozen, or an import was forgotten meanwhile: what we wrote may be older.
            update(self.ledger, Overview.at(), lambda other: replace(other, mark=""))

    def _write(self, open_imports: OpenImports, seen: Overview, now: int) -> Overview:
        """Write the pages that are due; return *seen* with the months that have one now."""
        if due := self._due_months(seen, now):
            made = {month for month in due if self._write_month(month, now)}
            seen = replace(seen, months=tuple(sorted({*seen.months, *made})), months_at=now)
        self._write_index(open_imports, seen.months, now)
        return seen

    def _due_months(self, seen: Overview, now: int) -> tuple[str, ...]:
        month = listing.month_of(now)
        if listing.month_of(seen.months_at - AGAIN_SECONDS) != month:
            return (*seen.stale, listing.month_before(month), month)
        return (*seen.stale, month) if now - seen.months_at >= HOUR_SECONDS else seen.stale

    def _write_index(self, open_imports: OpenImports, months: Sequence[str], now: int) -> None:
        lines = list(_open_lines(open_imports))
        closed = self._find_closed(now)
        lines += map(Line, islice(closed, max(self.most_lines - len(lines), 0)))
        page = Page(
            title="All imports into Bigin",
            lines=lines[: self.most_lines],
            written_at=now,
            more=len(lines) > self.most_lines or next(closed, None) is not None,
            months=months[::-1],
        )
        self._put(object_keys.OVERVIEW, page)

    def _write_month(self, month: str, now: int) -> bool:
        """Write the page of a month that the first page cannot show whole; return whether."""
        is_over = month != listing.month_of(now)
        found = self.ledger.find_listed(
            listing.closed_heading(month), limit=MOST_LINES_OF_A_MONTH + 1
        )
        if not found or not (is_over or len(found) > self.most_lines):
            return False
        lines = list(map(Line, found[:MOST_LINES_OF_A_MONTH]))
        page = Page(
            title=f"Imports into Bigin closed in {month}",
            lines=lines,
            written_at=now,
            more=len(found) > len(lines),
            is_month=True,
        )
        self._put(object_keys.overview_of_month(month), page)
        return True

    def _put(self, key: str, page: Page) -> None:
        body = render_overview(page).encode()
        self.files.write(key, body, content_type="text/html; charset=utf-8")

    def _find_closed(self, now: int) -> Iterator[Import]:
        """Yield the imports that the ledger still has, the last closed first."""
        month, oldest = listing.month_of(now), listing.month_of(now - self.keep_seconds)
        while month >= oldest:
            heading = listing.closed_heading(month)
            yield from self.ledger.find_listed(heading, limit=self.most_lines + 1)
            month = listing.month_before(month)


def find_open(ledger: Ledger) -> OpenImports:
    """Return all open imports."""
    return {heading: ledger.find_listed(heading) for heading in listing.OPEN}


def forget_pages(ledger: Ledger, months: Iterable[str]) -> None:
    """Let the tick write the first page and those of *months* anew, whatever has changed."""
    seen, _ = create_if_absent(ledger, Overview())
    update(ledger, seen.address, lambda now: replace(now, mark="", stale=(*now.stale, *months)))


def _open_lines(found: OpenImports) -> Iterator[Line]:
    for heading, records in found.items():
        needs_person = heading == listing.HELD
        for record in records:
            waits = Pause[record.pause] if record.pause and not needs_person else ""
            yield Line(record, waits, needs_person)


def _mark(found: OpenImports, last_closed: Iterable[Import]) -> str:
    """Return a hash of what may change on a page: which imports there are, and their states."""
    digest = hashlib.sha256()
    for heading, records in (*found.items(), ("CLOSED", last_closed)):
        for record in records:
            digest.update(f"{heading} {record.import_id} {record.state} {record.pause}\n".encode())
    return digest.hexdigest()


MOST_PAGE_BYTES = 50_000_000
MOST_BYTES = 500_000_000  # of kept rows, packed; a million rows are a tenth of that


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyPages:
    """Reads what a family did, and tells it on the reports of its members."""

    ledger: Ledger
    files: Files
    around: ConsoleLinks

    def read(self, record: Import, closing: ImportSummary) -> FamilySummary | None:
        """
        Return the family of a correction that is about to close; None if it is none.

        Args:
            closing: What is known of it, its kept rows being written.
        """
        root = self.ledger.load(Import.at(record.root)) if record.root else None
        if root is None:
            return None
        own = self._member(record, closing)
        members = [root, *self._load_corrections(root.import_id, but=record.import_id)]
        shown = {each.import_id: self._member(each) for each in members} | {own.import_id: own}
        rows = root.counts.data if root.counts else 0
        return FamilySummary(
            root=shown[root.import_id],
            parent=shown.get(closing.parent, shown[root.import_id]),
            corrections=tuple(each for key, each in shown.items() if key != root.import_id),
            rows=rows,
            rows_in=self._read_rows_in(root, [*members, record]) if rows else 0,
        )

    def write_links(self, family: FamilySummary) -> None:
        """Let the reports of the root and the parent name the corrections that followed."""
        for import_id in {family.root.import_id, family.parent.import_id}:
            record = self.ledger.load(Import.at(import_id))
            if record is not None and record.results:
                self._write_link(f"{record.results}report.html", family, import_id)

    def _write_link(self, key: str, family: FamilySummary, import_id: str) -> None:
        with suppress(MissingObjectError):  # it was kept as long as results are
            page = self.files.read(key, at_most=MOST_PAGE_BYTES).decode()
            linked = with_family(page, family, import_id)
            self.files.write(key, linked.encode(), content_type="text/html")

    def _load_corrections(self, root: str, *, but: str) -> Iterator[Import]:
        family = self.ledger.load(Family.at(root))
        for import_id in family.members if family else ():
            member = self.ledger.load(Import.at(import_id))
            if member is not None and member.state.is_closed and import_id != but:
                yield member

    def _member(self, record: Import, closing: ImportSummary | None = None) -> FamilyMember:
        counts = closing.counts if closing else record.counts
        report = f"{record.results}report.html"
        return FamilyMember(
            import_id=record.import_id,
            file=record.source.key,
            state=closing.state if closing else record.state,
            rows_in=counts.succeeded if counts else 0,
            url=self.around.console_url(report) if record.results else "",
        )

    def _read_rows_in(self, root: Import, members: list[Import]) -> int:
        """Return how many rows of the root are in, each counted once, whoever got it in."""
        is_in = bytearray()
        for member in members:
            for row in self._read_rows(member):
                first = row.root_import or member.import_id
                if row.status.is_in_bigin and first == root.import_id:
                    number = row.root_row or row.row
                    is_in.extend(bytes(max(0, number + 1 - len(is_in))))
                    is_in[number] = 1
        return sum(is_in)

    def _read_rows(self, member: Import) -> Iterator[KeptRow]:
        if not member.results:  # a person had it forgotten
            return
        with suppress(MissingObjectError):  # nothing of it was sent, or it is kept no more
            key = object_keys.kept_rows_file(member.results)
            yield from read_kept_rows(BytesIO(self.files.read(key, at_most=MOST_BYTES)))
