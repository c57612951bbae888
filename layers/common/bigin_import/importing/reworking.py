"""Use case: a result file that a person corrected and dropped again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bigin_import import places
from bigin_import.errors import DropRejectedError, MissingObjectError, UnreadableObjectError
from bigin_import.importing.drops import ANY_ENCODING, Drop
from bigin_import.importing.heritage import Heritage
from bigin_import.importing.named_columns import by_name, is_counted
from bigin_import.importing.originals import Dropped, dropped_rows, find_originals, readable_dates
from bigin_import.importing.plans import MOST_BYTES, read_plan
from bigin_import.mapping.headers import Headers
from bigin_import.mapping.model import Mapping
from bigin_import.models import ObjectVersion, Plan, Problem
from bigin_import.ports import Files, Ledger
from bigin_import.records import Import, MappingPin
from bigin_import.tabular.damage import damaged_columns
from bigin_import.tabular.table import Table

_NOT_CHECKED = (
    "It was not checked whether a spreadsheet has changed cells, because the file that this one "
    "corrects, or what is known of it, is not kept any more."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reworking:
    """What a drop inherits from the import whose result file it was."""

    ledger: Ledger
    files: Files
    default_encoding: str

    def parents_mapping(self, source: ObjectVersion) -> MappingPin | None:
        """
        Return the mapping that the parent of *source* was started with; None without one.

        Raises:
            DropRejectedError: *source* is a result file without rows.
        """
        parent = self._parent_of(source)
        if parent is None or self.ledger.load(Import.at(parent)) is None:
            return None
        try:
            return self._handed_on(parent)
        except MissingObjectError:  # the parts of the parent are not kept as long as its record
            return None

    def _parent_of(self, source: ObjectVersion) -> str | None:
        # Our own columns are ASCII, so they are found whatever encoding a spreadsheet wrote.
        for encoding in filter(None, (self.default_encoding, ANY_ENCODING)):
            try:
                with Drop(self.files, source, encoding).opened() as table:
                    is_empty, parent = _parent_named_in(table)
            except DropRejectedError:
                continue  # it is rejected in its turn, once its mapping says how to read it
            if is_empty:
                raise DropRejectedError((_no_rows(source.key),))
            return parent
        return None

    def _handed_on(self, parent: str) -> MappingPin:
        """Store the parent's mapping with columns by name: in the corrected file they may move."""
        key = places.pinned_mapping(parent)
        mapping = Mapping.model_validate_json(self.files.read(key, at_most=MOST_BYTES))
        if is_counted(mapping):
            named = by_name(mapping, read_plan(self.files, parent).header)
            key = places.handed_on_mapping(parent)
            text = named.model_dump_json().encode()
            self.files.write(key, text, content_type="application/json")
        # Never written with another content, so its version need not be named.
        return MappingPin(key=key, version_id="")

    def examined(self, record: Import, mapping: Mapping, drop: Drop, parent: str) -> Heritage:
        """
        Look at a result file of *parent* before it is cut.

        Its problems are columns that a spreadsheet has visibly changed, and rows of other parents.

        Raises:
            DropRejectedError: It is no table that can be read; or columns were moved that the
                mapping knows by their number alone.
        """
        dropped = dropped_rows(drop)
        ancestor = self.ledger.load(Import.at(parent))
        plan = self._plan_of(parent) if ancestor else None
        is_handed_on = record.mapping is not None and places.is_ours(record.mapping.key)
        pin = _pin_of(ancestor, plan) if is_handed_on else None
        heritage = Heritage(is_rework=True, mapping=pin, warnings=(_NOT_CHECKED,))
        if problem := merged_problem(drop.source.key, dropped.imports):
            return replace(heritage, problems=(problem,))
        if ancestor is None or plan is None:
            return heritage
        if is_handed_on and is_counted(mapping) and dropped.header != plan.header:
            raise DropRejectedError((_moved_columns(drop, plan),), concerns_mapping=True)
        original = Drop(self.files, ancestor.source, plan.dialect.encoding)
        try:
            problems = _damage(drop, mapping, dropped, original)
        except (MissingObjectError, UnreadableObjectError):
            return heritage
        return replace(heritage, problems=problems, warnings=())

    def _plan_of(self, parent: str) -> Plan | None:
        try:
            return read_plan(self.files, parent)
        except MissingObjectError:
            return None


def merged_problem(name: str, imports: tuple[str, ...]) -> Problem | None:
    """Say that the rows of a drop come from several *imports*, if they do."""
    if len(imports) <= 1:
        return None
    return Problem(
        name,
        f"its rows come from the result files of several imports: {', '.join(imports)}",
        "Drop the rows of each import as a file of their own; or delete the columns that begin "
        "with bigin__ and drop the file with a mapping",
    )


def reject_merged(table: Table) -> None:
    """
    Refuse rows of several imports in *table*, as far as it was read.

    Raises:
        DropRejectedError: There are some.
    """
    if problem := merged_problem(table.name, table.parent_imports):
        raise DropRejectedError((problem,))


def _damage(drop: Drop, mapping: Mapping, dropped: Dropped, original: Drop) -> tuple[Problem, ...]:
    """
    Find columns that a spreadsheet has visibly changed.

    Raises:
        MissingObjectError: The parent's drop is gone.
    """
    with original.opened() as table:
        originals = find_originals(dropped, table)
    return damaged_columns(
        readable_dates(originals, dropped.header, mapping),
        header=dropped.header,
        file=drop.source.key,
    )


def _parent_named_in(table: Table) -> tuple[bool, str | None]:
    """Tell whether *table* is a result file without rows, and which import it comes from."""
    if not table.is_result_file or table.parent_import is not None:
        return False, table.parent_import
    is_empty = next(table.batches(), None) is None
    return is_empty, next(iter(table.parent_imports), None)


def _no_rows(name: str) -> Problem:
    what = "it is a result file with a header and no row below it"
    return Problem(name, what, "Put the corrected rows below the header and drop it again")


def _pin_of(ancestor: Import | None, plan: Plan | None) -> MappingPin | None:
    """Return the mapping of an import as a person dropped it, whoever has inherited it since."""
    if plan is not None and plan.mapping_key:
        return MappingPin(key=plan.mapping_key, version_id=plan.mapping_version)
    return ancestor.mapping if ancestor else None


def _moved_columns(drop: Drop, plan: Plan) -> Problem:
    columns = ", ".join(Headers.of(plan.header).titles_except(set()))
    return Problem(
        drop.source.key,
        "its columns are not those of the file that it corrects, and the mapping counts columns "
        "that have no header of their own",
        f"Bring back the columns: {columns}; or drop a mapping beside the file",
    )
