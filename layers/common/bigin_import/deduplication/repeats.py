"""
Which rows of a drop are in Bigin already, because the file was dropped before: the same file after
a partial failure, or one that was mended or has grown.

It is decided once, before anything is sent, and stored with the plan. Where no row of a file got
in, all of them may have been mended: its next version joins its family, so that corrections of
the first know the rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from posixpath import dirname
from typing import NamedTuple

from bigin_import import object_keys
from bigin_import.deduplication.claims import KeyHistory
from bigin_import.deduplication.earlier_rows import (
    MENDED_SHARE,
    KnownRow,
    NameHistory,
    RowMemory,
    columns_of,
    values_of,
)
from bigin_import.deduplication.in_other_form import OtherForms, Ours, Unlike, is_later_version
from bigin_import.deduplication.rows_in import EarlierRows
from bigin_import.deduplication.rows_of_a_key import ByKey, find_by_key
from bigin_import.domain.drop import is_older
from bigin_import.domain.import_record import Awaited, Import
from bigin_import.domain.job_request import Operation
from bigin_import.domain.locks import Family, NamedImport, members_of
from bigin_import.domain.plan import ColumnPlan, Plan, RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.domain.states import ImportState
from bigin_import.errors import UnderWayError
from bigin_import.ports import Files, Ledger
from bigin_import.report.summary import rows as in_words
from bigin_import.splitting.content_log import ContentLog
from bigin_import.stored_plan import write_decisions

MOST_COMPARED = 20
"""Imports of a name whose rows are read; of older ones those that share one of a few rows."""
MOST_NEW = 100_000
"""Rows of a grown file that are looked for one by one; memory holds them in 15 MB."""
_NOT_BEGUN = frozenset({ImportState.WAITING_FOR_MAPPING, ImportState.PREPARING})
_WITH_ROWS_NOT_IN = frozenset({ImportState.COMPLETED_WITH_ERRORS, ImportState.FAILED})


@dataclass(frozen=True, slots=True)
class Repeated:
    """
    What was decided about rows that were dropped before.

    Attributes:
        sha256: Of the stored decisions; "" if all rows are sent.
        notes, warnings: Sentences for the report.
        through: The import that got most of them in.
    """

    sha256: str
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    through: str


type Join = Callable[[Family], Family]
"""
Takes the lock of a family for the import that is prepared, if it is still as it was read.

