"""The rows of a job, one after the other, against the records of a module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.bigin_twin.catalogue import RECORD_ID, Catalogue, Module
from tests.bigin_twin.create_request import CreateRequest
from tests.bigin_twin.mappings import Column, mandatory_fields
from tests.bigin_twin.records import Record, Tables
from tests.bigin_twin.settings import Settings
from tests.bigin_twin.values import Value, check_for

PICKLISTS = ("picklist", "multiselectpicklist")


@dataclass(frozen=True, slots=True)
class RowResult:
    """STATUS (upper case), RECORD_ID and ERRORS of one row."""

    status: str
    record_id: str = ""
    errors: str = ""


class _RowErrors:
    """Codes and the fields they concern, in order of discovery."""

    def __init__(self) -> None:
        self._fields: dict[str, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._fields)

    def add(self, code: str, field: str) -> None:
        self._fields.setdefault(code, []).append(field)

    def concerns(self, field: str) -> bool:
        return any(field in fields for fields in self._fields.values())

    def __str__(self) -> str:
        """Return the documented form: CODE-Field,Field:CODE-Field."""
        return ":".join(f"{code}-{','.join(fields)}" for code, fields in self._fields.items())


class LookupMissError(ValueError):
    """A lookup cell names no record."""


class RowWriter:
    """Writes the rows of one job."""

    def __init__(
        self,
        job_id: str,
        request: CreateRequest,
        columns: tuple[Column, ...],
        *,
        catalogue: Catalogue,
        tables: Tables,
        settings: Settings,
        now: float,
    ) -> None:
        self._job_id = job_id
        self._now = now
        self._request = request
        self._catalogue = catalogue
        self._tables = tables
        self._module = catalogue.modules[request.module]
        self._table = tables[request.module]
        self._refused_cells = settings.refused_cells
        self._mandatory = mandatory_fields(self._module, settings)
        # Read-only fields are accepted in a mapping and ignored, as seen live.
        self._sources = [
            (c.field.api_name, c.index, c.default or "", self._reader(c))
            for c in columns
            if c.field.writable
        ]

    def write(self, row: list[str]) -> RowResult:
        """Insert, update or skip one row, as the operation asks."""
        values, errors = self._cells(row)
        existing = self._existing(values)
        if existing is not None and self._request.operation == "insert":
            return RowResult("SKIPPED", errors=f"DUPLICATE_DATA-{self._request.find_by}")
        if existing is None and self._must_exist(values):
            self._note_missing_record(values, errors)
        else:
            self._check_mandatory(values, existing, errors)
        self._check_unique(values, existing, errors)
        if errors:
            return RowResult("SKIPPED", errors=str(errors))
        return self._store(values, existing)

    def _reader(self, column: Column) -> Callable[[str], Value]:
        match column.field.data_type:
            case "lookup":
                return lambda cell: self._parent_id(column, cell)
            case "ownerlookup":
                return self._owner_id
            case kind if kind in PICKLISTS:
                return _learning(column, self._module)
            case _:
                return check_for(column.field, column.date_format)

    def _cells(self, row: list[str]) -> tuple[dict[str, Value], _RowErrors]:
        values: dict[str, Value] = {}
        errors = _RowErrors()
        width = len(row)
        for name, index, default, read in self._sources:
            cell = row[index].strip() if index is not None and index < width else ""
            if not (cell := cell or default):
                if not self._request.ignore_empty:
                    values[name] = None
                continue
            if code := self._refused_cells.get(cell):
                errors.add(code, name)
                continue
            try:
                values[name] = read(cell)
            except LookupMissError:
                errors.add("RESOURCE_NOT_FOUND", name)
            except ValueError:
                errors.add("INVALID_DATA", name)
        return values, errors

    def _existing(self, values: dict[str, Value]) -> Record | None:
        if (find_by := self._request.find_by) is None or (key := values.get(find_by)) is None:
            return None
        return self._table.find(find_by, key)

    def _must_exist(self, values: dict[str, Value]) -> bool:
        """An update needs a record; so does an upsert by id, for Bigin alone gives out ids."""
        by_id = self._request.find_by == RECORD_ID.api_name and values.get("id") is not None
        return self._request.operation == "update" or (
            by_id and self._request.operation == "upsert"
        )

    def _note_missing_record(self, values: dict[str, Value], errors: _RowErrors) -> None:
        find_by = self._request.find_by or ""
        if not errors.concerns(find_by):
            empty = values.get(find_by) is None
            errors.add("MANDATORY_NOT_FOUND" if empty else "RESOURCE_NOT_FOUND", find_by)

    def _check_mandatory(
        self, values: dict[str, Value], existing: Record | None, errors: _RowErrors
    ) -> None:
        """A new record needs every mandatory field; an existing one must not lose any."""
        for name in self._mandatory:
            needed = existing is None or name in values
            if needed and values.get(name) is None and not errors.concerns(name):
                errors.add("MANDATORY_NOT_FOUND", name)

    def _check_unique(
        self, values: dict[str, Value], existing: Record | None, errors: _RowErrors
    ) -> None:
        for name in self._module.unique_fields:
            if (value := values.get(name)) is not None:
                holder = self._table.find(name, value)
                if holder is not None and holder is not existing:
                    errors.add("DUPLICATE_DATA", name)

    def _store(self, values: dict[str, Value], existing: Record | None) -> RowResult:
        values.pop(RECORD_ID.api_name, None)
        if existing is None:
            present: dict[str, Value] = {k: v for k, v in values.items() if v is not None}
            return RowResult("ADDED", self._table.add(present, self._job_id, self._now).id)
        self._table.change(existing, values, self._job_id, self._now)
        return RowResult("UPDATED", existing.id)

    def _parent_id(self, column: Column, cell: str) -> str:
        parent = self._tables[column.field.parent or ""].find(column.find_by or "id", cell)
        if parent is None:
            raise LookupMissError
        return parent.id

    def _owner_id(self, cell: str) -> str:
        if (user_id := self._catalogue.user_id(cell)) is None:
            raise ValueError("no such user")
        return user_id


def _learning(column: Column, module: Module) -> Callable[[str], Value]:
    """Read a picklist cell and add unknown values to the list."""
    read = check_for(column.field, "")
    seen: set[Any] = set()

    def read_and_learn(cell: str) -> Value:
        value = read(cell)
        for option in value if isinstance(value, list) else [str(value)]:
            if option not in seen:
                module.learn_value(column.field.api_name, option)
                seen.add(option)
        return value

    return read_and_learn
