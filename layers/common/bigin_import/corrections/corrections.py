"""Use case: a result file that a person corrected and dropped again."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bigin_import import object_keys
from bigin_import.corrections.parent_rows import Dropped, columns_in, find_parent_rows
from bigin_import.corrections.spreadsheet_damage import DamagedColumns, Row
from bigin_import.domain.drop import ObjectVersion, Problem
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.plan import ColumnPlan, Plan
from bigin_import.errors import NOT_TO_BE_READ, DropRejectedError, MissingObjectError
from bigin_import.mapping.model import MappedField, Mapping
from bigin_import.mapping.names import Headers
from bigin_import.ports import Files, Ledger
from bigin_import.reading.parents import MOST_IMPORTS
from bigin_import.reading.table import ANY_ENCODING, Drop, Rows, Table
from bigin_import.row_results.reasons import in_quotes
from bigin_import.splitting.dates import DatePattern
from bigin_import.stored_plan import read_decisions, read_mapping_text, read_plan, write_mapping


@dataclass(frozen=True, slots=True)
class Inherited:
    """
    What a drop has from the import whose result file it was.

    Attributes:
        is_correction: Whether it has one.
        mapping: The mapping that the parent was started with, if that was inherited.
        warnings: Sentences for the report.
        problems: Why it must not be sent.
        others: Imports besides that one from which rows of it come.
        decimals: API name -> decimal mark that the parent's column has proven.
        healing: Restores what a spreadsheet has rewritten; None if the parent's drop is gone.
    """

    is_correction: bool = False
    mapping: MappingPin | None = None
    warnings: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    others: tuple[str, ...] = ()
    decimals: tuple[tuple[str, str], ...] = ()
    healing: Healing | None = None

    def passed_on(self, columns: ColumnPlan) -> ColumnPlan:
        """
        Return *columns* as they are for a drop with this parent.

        `on_bad_rows` is there to stop a whole file that is wrong. A few rows that a person has
        corrected are not stopped by one of them that is wrong still.
        """
        if not self.is_correction:
            return columns
        warnings = (*columns.warnings, *self.warnings)
        proven = dict(self.decimals)
        planned = tuple(
            replace(column, proven_decimal=proven.get(column.api_name, column.proven_decimal))
            for column in columns.columns
        )
        return replace(columns, columns=planned, max_invalid_share=1.0, warnings=warnings)


class Types(NamedTuple):
    """
    What is known of the cells of a drop because of its parent.

    Attributes:
        is_typed: The parent was a workbook, and its result files are written as it was read.
        decimals: As in `Inherited`.
    """

    is_typed: bool = False
    decimals: tuple[tuple[str, str], ...] = ()


NO_TYPES = Types()


def _proven_decimals(plan: Plan) -> tuple[tuple[str, str], ...]:
    found = ((each.api_name, each.decimal) for each in plan.cut.columns)
    return tuple((name, mark) for name, mark in found if mark)


def is_counted(mapping: Mapping) -> bool:
    """Return whether *mapping* knows a column by its number alone."""
    return any(mapped.index is not None for mapped in mapping.fields)


def by_name(mapping: Mapping, header: tuple[str, ...]) -> Mapping:
    """Return *mapping* with names for numbers, wherever a column of *header* has one of its own."""
    headers = Headers.of(header)
    fields = tuple(_named(mapped, headers) for mapped in mapping.fields)
    return mapping.model_copy(update={"fields": fields})


def _named(mapped: MappedField, headers: Headers) -> MappedField:
    at = mapped.index
    if at is None or not headers.forms[at] or headers.matches(headers.names[at]) != (at,):
        return mapped
    return mapped.model_copy(update={"column": headers.names[at], "index": None})


WESTERN = "cp1252"  # what spreadsheets save in western countries
WINDOW_ROWS = 50_000  # compared with the parent's at once: memory stays bounded


def windows_of(table: Table) -> Iterator[list[Rows]]:
    """Read *table* in pieces that memory holds."""
    window: list[Rows] = []
    for batch in table.batches():
        window.append(batch)
        if sum(len(each.numbers) for each in window) >= WINDOW_ROWS:
            yield window
            window = []
    if window:
        yield window


def dropped_of(header: tuple[str, ...], window: Sequence[Rows], parent_id: str) -> Dropped:
    """Return the rows of a window, but for those that name another import than *parent_id*."""
    said = {
        number: parent
        for batch in window
        for number, parent in batch.parents.items()
        if parent.import_id in ("", parent_id)
    }
    others = {number for batch in window for number in batch.parents if number not in said}
    rows = [
        (number, row)
        for batch in window
        for number, row in _numbered(batch)
        if number not in others
    ]
    return Dropped(
        header,
        tuple(number for number, _ in rows),
        tuple(row for _, row in rows),
        {number: parent.row for number, parent in said.items() if parent.row is not None},
    )


class Healed(NamedTuple):
    """
    What was done to one row.

    Attributes:
        restored: Position of a cell -> what it was.
        reason: Why the row is not sent; "" if it is.
    """

    restored: tuple[tuple[int, str], ...] = ()
    reason: str = ""


_AMBIGUOUS = (
    'column "{}" was changed as a spreadsheet does it, but a person may have done it: write into '
    "it what is right, here in this file, and drop it again; it is then sent as it is"
)
_FAILED = frozenset({"refused", "invalid", "skipped", ""})  # statuses of rows that have a reason
_PROVEN_ENCODING = (
    "The file was read as windows-1252, in which a spreadsheet has saved it: its unchanged cells "
    "are those of the original."
)


@dataclass(frozen=True, slots=True)
class Healing:
    """
    Restores cells that a spreadsheet has rewritten.

    Attributes:
        header: Of the dropped file, without our columns.
        names: What reasons of the parent call each of its columns.
        failed_key: Where the parent's failed file lies as it was written; "" if it is gone.
        is_encoding_proven: It is in windows-1252, as cells that nobody changed prove.
        restored: Headers of the columns in which cells were restored so far.
        parent_id: The import whose rows are restored; of others nothing is.
        decisions: SHA-256 of what was decided about rows of the parent. It may be a correction
            itself: its result files show cells as they were restored, not as it had them.
    """

    header: tuple[str, ...]
    mapping: Mapping
    original: Drop
    damaged: DamagedColumns
    parent_id: str
    decisions: str
    names: tuple[tuple[str, ...], ...]
    failed_key: str = ""
    is_encoding_proven: bool = False
    restored: dict[str, None] = field(default_factory=dict)

    def read_originals(self, window: Sequence[Rows]) -> Iterator[Row]:
        """
        Return the rows of a window, each with its cells as they were in the parent's drop.

        Raises:
            MissingObjectError: The parent's drop is gone.
        """
        with self.original.open() as table:
            table.decide(read_decisions(self.original.files, self.parent_id, self.decisions))
            dropped = dropped_of(self.header, window, self.parent_id)
            found = find_parent_rows(dropped, table)
        return readable_dates(found, self.header, self.mapping)

    def restore(self, window: Sequence[Rows], mapped: Collection[int]) -> dict[int, Healed]:
        """
        Put back what cells of a window were, and return by row what was done.

        A column that Bigin's error or ours names for a row is left as it is there: a change of
        it is the correction.

        Args:
            mapped: Columns that are sent; only an ambiguous cell of these stops a row.
        """
        reasons = self._read_reasons(window)
        places = {number: row for batch in window for number, row in _numbered(batch)}
        found = {}
        for number, cells, originals in self.read_originals(window):
            healed = self._healed(cells, originals, reasons.get(number, ""), mapped)
            if healed != Healed():
                found[number] = healed
            for at, cell in healed.restored:
                places[number][at] = cell
                self.restored[self.header[at]] = None
        return found

    def _read_reasons(self, window: Sequence[Rows]) -> dict[int, str]:
        """Return why rows failed, by their numbers here; what a person deleted, as it was."""
        said = {number: parent for batch in window for number, parent in batch.parents.items()}
        reasons = {number: parent.reason for number, parent in said.items()}
        lost = {
            number: parent.row
            for number, parent in said.items()
            if not parent.reason
            and parent.status.casefold() in _FAILED
            and parent.import_id in ("", self.parent_id)
        }
        return reasons | self._read_lost_reasons(lost) if lost else reasons

    def _read_lost_reasons(self, lost: dict[int, int | None]) -> dict[int, str]:
        """Return the reasons in the parent's failed file; *lost*: number here -> number there."""
        wanted, found = frozenset(lost.values()), dict[int | None, str]()
        files = self.original.files
        source = files.find_newest(self.failed_key) if self.failed_key else None
        if source is not None:
            failed = Drop(files, source)
            with suppress(MissingObjectError, DropRejectedError), failed.open() as table:
                for batch in table.batches():
                    for parent in batch.parents.values():
                        if parent.row in wanted:
                            found[parent.row] = parent.reason
        return {number: found.get(row, "") for number, row in lost.items()}

    def _healed(
        self,
        cells: Sequence[str],
        originals: Sequence[str | None],
        reason: str,
        mapped: Collection[int],
    ) -> Healed:
        restored, ambiguous = [], ""
        for at, (cell, original) in enumerate(zip(cells, originals, strict=False)):
            if any(name in reason for name in self.names[at]):
                continue
            was = self.damaged.restored(at, cell, original)
            if was is not None:
                restored.append((at, was))
            elif not ambiguous and at in mapped and self.damaged.is_ambiguous(at, cell, original):
                ambiguous = _AMBIGUOUS.format(self.header[at])
        return Healed(tuple(restored), ambiguous)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on the encoding that was proven and the columns that were restored."""
        notes = (_PROVEN_ENCODING,) if self.is_encoding_proven else ()
        if not self.restored:
            return notes
        count = len(self.restored)
        columns = f"{count} column{'' if count == 1 else 's'}"
        names = ", ".join(self.restored)
        verb = "was" if count == 1 else "were"
        return (*notes, f"{columns} that the spreadsheet had rewritten {verb} restored: {names}.")


def _names_in_reasons(
    header: tuple[str, ...], parents: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """Yield what reasons call each column: as the parent's header has it, and not as ours."""
    theirs = Headers.of(parents)
    for name, at in zip(header, columns_in(header, parents), strict=True):
        title = name if at is None else theirs.title(at)
        yield f'"{title}"', in_quotes(title)