Raises UnderWayError if a member runs, or has run since.
"""


class _Earlier(NamedTuple):
    """
    An import of a file of the name.

    Attributes:
        found: None if it is not in the ledger any more.
        families: Those of its rows.
    """

    named: NamedImport
    found: Import | None
    families: Sequence[Family]


@dataclass(slots=True)
class _Sent:
    """
    What is told of rows that are sent although an earlier import may have got them in.

    Attributes:
        too_few: By import, how many rows are equal to some that it got in.
        elsewhere: The same of imports from other folders that made other values of the cells.
        not_kept: The latest import that got rows in, if it is not known any more which.
        seen: Imports that have rows in, none of which is known to be one of the drop's.
    """

    too_few: dict[str, int] = field(default_factory=dict)
    elsewhere: dict[str, int] = field(default_factory=dict)
    not_kept: Import | None = None
    seen: list[Unlike] = field(default_factory=list)

    def notes(self) -> Iterator[str]:
        for through, count in self.too_few.items():
            yield (
                f"Sent: {in_words(count)} equal to rows that import {through} got in, too few for "
                "it to be the same file."
            )
        for through, count in self.elsewhere.items():
            yield (
                f"Sent: {in_words(count)} equal to rows that import {through} got in from another "
                "folder, where the mapping has other constants or rules."
            )

    def warnings(self) -> Iterator[str]:
        if self.not_kept is not None and self.not_kept.counts is not None:
            yield (
                f"Import {self.not_kept.import_id} of a file of this name got "
                f"{in_words(self.not_kept.counts.succeeded)} in, and which is not kept any more: "
                "rows that are the same in this file are sent once more."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Finds the rows of a drop that need not be sent again, or must not be."""

    ledger: Ledger
    files: Files
    earlier: EarlierRows
    keys: KeyHistory

    def decide(
        self,
        record: Import,
        plan: Plan,
        log: ContentLog,
        *,
        repeats: str | None,
        join: Join,
    ) -> Repeated | None:
        """
        Decide which rows are left out, and store that.

        Args:
            repeats: The import of the same content that got only some of its rows in.

        Returns:
            None if all rows are sent and there is nothing to tell of them.

        Raises:
            UnderWayError: An earlier import of the same file, or a correction, has not ended.
            DropRejectedError: It is an insert of a file that is in by other columns.
        """
        ours, request = Ours(record, plan, log, RowMemory(log)), plan.columns.request
        memory, sent, by_key = ours.memory, _Sent(), ByKey()
        if repeats is not None:
            by_key = self._match_repeated(ours, repeats, join)
        if request.operation is Operation.INSERT:
            self._match_mended(ours, sent, join)
        else:  # an insert may come after it
            self._names.register(record, plan.columns, log)
        known = _Known(memory, plan.columns, by_key)
        sha256 = write_decisions(self.files, record.import_id, known.decide())
        notes = (*known.notes(), *sent.notes())
        warnings = (*known.warnings(), *sent.warnings())
        if not memory.known_count and not (notes or warnings):
            return None
        return Repeated(sha256 if memory.known_count else "", notes, warnings, known.through)

    @property
    def _names(self) -> NameHistory:
        return NameHistory(ledger=self.ledger)

    @property
    def _other_forms(self) -> OtherForms:
        return OtherForms(files=self.files, earlier=self.earlier)

    def _match_repeated(self, ours: Ours, import_id: str, join: Join) -> ByKey:
        """Know the rows of an import of the same content; return what their keys tell."""
        repeated, request = self.ledger.load(Import.at(import_id)), ours.plan.columns.request
        if repeated is None or repeated.results is None:
            return ByKey()
        families = tuple(map(join, self.earlier.load_families(import_id)))
        writes_over, zgid = request.operation is not Operation.INSERT, ours.record.zgid
        rows = self.earlier.read_rows(
            import_id, repeated.results, families, zgid=zgid, writes_over=writes_over
        )
        ours.memory.match(rows, share=0)
        if not writes_over:
            return ByKey()
        return find_by_key(self.keys, request, ours.memory, ours.log, members_of(families))

    def _match_mended(self, ours: Ours, sent: _Sent, join: Join) -> None:
        """
        Know the rows of imports of which the drop is the file, and note in *sent* those of others.

        One of which no row got in may have been mended in all of them: until a file got some in,
        the next one is of its family, so that corrections know its rows. So is one with the name
        of its failed rows that does not say any more which rows those are.
        """
        may_be_of_it, memory, joined = True, ours.memory, set[str]()
        is_rest = object_keys.is_named_as_rows_not_in(ours.record.source.key)
        for before, found in self._find_before(ours):
            if _is_elsewhere(before, found, ours):
                self._note_elsewhere(before, ours, sent)
                continue
            families, known = self.earlier.load_families(before.import_id), memory.known_count
            if before.is_forced and _has_no_row_in(found, families):
                continue  # what it was to repeat is in by those before it
            earlier = _Earlier(before, found, families)
            if not may_be_of_it and self._check_told_by_relatives(earlier, ours, joined):
                continue
            is_of_it = may_be_of_it and _left_rows_out(found, all_of_them=not is_rest)
            share = 0 if is_rest and is_of_it else MENDED_SHARE
            count = self._match_ended(earlier, ours, share=share, got_none_in=is_of_it)
            is_news = memory.known_count > known
            if count:
                sent.too_few[before.import_id] = count
            if not is_news:
                self._note_unknown(earlier, memory, sent, is_latest=may_be_of_it)
            if is_news or is_of_it:
                for family in families:
                    joined.add(join(family).root)
            may_be_of_it &= not (is_of_it if is_rest else _got_some_in(found))
        if sent.seen and memory.known_count < memory.count:
            self._other_forms.reject_if_in(ours, sent.seen)

    def _check_told_by_relatives(
        self, earlier: _Earlier, ours: Ours, joined: Container[str]
    ) -> bool:
        """Return whether an import has nothing to tell of a grown file that its family has not."""
        named, found, families = earlier
        is_relative = all(family.root in joined for family in families)
        if not is_relative or named.columns != columns_of(ours.plan.columns):
            return False
        if found is None or not found.state.is_closed:
            return False
        if ours.memory.known_count < ours.memory.count - MOST_NEW:
            return False
        unknown = ours.memory.unknown_cells()
        return not self.earlier.check_may_have(named, families, unknown, ours.record.zgid)

    def _match_ended(
        self, earlier: _Earlier, ours: Ours, *, share: float, got_none_in: bool
    ) -> int:
        """Compare the rows of an import; see `RowMemory.match`."""
        named, found, families = earlier
        grew = found is not None and is_later_version(found, ours.record)
        self._check_ended(found, ours, grew_from_this=grew)
        for family in families:
            self._check_ended(self._load_running(family, ours.record), ours, root=family.root)
        rows = self._other_forms.read_rows(named, families, ours)
        return ours.memory.match(rows, share=share, grew_from_this=grew, got_none_in=got_none_in)

    def _note_unknown(
        self, earlier: _Earlier, compared: RowMemory, sent: _Sent, *, is_latest: bool
    ) -> None:
        """Note an import of which no row is one of the drop's, as far as is known."""
        named, found, families = earlier
        if found is None:
            return
        if rows := compared.are_in + compared.may_be_in:
            certain = not compared.may_be_in
            sent.seen.append(Unlike(named, found, families, rows, is_certain=certain))
        elif is_latest and _got_some_in(found) and not self.earlier.check_kept_rows(named.results):
            sent.not_kept = found

    def _note_elsewhere(self, before: NamedImport, ours: Ours, sent: _Sent) -> None:
        """Note equal rows of an import whose rows are other rows, whatever their cells say."""
        rows = self._other_forms.read_rows(
            before, self.earlier.load_families(before.import_id), ours
        )
        if count := ours.memory.match(rows, share=math.inf):
            sent.elsewhere[before.import_id] = count

    def _find_before(self, ours: Ours) -> Iterator[tuple[NamedImport, Import | None]]:
        """
        Yield the imports of the file that went before the drop, or go before it; newest first.

        Of very many the latest, and older ones that have a row of those that are unknown. Of one
        key the versions go in their order, whichever was planned first: else each of two that were
        held up would wait for the other.
        """
        record = ours.record
        before, after = self._names.register(record, ours.plan.columns, ours.log)
        for each in self._nearest((*before, *after), ours.memory):
            if ours.memory.known_count == ours.memory.count:
                return
            found = self.ledger.load(Import.at(each.import_id))
            if found is not None and not found.is_for(record.zgid):
                continue
            is_version = found is not None and found.source.key == record.source.key
            if found is None or not is_version:
                goes_before = each in before
            elif found.state in _NOT_BEGUN:
                goes_before = is_older(found.source.sequencer, record.source.sequencer)
            else:
                goes_before = True
            if goes_before:
                yield each, found

    def _nearest(self, known: Sequence[NamedImport], memory: RowMemory) -> Iterator[NamedImport]:
        newest_first = known[::-1]
        yield from newest_first[:MOST_COMPARED]
        older = newest_first[MOST_COMPARED:]
        sampled = memory.find_sampled(each.sample for each in older)
        yield from (each for each in older if each.sample in sampled)

    def _load_running(self, family: Family, record: Import) -> Import | None:
        """Return the member of *family* that has its lock, ended or not; None if *record* has."""
        is_other = family.open_import not in (None, record.import_id)
        return self.ledger.load(Import.at(family.open_import or "")) if is_other else None

    def _check_ended(
        self,
        earlier: Import | None,
        ours: Ours,
        *,
        grew_from_this: bool = False,
        root: str = "",
    ) -> None:
        """
        Look whether an import has ended, before its rows are read.

        Raises:
            UnderWayError: It has not, and may have got rows of the drop in.
        """
        if earlier is not None and self._check_under_way(earlier, ours, grew_from_this):
            what = f"import {earlier.import_id} of the same file has not ended"
            raise UnderWayError(what, earlier.awaits_held or Awaited.of(earlier, root))

    def _check_under_way(self, earlier: Import, ours: Ours, grew_from_this: bool) -> bool:
        """
        Return whether an import has not ended that may have got rows of the drop in.

        One that waits for a person lets others pass, unless they are the same file, mended or
        grown, by whichever columns: nobody knows yet which of its rows are in. One that waits for
        such a one has sent nothing yet, and will know the rows of whoever passes it.
        """
        if not earlier.lets_others_pass:
            return not earlier.state.is_closed
        if self._check_shares_rows(earlier, ours.log, grew_from_this):
            return True
        with self._other_forms.read_by_other_columns(ours, earlier) as log:
            return log is not None and self._check_shares_rows(earlier, log, grew_from_this)

    def _check_shares_rows(self, earlier: Import, log: ContentLog, grew_from_this: bool) -> bool:
        """Return whether a drop is that of an import that has not ended, mended or grown."""
        rows = RowMemory(log)
        dropped = self.earlier.read_dropped_rows(earlier)
        rows.match(dropped, share=MENDED_SHARE, grew_from_this=grew_from_this)
        return any(True for _ in rows.known_rows())


