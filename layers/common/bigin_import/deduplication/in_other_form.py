"""
Whether a file is in of which no row is equal to one that is in: other columns of it were mapped
then, or a spreadsheet has rewritten its cells since. An insert would add all of it once more, so a
person is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

from bigin_import.corrections.corrections import windows_of
from bigin_import.corrections.parent_rows import Dropped, find_parent_rows
from bigin_import.corrections.spreadsheet_damage import Damage, damage_of
from bigin_import.deduplication.earlier_rows import (
    MENDED_SHARE,
    RowIn,
    RowMemory,
    columns_of,
)
from bigin_import.deduplication.rows_in import EarlierRows
from bigin_import.domain.drop import Problem, is_older
from bigin_import.domain.import_record import Import
from bigin_import.domain.locks import Family, NamedImport
from bigin_import.domain.plan import ColumnPlan, Plan
from bigin_import.domain.states import ImportState
from bigin_import.errors import NOT_TO_BE_READ, DropRejectedError
from bigin_import.ports import Files
from bigin_import.reading.table import Drop
from bigin_import.report.summary import rows as in_words
from bigin_import.splitting.content_log import ContentLog, Fingerprints
from bigin_import.stored_plan import read_plan

_MOST_REWRITTEN = 3  # files of a name that are read again, the latest ones
_MOST_NAMED = 3  # columns that a person is told of


class Ours(NamedTuple):
    """The drop that is prepared; *log* has its rows, *memory* what is known of them."""

    record: Import
    plan: Plan
    log: ContentLog
    memory: RowMemory


class Unlike(NamedTuple):
    """
    An import of a file that has rows in, none of which is known to be one of the drop's.

    Attributes:
        rows: How many are in, or may be.
        is_certain: Whether all of these are in.
    """

    named: NamedImport
    found: Import
    families: Sequence[Family]
    rows: int
    is_certain: bool


class _Pair(NamedTuple):
    """A row of the drop and what it was in an earlier one, column by column as they are mapped."""

    cells: Sequence[str]
    originals: Sequence[str | None]

    @classmethod
    def of(
        cls, cells: Sequence[str], originals: Sequence[str | None], sources: Sequence[int]
    ) -> _Pair:
        before = (originals[at] for at in sources)
        return cls(
            [cells[at].strip() if at < len(cells) else "" for at in sources],
            [None if cell is None else cell.strip() for cell in before],
        )

    def damages(self) -> list[Damage | None] | None:
        """Return what a spreadsheet did to each cell; None if a person has changed one."""
        found = []
        for cell, original in zip(self.cells, self.originals, strict=True):
            damage = damage_of(cell, original)
            if damage is None and cell != original:
                return None
            found.append(damage)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherForms:
    """Finds files that are in, in another form."""

    files: Files
    earlier: EarlierRows

    def reject_if_in(self, ours: Ours, unlike: Sequence[Unlike]) -> None:
        """
        Ask about a file that is in already, as it may be.

        Args:
            unlike: Imports of files that are called alike, the latest first.

        Raises:
            DropRejectedError: It is.
        """
        for each in unlike:
            if _has(each.found, ours.plan.cut.content_sha256):
                raise _mapped_otherwise(ours.record, each, "exactly this file")
        own = columns_of(ours.plan.columns)
        alike = [each for each in unlike if each.named.columns == own]
        is_another = 2 * ours.memory.known_count < ours.memory.count
        for each in alike[:_MOST_REWRITTEN] if is_another else ():
            self._reject_if_rewritten(ours, each)
        others = [each for each in unlike if each.named.columns != own]
        others.sort(key=_columns_of)
        for _, same in groupby(others, key=_columns_of):
            self._reject_if_in_by(tuple(same), ours)

    def _reject_if_rewritten(self, ours: Ours, each: Unlike) -> None:
        """
        Ask about a file that is an earlier one as a spreadsheet has saved it.

        Of a large one the first rows are looked at, as many as memory takes at once.

        Raises:
            DropRejectedError: It is that file: it has nine tenths of the rows that are in, and
                some of these are not as they were.
        """
        damages, originals, damaged = Counter[tuple[str, Damage]](), Counter[bytes](), set[bytes]()
        columns = ours.plan.columns.columns
        pairs = self._read_pairs(ours, each.found)
        alike = [(pair, found) for pair in pairs if (found := pair.damages()) is not None]
        cells = self._fingerprints_of(ours, [pair.originals for pair, _ in alike])
        for (_, found), row in zip(alike, cells, strict=True):
            originals[row] += 1
            if any(found):
                damaged.add(row)
                places = zip(columns, found, strict=True)
                damages.update((column.header, what) for column, what in places if what)
        is_whole = ours.memory.count == len(pairs)
        wanted = MENDED_SHARE * (each.rows if is_whole else min(len(pairs), each.rows))
        rows = self._find_those_in(originals, each, ours) if damages else []
        if len(rows) >= wanted and not damaged.isdisjoint(rows):
            raise _rewritten(ours.record, each._replace(rows=len(rows)), damages)

    def _fingerprints_of(self, ours: Ours, rows: Sequence[Sequence[str | None]]) -> list[bytes]:
        """Return those of rows of which each has its cells in the order of the mapped columns."""
        columns = ours.plan.columns
        in_place = (replace(each, source=at) for at, each in enumerate(columns.columns))
        fingerprints = Fingerprints(replace(columns, columns=tuple(in_place)))
        return list(fingerprints.of([[cell or "" for cell in row] for row in rows]))

    def _read_pairs(self, ours: Ours, found: Import) -> list[_Pair]:
        """Return the first rows of the drop with what they were in that of an import."""
        sources = [column.source for column in ours.plan.columns.columns]
        with Drop.of_plan(self.files, ours.record.source, ours.plan).open() as table:
            window = next(windows_of(table), [])
            numbers = [number for batch in window for number in batch.numbers]
            rows = [row for batch in window for row in batch.rows]
            dropped = Dropped(table.header, tuple(numbers), tuple(rows), {})
        try:
            plan = read_plan(self.files, found)
            with Drop.of_plan(self.files, found.source, plan).open() as theirs:
                pairs = find_parent_rows(dropped, theirs)
        except NOT_TO_BE_READ:  # neither is kept as long as the rows
            return []
        return [_Pair.of(cells, originals, sources) for _, cells, originals in pairs]

    def _find_those_in(self, originals: Counter[bytes], each: Unlike, ours: Ours) -> list[bytes]:
        """Return those of some rows, by their cells, that an import has got in, or may have."""
        left, seen, found = originals.copy(), set[int](), list[bytes]()
        for row in self.read_rows(each.named, each.families, ours):
            if row.status is not None and left[row.cells] > 0 and row.row not in seen:
                left[row.cells] -= 1
                seen.add(row.row)
                found.append(row.cells)
        return found

    def read_rows(
        self, named: NamedImport, families: Sequence[Family], ours: Ours
    ) -> Iterator[RowIn]:
        return self.earlier.read_rows(
            named.import_id, named.results, families, zgid=ours.record.zgid, writes_over=False
        )

    def _reject_if_in_by(self, alike: Sequence[Unlike], ours: Ours) -> None:
        """
        Ask about a file of which unknown rows are in by other columns, or may be.

        Args:
            alike: Imports that have mapped the same columns.

        Raises:
            DropRejectedError: They are, by one of the imports.
        """
        with self.read_by_other_columns(ours, alike[0].found) as log:
            if log is None:
                return
            memory = RowMemory(log)
            sampled = memory.find_sampled(each.named.sample for each in alike)
            for each in alike:
                if each.named.sample and each.named.sample not in sampled:
                    continue
                rows = self.read_rows(each.named, each.families, ours)
                grew = is_later_version(each.found, ours.record)
                memory.match(rows, share=MENDED_SHARE, grew_from_this=grew)
                count = _count_known_only_to(memory, ours.memory)
                if count > ours.memory.known_count:
                    raise _mapped_otherwise(ours.record, each._replace(rows=count), "this file")

    @contextmanager
    def read_by_other_columns(self, ours: Ours, found: Import) -> Iterator[ContentLog | None]:
        """Yield the rows of a drop by the columns of an import; None if it has not others."""
        columns = self._read_other_columns(ours.plan, found)
        if columns is None:
            yield None
            return
        with ContentLog(columns) as log:
            with Drop.of_plan(self.files, ours.record.source, ours.plan).open() as table:
                for batch in table.batches():
                    log.add_rows(batch)
            yield log

    def _read_other_columns(self, plan: Plan, found: Import) -> ColumnPlan | None:
        """Return the columns of an import as they stand in a drop that was planned otherwise."""
        if found.plan_sha256 is None:
            return None
        try:
            theirs = read_plan(self.files, found).columns
        except NOT_TO_BE_READ:  # its parts are not kept as long as its rows
            return None
        places = {header: at for at, header in enumerate(plan.header)}
        titles = {each.header for each in theirs.columns}
        if _fields(theirs) == _fields(plan.columns) or not titles <= places.keys():
            return None
        columns = (replace(each, source=places[each.header]) for each in theirs.columns)
        return replace(theirs, columns=tuple(columns))


def is_later_version(other: Import, record: Import) -> bool:
    """Return whether the event of *record* came after a later version of its key had gone in."""
    ours, theirs = record.source, other.source
    return theirs.key == ours.key and is_older(ours.sequencer, theirs.sequencer)


def _columns_of(unlike: Unlike) -> str:
    return unlike.named.columns or unlike.found.import_id  # of the release before: each alone


def _count_known_only_to(memory: RowMemory, other: RowMemory) -> int:
    """Return how many rows of a drop are in, or may be, of which *other* knows nothing."""
    known = bytearray()
    for row in other.known_rows():
        known.extend(bytes(max(0, row.row + 1 - len(known))))
        known[row.row] = 1
    return sum(
        row.status is not None and not known[row.row : row.row + 1].startswith(b"\1")
        for row in memory.known_rows()
    )


def _has(earlier: Import, content_sha256: str) -> bool:
    return earlier.totals is not None and earlier.totals.content_sha256 == content_sha256


def _fields(columns: ColumnPlan) -> frozenset[tuple[str, str]]:
    return frozenset((each.api_name.casefold(), each.header) for each in columns.columns)


def _mapped_otherwise(record: Import, by: Unlike, of: str) -> DropRejectedError:
    """Return why a file is not added that is in already, whatever may be mapped of it now."""
    through = by.found.import_id
    unclear = "" if by.is_certain else ", or may have,"
    what = (
        f"import {through} has{unclear} got {in_words(by.rows)} of {of} in, with other columns "
        "mapped, and an insert would add them once more"
    )
    remedy = (
        'To change those records, write "operation": "upsert" and "find_by" in the mapping; to add '
        f'them once more, write "force": "{through}"'
    )
    problem = Problem(record.source.key, what, remedy)
    return DropRejectedError((problem,), concerns_mapping=True)


def _rewritten(
    record: Import, by: Unlike, damages: Counter[tuple[str, Damage]]
) -> DropRejectedError:
    """Return why a file is not added that is in as it was before a spreadsheet saved it."""
    through = by.found.import_id
    done = "; ".join(
        f'{damage} in column "{header}"' for (header, damage), _ in damages.most_common(_MOST_NAMED)
    )
    what = (
        f"it is the file of import {through}, as a spreadsheet has saved it, which has {done}: an "
        f"insert would add {in_words(by.rows)} once more that are in, with these cells"
    )
    has_failed_file = by.found.state is ImportState.COMPLETED_WITH_ERRORS
    other_way = (
        f"Correct the failed file of import {through} and drop that: what a spreadsheet does to it "
        "is put back. Or bring"
    )
    remedy = (
        f"{other_way if has_failed_file else 'Bring'} the cells back, with such columns as text in "
        f'the spreadsheet; or, to add all rows once more, write "force": "{through}" in the mapping'
    )
    problem = Problem(record.source.key, what, remedy)
    return DropRejectedError((problem,), concerns_mapping=True)
