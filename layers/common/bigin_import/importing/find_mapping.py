"""
Use case: the mapping of a drop: which one counts, and the copy that is kept of it.

Before anything is split, it is held against the drop and Bigin's metadata. Those are remembered for
minutes, so that a night of drops asks for them once, and are of one organisation: the Zoho secret
may be made another's at any time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

from bigin_import import object_keys
from bigin_import.corrections.corrections import NO_TYPES, Corrections, Inherited, find_parent
from bigin_import.domain.drop import Problem, is_workbook
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.job_request import Field
from bigin_import.domain.locks import CachedResponse
from bigin_import.errors import (
    BiginRefusedError,
    DropRejectedError,
    MissingObjectError,
)
from bigin_import.importing.register import MappingPlaces, Registrar
from bigin_import.importing.rejections import unknown_module
from bigin_import.ledger import create_if_absent, update
from bigin_import.mapping.column_plan import counted_column_problems, first_record_problems
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.parse import Reading, read_mapping
from bigin_import.mapping.validate import Validated, validate
from bigin_import.plain_values import Stored
from bigin_import.ports import Bigin, Clock, Files, Ledger, Metadata
from bigin_import.reading.table import ANY_ENCODING, Drop, Table
from bigin_import.splitting.dates import fitting_formats
from bigin_import.stored_plan import MOST_BYTES, read_mapping_text, write_mapping

_FIELDS = Stored[tuple[Field, ...]](tuple[Field, ...])


@dataclass(slots=True)
class _Findings:
    """What is wrong, from several looks at it: one that fails does not end the others."""

    of_the_mapping: list[Problem] = field(default_factory=list)
    of_the_drop: list[Problem] = field(default_factory=list)
    drop_concerns_mapping: bool = False

    def add(self, rejected: DropRejectedError) -> None:
        """Take what the drop was rejected for."""
        self.of_the_drop += rejected.problems
        self.drop_concerns_mapping |= rejected.concerns_mapping

    def rejection(self) -> DropRejectedError | None:
        problems = tuple(dict.fromkeys((*self.of_the_mapping, *self.of_the_drop)))
        concerns_mapping = self.drop_concerns_mapping or bool(self.of_the_mapping)
        if not problems:
            return None
        return DropRejectedError(problems, concerns_mapping=concerns_mapping)


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCheck:
    """Finds everything that is wrong with a mapping and the beginning of its drop, at once."""

    files: Files
    metadata: Metadata
    corrections: Corrections
    default_encoding: str

    @contextmanager
    def open(
        self, record: Import, mapping: Mapping
    ) -> Iterator[tuple[Table, Validated, Inherited]]:
        """
        Yield the open drop, *mapping* beside its header, and what the drop has from the import
        whose result file it was, if nothing is wrong with any of them.

        Raises:
            DropRejectedError: With all problems, those of the mapping first. If the drop cannot
                be opened, those of the mapping that show without it are among them.
            MissingObjectError: The version was removed from the bucket.
        """
        findings = _Findings()
        with ExitStack() as stack:
            mapping, drop, table = self._open_as_typed(stack, record, mapping, findings)
            inherited = self._examine_correction(record, mapping, drop, table, findings)
            mapping_name = _name_of_mapping(record, inherited)
            validated = validate(
                mapping,
                table.header if table else self._read_plain_header(record, findings),
                self._get_fields(mapping, mapping_name, findings),
                mapping_name=mapping_name,
                drop_name=record.source.key,
                date_formats=partial(_read_date_formats, drop, findings),
            )
            findings.of_the_mapping += validated.problems
            findings.of_the_mapping += counted_column_problems(validated, drop=record.source.key)
            if table and table.first_rows and not table.dialect.has_header:
                findings.of_the_mapping += first_record_problems(
                    validated, table.first_rows[0], drop=record.source.key
                )
            if findings.of_the_mapping and table and table.other_sheets and not mapping.sheet:
                findings.of_the_mapping.append(_other_sheets(table))
            if rejection := findings.rejection():
                raise rejection
            if table is not None:
                yield table, validated, inherited

    def find_drop(self, record: Import, mapping: Mapping) -> Drop:
        """Return the drop of an import as *mapping*, or what it corrects, says how to read it."""
        if is_workbook(record.source.key):
            return Drop(self.files, record.source, options=mapping.options)
        encoding = mapping.character_encoding or self.corrections.find_encoding(record.source)
        return Drop(self.files, record.source, encoding, self.default_encoding, mapping.options)

    def _open_as_typed(
        self, stack: ExitStack, record: Import, mapping: Mapping, findings: _Findings
    ) -> tuple[Mapping, Drop, Table | None]:
        """Open the drop; of a workbook, or of what corrects one, the cells say what they are."""
        is_typed = is_workbook(record.source.key)
        if is_typed:
            mapping = mapping.with_types(self._find_fields(mapping.module))
        drop = self.find_drop(record, mapping)
        table = _open_table(stack, drop, findings)
        parent = _find_parent(table, findings) if table else None
        types = self.corrections.find_types(parent) if parent else NO_TYPES
        if types.is_typed or (is_typed and types.decimals):
            mapping = mapping.with_types(self._find_fields(mapping.module), types.decimals)
        if is_typed and types.decimals:  # texts among its numbers have the mark of the parent's
            drop = self.find_drop(record, mapping)
            table = _open_table(stack, drop, findings)
        return mapping, drop, table

    def _find_fields(self, module: str) -> tuple[Field, ...]:
        """Return the fields of *module*; none if Bigin refuses to tell them."""
        try:
            return self.metadata.get_fields(module)
        except BiginRefusedError:
            return ()

    def find_rejection(self, record: Import, reading: Reading) -> DropRejectedError:
        """
        Return why a drop with a wrong mapping is rejected: also for what is wrong besides.

        Raises:
            MissingObjectError: The version was removed from the bucket.
        """
        problems = reading.problems
        if reading.mapping is None:
            problems += self._check_alone(record)
        else:
            try:
                with self.open(record, reading.mapping):
                    pass
            except DropRejectedError as exc:
                problems += exc.problems
        return DropRejectedError(tuple(dict.fromkeys(problems)), concerns_mapping=True)

    def _check_alone(self, record: Import) -> tuple[Problem, ...]:
        """Return what is wrong with a drop, but for what a mapping might explain."""
        try:
            with Drop(self.files, record.source, None, self.default_encoding).open():
                return ()
        except DropRejectedError as exc:
            return () if exc.concerns_mapping else exc.problems

    def _examine_correction(
        self,
        record: Import,
        mapping: Mapping,
        drop: Drop,
        table: Table | None,
        findings: _Findings,
    ) -> Inherited:
        parent = _find_parent(table, findings) if table else None
        if parent is None:
            return Inherited()
        try:
            inherited = self.corrections.examine(record, mapping, drop, parent)
        except DropRejectedError as exc:
            findings.add(exc)
            return Inherited()
        findings.of_the_drop += inherited.problems
        if record.mapping is None or not object_keys.is_ours(record.mapping.key):
            return inherited
        passed_over = self._find_passed_over(record.source.key, mapping)
        return replace(inherited, warnings=(*inherited.warnings, *passed_over))

    def _find_passed_over(self, key: str, mapping: Mapping) -> tuple[str, ...]:
        """Return that the folder's mapping is for something else than the parent's, if it is."""
        pin = MappingPlaces(self.files).find_in_folders(key)
        if pin is None:
            return ()
        try:
            text = self.files.read(pin.key, version_id=pin.version_id or None)
        except (DropRejectedError, MissingObjectError):  # too large, or gone: nothing to tell of
            return ()
        other = read_mapping(text, name=pin.key).mapping
        ways = [(each.module, each.operation) for each in (mapping, other) if each is not None]
        return (_passed_over(pin.key, key, *ways),) if len(set(ways)) > 1 else ()

    def _read_plain_header(self, record: Import, findings: _Findings) -> tuple[str, ...] | None:
        """Return the header of a drop whose encoding nothing explains, if that is plain ASCII."""
        if not findings.drop_concerns_mapping:
            return None
        try:
            with Drop(self.files, record.source, ANY_ENCODING).open() as table:
                return table.header if "".join(table.header).isascii() else None
        except DropRejectedError:
            return None

    def _get_fields(
        self, mapping: Mapping, mapping_name: str, findings: _Findings
    ) -> tuple[Field, ...] | None:
        """
        Return the module's fields; None if Bigin refuses to tell them, and less is checked.

        Raises:
            BiginError: It cannot be asked now: whoever prepares waits, for no check is skipped.
        """
        if not mapping.module:
            return None
        try:
            return self.metadata.get_fields(mapping.module)
        except BiginRefusedError as exc:
            if exc.concerns_mapping:
                problem = unknown_module(mapping_name, mapping.module, exc)
                findings.of_the_mapping.append(problem)
            return None


def _passed_over(folders: str, key: str, used: tuple[str, str], other: tuple[str, str]) -> str:
    return (
        f"{folders} was not used: it is for {other[1]} into {other[0]}, and a result file is "
        f"imported like the file that it came of, by {used[1]} into {used[0]}. If {other[0]} is "
        f"what you want, copy it to {object_keys.stem(key)}.mapping.json beside the file and drop "
        "the file again."
    )


def _open_table(stack: ExitStack, drop: Drop, findings: _Findings) -> Table | None:
    try:
        return stack.enter_context(drop.open())
    except DropRejectedError as exc:
        findings.add(exc)
        return None


def _find_parent(table: Table, findings: _Findings) -> str | None:
    """Return what *table* is a result file of, if it is one and can be read."""
    try:
        return find_parent(table)
    except DropRejectedError as exc:
        findings.add(exc)
        return None


def _read_date_formats(drop: Drop, findings: _Findings, column: int) -> tuple[str, ...]:
    try:
        return fitting_formats(drop.read_values(column))
    except DropRejectedError as exc:
        findings.add(exc)
        return ()


def _other_sheets(table: Table) -> Problem:
    """Return that the columns that are not found may be in another sheet."""
    names = [json.dumps(name, ensure_ascii=False) for name in table.other_sheets]
    return Problem(
        table.name,
        f"only its sheet {table.dialect.sheet!r} was read",
        f'If the table is in another one, write "sheet": {" or ".join(names)} in the mapping',
    )


def _name_of_mapping(record: Import, inherited: Inherited) -> str:
    """Return what people call the mapping, also if it was inherited."""
    pin = inherited.mapping or record.mapping
    return pin.key if pin else "mapping.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingFinder:
    """Finds, reads and keeps the mappings of drops."""

    files: Files
    registrar: Registrar
    corrections: Corrections
    drop_check: DropCheck

    def find(self, record: Import) -> MappingPin | None:
        """Return the mapping that counts for a drop now: its own, its parent's, its folder's."""
        key = record.source.key
        return (
            self.registrar.mappings.find_own(key)
            or self.corrections.find_parents_mapping(record.source)
            or self.registrar.mappings.find_in_folders(key)
        )

    def read(self, record: Import, pin: MappingPin) -> Mapping:
        """Return the mapping; a wrong one is told of together with all else that is wrong."""
        if object_keys.is_ours(pin.key):
            text = self.files.read(pin.key, at_most=MOST_BYTES)
            # What its parent was to repeat, a correction does not repeat once more.
            return Mapping.model_validate_json(text).model_copy(update={"force": None})
        try:
            text = self.files.read(pin.key, version_id=pin.version_id or None)
        except DropRejectedError as exc:  # too large: another mapping is the way out
            raise DropRejectedError(exc.problems, concerns_mapping=True) from exc
        reading = read_mapping(text, name=pin.key)
        if reading.mapping is None or reading.problems:
            raise self.drop_check.find_rejection(record, reading)
        return reading.mapping

    def pin(self, record: Import, mapping: Mapping) -> str:
        """Keep *mapping* beside the parts of an import, and return its SHA-256."""
        return write_mapping(self.files, record.import_id, mapping.model_dump_json().encode())

    def read_pinned(self, record: Import) -> Mapping:
        """Return the mapping that was pinned."""
        return Mapping.model_validate_json(read_mapping_text(self.files, record))


FIELDS_SECONDS = 10 * 60  # a new field in Bigin is seen by the next night's drop at the latest
ZONE_SECONDS = 24 * 3600
# DynamoDB refuses items over 400 KB, and long pick lists come near; a larger answer is asked for
# anew each time.
MOST_ANSWER_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class MetadataCache:
    """Fields of modules and the organisation's time zone, by way of the ledger."""

    ledger: Ledger
    bigin: Bigin
    clock: Clock

    def get_fields(self, module: str) -> tuple[Field, ...]:
        """
        Return the fields of *module*.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        answer = self._recall_or_ask(
            f"FIELDS#{self.get_zgid()}#{module}",
            lambda: _FIELDS.as_json(self.bigin.get_fields(module)).decode(),
            FIELDS_SECONDS,
        )
        return _FIELDS.read_json(answer)

    def get_zgid(self) -> str:
        """
        Return the id of the organisation that we are let into now.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        return self.bigin.get_zgid()

    def get_time_zone(self) -> str:
        """
        Return the organisation's time zone, such as "Europe/Berlin"; "" if Bigin names none.

        Raises:
            BiginError: Bigin was asked and did not tell.
        """
        what = f"TIME_ZONE#{self.get_zgid()}"
        return self._recall_or_ask(what, self.bigin.get_time_zone, ZONE_SECONDS)

    def _recall_or_ask(self, what: str, ask: Callable[[], str], seconds: int) -> str:
        now = self.clock.now()
        known = self.ledger.load(CachedResponse.at(what))
        if known is not None and known.until > now:
            return known.answer
        answer = ask()
        if len(answer.encode()) <= MOST_ANSWER_BYTES:
            self._remember(CachedResponse(what=what, answer=answer, until=now + seconds))
        return answer

    def _remember(self, fresh: CachedResponse) -> None:
        _, is_new = create_if_absent(self.ledger, fresh)
        if not is_new:
            update(
                self.ledger,
                fresh.address,
                lambda seen: replace(seen, answer=fresh.answer, until=fresh.until),
            )