def _numbered(batch: Rows) -> Iterator[tuple[int, list[str]]]:
    return zip(batch.numbers, batch.rows, strict=True)


def readable_dates(rows: Iterable[Row], header: Sequence[str], mapping: Mapping) -> Iterator[Row]:
    """
    Take dates that the mapping can read for what they were: however they were written before,
    that is no damage, and often the correction.
    """
    patterns = list(_patterns(header, mapping))
    for number, cells, originals in rows:
        known = list(originals)
        for at, pattern in patterns:
            if at < len(cells) and _reads(pattern, cells[at]):
                known[at] = cells[at]
        yield number, cells, known


def _patterns(header: Sequence[str], mapping: Mapping) -> Iterator[tuple[int, DatePattern]]:
    headers = Headers.of(tuple(header))
    for mapped in mapping.fields:
        columns = (mapped.index,) if mapped.column is None else headers.matches(mapped.column)
        for at in columns:
            if mapped.rule.date_format is not None and at is not None and at < len(header):
                with suppress(ValueError):  # it is said to be wrong once columns are planned
                    yield at, DatePattern(mapped.rule.date_format)


def _reads(pattern: DatePattern, cell: str) -> bool:
    try:
        pattern.read(cell)
    except ValueError:
        return False
    return True


_NOT_CHECKED = (
    "It was not checked whether a spreadsheet has changed cells, because the file that this one "
    "corrects, or what is known of it, is not kept any more."
)


