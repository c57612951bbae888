"""Use case: a mapping to start from, where there is none or where it is wrong or does not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from bigin_import import object_keys
from bigin_import.domain.drop import Problem
from bigin_import.domain.import_record import Import, MappingPin
from bigin_import.domain.job_request import Field
from bigin_import.domain.states import ImportState
from bigin_import.errors import (
    BiginError,
    DropRejectedError,
    MissingObjectError,
    UnreadableObjectError,
)
from bigin_import.importing.find_mapping import MetadataCache
from bigin_import.mapping.keys import RULE_KEYS, SETTING_KEYS
from bigin_import.mapping.model import Mapping
from bigin_import.mapping.parse import read_mapping
from bigin_import.mapping.recognise import guess_module
from bigin_import.mapping.suggest import UNKNOWN_COLUMN, UNKNOWN_ENCODING, Line, suggest_mapping
from bigin_import.ports import Files
from bigin_import.reading.table import Drop, Options, Rows, Table
from bigin_import.settling.waiting import Suggestion
from bigin_import.splitting.dates import DatePattern, fitting_formats
from bigin_import.stored_plan import MOST_BYTES, read_mapping_text, read_problems

_NOT_TO_BE_HAD = (MissingObjectError, UnreadableObjectError)
_ROWS_NAMED = 3
MOST_CELLS = 20_000_000  # read for one suggestion: some ten seconds
_ENCODING = Line("character_encoding", UNKNOWN_ENCODING)
_READS_ANY_BYTES = "iso8859-1"


@dataclass(slots=True)
class _Budget:
    """What may still be read for a suggestion: it is no reason to read gigabytes many times."""

    cells: int

    def read_batches(self, table: Table) -> Iterator[Rows]:
        """Yield the rows of *table* from its beginning, the first ones in any case."""
        for batch in table.batches():
            self.cells -= len(batch.rows) * max(1, len(table.header))
            yield batch
            if self.cells <= 0:
                return


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggester:
    """Writes `<name>.mapping.suggested.json` beside the results."""

    files: Files
    metadata: MetadataCache
    default_encoding: str

    def suggest(self, record: Import) -> Suggestion:
        """
        Store a suggested mapping for a drop.

        Returns:
            Without a key if the drop is no table, is gone, or may not be read: then a mapping is
            not what it lacks; also if nothing could be suggested but the mapping that was refused.
        """
        try:
            text = self._read_and_suggest(record, self._read_mapping(record))
        except _NOT_TO_BE_HAD:
            return Suggestion()
        except DropRejectedError as exc:
            return Suggestion(problems=exc.problems)
        is_waiting = record.state is ImportState.WAITING_FOR_MAPPING
        problems = self._read_problems(record) if is_waiting else ()
        if text is None:
            return Suggestion(problems=problems)
        name = object_keys.result_name(record.source.key)
        key = f"{record.results}{name}.mapping.suggested.json"
        self.files.write(key, text.encode(), content_type="application/json")
        return Suggestion(key, tuple(_recognised(text)), problems)

    def _read_problems(self, record: Import) -> tuple[Problem, ...]:
        """Return why the beginning of a drop cannot be read without a mapping that says how."""
        try:
            with Drop(self.files, record.source, None, self.default_encoding).open():
                return ()
        except DropRejectedError as exc:
            return exc.problems

    def _read_and_suggest(self, record: Import, mapping: Mapping | None) -> str | None:
        problems = read_problems(self.files, record.import_id)
        encoding = mapping.character_encoding if mapping else None
        options = mapping.options if mapping else Options()
        drop = Drop(self.files, record.source, encoding, self.default_encoding, options)
        budget = _Budget(MOST_CELLS)
        try:
            if _show_cells(problems, record):
                _read_to_its_end(drop, budget)
            return self._suggest_from(drop, mapping, list(_lines(problems)), budget)
        except DropRejectedError as exc:
            if not exc.concerns_mapping:
                raise
        # Nothing says how the drop is encoded; but its headers may be ASCII, and dates are.
        drop = Drop(self.files, record.source, _READS_ANY_BYTES, options=options)
        return self._suggest_from(drop, mapping, [*_lines(problems), _ENCODING], budget)

    def _suggest_from(
        self, drop: Drop, mapping: Mapping | None, lines: list[Line], budget: _Budget
    ) -> str | None:
        with drop.open() as table:
            header, samples = table.header, table.first_rows
        if _ENCODING in lines and not "".join(header).isascii():
            return None
        module = (mapping.module if mapping else "") or guess_module(header)
        text = suggest_mapping(
            header,
            self._ask_fields(module),
            module=module,
            mapping=mapping,
            date_formats=lambda column: fitting_formats(_read_values(drop, column, budget)),
            misfits=lambda column, pattern: tuple(_read_misfits(drop, column, pattern, budget)),
            samples=samples,
            lines=lines,
        )
        return None if mapping is not None and _is_refused_one(text, mapping) else text

    def _read_mapping(self, record: Import) -> Mapping | None:
        """Return the mapping that does not fit, or what can be understood of a wrong one."""
        try:
            return Mapping.model_validate_json(read_mapping_text(self.files, record))
        except MissingObjectError:
            return self._read_as_dropped(record.mapping) if record.mapping else None

    def _read_as_dropped(self, pin: MappingPin) -> Mapping | None:
        try:
            if object_keys.is_ours(pin.key):
                return Mapping.model_validate_json(self.files.read(pin.key, at_most=MOST_BYTES))
            text = self.files.read(pin.key, version_id=pin.version_id or None)
        except (DropRejectedError, *_NOT_TO_BE_HAD):
            return None
        return read_mapping(text, name=pin.key).mapping

    def _ask_fields(self, module: str | None) -> tuple[Field, ...] | None:
        try:
            return self.metadata.get_fields(module) if module else None
        except BiginError:
            return None  # a suggestion from the usual names is better than none


def _recognised(text: str) -> Iterator[str]:
    suggested = json.loads(text)
    if module := suggested.get("module"):
        yield f"module {module}"
    for entry in suggested["field_mappings"]:
        if "column" in entry and not entry["column"].startswith(UNKNOWN_COLUMN):
            yield f'"{entry["column"]}" → {entry["api_name"]}'


def _show_cells(problems: Sequence[Problem], record: Import) -> bool:
    """Return whether the drop may hold bytes in an encoding nobody stated."""
    return any(problem.cells and problem.where == record.source.key for problem in problems)


# Keys that say how a file is to be read, where that may be read in two ways.
_READINGS = {"header", "ragged_rows"} | {key.name for key in RULE_KEYS if key.name != "format"}
_LINE = re.compile(r'"(\w+)": ("[^"]*"|true|false)')
_COLUMN = re.compile(r'column "((?:[^"]|"(?!\W))+)"')


def _lines(problems: Sequence[Problem]) -> Iterator[Line]:
    """Yield the lines that *problems* tell to write."""
    settings = {key.name for key in SETTING_KEYS}
    for problem in problems:
        column = _COLUMN.search(f"{problem.where} {problem.what}")
        for key, value in _LINE.findall(f"{problem.what} {problem.remedy}"):
            if key in _READINGS & settings:
                yield Line(key, json.loads(value))
            elif key in _READINGS and column:
                yield Line(key, json.loads(value), column[1])


def _is_refused_one(text: str, refused: Mapping) -> bool:
    """Return whether the suggestion *text* says what was refused, and no more."""
    reading = read_mapping(text.encode(), name="suggestion")
    is_whole = not (refused.unclear or any(field.unclear for field in refused.fields))
    if not is_whole or reading.problems or reading.mapping is None:
        return False
    return _said(reading.mapping) == _said(refused)


def _said(mapping: Mapping) -> tuple[object, ...]:
    fields = (
        field.model_copy(update={"place": "", "has_keys": True}).model_dump_json()
        for field in mapping.fields
    )
    whole = mapping.model_copy(update={"fields": (), "warnings": (), "force": None})
    return (whole.model_dump_json(), *sorted(fields))


def _read_values(drop: Drop, column: int, budget: _Budget) -> Iterator[str]:
    with drop.open() as table:
        for batch in budget.read_batches(table):
            yield from (row[column] for row in batch.rows if column < len(row))


def _read_misfits(drop: Drop, column: int, pattern: str, budget: _Budget) -> Iterator[int]:
    """Yield the first rows whose cell in *column* is no date of *pattern*."""
    dates = DatePattern(pattern)
    with drop.open() as table:
        found = (
            batch.numbers[at]
            for batch in budget.read_batches(table)
            for at, row in enumerate(batch.rows)
            if at not in batch.faults and row[column].strip() and not dates.fits(row[column])
        )
        yield from islice(found, _ROWS_NAMED)


def _read_to_its_end(drop: Drop, budget: _Budget) -> None:
    with drop.open() as table:
        for _ in budget.read_batches(table):
            pass
