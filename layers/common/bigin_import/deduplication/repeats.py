"""
Which rows of a drop are in Bigin already, because the file was dropped before: the same file after
a partial failure, or one that was mended or has grown.

It is decided once, before anything is sent, and stored with the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from struct import Struct

from bigin_import.deduplication.earlier_rows import EarlierRows, KnownRow, RowMemory
from bigin_import.domain.drop import is_older
from bigin_import.domain.import_record import Import
from bigin_import.domain.job_request import JobRequest, Operation
from bigin_import.domain.locks import Family, NamedImport
from bigin_import.domain.plan import RowDecision
from bigin_import.domain.row_result import RowStatus
from bigin_import.domain.states import ImportState
from bigin_import.errors import UnderWayError
from bigin_import.ports import Files, Ledger
from bigin_import.report.summary import rows as in_words
from bigin_import.splitting.content_log import KEY_HASH_BYTES, RANGES, ContentLog, HashRanges
from bigin_import.stored_plan import write_decisions

MENDED_SHARE = 0.9
_NOT_BEGUN = frozenset({ImportState.WAITING_FOR_MAPPING, ImportState.PREPARING})
_KEYED = Struct(f"={KEY_HASH_BYTES}sI")


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Finds the rows of a drop that need not be sent again, or must not be."""

    ledger: Ledger
    files: Files
    earlier: EarlierRows

    def decide(
        self,
        record: Import,
        request: JobRequest,
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
        """
        memory = RowMemory(log)
        if repeats is not None:
            self._match_repeated(memory, repeats, request, join)
        equal = {}
        if request.operation is Operation.INSERT:
            equal = self._match_mended(memory, log, record, request.module, join)
        known = _Known(memory, log, is_insert=request.operation is Operation.INSERT)
        sha256 = write_decisions(self.files, record.import_id, known.decide())
        if not memory.known_count and not equal:
            return None
        notes = (*known.notes(), *map(_sent_all_the_same, equal, equal.values()))
        return Repeated(
            sha256 if memory.known_count else "", notes, known.warnings(), known.through
        )

    def _match_repeated(
        self, memory: RowMemory, import_id: str, request: JobRequest, join: Join
    ) -> None:
        repeated = self.ledger.load(Import.at(import_id))
        if repeated is not None and repeated.results is not None:
            family = join(self.earlier.load_family(import_id))
            writes_over = request.operation is not Operation.INSERT
            rows = self.earlier.read_rows(
                import_id, repeated.results, family, writes_over=writes_over
            )
            memory.match(rows, share=0)

    def _match_mended(
        self, memory: RowMemory, log: ContentLog, record: Import, module: str, join: Join
    ) -> dict[str, int]:
        """Return how many rows are equal to some of an import, but too few to be the same file."""
        equal = {}
        for before, found in self._find_before(record, module):
            family, known = self.earlier.load_family(before.import_id), memory.known_count
            grew = found is not None and _is_later_version(found, record)
            self._check_ended(found, log, grew_from_this=grew)
            self._check_ended(self._load_running(family, record), log)
            rows = self.earlier.read_rows(
                before.import_id, before.results, family, writes_over=False
            )
            if count := memory.match(rows, share=MENDED_SHARE, grew_from_this=grew):
                equal[before.import_id] = count
            if memory.known_count > known:
                join(family)
        return equal

    def _find_before(
        self, record: Import, module: str
    ) -> Iterator[tuple[NamedImport, Import | None]]:
        """
        Yield the imports of the file that went before *record*, or go before it; newest first.

        Of one key the versions go in their order, whichever was planned first: else each of two
        that were held up would wait for the other.
        """
        before, after = self.earlier.register(record, module)
        for each in reversed((*before, *after)):
            found = self.ledger.load(Import.at(each.import_id))
            is_version = found is not None and found.source.key == record.source.key
            if found is None or not is_version:
                goes_before = each in before
            elif found.state in _NOT_BEGUN:
                goes_before = is_older(found.source.sequencer, record.source.sequencer)
            else:
                goes_before = True
            if goes_before:
                yield each, found

    def _load_running(self, family: Family, record: Import) -> Import | None:
        """Return the member of *family* that has its lock, ended or not; None if *record* has."""
        is_other = family.open_import not in (None, record.import_id)
        return self.ledger.load(Import.at(family.open_import or "")) if is_other else None

    def _check_ended(
        self, earlier: Import | None, log: ContentLog, *, grew_from_this: bool = False
    ) -> None:
        """
        Look whether an import has ended, before its rows are read.

        Raises:
            UnderWayError: It has not, and may have got rows of the drop in.
        """
        if earlier is not None and self._check_under_way(earlier, log, grew_from_this):
            what = f"import {earlier.import_id} of the same file has not ended"
            raise UnderWayError(what, is_on_hold=earlier.state is ImportState.ON_HOLD)

    def _check_under_way(self, earlier: Import, log: ContentLog, grew_from_this: bool) -> bool:
        """
        Return whether an import has not ended that may have got rows of the drop in.

        One that waits for a person lets others pass, unless they are the same file, mended or
        grown: nobody knows yet which of its rows are in.
        """
        if earlier.state is not ImportState.ON_HOLD:
            return not earlier.state.is_closed
        rows = RowMemory(log)
        dropped = self.earlier.read_dropped_rows(earlier)
        rows.match(dropped, share=MENDED_SHARE, grew_from_this=grew_from_this)
        return any(True for _ in rows.known_rows())


def _is_later_version(other: Import, record: Import) -> bool:
    """Return whether the event of *record* came after a later version of its key had gone in."""
    ours, theirs = record.source, other.source
    return theirs.key == ours.key and is_older(ours.sequencer, theirs.sequencer)


class _Known:
    """What is decided about the rows of a drop by what earlier imports have done with them."""

    def __init__(self, memory: RowMemory, log: ContentLog, *, is_insert: bool) -> None:
        self.counts: Counter[tuple[RowStatus, str]] = Counter()
        self.overtaken = 0
        self._memory = memory
        self._log = log
        self._is_insert = is_insert

    def decide(self) -> Iterator[RowDecision]:
        """Yield a decision for each row that is known, in the order of the drop."""
        later = frozenset[int]() if self._is_insert else _rows_overtaken(self._memory, self._log)
        for known in self._memory.known_rows():
            status = known.status
            if status is RowStatus.UNCLEAR and not self._is_insert:
                status = None  # sent again, it finds the record that it may have made
            if status is None and known.row in later:
                status = RowStatus.EXISTING
                self.overtaken += 1
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
        return tuple(notes)

    def warnings(self) -> tuple[str, ...]:
        return tuple(
            f"Not sent: {in_words(count)}, for since import {through} nobody knows whether they "
            "are in Bigin. Look there, and drop those that are missing as a file of their own."
            for (status, through), count in self.counts.items()
            if status is RowStatus.UNCLEAR
        )


def _sent_all_the_same(through: str, count: int) -> str:
    return (
        f"Sent: {in_words(count)} equal to rows that import {through} got in, too few for it to "
        "be the same file."
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


def _rows_overtaken(memory: RowMemory, log: ContentLog) -> frozenset[int]:
    """Return the numbers of rows that are not in, of whose keys a later row is."""
    is_in = frozenset(row.row for row in memory.known_rows() if row.status is RowStatus.EXISTING)
    overtaken: set[int] = set()
    with HashRanges(_KEYED) as keys:
        for key, row in log.keyed_rows():
            keys.add(key, row)
        for at in range(RANGES):
            last = {key: row for key, row in keys.entries(at) if row in is_in}
            overtaken.update(
                row for key, row in keys.entries(at) if row not in is_in and row < last.get(key, 0)
            )
    return frozenset(overtaken)