def _has_no_row_in(earlier: Import | None, families: Iterable[Family]) -> bool:
    """Return whether an import wrote nothing, or was taken back."""
    if earlier is None:
        return False
    return earlier.state.wrote_nothing or any(earlier.import_id in each.undone for each in families)


def _left_rows_out(earlier: Import | None, *, all_of_them: bool) -> bool:
    """Return whether an import has ended and some of its rows, or all, are not in for certain."""
    is_over = earlier is not None and earlier.state in _WITH_ROWS_NOT_IN
    return is_over and not (all_of_them and _got_some_in(earlier))


def _is_elsewhere(before: NamedImport, found: Import | None, ours: Ours) -> bool:
    """Return whether a file lay in another folder, and its mapping made other values of cells."""
    values = (before.values, values_of(ours.plan.columns))
    if found is None or "" in values or len(set(values)) == 1:
        return False
    return dirname(found.source.key) != dirname(ours.record.source.key)


def _got_some_in(earlier: Import | None) -> bool:
    return earlier is not None and earlier.counts is not None and earlier.counts.succeeded > 0


class _Known:
    """What is decided about the rows of a drop by what earlier imports have done with them."""

    def __init__(self, memory: RowMemory, columns: ColumnPlan, by_key: ByKey) -> None:
        self.counts: Counter[tuple[RowStatus, str]] = Counter()
        self.overtaken = self.written_over = 0
        self._memory = memory
        self._by_key = by_key
        self._may_send_again = columns.may_send_again

    def decide(self) -> Iterator[RowDecision]:
        """Yield a decision for each row that is known, in the order of the drop."""
        again, overtaken = self._by_key
        for known in self._memory.known_rows():
            status = None if known.row in again else known.status
            if status is RowStatus.UNCLEAR and self._may_send_again:
                status = None  # sent again, it finds the record that it may have made
            if status is None and known.row in overtaken:
                status = RowStatus.EXISTING
                self.overtaken += 1
            elif known.row in again:
                self.written_over += 1
            elif status is not None:
                self.counts[status, known.through] += 1
            yield _decision(known, status)

    @property
    def through(self) -> str:
        """The import that got most of them in."""
        by_import: Counter[str] = Counter()
        for (_, through), count in self.counts.items():
            by_import[through] += count
        return max(by_import, key=by_import.__getitem__, default="")

    def notes(self) -> tuple[str, ...]:
        notes = [
            f"Not sent: {in_words(count)}, in Bigin already through import {through}. To send "
            f'all the same, write "force": "{through}" in the mapping.'
            for (status, through), count in self.counts.items()
            if status is RowStatus.EXISTING
        ]
        if self.overtaken:
            notes.append(
                f"Not sent: {in_words(self.overtaken)}, for a later row with the same key is in "
                "Bigin already."
            )
        if self.written_over:
            notes.append(
                f"Sent again: {in_words(self.written_over)}, for since they got in, other rows "
                "with their keys were sent, as corrections or with a later drop of this file."
            )
        return tuple(notes)

    def warnings(self) -> tuple[str, ...]:
        return tuple(
            f"Not sent: {in_words(count)}, for since import {through} nobody knows whether they "
            "are in Bigin. Look there, and drop those that are missing as a file of their own."
            for (status, through), count in self.counts.items()
            if status is RowStatus.UNCLEAR
        )


def _decision(known: KnownRow, status: RowStatus | None) -> RowDecision:
    return RowDecision(
        known.row,
        status,
        known.record_id if status is RowStatus.EXISTING else "",
        known.through if status is not None else "",
        known.root,
        known.root_row,
    )
