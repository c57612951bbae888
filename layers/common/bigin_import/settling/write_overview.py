"""
Use case: pages about several imports: `results/index.html`, a page a month, and families.

The tick writes the page of all imports when what it shows has changed, and once more a minute
later, for the index it is read from lags behind the ledger. A month gets its page when it is
over, and hourly while it has more imports than the first page shows. Imports expire from the
ledger; a page of a month older than that stays as it was last written.

When a correction closes, the reports of its family name it: a closed import never changes, but
its report says what followed it. And rows that it may have added a second time are told of.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from struct import Struct

from bigin_import import object_keys
from bigin_import.domain import listing
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import Operation
from bigin_import.domain.locks import Family, Overview
from bigin_import.domain.row_result import RowStatus
from bigin_import.domain.undo import Undo
from bigin_import.errors import ConflictError, MissingObjectError
from bigin_import.importing.pauses import Pause
from bigin_import.ledger import create_if_absent, update
from bigin_import.ports import Clock, Files, Ledger
from bigin_import.report.page import Line, Page, render_overview, with_family
from bigin_import.report.summary import FamilyMember, FamilySummary, ImportSummary, Tally
from bigin_import.report.undone import how_far
from bigin_import.row_results.kept_rows import KeptRow, read_kept_rows, without_undone
from bigin_import.settling.summarize import ConsoleLinks
from bigin_import.splitting.content_log import RANGES, HashRanges
from bigin_import.stored_plan import read_undone

MOST_LINES = 1_000  # half a megabyte, which a browser shows at once
MOST_LINES_OF_A_MONTH = 20_000
MOST_UNDONE = 500  # that are shown as such: each is read from the ledger
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
        lines += self._load_closed_lines(islice(closed, max(self.most_lines - len(lines), 0)))
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
        lines = self._load_closed_lines(found[:MOST_LINES_OF_A_MONTH])
        page = Page(
            title=f"Imports into Bigin closed in {month}",
            lines=lines,
            written_at=now,
            more=len(found) > len(lines),
            is_month=True,
        )
        self._put(object_keys.overview_of_month(month), page)
        return True

    def _load_closed_lines(self, records: Iterable[Import]) -> list[Line]:
        records = tuple(records)
        undos = load_undos(self.ledger, among={record.import_id for record in records})
        return [Line(record, undone=words_of_undo(record, undos)) for record in records]

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


def load_undos(ledger: Ledger, *, among: Container[str] | None = None) -> dict[str, Undo]:
    """
    Return what is, or is being, undone, by the imports' ids, the last confirmed first.

    Args:
        among: Only these imports.
    """
    ids = ledger.find_undone(limit=MOST_UNDONE)
    wanted = (each for each in ids if among is None or each in among)
    found = (ledger.load(Undo.at(each)) for each in wanted)
    return {undo.import_id: undo for undo in found if undo is not None}


def words_of_undo(record: Import, undos: Mapping[str, Undo]) -> str:
    """Return how far an import is undone; "" if nobody wants that."""
    undo, counts = undos.get(record.import_id), record.counts
    return how_far(undo, counts.added) if undo is not None and counts is not None else ""


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


_ALSO_IN = (
    "sent, though import {} ({}) got in rows with the same values: look in Bigin whether they are "
    "the same ones, and delete one of each two if they are"
)
_DAYS = 3 * 24 * HOUR_SECONDS  # a month has begun without those of its eve
_MOST_IMPORTS = 50
_MOST_ROWS = 1_000_000  # that are compared with those of one import
_SENT = Struct("=16sI")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsAlsoIn:
    """
    Finds rows that may have been added twice: as corrected rows of one file, and in another one.

    Somebody may take our columns out of a file of failed rows and save it under a name of their
    own. Then nothing says which rows those are: they are new ones, and people hear of it. Looked
    at are the latest imports of the month, and a million rows.
    """

    ledger: Ledger
    files: Files

    def find(self, record: Import, now: int) -> tuple[str, ...]:
        """Return what to tell of the rows that an insert has added, its kept rows being written."""
        others = list(self._find_others(record, now))
        if not others:
            return ()
        tally = Tally()
        with HashRanges(_SENT) as ours:
            for row in self._read_added(record):
                ours.add(*row)
            for other in others:
                self._compare(ours, other, tally)
        return tuple(filter(None, map(tally.sentence, tally.counts)))

    def _find_others(self, record: Import, now: int) -> Iterator[Import]:
        """Yield inserts of which either these rows or those are corrected ones."""
        rows = 0
        months = dict.fromkeys((listing.closed_in(now), listing.closed_in(now - _DAYS)))
        for heading in months if record.operation == Operation.INSERT else ():
            for each in self.ledger.find_listed(heading, limit=_MOST_IMPORTS):
                is_alike = (each.module, each.operation) == (record.module, record.operation)
                families = (each.root or each.import_id, record.root or record.import_id)
                rows += each.counts.added if is_alike and each.counts else 0
                if rows > _MOST_ROWS:
                    return
                if is_alike and (each.root or record.root) and len(set(families)) > 1:
                    yield from self._load_of_same_place(each, record)

    def _load_of_same_place(self, other: Import, record: Import) -> Iterator[Import]:
        """Yield *other*, unless it is known to be in another organisation."""
        found = self.ledger.load(other.address)  # the index does not say which
        if found is not None and found.is_for(record.zgid):
            yield found

    def _compare(self, ours: HashRanges, other: Import, tally: Tally) -> None:
        what = _ALSO_IN.format(other.import_id, other.source.key)
        with HashRanges(_SENT) as theirs:
            for row in self._read_added(other):
                theirs.add(*row)
            for at in range(RANGES):
                cells = {each for each, _ in theirs.entries(at)}
                for each, number in ours.entries(at):
                    if each in cells:
                        tally.add(what, number)

    def _read_added(self, record: Import) -> Iterator[tuple[bytes, int]]:
        for row in read_rows(self.files, record):
            if row.status is RowStatus.ADDED and row.sent:
                yield bytes.fromhex(row.sent), row.row


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
        family = self.ledger.load(Family.at(root.import_id)) or Family(root=root.import_id)
        members = [root, *self._load_corrections(family, but=record.import_id)]
        undone = frozenset(family.undone)
        shown = {
            each.import_id: replace(self._member(each), is_undone=each.import_id in undone)
            for each in members
        }
        shown[own.import_id] = own
        rows = root.counts.data if root.counts else 0
        rows_in = self._read_rows_in(family, [*members, record], rows) if rows else 0
        return FamilySummary(
            root=shown[root.import_id],
            parent=shown.get(closing.parent, shown[root.import_id]),
            corrections=tuple(each for key, each in shown.items() if key != root.import_id),
            rows=0 if rows_in is None else rows,
            rows_in=rows_in or 0,
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

    def _load_corrections(self, family: Family, *, but: str) -> Iterator[Import]:
        for import_id in family.members:
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

    def _read_rows_in(self, family: Family, members: list[Import], rows: int) -> int | None:
        """
        Return how many of the root's *rows* are in, each counted once, whoever got it in.

        None if that is not known: the file was mended, and which of the rows of its mended
        version were rows of the root nobody can tell.
        """
        is_in, has_others = bytearray(), False
        undone = read_undone(self.files, (m for m in members if m.import_id in family.undone))
        for member in members:
            for row in without_undone(read_rows(self.files, member), undone):
                first = row.root_import or member.import_id
                if row.status.is_in_bigin and first == family.root:
                    number = row.root_row or row.row
                    is_in.extend(bytes(max(0, number + 1 - len(is_in))))
                    is_in[number] = 1
                has_others |= row.status.is_in_bigin and first in family.originals
        rows_in = sum(is_in)
        return None if has_others and rows_in < rows else rows_in


def read_rows(files: Files, member: Import) -> Iterator[KeptRow]:
    """Yield what is kept of the rows of an import."""
    if not member.results:  # a person had it forgotten
        return
    with suppress(MissingObjectError):  # nothing of it was sent, or it is kept no more
        key = object_keys.kept_rows_file(member.results)
        yield from read_kept_rows(BytesIO(files.read(key, at_most=MOST_BYTES)))