_ONLY_OF_THE_FIRST = (
    "It was not checked whether a spreadsheet has changed cells in rows of the further imports "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What a drop inherits from the import whose result file it was."""

    ledger: Ledger
    files: Files
    default_encoding: str

    def find_parents_mapping(self, source: ObjectVersion) -> MappingPin | None:
        """
        Return the mapping that the parent of *source* was started with; None without one.

        Raises:
            DropRejectedError: *source* is a result file without rows, or of no import.
        """
        import_id = self._find_parent(source)
        parent = None if import_id is None else self.ledger.load(Import.at(import_id))
        if parent is None:
            return None
        try:
            return self._pin_parents_mapping(parent)
        except NOT_TO_BE_READ:  # the parts of the parent are not kept as long as its record
            return None

    def _find_parent(self, source: ObjectVersion) -> str | None:
        # Our own columns are ASCII, so they are found whatever encoding a spreadsheet wrote.
        for encoding in filter(None, (self.default_encoding, ANY_ENCODING)):
            try:
                with Drop(self.files, source, encoding).open() as table:
                    parent = table.find_parent()
                    is_unnamed = table.is_result_file and parent is None
                    is_empty = is_unnamed and next(table.batches(), None) is None
            except DropRejectedError:
                continue  # it is rejected in its turn, once its mapping says how to read it
            if is_empty:
                raise DropRejectedError((_no_rows(source.key),))
            return find_parent(table)
        return None

    def _pin_parents_mapping(self, parent: Import) -> MappingPin:
        """Store the parent's mapping with columns by name: in the corrected file they may move."""
        mapping = Mapping.model_validate_json(read_mapping_text(self.files, parent))
        if is_counted(mapping):
            mapping = by_name(mapping, read_plan(self.files, parent).header)
        sha256 = write_mapping(self.files, parent.import_id, mapping.model_dump_json().encode())
        key, *_ = object_keys.pinned_mapping(parent.import_id, sha256)
        # Its content is in its key, so its version need not be named.
        return MappingPin(key=key, version_id="")

    def examine(self, record: Import, mapping: Mapping, drop: Drop, parent: str) -> Inherited:
        """
        Look at a result file of *parent* before it is cut.

        Its problems are columns that a spreadsheet has visibly changed, and rows of other parents.

        Raises:
            DropRejectedError: It is no table that can be read; or columns were moved that the
                mapping knows by their number alone.
        """
        parent_import = self.ledger.load(Import.at(parent))
        plan = self._read_plan(parent_import) if parent_import else None
        is_inherited = record.mapping is not None and object_keys.is_ours(record.mapping.key)
        pin = _pin_of(parent_import, plan) if is_inherited else None
        inherited = Inherited(is_correction=True, mapping=pin, warnings=(_NOT_CHECKED,))
        if parent_import is not None and plan is not None:
            inherited = replace(inherited, decimals=_proven_decimals(plan))
        with drop.open() as table:
            if parent_import is None or plan is None:
                _read_to_end(table)
                return self._find_others(inherited, table, parent_import)
            if is_inherited and is_counted(mapping) and table.header != plan.header:
                raise DropRejectedError((_moved_columns(drop, plan),), concerns_mapping=True)
            healing = self._healing(mapping, drop, table.header, parent_import, plan)
            try:
                for window in windows_of(table):
                    healing.damaged.look_at(healing.read_originals(window))
            except NOT_TO_BE_READ:
                _read_to_end(table)
                return self._find_others(inherited, table, parent_import)
        inherited = replace(inherited, warnings=(), healing=healing)
        return self._find_others(inherited, table, parent_import)

    def _healing(
        self, mapping: Mapping, drop: Drop, header: tuple[str, ...], parent: Import, plan: Plan
    ) -> Healing:
        results, key = parent.results, parent.source.key
        return Healing(
            header=header,
            mapping=mapping,
            original=Drop.of_plan(self.files, parent.source, plan),
            damaged=DamagedColumns(header),
            parent_id=parent.import_id,
            decisions=plan.decisions,
            names=tuple(_names_in_reasons(header, plan.header)),
            failed_key=object_keys.rows_file(results, key, "failed") if results else "",
            is_encoding_proven=drop.encoding == WESTERN and mapping.character_encoding is None,
        )

    def _find_others(self, inherited: Inherited, table: Table, parent: Import | None) -> Inherited:
        """
        Return *inherited* with the other imports that rows of *table* come from.

        A person may put the rows of several into one file, if all were sent in the same way. Of an
        import that is not known any more nobody knows which of its rows are in.
        """
        imports = table.parent_imports
        if len(imports) <= 1:
            return inherited
        if table.unnamed_row is not None and len(imports) < MOST_IMPORTS:
            return replace(inherited, problems=(_no_import(table.name, table.unnamed_row),))
        others = tuple(each for each in imports if parent is None or each != parent.import_id)
        found = [self.ledger.load(Import.at(each)) for each in others]
        ways = {(each.module, each.operation) for each in (parent, *found) if each is not None}
        is_known = parent is not None and None not in found and len(imports) < MOST_IMPORTS
        if not is_known or len(ways) > 1:
            return replace(inherited, problems=(merged_problem(table.name, imports),))
        warning = f"{_ONLY_OF_THE_FIRST}{', '.join(others)}."
        return replace(inherited, others=others, warnings=(*inherited.warnings, warning))

    def find_types(self, parent: str) -> Types:
        """Return what is known of the cells of a result file of *parent*."""
        parent_import = self.ledger.load(Import.at(parent))
        plan = self._read_plan(parent_import) if parent_import else None
        return Types(bool(plan.dialect.sheet), _proven_decimals(plan)) if plan else NO_TYPES

    def find_encoding(self, source: ObjectVersion) -> str | None:
        """
        Return windows-1252 for a result file that its unchanged cells prove to be written in it.

        None for any other drop: then what the deployment says counts, and else a person is asked.
        """
        if self.default_encoding:
            return None
        try:
            with Drop(self.files, source, ANY_ENCODING).open() as table:
                parent_id = table.find_parent()
            parent = self.ledger.load(Import.at(parent_id)) if parent_id else None
            plan = self._read_plan(parent) if parent else None
            if not parent or plan is None:
                return None
            original = Drop.of_plan(self.files, parent.source, plan)
            with Drop(self.files, source, WESTERN).open() as table:
                is_proven = _read_proof(table, original)
                return WESTERN if is_proven and table.dialect.encoding == WESTERN else None
        except (DropRejectedError, *NOT_TO_BE_READ):
            return None  # and the drop is rejected in its turn, if that was the drop

    def _read_plan(self, parent: Import) -> Plan | None:
        try:
            return read_plan(self.files, parent)
        except NOT_TO_BE_READ:
            return None


def merged_problem(name: str, imports: tuple[str, ...]) -> Problem:
    """Return the problem that the rows of a drop come from several *imports*."""
    return Problem(
        name,
        f"its rows come from the result files of several imports: {', '.join(imports)}",
        "Drop the rows of each import as a file of their own; or delete the columns that begin "
        "with bigin__ and drop the file with a mapping",
    )


def find_parent(table: Table) -> str | None:
    """
    Return the import that *table* is a result file of; None if it is no result file.

    Raises:
        DropRejectedError: Its rows cannot be read; or they are of an import, and none says which.
    """
    parent = table.find_parent()
    if parent is None and table.unnamed_row is not None:
        raise DropRejectedError((_no_import(table.name, table.unnamed_row),))
    return parent


def _read_to_end(table: Table) -> None:
    """Let *table* meet the imports that its rows come from."""
    for _ in table.batches():
        pass


_LETTERS_NOT_IN_ASCII = re.compile(r"[^\x00-\x7f]")


def _read_proof(table: Table, original: Drop) -> bool:
    """
    Return whether cells of *table* with letters beyond ASCII are those of its parent's drop, and
    none differs from there in such letters alone.
    """
    proofs, parent = 0, table.find_parent() or ""
    for window in windows_of(table):
        with original.open() as parents:
            dropped = dropped_of(table.header, window, parent)
            rows = find_parent_rows(dropped, parents)
        for _, cells, originals in rows:
            for cell, was in zip(cells, originals, strict=False):
                if was is None or cell.isascii() or was.isascii():
                    continue
                if cell == was:
                    proofs += 1
                elif _LETTERS_NOT_IN_ASCII.sub("?", cell) == _LETTERS_NOT_IN_ASCII.sub("?", was):
                    return False
    return proofs > 0


def _no_import(name: str, row: int) -> Problem:
    return Problem(
        f"{name}, row {row}",
        "it is of an earlier import and does not say of which, because its cell bigin__Import is "
        "missing or empty: so nobody knows which rows are in Bigin already",
        "Bring back bigin__Import with its cell in each row; in rows that are meant as new, empty "
        "all cells of the columns that begin with bigin__",
    )


def _no_rows(name: str) -> Problem:
    what = "it is a result file with a header and no row below it"
    return Problem(name, what, "Put the corrected rows below the header and drop it again")


def _pin_of(parent_import: Import | None, plan: Plan | None) -> MappingPin | None:
    """Return the mapping of an import as a person dropped it, whoever has inherited it since."""
    if plan is not None and plan.mapping_key:
        return MappingPin(key=plan.mapping_key, version_id=plan.mapping_version)
    return parent_import.mapping if parent_import else None


def _moved_columns(drop: Drop, plan: Plan) -> Problem:
    columns = ", ".join(Headers.of(plan.header).titles_except(set()))
    return Problem(
        drop.source.key,
        "its columns are not those of the file that it corrects, and the mapping counts columns "
        "that have no header of their own",
        f"Bring back the columns: {columns}; or drop a mapping beside the file",
    )
